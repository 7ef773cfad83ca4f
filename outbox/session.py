"""The relay's connections to PostgreSQL: plain psycopg, and dead within some 20 s when the line is.

Both ends watch the line: the server's end, too, for a lock that a vanished relay still holds keeps every
other relay out.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from outbox.errors import DatabaseError

CONNECT_SECONDS = 10
STANDSTILL = {"idle_in_transaction_session_timeout": "15s"}
"""Whoever stands still within a transaction loses it, and its locks hold up nobody."""
_SETTINGS = {
    **STANDSTILL,
    "timezone": "UTC",
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 2,
    "tcp_user_timeout": 20_000,
    "default_transaction_isolation": r"read\ committed",
}


@contextmanager
def telling() -> Iterator[None]:
    """Wrap PostgreSQL's errors.

    Raises:
        DatabaseError: PostgreSQL cannot be reached or gave up.
    """
    try:
        yield
    except psycopg.Error as error:
        raise DatabaseError(str(error) or type(error).__name__) from error


def open_session(url: str, name: str) -> psycopg.Connection:
    """Connect, each statement its own transaction.

    Args:
        url: The database's.
        name: How `pg_stat_activity` names us.

    Raises:
        DatabaseError: PostgreSQL cannot be reached or refuses us.
    """
    with telling():
        return psycopg.connect(
            url,
            autocommit=True,
            application_name=name,
            connect_timeout=CONNECT_SECONDS,
            options=" ".join(f"-c {setting}={value}" for setting, value in _SETTINGS.items()),
            keepalives=1,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=2,
            tcp_user_timeout=20_000,
        )
