"""Which installation a database holds: every process asks before it does anything.

A copy of production carries production's name: what runs for a test refuses it and never posts.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError

from outbox.errors import DatabaseError, InstallationError
from outbox.statements import statements

_SQL = statements("outbox", "migrate.sql")


def verify(conn: psycopg.Connection, environment: str) -> None:
    """Refuse a database that is not this environment's.

    Args:
        conn: Any connection to the database; a transaction that it is in stays open.
        environment: The name that this process was given.

    Raises:
        InstallationError: Nothing is installed there, or it is another environment's.
    """
    try:
        with conn.transaction():
            row = conn.execute(_SQL["installed_environment"]).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        row = None
    except psycopg.errors.InsufficientPrivilege as error:
        raise InstallationError(
            f"{conn.info.user} may not read AiAccount Sync's tables in database {conn.info.dbname}"
        ) from error
    if row is None:
        raise InstallationError(
            f"AiAccount Sync is not installed in database {conn.info.dbname}: run aiaccount-sync migrate"
        )
    refuse_other(str(row[0]), environment)


def refuse_other(stored: str, environment: str) -> None:
    """Raise `InstallationError` where the stored name is not the environment's."""
    if stored != environment:
        raise InstallationError(
            f"this database belongs to environment {stored!r} and this process to {environment!r}: "
            "one of them is not what it should be, and nothing was done"
        )


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    """Open a connection in autocommit that puts in parameters itself; wrap PostgreSQL's errors.

    A trigger's argument is a literal: the server takes no parameter there.

    Raises:
        InstallationError: The role may not do what was tried.
        DatabaseError: PostgreSQL cannot be reached or gave up.
    """
    try:
        with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
            yield conn
    except psycopg.errors.InsufficientPrivilege as error:
        raise InstallationError(f"the role lacks a privilege: {error}") from error
    except (psycopg.Error, DBAPIError) as error:
        raise DatabaseError(str(error)) from error
