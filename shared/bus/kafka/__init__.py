"""The event log in Apache Kafka; nothing outside this package knows aiokafka."""

from shared.bus.kafka.admin import LogUser, settle
from shared.bus.kafka.log import KafkaLog
from shared.bus.kafka.login import OPEN, Login

__all__ = ["OPEN", "KafkaLog", "LogUser", "Login", "settle"]
