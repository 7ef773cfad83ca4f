"""An event loop in which waiting takes no time: it runs what is ready and moves its clock to the next timer.

Everything that waits in the code under test waits on this loop, so hours of retries pass in milliseconds, and
the same schedule always runs the same way.
"""

import asyncio
import heapq
from dataclasses import dataclass
from typing import Any

BEGIN = 1_000.0
EPOCH = 1_777_600_000.0
"""What a wall shows when the clock stands at 0: 2026-05-01, in seconds since 1970."""
_TURNS = 100_000


@dataclass
class Clock:
    """The seconds that have passed; the wall clock of the servers runs beside it."""

    now: float = BEGIN

    def monotonic(self) -> float:
        """Return the seconds that have passed."""
        return self.now

    def time(self) -> float:
        """Return seconds since 1970."""
        return EPOCH + self.now


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop without sockets, on a clock of ours."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._selector = self
        self.set_exception_handler(lambda *_: None)  # what a killed worker leaves behind is nobody's error

    def time(self) -> float:
        """Return the clock's seconds."""
        return self._clock.now

    def select(self, timeout: float | None) -> list[Any]:
        """Give no event: there are no sockets here."""
        del timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        del event_list

    def _write_to_self(self) -> None:
        """Wake nobody: there is one thread."""

    def settle(self) -> None:
        """Run until nothing is ready at this moment."""
        for _ in range(_TURNS):
            if not self._ready and not self._next_at() <= self._clock.now:
                return
            self.stop()
            self.run_forever()
        raise AssertionError("the loop runs and runs, and no time passes")

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that wakes up meanwhile."""
        end = self._clock.now + seconds
        self.settle()
        while (at := self._next_at()) <= end:
            self._clock.now = max(at, self._clock.now)
            self.settle()
        self._clock.now = end

    def end(self) -> None:
        """Drop whatever is still waiting."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
        self.close()

    def _next_at(self) -> float:
        scheduled = self._scheduled
        while scheduled and scheduled[0]._cancelled:  # noqa: SLF001 - as the loop itself does it
            self._timer_cancelled_count -= 1
            handle = heapq.heappop(scheduled)
            handle._scheduled = False  # noqa: SLF001 - the same
        return float(scheduled[0]._when) if scheduled else float("inf")  # noqa: SLF001 - the same
