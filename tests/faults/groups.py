"""Where the four consumer groups stand in Kafka, asked from outside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from outbox.endpoints import TOPICS, Endpoint
from tests.waiting import wait_for

FREE_SECONDS = 30.0


@contextmanager
def _group(bootstrap: str, endpoint: Endpoint) -> Iterator[tuple[KafkaConsumer, list[TopicPartition]]]:
    kafka = KafkaConsumer(
        bootstrap_servers=bootstrap,
        group_id=f"aiaccount-sync.{endpoint}",
        enable_auto_commit=False,
        metrics_enabled=False,
    )
    try:
        topic = TOPICS[endpoint.aggregate]
        yield kafka, [TopicPartition(topic, number) for number in kafka.partitions_for_topic(topic) or ()]
    finally:
        kafka.close(autocommit=False)


def lags(bootstrap: str) -> dict[Endpoint, int]:
    """Return how many records no committed offset has passed, for each of the four groups."""
    behind = dict.fromkeys(Endpoint, 0)
    for endpoint in Endpoint:
        with _group(bootstrap, endpoint) as (kafka, places):
            ends, starts = kafka.end_offsets(places), kafka.beginning_offsets(places)
            for place in places:
                # The embedded broker may name the last batch's first record as a partition's end.
                behind[endpoint] += max(0, ends[place] - max(starts[place], kafka.committed(place) or 0))
    return behind


def produced(bootstrap: str) -> int:
    """Return how many records of changes Kafka has taken, ever."""
    total = 0
    for endpoint in (Endpoint.POS_INVOICE, Endpoint.KOL_BILL):  # one of each topic
        with _group(bootstrap, endpoint) as (kafka, places):
            total += sum(kafka.end_offsets(places).values())
    return total


def committed(bootstrap: str, endpoint: Endpoint) -> int:
    """Return the sum of the offsets that an endpoint's group has committed."""
    with _group(bootstrap, endpoint) as (kafka, places):
        return sum(kafka.committed(place) or 0 for place in places)


def pass_over(bootstrap: str) -> None:
    """Let the groups pass over what nobody has read; waits until members that died are out of them."""
    _move(bootstrap, lambda kafka, places: kafka.end_offsets(places))


def begin_again(bootstrap: str) -> None:
    """Let the groups read everything again; waits as `pass_over`."""
    _move(bootstrap, lambda kafka, places: kafka.beginning_offsets(places))


def _move(
    bootstrap: str, whither: Callable[[KafkaConsumer, list[TopicPartition]], dict[TopicPartition, int]]
) -> None:
    for endpoint in Endpoint:
        with _group(bootstrap, endpoint) as (kafka, places):
            kafka.assign(places)
            wanted = {place: OffsetAndMetadata(at) for place, at in whither(kafka, places).items()}
            wait_for(lambda: _commit(kafka, wanted), FREE_SECONDS, f"the group of {endpoint} to be free")  # noqa: B023 - called at once


def _commit(kafka: KafkaConsumer, ends: dict[TopicPartition, OffsetAndMetadata]) -> bool:
    try:
        kafka.commit(ends)
    except KafkaError:
        return False
    return True
