"""Kafka in memory: a list a partition, a committed offset a group, and members that come and go."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from consumers.offsets import Partition
from outbox.broker import Received
from outbox.endpoints import TOPICS, Endpoint
from outbox.envelope import Message
from outbox.errors import BrokerError

PARTITIONS = 2
_POLLED = 20


@dataclass
class Log:
    """The records by partition; None is one that was lost. `refusals` sends are not acknowledged."""

    records: dict[Partition, list[Received | None]] = field(
        default_factory=lambda: {(topic, n): [] for topic in TOPICS.values() for n in range(PARTITIONS)}
    )
    committed: dict[tuple[str, Partition], int] = field(default_factory=dict)
    refusals: int = 0

    def append(self, message: Message) -> None:
        """Take a message."""
        partition = (message.topic, int(message.key) % PARTITIONS if message.key.isdigit() else 0)
        records = self.records[partition]
        records.append(
            Received(*partition, len(records), message.key, message.value, list(message.headers), 0)
        )

    def send(self, messages: Iterable[Message]) -> Self:
        """Take messages of the relay."""
        for message in messages:
            self.append(message)
        return self

    def wait(self) -> None:
        """Acknowledge them, or not."""
        if self.refusals:
            self.refusals -= 1
            raise BrokerError("not acknowledged")

    def topics(self) -> Mapping[str, str]:
        """Return no ids: no topic is ever made anew here."""
        return {}

    def close(self) -> None:
        """Nothing is open."""

    def behind(self, endpoint: str) -> int:
        """How many records a group has not committed."""
        return sum(
            len(records) - self.committed.get((endpoint, partition), 0)
            for partition, records in self.records.items()
            if partition[0] == TOPICS[Endpoint(endpoint).aggregate]
        )


class Member:
    """A reader of one group; `on_lost` hears of partitions that went to another member."""

    def __init__(self, log: Log, endpoint: Endpoint, on_lost: Callable[[set[Partition]], None]) -> None:
        self._log = log
        self._endpoint = endpoint
        self._on_lost = on_lost
        self._positions: dict[Partition, int] = {}
        self._paused = False
        self._expelled: set[Partition] = set()

    def assign(self, partitions: set[Partition]) -> None:
        """Take partitions over; what was read of those that go is forgotten."""
        self.expel(self._positions.keys() - partitions)
        for partition in partitions - self._positions.keys():
            self._positions[partition] = self._log.committed.get((self._endpoint, partition), 0)

    def expel(self, partitions: set[Partition]) -> None:
        """Lose partitions; the member hears of it at its next poll."""
        for partition in partitions:
            self._positions.pop(partition)
        self._expelled |= partitions

    def poll(self, timeout_s: float) -> list[Received]:
        """Return the records that arrived."""
        del timeout_s
        if self._expelled:
            lost, self._expelled = self._expelled, set()
            self._on_lost(lost)
        if self._paused:
            return []
        found: list[Received] = []
        for partition, position in self._positions.items():
            records = self._log.records[partition][position : position + _POLLED]
            self._positions[partition] = position + len(records)
            found += [record for record in records if record is not None]
        return found

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Commit offsets of partitions that are ours; False where one is not."""
        if self._expelled or not offsets.keys() <= self._positions.keys():
            return False
        for partition, offset in offsets.items():
            self._log.committed[self._endpoint, partition] = offset
        return True

    def pause(self) -> None:
        """Fetch nothing more."""
        self._paused = True

    def resume(self) -> None:
        """Fetch again."""
        self._paused = False

    def lag(self) -> dict[Partition, int]:
        """Return the records that lie ahead."""
        return {each: len(self._log.records[each]) - at for each, at in self._positions.items()}

    def assigned(self) -> set[Partition]:
        """Return the partitions that are ours."""
        return set(self._positions)

    def close(self) -> None:
        """Leave the group."""
