"""Connections to the database in memory: whoever runs a named statement of ours gets what it gives.

The seam is the statement's text, as `outbox.statements` reads it, so everything above it is the real code.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, Self

import psycopg

from outbox.cursor import Cursor, Position
from outbox.relay import Tick
from outbox.statements import statements
from tests.stateful.changes import Changes
from tests.stateful.database import Database
from tests.stateful.steps import STATEMENTS
from tests.stateful.sweep import forget_breaker, let_go, passed_breaker, take_due
from tests.stateful.tables import Tables

Gate = Callable[[str], Awaitable[None]]
_STEPS = {text: name for name, text in statements("consumers", "steps.sql").items()}
_SWEPT = {
    "take_due": take_due,
    "passed_breaker": passed_breaker,
    "let_go": let_go,
    "forget_breaker": forget_breaker,
}
_RELAYED = {
    text: name for file in ("due.sql", "cursor.sql") for name, text in statements("outbox", file).items()
}


class Outages:
    """Statements that fail: the next one never runs, or runs and its answer is lost."""

    def __init__(self) -> None:
        self._next: list[str] = []

    def add(self, when: str) -> None:
        """Let the next statement fail `before` it runs or `after`."""
        self._next.append(when)

    def clear(self) -> None:
        """Let none fail."""
        self._next.clear()

    @contextmanager
    def around(self) -> Iterator[None]:
        """Run a statement or transaction in here."""
        when = self._next.pop() if self._next else None
        if when == "before":
            raise psycopg.OperationalError("the server closed the connection")
        yield
        if when == "after":
            raise psycopg.OperationalError("the server closed the connection after the commit")


class Pool:
    """A worker's pool of connections; before each statement it passes the worker's gate."""

    def __init__(self, database: Database, gate: Gate, outages: Outages) -> None:
        self._database = database
        self._gate = gate
        self._outages = outages

    def connection(self) -> AbstractAsyncContextManager["Connection"]:
        """Lend a connection."""
        return self._lend()

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator["Connection"]:
        yield Connection(self._database, self._gate, self._outages)


class Connection:
    """A connection of the steps: each statement alone, or several in a transaction that is one moment."""

    def __init__(self, database: Database, gate: Gate, outages: Outages) -> None:
        self._database = database
        self._gate = gate
        self._outages = outages
        self._inside = False

    async def execute(self, text: str, given: Mapping[str, Any]) -> "Rows":
        """Run a named statement."""
        name = _STEPS[text]
        if self._inside:
            return Rows(STATEMENTS[name](self._database, given))
        await self._gate(name)
        with self._outages.around(), self._database.tables.transaction():
            return Rows(STATEMENTS[name](self._database, given))

    async def close(self) -> None:
        """Close it, after a failure: the next one is as good."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Run several statements as one moment: all or none."""
        await self._gate("record")
        self._inside = True
        with self._outages.around(), self._database.tables.transaction():
            yield

    @asynccontextmanager
    async def pipeline(self) -> AsyncIterator[None]:
        """Send statements without waiting for each."""
        yield


class Rows:
    """What a statement gave."""

    def __init__(self, found: Sequence[Any]) -> None:
        self._found = found

    async def fetchall(self) -> list[Any]:
        """Give the rows."""
        return list(self._found)


class Session:
    """The relay's connection; one whose statement failed is closed until the lead is taken anew."""

    def __init__(self, changes: Changes, tables: Tables, outages: Outages) -> None:
        self._changes = changes
        self._tables = tables
        self._outages = outages
        self._found: list[Any] = []
        self.rowcount = 0
        self.closed = False

    def execute(self, text: str, given: Mapping[str, Any] = {}) -> Self:
        """Run a named statement."""
        name = _RELAYED[text]
        self.closed = True
        with self._outages.around(), self._tables.transaction():
            if name in _SWEPT:
                self._found = _SWEPT[name](self._changes, given)
            else:
                self._found = getattr(self._changes, name)(given)
        self.closed = False
        self.rowcount = len(self._found)
        return self

    def fetchall(self) -> list[Any]:
        """Give the rows."""
        return self._found

    def fetchone(self) -> Any:
        """Give the first row."""
        return self._found[0] if self._found else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._found)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run several statements, all or none."""
        with self._tables.transaction():
            yield


class Lead:
    """The lead of the database: whoever takes it raises the epoch and stands where the cursor was written."""

    def __init__(self, session: Session, changes: Changes) -> None:
        self._session = session
        self._changes = changes

    def take(self) -> Cursor:
        """Take it."""
        self._session.closed = False
        self._changes.epoch += 1
        kept = self._changes.position
        after = None if kept["after_xid"] is None else (int(kept["after_xid"]), kept["after_seq"])
        position = Position(kept["from"], kept["target"], after)
        return Cursor(self._session, self._changes.epoch, "(0,1)", position)  # type: ignore[arg-type]

    def drop(self) -> None:
        """Let it go."""


class Quiet:
    """Hear of nothing that the relay does."""

    def led(self, leading: bool) -> None:  # noqa: FBT001 - a gauge of two values
        """Hear whether it leads."""

    def ticked(self, tick: Tick, seconds: float) -> None:
        """Hear of a tick."""

    def failed(self, error: Exception) -> None:
        """Hear of an error."""

    def unswept(self) -> None:
        """Hear of a failed sweep."""
