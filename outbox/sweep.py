"""When the relay looks for tasks that are due, and what it means where a look fails.

With many tenants a look takes a while, and shall take but a part of the relay's time. One that fails over a
connection that lives is left for later: what is due waits, what was written does not.
"""

import logging
from collections.abc import Callable

import psycopg

from outbox.due import release_passed, take_due
from outbox.errors import DatabaseError
from outbox.failpoints import Reach

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.01
SWEEP_SHARE = 4.0
SWEEP_REST_SECONDS = 2.0
RELEASE_SECONDS = 1.0


class Sweep:
    """Put what is due into the outbox, as often as its time allows."""

    def __init__(self, clock: Callable[[], float], failed: Callable[[], None], reach: Reach) -> None:
        """Begin with the next call.

        Args:
            clock: Monotonic seconds.
            failed: Hears of a look that failed.
            reach: Failpoints.
        """
        self._clock = clock
        self._failed = failed
        self._reach = reach
        self._swept_at = self._released_at = -RELEASE_SECONDS

    def __call__(self, session: psycopg.Connection) -> int:
        """Look if it is time; return how many tasks were taken.

        Raises:
            DatabaseError: The connection is gone.
        """
        if self._clock() - self._swept_at < SWEEP_SECONDS:
            return 0
        began = self._clock()
        tasks = self._tried(take_due, session)
        if began - self._released_at >= RELEASE_SECONDS:
            self._released_at = began
            self._tried(release_passed, session)
        # One that a lock held up says nothing of the next.
        rest = min(SWEEP_SHARE * (self._clock() - began), SWEEP_REST_SECONDS)
        self._swept_at = self._clock() + (SWEEP_REST_SECONDS if tasks is None else rest)
        self._reach("relay.due")
        return tasks or 0

    def _tried(self, look: Callable[[psycopg.Connection], int], session: psycopg.Connection) -> int | None:
        """Return what a look gives; none where it fails over a connection that lives."""
        try:
            return look(session)
        except DatabaseError as error:
            if session.closed:
                raise
            log.warning("what is due waits: %s", error)
            self._failed()
            return None
