"""From records to deliveries, for one endpoint: claim each, call its offset safe, deliver it beside others.

Whatever a delivery waits for, the partition goes on: a record is safe as soon as its claim, or the `again` of
whoever is at it, is committed. How many are under way is bounded; the rest stays in Kafka.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from consumers.claim import Claim
from consumers.offsets import Partition
from consumers.steps import Steps
from outbox.endpoints import Endpoint
from outbox.envelope import Envelope

log = logging.getLogger("aiaccount.intake")

_AGAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Item:
    """A record that was read: where it stands, and what it says."""

    partition: Partition
    offset: int
    envelope: Envelope


class Intake:
    """Start a delivery for each item, at most `in_flight` at once; `deliver` carries one out.

    `safe` holds what may be committed, taken from by the reading thread; `backlog` is how many items were
    handed over and not begun.
    """

    def __init__(  # noqa: PLR0913 - named once, by the runner
        self,
        endpoint: Endpoint,
        steps: Steps,
        deliver: Callable[[Claim], Awaitable[None]],
        *,
        clock: Callable[[], float],
        claim_seconds: float,
        in_flight: int,
    ) -> None:
        self._endpoint = endpoint
        self._steps = steps
        self._deliver = deliver
        self._clock = clock
        self._seconds = claim_seconds
        self._limit = in_flight
        self._waiting: deque[Item] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.safe: deque[tuple[Partition, int]] = deque()

    @property
    def backlog(self) -> int:
        """How many items wait for a place."""
        return len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many items are under way."""
        return len(self._tasks)

    def take(self, items: Sequence[Item]) -> None:
        """Take items over; called on the event loop."""
        self._waiting.extend(items)
        self._start()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, and wait at most `seconds` for what is under way."""
        self._limit = 0
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _start(self) -> None:
        while self._waiting and len(self._tasks) < self._limit:
            task = asyncio.create_task(self._handle(self._waiting.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery failed", exc_info=error, extra={"endpoint": self._endpoint.value})
        self._start()

    async def _handle(self, item: Item) -> None:
        envelope = item.envelope
        asked = self._clock()  # before the claim is asked for: ours never ends later than the database's
        token = await self._claim(envelope)
        self.safe.append((item.partition, item.offset))
        if token is not None:
            ends = asked + self._seconds
            await self._deliver(
                Claim(self._endpoint, envelope.aggregate_id, token, ends, envelope.created_at)
            )

    async def _claim(self, envelope: Envelope) -> UUID | None:
        """Claim a task, again and again: to go on without it would lose it, or hold up its partition."""
        row = {
            "endpoint": self._endpoint,
            "aggregate_id": envelope.aggregate_id,
            "lane": envelope.lane,
            "token": str(uuid4()),
        }
        while True:
            try:
                return await self._steps.claims.ask(row)
            except Exception as error:
                log.exception("cannot claim", extra={**row, "error": str(error)})
                await asyncio.sleep(_AGAIN_SECONDS)
