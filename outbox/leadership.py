"""Leading: one relay is active in a database, the others stand by.

A session's advisory lock says who leads, the cursor's epoch makes sure of it: taking over raises it, and
whoever led before can move the cursor no more. A cursor that another cluster or timeline wrote (a restore,
a failover) holds transaction ids that mean nothing here: it begins anew, and the alert that says so lets
reconciliation compare everything at once.
"""

import logging
from socket import gethostname
from typing import Any

import psycopg

from outbox.cursor import Cursor, Position
from outbox.errors import InstallationError
from outbox.installation import verify
from outbox.session import open_session, telling
from outbox.statements import statements

log = logging.getLogger(__name__)

LOCK = 0x6169_6163_6375_6E74
REANCHORED = "reanchored"
_SQL = statements("outbox", "leadership.sql")


class Leadership:
    """Stand for the lead of a database, over one connection that is kept while standing by."""

    def __init__(self, url: str, environment: str) -> None:
        """Stand for it; `environment` is the installation's name that the database must bear."""
        self._url = url
        self._environment = environment
        self._session: psycopg.Connection | None = None

    def take(self) -> Cursor | None:
        """Take the lead, unless another relay has it.

        Returns:
            The cursor of a new epoch; none while another leads.

        Raises:
            InstallationError: The database is another environment's, not installed, a standby, or behind a
                pool that changes servers between transactions.
            DatabaseError: PostgreSQL cannot be reached or gave up.
        """
        if self._session is None:
            self._session = self._open()
        try:
            with telling():
                return _try_lead(self._session)
        except BaseException:
            self.drop()
            raise

    @property
    def session(self) -> psycopg.Connection | None:
        """The connection that holds, or stands for, the lead."""
        return self._session

    def drop(self) -> None:
        """Give up the lead or the standing for it, and the connection."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _open(self) -> psycopg.Connection:
        session = open_session(self._url, "aiaccount-sync relay")
        try:
            with telling():
                verify(session, self._environment)
                refuse_standby(session)
                refuse_pooling(session, self._url)
                session.execute(_SQL["settle"])
        except BaseException:
            session.close()
            raise
        return session


_POOLED = (
    "the connection changes servers between transactions (transaction pooling): "
    "connect the relay to PostgreSQL itself, or through a pool that keeps sessions"
)


def refuse_standby(session: psycopg.Connection) -> None:
    """Raise `InstallationError` where nothing can be written."""
    if _one(session, "recovering")[0]:
        raise InstallationError("this database is a standby: point the relay at the primary")


def refuse_pooling(session: psycopg.Connection, url: str) -> None:
    """Refuse a pool that gives a client another server process for each transaction.

    A server process that is not the one of the greeting shows a pool; then another connection keeps a
    server process busy, and the first must still get its own.

    Raises:
        InstallationError: It is such a pool.
    """
    first = _one(session, "backend")[0]
    if first == session.info.backend_pid:
        return
    with open_session(url, "aiaccount-sync relay: looking for a pool") as other, other.transaction():
        _one(other, "backend")
        if {_one(session, "backend")[0] for _ in range(3)} != {first}:
            raise InstallationError(_POOLED)


def _try_lead(session: psycopg.Connection) -> Cursor | None:
    if not _one(session, "try_lead", lock=LOCK)[0]:
        return None
    if not _one(session, "holds_lead", lock=LOCK)[0]:
        raise InstallationError(_POOLED)
    return take_over(session)


def take_over(session: psycopg.Connection) -> Cursor:
    """Raise the epoch over a session that holds the lead, and return the cursor where it stands.

    Raises:
        InstallationError: There is no cursor.
        psycopg.Error: PostgreSQL gave up.
    """
    with session.transaction():
        now = _one(session, "now")[0]
        session.execute("set local synchronous_commit = on")
        written = session.execute(_SQL["cursor"]).fetchone()
        if written is None:
            raise InstallationError("the relay's cursor is missing: run aiaccount-sync migrate")
        cluster = _one(session, "cluster")
        if written != cluster:
            _anchor(session, now, written, cluster)
        epoch, place, handled, target, xid, seq = _one(session, "raise_epoch", machine=gethostname())
    after = None if xid is None else (int(xid), seq)
    log.info("leads as epoch %d", epoch)
    return Cursor(session, epoch, place, Position(handled, target, after))


def _anchor(
    session: psycopg.Connection, now: str, written: tuple[int, int], cluster: tuple[int, int]
) -> None:
    detail = (
        f"the cursor was of system {written[0]}, timeline {written[1]}; "
        f"this is system {cluster[0]}, timeline {cluster[1]}. Everything is compared, at once"
    )
    log.warning("cursor re-anchored: %s", detail)
    session.execute(_SQL["unsettle"])
    session.execute(_SQL["anchor"], {"now": now, "system": cluster[0], "timeline": cluster[1]})
    session.execute(_SQL["alert"], {"kind": REANCHORED, "detail": detail})
    session.execute(_SQL["send_again"])


def _one(session: psycopg.Connection, name: str, **parameters: object) -> tuple[Any, ...]:
    return session.execute(_SQL[name], parameters or None).fetchall()[0]
