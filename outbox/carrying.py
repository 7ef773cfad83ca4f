"""What carries runs, beside the relay that leads, on a connection of its own: page by page, rows become due.

Each page is a transaction that also says how far it came, so whoever dies, the next goes on. A run's row is
locked for as long: one that has just lost the lead never does a page twice. Runs take turns, a page each, so
a large one holds up nobody.
"""

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from outbox.beside import IDLE_SECONDS, go_on
from outbox.failpoints import Reach, inert
from outbox.session import open_session, telling
from outbox.statements import statements

log = logging.getLogger(__name__)

PAGE_ROWS = 500
QUEUE_SHARE = 0.25
WATCH_SHARE = 0.05
KEPT_SECONDS = 90 * 86_400.0
_BATCH_ROWS = 1_000
_SQL = statements("outbox", "carrying.sql")
_FIND = statements("outbox", "runs.sql")["find"]

Place = tuple[str, int]
"""An endpoint and an aggregate: where in a run something stands."""
_FIRST: Place = ("", 0)


class Carrying:
    """Carry the runs that are not at their end, in turn, while `leads` says that it is for this process."""

    def __init__(
        self,
        url: str,
        leads: Callable[[], bool],
        *,
        rows: int = PAGE_ROWS,
        reach: Reach = inert,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._leads = leads
        self._rows = rows
        self._reach = reach
        self._clock = clock
        self._session: psycopg.Connection | None = None
        self._last = 0
        self._moving: dict[int, Place] = {}

    def run_once(self) -> float:
        """Do one page of the next run, or look whether it is at its end; return how long to pause.

        Raises:
            DatabaseError: PostgreSQL cannot be reached or gave up; the page was not done.
        """
        if not self._leads():
            self.close()
            return IDLE_SECONDS
        if self._session is None:
            self._session = open_session(self._url, "aiaccount-sync runs")
            with telling():
                self._session.execute(_SQL["settle"])
        began = self._clock()
        with telling():
            step = self._step(self._session)
        match step:
            case None:
                return IDLE_SECONDS if self._last == 0 else self._from_the_first()
            case "watch":
                share = WATCH_SHARE
            case _:
                share = QUEUE_SHARE
        return (self._clock() - began) * (1 / share - 1)

    def run(self, stop: threading.Event) -> None:
        """Go on until `stop` is set."""
        go_on(self, "runs", stop)

    def close(self) -> None:
        """Let go of the connection; runs stand where they stand."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _from_the_first(self) -> float:
        """Begin the next round of turns."""
        self._last = 0
        return IDLE_SECONDS / 10

    def _step(self, session: psycopg.Connection) -> str | None:
        with session.transaction():
            found = session.execute(_SQL["next_run"], {"after": self._last}).fetchone()
            if found is None:
                return None
            run, step = found
            self._last = run
            match step:
                case "find":
                    self._find(session, run)
                case "watch":
                    self._watch(session, run)
                case _:
                    self._page(session, run, taking_back=step == "take back")
        self._reach("runs.page")
        return str(step)

    def _find(self, session: psycopg.Connection, run: int) -> None:
        """Find what came, and was looked at, after the run had looked and before its dates were wanted."""
        session.execute(_SQL["at_leisure"])
        session.execute(_FIND, {"run": run})
        endpoint, aggregate = _FIRST
        session.execute(_SQL["move"], {"run": run, "endpoint": endpoint, "aggregate": aggregate})

    def _page(self, session: psycopg.Connection, run: int, *, taking_back: bool) -> None:
        asked = {"run": run, "rows": self._rows}
        page = session.execute(_SQL["page"], asked).fetchone()
        rows = 0
        if page is not None:
            endpoint, aggregate, rows = page
            upto = {"run": run, "endpoint": endpoint, "aggregate": aggregate}
            for name in ("untouched", "take_back") if taking_back else ("queue",):
                session.execute(_SQL[name], upto)
            session.execute(_SQL["move"], upto)
        if rows < self._rows:
            session.execute(_SQL["taken_back" if taking_back else "queued"], asked)

    def _watch(self, session: psycopg.Connection, run: int) -> None:
        """Finish a run of which nothing moves: what was passed over may move again, so look at all of it."""
        session.execute(_SQL["however_long"])
        first = self._moving.pop(run, _FIRST)
        for begin in dict.fromkeys((first, _FIRST)):
            asked = {"run": run, "endpoint": begin[0], "aggregate": begin[1]}
            moving = session.execute(_SQL["moving"], asked).fetchone()
            if moving is not None:
                self._moving[run] = moving
                return
        session.execute(_SQL["finish"], {"run": run})
        log.info("a run is done", extra={"run": run})


def forget(session: psycopg.Connection, kept: float = KEPT_SECONDS) -> int:
    """Delete some rows of runs that ended more than `kept` seconds ago; return how many.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    asked = {"seconds": kept, "rows": _BATCH_ROWS}
    with telling():
        gone = session.execute(_SQL["forget_rows"], asked).rowcount
        return gone + session.execute(_SQL["forget_runs"], asked).rowcount
