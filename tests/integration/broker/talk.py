"""Messages to send, and readers that find them again among those of other tests."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from outbox.broker import GroupReader, Place, Received
from outbox.endpoints import TOPICS, Aggregate
from outbox.envelope import Envelope, Message, encode
from tests.waiting import wait_for

TOPIC = TOPICS[Aggregate.POS_TRANSACTION]
JOIN_SECONDS = 40.0
SESSION = 4.0


def sale(aggregate_id: int, event: str = "1-1") -> Message:
    """Return the message of a change to a sale."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return encode(
        Envelope(Aggregate.POS_TRANSACTION, aggregate_id, None, "live", event, at, None), "/ns16/test"
    )


def ignore(lost: set[Place]) -> None:
    """Hear of lost partitions and do nothing."""
    del lost


def fresh_ids(count: int) -> list[int]:
    """Return ids that no other test uses."""
    first = secrets.randbelow(2**50)
    return list(range(first, first + count))


def fresh_group() -> str:
    """Return a group that no other test uses."""
    return f"test-{secrets.token_hex(6)}"


def member(
    bootstrap: str, group: str | None = None, on_lost: Callable[[set[Place]], None] = ignore
) -> GroupReader:
    """Return a reader of the sales' topic; in a short session, which decides how fast a group joins."""
    return GroupReader(
        bootstrap, group or fresh_group(), [TOPIC], "test", session_timeout=SESSION, on_lost=on_lost
    )


def read_until(reader: GroupReader, done: Callable[[list[Received]], bool]) -> list[Received]:
    """Poll until what was read is enough."""
    read: list[Received] = []

    def enough() -> bool:
        read.extend(reader.poll(0.1))
        return done(read)

    wait_for(enough, JOIN_SECONDS, "the records")
    return read


def joined(*readers: GroupReader) -> bool:
    """Let every reader poll once; tell whether each has partitions and none is in two hands."""
    with ThreadPoolExecutor(len(readers)) as threads:  # side by side, as members are: none waits for another
        list(threads.map(lambda reader: reader.poll(0.5), readers))
    assigned = [reader.assigned() for reader in readers]
    return all(assigned) and sum(map(len, assigned)) == len(set().union(*assigned))


def keys(records: list[Received]) -> list[int]:
    """Return the aggregates of records, in order."""
    return [int(record.key or b"-1") for record in records]
