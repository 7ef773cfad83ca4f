"""Watch a run: a bar where there is a terminal, a word where nothing moves, and the table at its end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from console.figures import lasting
from console.printing import warn
from console.session import transaction
from outbox import runs
from outbox.environment import Config
from outbox.runs import Counts, Motion, Run, Standing

POLL_SECONDS = 1.0
POLL_SHARE = 0.1
STALL_SECONDS = 15.0
REPEAT_SECONDS = 60.0
_SHOWN = (
    (Standing.SENT, "sent"),
    (Standing.THERE, "there"),
    (Standing.BLOCKED, "blocked"),
    (Standing.FAILED, "failed"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A run at a moment."""

    run: Run
    counts: Counts
    motion: Motion


def look(config: Config, run: int) -> Seen:
    """Look at a run.

    Raises:
        UsageError: There is no such run.
    """
    with transaction(config) as connection:
        return Seen(runs.get(connection, run), runs.counts(connection, run), runs.motion(connection, run))


def watch(config: Config, run: int) -> Seen:
    """Watch a run until it is over, and return it as it is then.

    Raises:
        UsageError: There is no such run.
        KeyboardInterrupt: The person has seen enough; the run goes on.
    """
    still = Still(time.monotonic)
    with _bars() as show:
        while True:
            began = time.monotonic()
            seen = look(config, run)
            show(seen)
            if seen.run.over:
                return seen
            if (said := still.said_of(seen)) is not None:
                warn(said)
            # Counting a large run takes a moment: never more than a share of the database's time.
            _rest(config, run, max(POLL_SECONDS, (time.monotonic() - began) / POLL_SHARE))


def _rest(config: Config, run: int, seconds: float) -> None:
    """Rest between two counts, but no longer than the run goes on: to ask for that costs next to nothing."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > POLL_SECONDS:
        time.sleep(POLL_SECONDS)
        with transaction(config) as connection:
            if runs.get(connection, run).over:
                return
    time.sleep(max(left, 0.0))


class Still:
    """Notice that nothing moves, and say what may be the matter; `clock` is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: object = None
        self._since = clock()
        self._after = STALL_SECONDS

    def said_of(self, seen: Seen) -> str | None:
        """Return a sentence where nothing has moved for a while, now and then again; else None."""
        now, total = self._clock(), seen.counts.total
        if (total, seen.motion) != self._last:
            self._last, self._since, self._after = (total, seen.motion), now, STALL_SECONDS
        if now - self._since < self._after:
            return None
        self._after += REPEAT_SECONDS
        return f"Nothing has moved for {now - self._since:.0f} s: {_why(total[Standing.FOUND], seen.motion)}"


def _why(unqueued: int, motion: Motion) -> str:
    if unqueued:
        return f"{unqueued:,} rows are not queued. Is `aiaccount-sync relay` running?"
    if motion.busy:
        return f"{motion.busy:,} rows are being sent, and AiAccount has not answered yet."
    if motion.handed_out:
        return f"{motion.handed_out:,} rows wait for a consumer. Is `aiaccount-sync consume` running?"
    if motion.due:
        return (
            f"{motion.due:,} rows are due and not taken. Is `aiaccount-sync relay` running? "
            "Or AiAccount is down, or told us to wait."
        )
    return "what is left failed for the moment, and is tried again at its own time."


@contextmanager
def _bars() -> Iterator[Callable[[Seen], None]]:
    """Give what shows a run, on standard error and only where that is a terminal."""
    columns = (
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=14),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TextColumn("{task.fields[more]}"),
    )
    began = time.monotonic()
    first: int | None = None
    disable = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=disable) as progress:
        queued = progress.add_task("queued", total=0, more="")
        ended = progress.add_task("looked at", total=0, more="")

        def show(seen: Seen) -> None:
            nonlocal first
            total = seen.counts.total
            rows = total.total()
            done = rows - total[Standing.FOUND] - total[Standing.LEFT]
            first = done if first is None else first
            progress.update(queued, total=rows, completed=rows - total[Standing.FOUND])
            progress.update(ended, total=rows, completed=done)
            rate = (done - first) / max(time.monotonic() - began, 1.0)
            progress.update(queued, more=_pace(rate, rows - done))
            progress.update(ended, more=", ".join(f"{total[each]:,} {name}" for each, name in _SHOWN))

        yield show


def _pace(rate: float, left: int) -> str:
    if not rate:
        return ""
    return f"{rate:,.1f} looked at a second, {lasting(timedelta(seconds=left / rate))} left"
