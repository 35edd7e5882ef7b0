"""The product as separate processes on this machine: real Kafka, one process per service and zone, a gateway."""
