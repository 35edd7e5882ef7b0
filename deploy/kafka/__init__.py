"""Apache Kafka on one node, for development, tests and `make run-kafka`."""
