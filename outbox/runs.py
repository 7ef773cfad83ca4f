"""Runs: what a person asked to be synced again, as it was asked, and how its rows stand.

A run finds its rows and widens its tenants' wanted ranges in the transaction that records it; whatever dies
afterwards, it is carried on (`outbox/carrying.py`). Nothing is counted up: every count is asked of tasks and
documents, so it is true with two runs over each other and with live traffic.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Row

from outbox.endpoints import Endpoint
from outbox.errors import UsageError
from outbox.statements import statements

_SQL = statements("outbox", "runs.sql")


class Standing(StrEnum):
    """How a row of a run stands; `migrations/sql/0011_runs.sql` says what each means."""

    FOUND = "found"
    LEFT = "left"
    SENT = "sent"
    THERE = "there"
    NOTHING = "nothing"
    WAITING = "waiting"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be synced: whose, which kinds, and the business dates from `first` to `last` included."""

    tenants: tuple[int, ...]
    endpoints: tuple[Endpoint, ...]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was asked for, and how far it has come."""

    id: int
    asked_by: str
    asked_at: datetime
    first: date
    last: date
    queued_at: datetime | None
    finished_at: datetime | None
    cancelled_at: datetime | None
    cancelled_by: str | None
    tenants: tuple[int, ...]
    endpoints: tuple[Endpoint, ...]

    @property
    def over(self) -> bool:
        """Whether nothing of it moves any more."""
        return self.finished_at is not None

    @property
    def state(self) -> str:
        """Say in a word how far it has come."""
        if self.cancelled_at is not None:
            return "cancelled" if self.over else "cancelling"
        if self.over:
            return "done"
        return "queueing" if self.queued_at is None else "sending"


Part = tuple[int, Endpoint]
"""A tenant and an endpoint."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows of a run stand, by part; `reasons` are the codes of those blocked or failed."""

    parts: dict[Part, Counter[Standing]]
    reasons: dict[Part, Counter[tuple[Standing, str]]]

    @property
    def total(self) -> Counter[Standing]:
        """Return the counts of all parts together."""
        return sum(self.parts.values(), Counter())


@dataclass(frozen=True, slots=True)
class Motion:
    """What becomes of what is left: due and not taken, handed out and not claimed, being looked at."""

    due: int
    handed_out: int
    busy: int


def record(connection: Connection, asked: Asked, who: str) -> int | None:
    """Record a run with all its rows, and return its id; none, and nothing recorded, where no row is found.

    Args:
        connection: In a transaction.
        asked: Of tenants that are connected; the others are left out.
        who: The person.
    """
    with connection.begin_nested() as nested:
        run, rows = _find(connection, asked, who, "ask")
        if not rows:
            nested.rollback()
            return None
        connection.exec_driver_sql(_SQL["lock_tenants"], {"run": run})
        _widened(connection, connection.exec_driver_sql(_SQL["want"], {"run": run}).scalars().all())
        return run


def found(connection: Connection, asked: Asked) -> list[tuple[int, Endpoint, int]]:
    """Return the rows that a run would find, by tenant, endpoint and id; nothing is recorded."""
    with connection.begin_nested() as nested:
        run, _ = _find(connection, asked, "a rehearsal", "rehearse")
        rows = connection.exec_driver_sql(_SQL["rows"], {"run": run}).all()
        nested.rollback()
    return [(tenant, Endpoint(endpoint), key) for tenant, endpoint, key in rows]


def cancel(connection: Connection, run: int, who: str) -> None:
    """Cancel a run: its wanted ranges go, unless another run wants the same ones; its tasks are taken back.

    Raises:
        UsageError: There is no such run, or it is at its end, or cancelled already.
    """
    asked = {"run": run, "cancelled_by": who}
    connection.exec_driver_sql(_SQL["lock_tenants"], asked)
    found = connection.exec_driver_sql(_SQL["lock_run"], asked).one_or_none()
    if found is None:
        raise UsageError(f"there is no run {run}; `runs list` names those that there are")
    if found.cancelled_at is not None:
        raise UsageError(f"run {run} was cancelled already, by {found.cancelled_by}")
    if found.finished_at is not None:
        raise UsageError(f"run {run} is done: there is nothing to cancel")
    connection.exec_driver_sql(_SQL["cancel"], asked)
    _widened(connection, connection.exec_driver_sql(_SQL["unwant"], asked).scalars().all())


def listed(
    connection: Connection, *, tenant: int | None = None, open_only: bool = False, last: int = 20
) -> list[Run]:
    """Return the newest runs, the newest first."""
    asked = {"run": None, "tenant": tenant, "open": open_only, "last": last}
    return [_run(row) for row in connection.exec_driver_sql(_SQL["listed"], asked).all()]


def get(connection: Connection, run: int) -> Run:
    """Return a run.

    Raises:
        UsageError: There is no such run.
    """
    asked = {"run": run, "tenant": None, "open": False, "last": 1}
    found = connection.exec_driver_sql(_SQL["listed"], asked).one_or_none()
    if found is None:
        raise UsageError(f"there is no run {run}; `runs list` names those that there are")
    return _run(found)


def counts(connection: Connection, run: int) -> Counts:
    """Return how a run's rows stand now."""
    told = Counts({}, {})
    lines = connection.exec_driver_sql(_SQL["counts"], {"run": run}).all()
    for part, state, code, rows in sorted(
        (((line.tenant_id, Endpoint(line.endpoint)), line.state, line.code, line.rows) for line in lines),
        key=lambda line: _order(line[0]),
    ):
        states, reasons = told.parts.setdefault(part, Counter()), told.reasons.setdefault(part, Counter())
        if state is not None:
            states[Standing(state)] += rows
        if code is not None:
            reasons[Standing(state), code] += rows
    return told


def _order(part: Part) -> tuple[int, int]:
    return part[0], list(Endpoint).index(part[1])


def motion(connection: Connection, run: int) -> Motion:
    """Return what becomes of what is left of a run."""
    return Motion(*connection.exec_driver_sql(_SQL["motion"], {"run": run}).one())


def _find(connection: Connection, asked: Asked, who: str, how: str) -> tuple[int, int]:
    """Write a run down and find its rows; return its id and how many they are."""
    given: dict[str, object] = {"asked_by": who, "from": asked.first, "to": asked.last}
    run: int = connection.exec_driver_sql(_SQL[how], given).scalar_one()
    whom = {"run": run, "tenants": list(asked.tenants), "endpoints": list(asked.endpoints)}
    connection.exec_driver_sql(_SQL["parts"], whom)
    return run, connection.exec_driver_sql(_SQL["find"], whom).rowcount


def _widened(connection: Connection, tenants: Sequence[int]) -> None:
    """Let processes read these tenants' settings anew."""
    if tenants:
        asked = {"tenants": sorted(set(tenants))}
        connection.exec_driver_sql(_SQL["keep_stops"], asked)
        connection.exec_driver_sql(_SQL["raise_versions"], asked)


def _run(row: Row[Any]) -> Run:
    values = dict(row._mapping)  # noqa: SLF001 - its public name, underscored against clashes with columns
    tenants = tuple(values.pop("tenants") or ())
    endpoints = tuple(Endpoint(each) for each in values.pop("endpoints") or ())
    return Run(**values, tenants=tenants, endpoints=endpoints)
