"""The thread that reads an endpoint's topic as its consumer group, and commits what is safe.

kafka-python blocks, so it has a thread of its own; deliveries run on the event loop. The poll is called again
and again whatever the deliveries wait for, so the group never takes this member for dead.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from consumers.intake import Intake, Item
from consumers.metrics import ConsumerMetrics
from consumers.offsets import Offsets, Partition
from outbox.broker import Received
from outbox.endpoints import Endpoint
from outbox.envelope import decode
from outbox.errors import BrokerError, EnvelopeError
from outbox.failpoints import Reach

log = logging.getLogger("aiaccount.reading")

POLL_SECONDS = 0.2
COMMIT_SECONDS = 0.25
LAG_SECONDS = 5.0
ALIVE_SECONDS = 60.0
_AGAIN_SECONDS = 1.0
_ENOUGH = 5
"""Errors of the broker in a row after which the group is left and joined again."""


class Reader(Protocol):
    """What is asked of the group's reader here."""

    def poll(self, timeout_s: float) -> list[Received]:
        """Return the records that arrived."""
        ...

    def commit(self, offsets: Mapping[Partition, int]) -> bool:
        """Commit offsets; False where the group is rebalancing."""
        ...

    def pause(self) -> None:
        """Fetch nothing more."""
        ...

    def resume(self) -> None:
        """Fetch again."""
        ...

    def lag(self) -> dict[Partition, int]:
        """Return the records that lie ahead, by partition."""
        ...

    def assigned(self) -> set[Partition]:
        """Return the partitions that are ours."""
        ...

    def close(self) -> None:
        """Leave the group."""
        ...


class Reading:
    """Read, hand over and commit for one endpoint, until told to stop."""

    def __init__(  # noqa: PLR0913 - named once, by the runner
        self,
        endpoint: Endpoint,
        open_reader: Callable[[Callable[[set[Partition]], None]], Reader],
        bury: Callable[[Received, str], None],
        intake: Intake,
        loop: asyncio.AbstractEventLoop,
        *,
        backlog: int,
        reach: Reach,
        metrics: ConsumerMetrics,
    ) -> None:
        self._endpoint = endpoint
        self._open = open_reader
        self._bury = bury
        self._intake = intake
        self._loop = loop
        self._backlog = backlog
        self._reach = reach
        self._metrics = metrics
        self._offsets = Offsets()
        self._stop = threading.Event()
        self._paused = False
        self._commit_at = self._lag_at = self._read_at = 0.0
        self._polled_at = time.monotonic()
        self.ready = False
        self._thread = threading.Thread(target=self._run, name=f"read-{endpoint}", daemon=True)

    def start(self) -> None:
        """Begin to read, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Read nothing more; what is safe is still committed, until `close`."""
        self._stop.set()

    def alive(self) -> bool:
        """Say whether the thread still polls."""
        return self._thread.is_alive() and time.monotonic() - self._polled_at < ALIVE_SECONDS

    def join(self, seconds: float) -> None:
        """Wait at most `seconds` until the group is left."""
        self._thread.join(seconds)

    def run_once(self, reader: Reader) -> int:
        """Poll once, hand over, commit what is safe; return how many records came."""
        records = reader.poll(POLL_SECONDS)
        self._polled_at = time.monotonic()
        self.ready = self.ready or bool(reader.assigned())
        if records:
            self._reach("polled")
            self._read_at = records[-1].timestamp_ms / 1000
            items = [item for record in records if (item := self._read(record)) is not None]
            self._loop.call_soon_threadsafe(self._intake.take, items)
        self._hold_back(reader)
        self._commit(reader)
        self._measure(reader)
        return len(records)

    def _run(self) -> None:
        reader: Reader | None = None
        failures = 0
        while not self._stop.is_set():
            try:
                if reader is None:
                    reader = self._open(self._lost)
                self.run_once(reader)
                failures = 0
            except BrokerError as error:
                log.warning("cannot read", extra=self._fields(error))
                failures += 1
            except Exception as error:
                if self._loop.is_closed():  # the process ends
                    log.debug("reading ends", extra=self._fields(error))
                    break
                # The client does not foresee everything, such as partitions that are there no more.
                log.exception("reading failed", extra=self._fields(error))
                failures = _ENOUGH
            if failures:
                if failures >= _ENOUGH:
                    self._leave(reader)
                    reader = None
                self._stop.wait(_AGAIN_SECONDS)
        if reader is not None:
            self._close(reader)

    def _leave(self, reader: Reader | None) -> None:
        """Leave the group after errors that do not go away: what was not committed is read again."""
        self._offsets = Offsets()
        self._paused = False
        if reader is not None:
            log.warning("reading begins anew", extra={"endpoint": self._endpoint.value})
            with suppress(Exception):  # it may be broken in any way
                reader.close()

    def _close(self, reader: Reader) -> None:
        try:
            self._commit_at = 0.0
            self._commit(reader)
        except BrokerError as error:
            log.warning("offsets not committed", extra=self._fields(error))
        finally:
            reader.close()

    def _read(self, record: Received) -> Item | None:
        """Read a record: what cannot be read goes to the dead letters, what is another endpoint's is safe."""
        partition = (record.topic, record.partition)
        self._offsets.read(partition, record.offset)
        try:
            envelope = decode(record.topic, record.key, record.value, record.headers)
        except EnvelopeError as error:
            self._bury_for_good(record, str(error))
            envelope = None
        if envelope is None or envelope.endpoint not in (None, self._endpoint):
            self._offsets.safe(partition, record.offset)
            return None
        return Item(partition, record.offset, envelope)

    def _bury_for_good(self, record: Received, reason: str) -> None:
        """Send a record to the dead letters, again and again: to go on without it would lose what follows."""
        while True:
            try:
                self._bury(record, reason)
            except BrokerError as error:
                log.warning("cannot bury", extra=self._fields(error))
                if self._stop.wait(_AGAIN_SECONDS):
                    raise
            else:
                self._metrics.dead_letters.inc()
                return

    def _hold_back(self, reader: Reader) -> None:
        """Leave records in Kafka while enough wait here."""
        if not self._paused and self._intake.backlog > self._backlog:
            reader.pause()
            self._paused = True
        elif self._paused and self._intake.backlog <= self._backlog // 2:
            reader.resume()
            self._paused = False

    def _commit(self, reader: Reader) -> None:
        while self._intake.safe:
            partition, offset = self._intake.safe.popleft()
            self._offsets.safe(partition, offset)
        if time.monotonic() < self._commit_at:
            return
        self._commit_at = time.monotonic() + COMMIT_SECONDS
        offsets = self._offsets.committable()
        if offsets and reader.commit(offsets):
            self._offsets.committed(offsets)
            self._reach("committed")

    def _measure(self, reader: Reader) -> None:
        if time.monotonic() < self._lag_at:
            return
        self._lag_at = time.monotonic() + LAG_SECONDS
        behind = sum(reader.lag().values())
        self._metrics.lag.labels(self._endpoint).set(behind)
        age = time.time() - self._read_at if behind and self._read_at else 0.0
        self._metrics.lag_seconds.labels(self._endpoint).set(age)
        self._metrics.in_flight.labels(self._endpoint).set(self._intake.in_flight)

    def _lost(self, partitions: set[Partition]) -> None:
        for partition in partitions:
            self._offsets.lost(partition)

    def _fields(self, error: Exception) -> dict[str, str]:
        return {"endpoint": self._endpoint.value, "error": str(error)}
