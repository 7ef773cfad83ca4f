"""The relay: what the triggers and the due tasks wrote goes to Kafka, and only then the cursor moves.

A failed chunk is sent again, and repeats are harmless: a message only says "look". So every error has one
answer: let go of everything, wait a little, take the lead anew and go on from where the cursor stands.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from outbox.cursor import Chunk, Cursor
from outbox.envelope import Message, encode, source_of
from outbox.errors import Fenced, ServiceError
from outbox.failpoints import Reach, inert
from outbox.sweep import Sweep

log = logging.getLogger(__name__)

BUSY_PAUSE = 0.002
IDLE_PAUSE = 0.05
PAUSE_GROWTH = 1.5
STANDBY_PAUSE = 1.0
FIRST_BACKOFF = 0.25
LAST_BACKOFF = 10.0
PERSIST_SECONDS = 5.0


class Acknowledgements(Protocol):
    """What is in flight."""

    def wait(self) -> None:
        """Return when all of it is acknowledged; raise `BrokerError` when one is not."""
        ...


class Lead(Protocol):
    """What one relay at a time has."""

    def take(self) -> Cursor | None:
        """Take it and return the cursor; none while another relay has it."""
        ...

    def drop(self) -> None:
        """Let it go."""
        ...


class Sender(Protocol):
    """Where the messages go."""

    def send(self, messages: Iterable[Message]) -> Acknowledgements:
        """Hand messages over; raise `BrokerError` where that cannot be."""
        ...

    def topics(self) -> Mapping[str, str]:
        """Return the ids of the topics that it knows, by name; at once, from what it learnt last."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class Watcher(Protocol):
    """Who counts what the relay does."""

    def led(self, leading: bool) -> None:  # noqa: FBT001 - a gauge of two values
        """Hear whether this relay leads."""
        ...

    def ticked(self, tick: "Tick", seconds: float) -> None:
        """Hear of a tick and of the time that it took."""
        ...

    def failed(self, error: Exception) -> None:
        """Hear of an error that the relay recovers from."""
        ...

    def unswept(self) -> None:
        """Hear of a sweep that failed."""
        ...


@dataclass(frozen=True, slots=True)
class Tick:
    """Say what a tick did: rows read, messages acknowledged, tasks taken, and whether more is waiting."""

    leading: bool
    rows: int = 0
    messages: int = 0
    tasks: int = 0
    more: bool = False


@dataclass(frozen=True)
class Tempo:
    """How long the relay waits; in seconds."""

    busy: float = BUSY_PAUSE
    idle: float = IDLE_PAUSE
    standby: float = STANDBY_PAUSE
    first_backoff: float = FIRST_BACKOFF
    last_backoff: float = LAST_BACKOFF


