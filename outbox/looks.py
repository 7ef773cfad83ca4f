"""Looks: reconciliation by itself, beside the relay that leads, on a connection of its own.

The rows of the last days every few minutes, everything in rotation, and everything at once when an alert says
that something may have slipped through. Always a small page and then a pause, so that no sale waits for it.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from outbox.beside import IDLE_SECONDS, go_on
from outbox.endpoints import Aggregate
from outbox.reconcile import (
    FIRST_ID,
    GRACE_SECONDS,
    PAGE_ROWS,
    SLIPPED,
    Page,
    Scope,
    Verdict,
    by_aggregate,
    make_due,
    open_reconciliation,
    read_page,
)
from outbox.session import telling
from outbox.statements import statements

log = logging.getLogger(__name__)

MISSED = "missed_changes"
ASKING = ("truncate", "capture_failed", "capture_restored", "reanchored", "topic_recreated")
"""The alerts after which everything is looked at, at once."""
DAY_SECONDS = 86_400.0
URGENT_SHARE = 0.25
_ORDER = (Aggregate.POS_TRANSACTION, Aggregate.KOL_SETTLEMENT)
_SQL = statements("outbox", "reconcile.sql")


class Watcher(Protocol):
    """Who counts what is found."""

    def found(self, verdict: str, aggregates: int) -> None:
        """Hear of aggregates that were not handled as they stand."""
        ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the recent rows, of how many days, are compared; and how much of a core that may take."""

    seconds: float = 180.0
    days: float = 3.0
    grace: float = GRACE_SECONDS
    share: float = 0.05
    rows: int = PAGE_ROWS


@dataclass
class _Recent:
    """A look at what is recent: where it stands, and what it has found."""

    aggregate: Aggregate
    after: int
    found: Counter[Verdict] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Progress:
    """Where the look at everything stands; alerts by their ids, ages in seconds."""

    aggregate_type: str
    after_id: int | None
    under_way: bool
    urgent: bool
    alert_id: int
    newest_alert: int
    began_ago: float
    urgent_ago: float


