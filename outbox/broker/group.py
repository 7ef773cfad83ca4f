"""Reading as a member of a consumer group, with its commits and rebalances."""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Self

from kafka import KafkaConsumer
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import OffsetAndMetadata, TopicPartition

from outbox.broker.connection import connect
from outbox.broker.topics import topic_ids
from outbox.errors import BrokerError

if TYPE_CHECKING:
    from uuid import UUID

log = logging.getLogger(__name__)

Place = tuple[str, int]
"""A topic and one of its partitions."""

SESSION_SECONDS = 6.0
"""The least that Kafka takes as it comes: others go on within ten seconds of a member's death."""
_JOIN_SECONDS = 1.0
"""Longer than a group takes to share out its partitions once all its members have heard that it must."""
_OUT_OF_GROUP = (CommitFailedError, RebalanceInProgressError, UnknownMemberIdError, IllegalGenerationError)


class Received(NamedTuple):
    """A record as it stands in Kafka; nothing of it has been read yet."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    timestamp_ms: int


class GroupReader:
    """Read topics as a member of a consumer group; its methods are called from one thread only.

    Nothing is committed but by `commit`, and a group without an offset begins with the earliest record.
    `on_lost` is called within `poll`, before that returns records, with the partitions whose reading ended
    or begins anew: whoever tracks offsets forgets those of them. A topic that was deleted and made anew is
    read from its beginning, for the offsets of the old one would pass over records of the new.
    """

    def __init__(  # noqa: PLR0913 - the settings of one connection
        self,
        bootstrap: str,
        group: str,
        topics: Iterable[str],
        client_id: str,
        *,
        session_timeout: float | None = None,
        max_poll_records: int = 500,
        on_lost: Callable[[set[Place]], None] = lambda _: None,
    ) -> None:
        """Connect; the group is joined by the first calls of `poll`.

        Args:
            bootstrap: `host:port`, several with commas.
            group: The consumer group.
            topics: The topics to read.
            client_id: How the broker's log names us.
            session_timeout: Seconds after which the group takes a silent member's partitions away; none
                for six, the least that Kafka takes as it comes.
            max_poll_records: The most records that one `poll` returns.
            on_lost: As said above.

        Raises:
            BrokerError: No broker answers.
        """
        self._on_lost = on_lost
        self._lost: set[Place] = set()
        self._begun: dict[TopicPartition, int] = {}
        self._paused = False
        session = session_timeout or SESSION_SECONDS
        self._kafka = connect(
            KafkaConsumer,
            bootstrap,
            group_id=group,
            client_id=client_id,
            allow_auto_create_topics=False,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(session * 1000),
            heartbeat_interval_ms=int(session * 1000 / 8),
            max_poll_records=max_poll_records,
            fetch_max_wait_ms=500,
            request_timeout_ms=15_000,
            bootstrap_timeout_ms=10_000,
            metrics_enabled=False,
        )
        self._wanted = list(topics)
        self._ids: dict[str, UUID] = {}
        self._kafka.subscribe(self._wanted, listener=_Listener(self._take, self._lose))
        self._learn(self._wanted)

    def poll(self, timeout_s: float) -> list[Received]:
        """Return the records that arrive within `timeout_s` seconds; none while all is paused.

        Where a join was left half done by the last call, this one waits for it for a second, if need be.
        Heartbeats go on in a thread of the client's own, but a member that calls this less often than every
        five minutes is put out of its group.

        Raises:
            BrokerError: The group cannot be read at all (authorization, a broken protocol).
        """
        try:
            wait = max(timeout_s, _JOIN_SECONDS) if self._go_on_joining() else timeout_s
            found = self._kafka.poll(timeout_ms=int(wait * 1000))
            anew = self._begin_anew()
        except KafkaError as error:
            raise BrokerError(f"cannot read from Kafka: {error}") from error
        finally:
            self._tell_lost()
        return [
            Received(r.topic, r.partition, r.offset, r.key, r.value, r.headers, r.timestamp)
            for place, records in found.items()
            if place not in anew
            for r in records
        ]

    def commit(self, offsets: Mapping[Place, int], timeout_s: float = 10.0) -> bool:
        """Commit, for each partition, the offset of the next record to be read.

        Returns:
            Whether all of it was committed. It is not while the group is rebalancing, and never for a
            partition that was lost: its new owner reads from the offset committed last.

        Raises:
            BrokerError: The broker did not take it.
        """
        assigned = self._kafka.assignment()
        ours = {place: offset for place, offset in offsets.items() if place in assigned}
        wanted = {TopicPartition(*place): OffsetAndMetadata(offset) for place, offset in ours.items()}
        try:
            self._kafka.commit(wanted, timeout_ms=int(timeout_s * 1000))
        except _OUT_OF_GROUP as error:
            log.info("offsets not committed, the group is rebalancing: %s", error)
            return False
        except KafkaError as error:
            raise BrokerError(f"cannot commit offsets: {error}") from error
        for place, offset in wanted.items():
            self._begun[place] = offset.offset
        return len(ours) == len(offsets)

    def pause(self) -> None:
        """Read nothing more, of what is assigned now or later, until `resume`; `poll` is still called."""
        self._paused = True
        self._kafka.pause(*self._kafka.assignment())

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        self._kafka.resume(*self._kafka.assignment())

    def assigned(self) -> set[Place]:
        """Return the partitions that are ours now."""
        return {(tp.topic, tp.partition) for tp in self._kafka.assignment()}

    def lag(self, timeout_s: float = 5.0) -> dict[Place, int]:
        """Return, for each of our partitions, how many records lie after the offset committed last.

        Raises:
            BrokerError: The broker does not say.
        """
        assigned = list(self._kafka.assignment())
        if not assigned:
            return {}
        try:
            for tp in assigned:
                if tp not in self._begun:
                    offset = self._kafka.committed(tp, timeout_ms=int(timeout_s * 1000))
                    self._begun[tp] = -1 if offset is None else offset
            starts = self._kafka.beginning_offsets(assigned, timeout_ms=int(timeout_s * 1000))
            ends = self._kafka.end_offsets(assigned, timeout_ms=int(timeout_s * 1000))
        except (KafkaError, KeyError) as error:  # the client's own, for a partition that is there no more
            raise BrokerError(f"cannot ask for the lag: {error!r}") from error
        return {
            # What was fetched knows better where the embedded broker names the last batch's first record.
            (tp.topic, tp.partition): max(
                0, max(ends[tp], self._kafka.highwater(tp) or 0) - max(starts[tp], self._begun[tp])
            )
            for tp in assigned
        }

    def close(self) -> None:
        """Leave the group; nothing is committed."""
        try:
            self._kafka.close(autocommit=False, timeout_ms=5_000)
        except KafkaError as error:
            log.info("closed without leaving the group: %s", error)
        self._tell_lost()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _learn(self, topics: list[str]) -> None:
        """Learn the topics' partitions before the group is joined.

        A member that leads its group and does not know them yet assigns none, until its metadata are old.
        """
        try:
            for topic in topics:
                self._kafka.partitions_for_topic(topic)
        except KafkaError as error:
            self.close()
            raise BrokerError(f"cannot learn the topics' partitions: {error}") from error

    def _go_on_joining(self) -> bool:
        """Take up a join that the end of the last poll left half done; say whether there is one.

        A join that began because a topic's partitions have changed counts as done for kafka-python as soon
        as this member has shared them out. Where the poll ends before the broker has confirmed that, the
        join would be forgotten: the member is none of the group's, reads nothing, and says nothing of it.
        A join that is confirmed between two polls, though, is thrown away and begun anew. Short polls may
        never see one confirmed, which is why the poll that goes on with a join waits for longer.
        """
        coordinator = self._kafka._coordinator  # noqa: SLF001 - there is no public way
        joining = bool(coordinator.rejoining)
        if joining:
            coordinator.request_rejoin()
        return joining

    def _begin_anew(self) -> set[TopicPartition]:
        """Go to the beginning of our partitions of topics that were made anew; return those partitions."""
        ids = topic_ids(self._kafka._cluster, self._wanted)  # noqa: SLF001 - there is no public way
        changed = {name for name, found in ids.items() if self._ids.get(name, found) != found}
        self._ids |= ids
        anew = {tp for tp in self._kafka.assignment() if tp.topic in changed} if changed else set()
        if anew:
            log.warning("made anew and read from the beginning: %s", ", ".join(sorted(changed)))
            self._kafka.seek_to_beginning(*anew)
            self._lose(anew)
        return anew

    def _take(self, assigned: set[TopicPartition]) -> None:
        if self._paused:
            self._kafka.pause(*assigned)

    def _lose(self, lost: set[TopicPartition]) -> None:
        for tp in lost:
            self._begun.pop(tp, None)
        self._lost |= {(tp.topic, tp.partition) for tp in lost}

    def _tell_lost(self) -> None:
        if self._lost:
            lost, self._lost = self._lost, set()
            self._on_lost(lost)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc] # kafka-python ships no types
    """Hear of rebalances, in the client's own thread while `poll` or `close` waits for it.

    A rebalance revokes everything and gives most of it back. What comes back keeps its position, so only
    the rest is lost; after an expired session, though, everything begins anew.
    """

    def __init__(
        self, take: Callable[[set[TopicPartition]], None], lose: Callable[[set[TopicPartition]], None]
    ) -> None:
        self._take = take
        self._lose = lose
        self._revoked: set[TopicPartition] = set()

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._revoked |= set(revoked)

    def on_partitions_lost(self, lost: set[TopicPartition]) -> None:
        self._lose(set(lost))

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        lost, self._revoked = self._revoked - set(assigned), set()
        self._lose(lost)
        self._take(set(assigned))
