"""What happens to topics and groups in Kafka, done to them as an operator or a mishap does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.structs import TopicPartition

from outbox.broker import create_topics
from outbox.endpoints import DEAD_LETTERS, TOPICS
from tests.waiting import wait_for

CHANGES = tuple(TOPICS.values())
ANEW_SECONDS = 30.0


@contextmanager
def administrator(bootstrap: str) -> Iterator[Any]:
    """Give an admin client."""
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _reader(bootstrap: str) -> Iterator[KafkaConsumer]:
    kafka = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, metrics_enabled=False)
    try:
        yield kafka
    finally:
        kafka.close()


def ends(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Return the end of each partition of a topic."""
    with _reader(bootstrap) as kafka:
        places = [TopicPartition(topic, number) for number in kafka.partitions_for_topic(topic) or ()]
        found: dict[TopicPartition, int] = kafka.end_offsets(places)
        return found


def records(bootstrap: str, topic: str) -> list[Any]:
    """Return all records that stand in a topic now."""
    upto = ends(bootstrap, topic)
    with _reader(bootstrap) as kafka:
        kafka.assign(list(upto))
        kafka.seek_to_beginning()
        found: list[Any] = []

        def all_read() -> bool:
            for some in kafka.poll(timeout_ms=200).values():
                found.extend(some)
            return all(kafka.position(place) >= end for place, end in upto.items())

        wait_for(all_read, ANEW_SECONDS, f"the records of {topic}")
        return found


def make_anew(bootstrap: str) -> None:
    """Delete the topics of changes and make them again, empty."""
    with administrator(bootstrap) as client:
        client.delete_topics(list(CHANGES))
    made: set[str] = set()

    def all_made() -> bool:
        made.update(create_topics(bootstrap))
        return made >= set(CHANGES)

    wait_for(all_made, ANEW_SECONDS, "the topics to be made anew")


def throw_away(bootstrap: str) -> None:
    """Delete all records that the topics of changes hold, as retention does."""
    with administrator(bootstrap) as client:
        for topic in CHANGES:
            client.delete_records(ends(bootstrap, topic))


def add_partitions(bootstrap: str, more: int) -> None:
    """Give each topic of changes more partitions."""
    with administrator(bootstrap) as client:
        client.create_partitions({topic: len(ends(bootstrap, topic)) + more for topic in CHANGES})


def buried(bootstrap: str) -> list[Any]:
    """Return the dead letters."""
    return records(bootstrap, DEAD_LETTERS)
