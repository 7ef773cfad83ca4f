"""Run the till's statements over a connection."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import psycopg
from psycopg.rows import TupleRow

from outbox.statements import statements

Clock = Callable[[], datetime]
Connection = psycopg.Connection[TupleRow]


def now() -> datetime:
    """Return the time of the wall clock, in UTC."""
    return datetime.now(UTC)


def run(connection: Connection, name: str, values: Mapping[str, object]) -> None:
    """Run a statement."""
    connection.execute(_text(name), values)


def insert(connection: Connection, name: str, values: Mapping[str, object]) -> int:
    """Run a statement that inserts a row, and return the row's id."""
    row = connection.execute(_text(name), values).fetchone()
    if row is None:
        raise LookupError(f"{name} returned no id")
    return int(row[0])


def _text(name: str) -> str:
    return statements("deploy.till", "rows.sql")[name]
