"""What cannot be read is kept, with where it came from and why, for a person to look at and to send again."""

from dataclasses import dataclass
from datetime import UTC, datetime

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import TopicPartition

from outbox.broker.connection import connect
from outbox.broker.group import Received
from outbox.broker.producer import Producer
from outbox.broker.topics import check_topics
from outbox.endpoints import DEAD_LETTERS, TOPICS
from outbox.envelope import Message
from outbox.errors import BrokerError

LARGEST = 900_000
REPLAYED = "dead-letter-replay"
"""The header of a record that was sent again: which dead letter it was."""
_LEFT_OUT = "dead-letter-left-out"
_OWN = ("dead-letter-topic", "dead-letter-partition", "dead-letter-offset", "dead-letter-reason", _LEFT_OUT)
_TRIES = 20


@dataclass(frozen=True)
class DeadLetter:
    """A record that could not be read, as it is kept: bytes as they were, where from and why.

    `letter_id` names it, `<partition>-<offset>` of the dead letters; `topic`, `partition` and `offset` are
    its origin's, none where its headers do not say; `before` is the dead letter that it was sent again from.
    """

    letter_id: str
    at: datetime
    topic: str | None
    partition: int | None
    offset: int | None
    reason: str
    left_out: bool
    before: str | None
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def dead_letter(producer: Producer, received: Received, reason: str) -> None:
    """Copy a record that cannot be read to the dead letters, bytes as they are, with where from and why.

    A value too large to be copied with its headers is left out, and a header says so.

    Raises:
        BrokerError: The copy was not acknowledged.
    """
    headers = [(name, value or b"") for name, value in received.headers]
    size = len(received.value or b"") + sum(len(name) + len(value) for name, value in headers)
    value = received.value or b""
    if size > LARGEST:
        value, headers = b"", [("dead-letter-left-out", b"value and headers, %d bytes" % size)]
    headers += [
        ("dead-letter-topic", received.topic.encode()),
        ("dead-letter-partition", b"%d" % received.partition),
        ("dead-letter-offset", b"%d" % received.offset),
        ("dead-letter-reason", reason.encode()),
    ]
    producer.send_all([Message(DEAD_LETTERS, received.key or b"", value, headers)])


def dead_letters(bootstrap: str, patience: float = 15.0) -> list[DeadLetter]:
    """Read all dead letters that there are now, the oldest first. Reads as no group and commits nothing.

    Args:
        bootstrap: `host:port`, several with commas.
        patience: Seconds to wait for the broker's answer.

    Raises:
        BrokerError: The broker does not answer, or there is no such topic.
    """
    if missing := [problem for problem in check_topics(bootstrap) if DEAD_LETTERS in problem]:
        raise BrokerError(f"{missing[0]}: `aiaccount-sync migrate` makes it")
    kafka = connect(
        KafkaConsumer,
        bootstrap,
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        request_timeout_ms=int(patience * 1000),
        bootstrap_timeout_ms=int(patience * 1000),
        metrics_enabled=False,
    )
    try:
        return [_letter(record) for record in _all(kafka)]
    except KafkaError as error:
        raise BrokerError(f"the dead letters could not be read: {error}") from error
    finally:
        kafka.close(autocommit=False, timeout_ms=5_000)


def _all(kafka: KafkaConsumer) -> list[Received]:
    places = [
        TopicPartition(DEAD_LETTERS, each) for each in sorted(kafka.partitions_for_topic(DEAD_LETTERS) or ())
    ]
    kafka.assign(places)
    kafka.seek_to_beginning()
    ends, found, idle = kafka.end_offsets(places), [], 0
    while any(kafka.position(place) < ends[place] for place in places):
        records = [record for some in kafka.poll(timeout_ms=500).values() for record in some]
        idle = 0 if records else idle + 1
        if idle == _TRIES:
            raise BrokerError("the broker does not give the dead letters")
        found += [
            Received(r.topic, r.partition, r.offset, r.key, r.value, r.headers, r.timestamp) for r in records
        ]
    return found


def _letter(record: Received) -> DeadLetter:
    own = {name: value or b"" for name, value in record.headers if name in (*_OWN, REPLAYED)}
    others = tuple((name, value or b"") for name, value in record.headers if name not in _OWN)
    before = own.get(REPLAYED)
    return DeadLetter(
        letter_id=f"{record.partition}-{record.offset}",
        at=datetime.fromtimestamp(record.timestamp_ms / 1000, UTC),
        topic=_text(own.get("dead-letter-topic")),
        partition=_number(own.get("dead-letter-partition")),
        offset=_number(own.get("dead-letter-offset")),
        reason=_text(own.get("dead-letter-reason")) or "no reason was kept",
        left_out=_LEFT_OUT in own,
        before=None if before is None else _text(before),
        key=record.key or b"",
        value=record.value or b"",
        headers=others,
    )


def replay(producer: Producer, letter: DeadLetter) -> None:
    """Send a dead letter back to the topic that it came from, its bytes as they were, marked as sent again.

    Raises:
        BrokerError: It was not acknowledged, or it cannot go back: its origin is no topic of ours, or its
            bytes were too many to be kept.
    """
    if letter.topic is None or letter.topic not in TOPICS.values():
        raise BrokerError(
            f"{letter.letter_id} came from {letter.topic or 'nowhere'}, which is no topic of ours"
        )
    if letter.left_out:
        raise BrokerError(f"{letter.letter_id} was too large to be kept: there is nothing to send again")
    headers = [(name, value) for name, value in letter.headers if name != REPLAYED]
    headers.append((REPLAYED, letter.letter_id.encode()))
    producer.send_all([Message(letter.topic, letter.key, letter.value, headers)])


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _number(value: bytes | None) -> int | None:
    return int(value) if value is not None and value.isdigit() else None
