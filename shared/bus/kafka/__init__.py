"""The event log in Apache Kafka; nothing outside this package knows aiokafka."""

from shared.bus.kafka.log import KafkaLog

__all__ = ["KafkaLog"]
