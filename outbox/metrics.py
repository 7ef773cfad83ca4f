"""What an operator watches of the relay; no tenant, no number and no key stands in a label.

The values that the relay knows are counted as it works; those that need a query are looked up beside it.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from outbox.session import telling
from outbox.statements import statements

if TYPE_CHECKING:
    from outbox.relay import Tick

_SQL = statements("outbox", "metrics.sql")
_TICK_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NAMESPACE = "aiaccount_sync"
STALLED_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies before the relay: rows that it has not passed, the oldest one's age in seconds, and tasks.

    `overdue` are the tasks that nobody sees to: due for half a minute, or handed out twice and not claimed.
    """

    rows: int
    age: float
    due: int
    overdue: int


def backlog(session: psycopg.Connection) -> Backlog:
    """Look up what lies before the relay.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    with telling():
        rows, age = session.execute(_SQL["unread"]).fetchall()[0]
        due, overdue = session.execute(_SQL["tasks"]).fetchall()[0]
    return Backlog(rows, age, due, overdue)


class RelayMetrics:
    """Count what a relay does; it is the relay's watcher."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Make the metrics in a registry of their own; `clock` gives monotonic seconds."""
        self.registry = CollectorRegistry()
        gauge = partial(Gauge, registry=self.registry, namespace=NAMESPACE)
        counter = partial(Counter, registry=self.registry, namespace=NAMESPACE)
        self._leader = gauge("relay_leader", "1 while this relay leads")
        self._ticks = counter("relay_ticks", "Ticks of the relay")
        self._rows = counter("relay_rows", "Outbox rows read and acknowledged")
        self._messages = counter("relay_messages", "Messages that Kafka acknowledged")
        self._due = counter("relay_due_tasks", "Due tasks put into the outbox")
        self._errors = counter("relay_errors", "Errors that the relay began anew after", ["kind"])
        self._unswept = counter("relay_failed_sweeps", "Looks for due tasks that failed")
        self._seconds = Histogram(
            "relay_tick_seconds",
            "Time of a tick that sent something",
            buckets=_TICK_BUCKETS,
            registry=self.registry,
            namespace=NAMESPACE,
        )
        self._unread = gauge("outbox_unread_rows", "Committed outbox rows that are not in Kafka yet")
        self._age = gauge("outbox_age_seconds", "Age of the oldest unread outbox row")
        self._tasks = gauge("tasks_due", "Tasks that are due now")
        self._overdue = gauge("tasks_overdue", "Tasks that are due and that nobody sees to")
        self._stopped = gauge("tenants_stopped", "Tenants that wait for a person")
        self._found = counter(
            "reconcile_found", "Rows found that were not handled as they stand, and made due", ["kind"]
        )
        self._looked = gauge("reconcile_age_seconds", "Time since everything was last compared")
        self._clock = clock
        self._lock = threading.Lock()
        self._turned_at = clock()
        self._well = False

    def led(self, leading: bool) -> None:  # noqa: FBT001 - a gauge of two values
        """Hear whether this relay leads."""
        self._leader.set(leading)
        self._turn(well=True)

    def ticked(self, tick: "Tick", seconds: float) -> None:
        """Hear of a tick and of the seconds that it took."""
        self._ticks.inc()
        if tick.tasks:
            self._due.inc(tick.tasks)
        if tick.rows:
            self._rows.inc(tick.rows)
            self._messages.inc(tick.messages)
            self._seconds.observe(seconds)
        self._turn(well=True)

    def failed(self, error: Exception) -> None:
        """Hear of an error that the relay recovers from."""
        self._errors.labels(type(error).__name__).inc()
        self._leader.set(0)
        self._turn(well=False)

    def unswept(self) -> None:
        """Hear of a sweep that failed; the relay goes on."""
        self._unswept.inc()

    def found(self, verdict: str, aggregates: int) -> None:
        """Hear of aggregates that reconciliation found."""
        self._found.labels(verdict).inc(aggregates)

    def ready(self) -> bool:
        """Tell whether the relay leads or stands by, with nothing wrong since."""
        with self._lock:
            return self._well

    def alive(self) -> bool:
        """Tell whether the relay's loop has turned lately; taking over after a restore takes minutes."""
        with self._lock:
            return self._clock() - self._turned_at < STALLED_SECONDS

    def survey(self, session: psycopg.Connection) -> None:
        """Look up the values that need a query.

        Raises:
            DatabaseError: PostgreSQL gave up.
        """
        found = backlog(session)
        with telling():
            stopped = session.execute(_SQL["stopped_tenants"]).fetchall()[0][0]
            looked = session.execute(_SQL["looked"]).fetchall()[0][0]
        for gauge, value in (
            (self._unread, found.rows),
            (self._age, found.age),
            (self._tasks, found.due),
            (self._overdue, found.overdue),
            (self._stopped, stopped),
            (self._looked, looked),
        ):
            gauge.set(value)

    def _turn(self, *, well: bool) -> None:
        with self._lock:
            self._turned_at = self._clock()
            self._well = well