class Reconciliation:
    """Look for what was not handled, while `leads` says that this process is the one to do so."""

    def __init__(
        self,
        url: str,
        leads: Callable[[], bool],
        watcher: Watcher,
        pace: Pace = Pace(),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._leads = leads
        self._watcher = watcher
        self._pace = pace
        self._clock = clock
        self._session: psycopg.Connection | None = None
        self._recent: _Recent | None = None
        self._recent_at = float("-inf")
        self._everything: Counter[Verdict] = Counter()
        self._unreadable: set[tuple[Aggregate, int]] = set()

    def run_once(self) -> float:
        """Compare one page of whatever look is due, make due what differs, and return how long to pause.

        Raises:
            DatabaseError: PostgreSQL cannot be reached or gave up; what was due stays due.
        """
        if not self._leads():
            self.close()
            return IDLE_SECONDS
        if self._session is None:
            self._session = open_reconciliation(self._url)
        began = self._clock()
        with telling():
            progress = self._begun(self._session)
            if self._recent is not None and not progress.urgent:
                self._look_at_recent(self._session, self._recent)
            elif progress.under_way:
                self._look_at_everything(self._session, progress)
            else:
                return IDLE_SECONDS
        share = URGENT_SHARE if progress.urgent else self._pace.share
        return (self._clock() - began) * (1 / share - 1)

    def run(self, stop: threading.Event) -> None:
        """Go on until `stop` is set."""
        go_on(self, "reconciliation", stop)

    def close(self) -> None:
        """Let go of the connection; a look at everything goes on where it stands."""
        session, self._session = self._session, None
        self._recent, self._recent_at = None, float("-inf")
        if session is not None:
            session.close()

    def _begun(self, session: psycopg.Connection) -> _Progress:
        """Begin the looks that are due; return where the one at everything stands."""
        progress = self._progress(session)
        asked = progress.newest_alert > progress.alert_id and progress.urgent_ago >= self._pace.seconds
        due = not progress.under_way and progress.began_ago >= self._pace.seconds
        if due or (asked and not (progress.under_way and progress.urgent)):
            self._everything.clear()
            session.execute(_SQL["begin"], {"alert": progress.newest_alert if asked else 0})
            progress = self._progress(session)
        if self._recent is None and self._clock() - self._recent_at >= self._pace.seconds:
            session.execute(_SQL["mark"])
            session.execute(_SQL["forget"], {"seconds": self._pace.days * DAY_SECONDS})
            self._recent = _Recent(_ORDER[0], self._first_recent(session, _ORDER[0]))
            self._recent_at = self._clock()
        return progress

    def _progress(self, session: psycopg.Connection) -> _Progress:
        return _Progress(*session.execute(_SQL["progress"], {"kinds": [*ASKING]}).fetchall()[0])

    def _first_recent(self, session: psycopg.Connection, aggregate: Aggregate) -> int:
        asked = {"aggregate": aggregate, "seconds": self._pace.days * DAY_SECONDS}
        greatest: int = session.execute(_SQL["recent"], asked).fetchall()[0][0]
        return greatest

    def _look_at_recent(self, session: psycopg.Connection, look: _Recent) -> None:
        page = self._page(session, look.aggregate, look.after)
        make_due(session, (one for one in page.standings if one.verdict is not Verdict.UNDERWAY))
        look.found += self._counted(page, look.aggregate)
        if page.ends is not None:
            look.after = page.ends
        elif look.aggregate is not _ORDER[-1]:
            look.aggregate = _ORDER[-1]
            look.after = self._first_recent(session, look.aggregate)
        else:
            self._recent = None
            _tell(session, look.found)

    def _look_at_everything(self, session: psycopg.Connection, progress: _Progress) -> None:
        aggregate = Aggregate(progress.aggregate_type)
        page = self._page(session, aggregate, FIRST_ID if progress.after_id is None else progress.after_id)
        # What an alert asked for may be lost with Kafka, so nothing is taken to be on its way.
        due = [one for one in page.standings if progress.urgent or one.verdict is not Verdict.UNDERWAY]
        with session.transaction():
            make_due(session, due)
            if page.ends is not None:
                session.execute(_SQL["move"], {"aggregate": aggregate, "after": page.ends})
            elif aggregate is not _ORDER[-1]:
                session.execute(_SQL["move"], {"aggregate": _ORDER[-1], "after": None})
            else:
                session.execute(_SQL["finish"])
        self._everything += self._counted(page, aggregate)
        if page.ends is None and aggregate is _ORDER[-1]:
            _tell(session, self._everything)
            self._everything.clear()

    def _page(self, session: psycopg.Connection, aggregate: Aggregate, after: int) -> Page:
        return read_page(session, aggregate, after, Scope(grace=self._pace.grace), self._pace.rows)

    def _counted(self, page: Page, aggregate: Aggregate) -> Counter[Verdict]:
        """Count a page's aggregates by verdict, and let the watcher hear of them."""
        found = Counter(by_aggregate(page.standings).values())
        del found[Verdict.UNDERWAY]
        if page.unreadable is not None and (aggregate, page.unreadable) not in self._unreadable:
            self._unreadable.add((aggregate, page.unreadable))  # it is told once
            log.error("a row breaks its view", extra={"aggregate": f"{aggregate} {page.unreadable}"})
            found[Verdict.UNREADABLE] += 1
        for verdict, aggregates in found.items():
            self._watcher.found(verdict, aggregates)
        return found


def _tell(session: psycopg.Connection, found: Counter[Verdict]) -> None:
    """Let operators hear of what slipped through, if anything did."""
    said = ", ".join(f"{found[verdict]} {verdict}" for verdict in SLIPPED if found[verdict])
    if said:
        detail = f"not handled as they stand: {said} (rows that no event told of); they are due now"
        log.warning("%s: %s", MISSED, detail)
        session.execute(_SQL["alert"], {"kind": MISSED, "detail": detail})
