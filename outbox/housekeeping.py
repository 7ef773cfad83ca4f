"""What goes on beside the relay, on a connection of its own: old rows go, and gauges are looked up."""

import logging
import threading
from typing import Protocol

import psycopg

from outbox.carrying import forget
from outbox.cursor import prune
from outbox.errors import ServiceError
from outbox.session import open_session

log = logging.getLogger(__name__)

SURVEY_SECONDS = 5.0
KEPT_SECONDS = 86_400.0
BATCH_ROWS = 1_000
BATCHES = 20


class Surveyor(Protocol):
    """Who looks up the gauges."""

    def survey(self, session: psycopg.Connection) -> None:
        """Look them up; raise `DatabaseError` where PostgreSQL gives up."""
        ...


class Housekeeping:
    """Keep the outbox small and the gauges fresh."""

    def __init__(self, url: str, surveyor: Surveyor, *, kept: float = KEPT_SECONDS) -> None:
        """Keep outbox rows for `kept` seconds after they were captured; runs for 90 days after their end."""
        self._url = url
        self._surveyor = surveyor
        self._kept = kept
        self._session: psycopg.Connection | None = None

    def run_once(self) -> int:
        """Survey, and delete some small batches; return how many rows were deleted.

        Raises:
            DatabaseError: PostgreSQL cannot be reached or gave up.
        """
        if self._session is None:
            self._session = open_session(self._url, "aiaccount-sync housekeeping")
        self._surveyor.survey(self._session)
        gone = 0
        for _ in range(BATCHES):
            batch = prune(self._session, self._kept, BATCH_ROWS)
            gone += batch
            if batch < BATCH_ROWS:
                break
        return gone + forget(self._session)

    def run(self, stop: threading.Event) -> None:
        """Go round every few seconds until `stop` is set; an error is said and tried again."""
        while not stop.is_set():
            try:
                self.run_once()
            except ServiceError as error:
                log.info("housekeeping begins anew: %s", error)
                self.close()
            stop.wait(SURVEY_SECONDS)
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
