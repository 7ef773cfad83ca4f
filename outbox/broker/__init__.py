"""Kafka, and the only place that knows its client: send and wait for every acknowledgement, read as a group.

kafka-python's defaults are not ours. Its `flush` does not raise, so every future is looked at; its
partitioner sorts the partitions for every message, so partitions are reckoned here, once a key, by the
same hash as every other client's; topics are never made by accident.
"""

from outbox.broker.dead_letters import DeadLetter, dead_letter, dead_letters, replay
from outbox.broker.group import GroupReader, Place, Received
from outbox.broker.lags import Lag, Lags
from outbox.broker.producer import Pending, Producer
from outbox.broker.topics import check_topics, create_topics

__all__ = [
    "DeadLetter",
    "GroupReader",
    "Lag",
    "Lags",
    "Pending",
    "Place",
    "Producer",
    "Received",
    "check_topics",
    "create_topics",
    "dead_letter",
    "dead_letters",
    "replay",
]