class Relay:
    """Carry the outbox to Kafka while this relay leads."""

    def __init__(  # noqa: PLR0913 - the one place where its parts meet
        self,
        leadership: Lead,
        connect: Callable[[], Sender],
        environment: str,
        *,
        watcher: Watcher,
        chunk_rows: int = 5_000,
        reach: Reach = inert,
        tempo: Tempo = Tempo(),
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Put it together; nothing is connected yet.

        Args:
            leadership: The lead of one database, or the standing for it.
            connect: Makes a sender; called again after a `BrokerError`.
            environment: The installation's name, for the events' source.
            watcher: Counts what happens.
            chunk_rows: The most rows of one chunk.
            reach: Failpoints.
            tempo: How long to wait.
            clock: Monotonic seconds.
            chance: A number from 0 to 1, for the jitter.
        """
        self._leadership = leadership
        self._connect = connect
        self._source = source_of(environment)
        self._watcher = watcher
        self._chunk_rows = chunk_rows
        self._reach = reach
        self._tempo = tempo
        self._clock = clock
        self._chance = chance
        self._cursor: Cursor | None = None
        self._sender: Sender | None = None
        self._ahead: Chunk | None = None
        self._topics: Mapping[str, str] = {}
        self._sweep = Sweep(clock, watcher.unswept, reach)
        self._written_at = clock()

    @property
    def leads(self) -> bool:
        """Whether it leads, as far as it knows."""
        return self._cursor is not None

    def run_once(self) -> Tick:
        """Take the lead if nobody has it; take due tasks; send one chunk and move the cursor.

        Raises:
            ServiceError: PostgreSQL or Kafka gave up; the cursor stands where it stood.
            Fenced: Another relay has taken over.
            InstallationError: The database is not one to relay from.
        """
        if self._cursor is None:
            self._cursor = self._leadership.take()
            self._watcher.led(self._cursor is not None)
            if self._cursor is None:
                return Tick(leading=False)
            self._written_at = self._clock() - PERSIST_SECONDS  # an idle tick shows at once that it moves
        begun = self._clock()
        tasks = 0 if self._ahead is not None else self._sweep(self._cursor.session)
        tick = self._relay(self._cursor, tasks)
        self._look_at_topics(self._cursor)
        self._watcher.ticked(tick, self._clock() - begun)
        return tick

    def run(self, stop: threading.Event) -> None:
        """Tick until `stop` is set; the chunk in flight is finished first.

        Raises:
            InstallationError: The database is not one to relay from.
        """
        pause = self._tempo.busy
        backoff = self._tempo.first_backoff
        try:
            while not stop.is_set():
                try:
                    tick = self.run_once()
                except (ServiceError, Fenced) as error:
                    self._recover(error)
                    stop.wait(backoff * (0.5 + self._chance() / 2))
                    backoff = min(backoff * 2, self._tempo.last_backoff)
                    continue
                backoff = self._tempo.first_backoff
                pause = self._pause_after(tick, pause)
                if pause:
                    stop.wait(pause)
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the lead, with the cursor written where it stands, and of Kafka."""
        cursor = self._cursor
        if cursor is not None:
            try:
                cursor.move(cursor.position)
            except (ServiceError, Fenced) as error:
                log.info("the cursor could not be written at the end: %s", error)
        self._let_go()

    def _relay(self, cursor: Cursor, tasks: int) -> Tick:
        chunk, self._ahead = self._ahead or cursor.read(cursor.position, self._chunk_rows), None
        self._reach("relay.read")
        if not chunk.rows:
            ended = cursor.position.target is not None
            self._pass(cursor, chunk)
            # The end of an old target says nothing of what was committed since.
            return Tick(leading=True, tasks=tasks, more=ended)
        if self._sender is None:
            self._sender = self._connect()
        # One message at a time: a list of them would be walked by every collection of garbage.
        flying = self._sender.send(encode(envelope, self._source) for envelope in chunk.envelopes)
        self._reach("relay.sent")
        if chunk.more:
            self._ahead = cursor.read(chunk.end, self._chunk_rows)
        flying.wait()
        self._reach("relay.acknowledged")
        cursor.move(chunk.end)
        self._written_at = self._clock()
        self._reach("relay.moved")
        return Tick(
            leading=True, rows=chunk.rows, messages=len(chunk.envelopes), tasks=tasks, more=chunk.more
        )

    def _look_at_topics(self, cursor: Cursor) -> None:
        """Find out whether a topic was made anew: what it held before is looked for by reconciliation."""
        topics = {} if self._sender is None else self._sender.topics()
        if topics == self._topics:
            return
        for name in cursor.note_topics(topics):
            log.warning("the topic %s was deleted and made anew: what it held is looked for", name)
        self._topics = topics

    def _pass(self, cursor: Cursor, chunk: Chunk) -> None:
        """Pass over what had no rows for us: a write only where a target ends, else every few seconds."""
        if cursor.position.target is not None or self._clock() - self._written_at >= PERSIST_SECONDS:
            cursor.move(chunk.end)
            self._written_at = self._clock()
        else:
            cursor.drift(chunk.end)

    def _pause_after(self, tick: Tick, pause: float) -> float:
        if not tick.leading:
            return self._tempo.standby
        if tick.more:
            return 0.0
        if tick.rows:
            return self._tempo.busy
        return min(max(pause, self._tempo.busy) * PAUSE_GROWTH, self._tempo.idle)

    def _recover(self, error: Exception) -> None:
        log.warning("the relay begins anew: %s", error)
        self._let_go()
        self._watcher.failed(error)

    def _let_go(self) -> None:
        """Forget all that is in memory: after a crash of the server only what it has written counts."""
        sender, self._sender, self._cursor, self._ahead = self._sender, None, None, None
        self._topics = {}
        self._watcher.led(False)  # noqa: FBT003 - a gauge of two values
        if sender is not None:
            sender.close()
        self._leadership.drop()
