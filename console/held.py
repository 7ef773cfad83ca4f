"""What waits for a person: documents that do not go by themselves, and letting them go again.

Filters are put together with SQLAlchemy Core; what is let go is locked in the order in which deliveries
lock it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from outbox.endpoints import Endpoint
from outbox.tables import documents, stops, tasks, tenants
from outbox.wake import raise_version

TROUBLE = "trouble"
STATES = ("blocked", "conflict", "parked", "retrying", TROUBLE)


@dataclass(frozen=True)
class Filter:
    """Which of what waits is meant; none is no matter. `code` is the reason's, such as TAX_CODE_MISSING."""

    tenant_id: int | None = None
    endpoint: Endpoint | None = None
    code: str | None = None
    states: tuple[str, ...] = STATES


@dataclass(frozen=True)
class Held:
    """One document that waits, or, without a number, a whole row that could not be handled."""

    tenant_id: int | None
    endpoint: str
    aggregate_id: int
    number: str | None
    state: str
    code: str | None
    reason: str | None
    since: datetime | None


@dataclass(frozen=True)
class Stopped:
    """A tenant, or one endpoint of it, that is not called."""

    tenant_id: int
    endpoint: str
    code: str
    reason: str


@dataclass(frozen=True)
class Freed:
    """How much was let go."""

    tasks: int
    documents: int
    stops: int


def held(connection: Connection, chosen: Filter) -> list[Held]:
    """Return what waits, by tenant, endpoint and row."""
    of_documents = select(
        documents.c.tenant_id,
        documents.c.endpoint,
        documents.c.aggregate_id,
        documents.c.number,
        documents.c.state,
        documents.c.code,
        documents.c.reason,
        documents.c.updated_at,
    ).where(_documents(chosen))
    of_tasks = select(
        tasks.c.tenant_id,
        tasks.c.endpoint,
        tasks.c.aggregate_id,
        null(),
        literal(TROUBLE),
        tasks.c.trouble_code,
        tasks.c.trouble,
        tasks.c.handled_at,
    ).where(_troubled(chosen))
    found = connection.execute(of_documents.union_all(of_tasks)).all()
    rows = [Held(*row) for row in found]
    return sorted(
        rows, key=lambda row: (row.tenant_id or 0, row.endpoint, row.aggregate_id, row.number or "")
    )


def stopped(connection: Connection, chosen: Filter) -> list[Stopped]:
    """Return who is stopped."""
    rows = select(stops.c.tenant_id, stops.c.endpoint, stops.c.code, stops.c.reason).where(_stops(chosen))
    found = connection.execute(rows.order_by(stops.c.tenant_id, stops.c.endpoint))
    return [Stopped(*row) for row in found]


def let_go(connection: Connection, chosen: Filter) -> Freed:
    """Make what waits due now, and lift stops.

    A number that AiAccount or another row holds is tried once more; what AiAccount accepted stays as it is
    and is only looked at again. A busy task looks again when it is released.
    """
    lifted = (
        connection.execute(delete(stops).where(_stops(chosen)).returning(stops.c.tenant_id)).scalars().all()
    )
    for tenant_id in sorted(set(lifted)):
        raise_version(connection, tenant_id)
    wanted = or_(_troubled(chosen), _has_held_document(chosen))
    keys = _keys(wanted).order_by(tasks.c.endpoint, tasks.c.aggregate_id).with_for_update(key_share=True)
    connection.execute(keys).all()
    freed_tasks = connection.execute(
        update(tasks)
        .where(wanted)
        .values(
            again=tasks.c.token.is_not(None),
            due_at=case(
                (tasks.c.token.is_(None), func.least(tasks.c.due_at, func.clock_timestamp())),
                else_=tasks.c.due_at,
            ),
            leases=0,
        )
    )
    refused = and_(documents.c.verdict == "conflict", documents.c.accepted_at.is_(None))
    freed_documents = connection.execute(
        update(documents)
        .where(_documents(chosen))
        .values(
            verdict=case((refused, "retry"), else_=documents.c.verdict),
            next_at=None,
            updated_at=func.clock_timestamp(),
        )
    )
    return Freed(freed_tasks.rowcount, freed_documents.rowcount, len(lifted))


def _keys(condition: ColumnElement[bool]) -> Select[tuple[str, int]]:
    return select(tasks.c.endpoint, tasks.c.aggregate_id).where(condition)


def _documents(chosen: Filter) -> ColumnElement[bool]:
    """Say which documents wait: those of the company that the tenant posts to now."""
    current = exists().where(
        tenants.c.tenant_id == documents.c.tenant_id, tenants.c.company_id == documents.c.company_id
    )
    conditions: list[ColumnElement[bool]] = [documents.c.state.in_(chosen.states), current]
    if chosen.tenant_id is not None:
        conditions.append(documents.c.tenant_id == chosen.tenant_id)
    if chosen.endpoint is not None:
        conditions.append(documents.c.endpoint == chosen.endpoint)
    if chosen.code is not None:
        conditions.append(documents.c.code == chosen.code)
    return and_(*conditions)


def _has_held_document(chosen: Filter) -> ColumnElement[bool]:
    return exists().where(
        documents.c.endpoint == tasks.c.endpoint,
        documents.c.aggregate_id == tasks.c.aggregate_id,
        _documents(chosen),
    )


def _troubled(chosen: Filter) -> ColumnElement[bool]:
    """Say which tasks wait as a whole."""
    conditions: list[ColumnElement[bool]] = [
        tasks.c.trouble_code.is_not(None),
        literal(TROUBLE in chosen.states),
    ]
    if chosen.tenant_id is not None:
        conditions.append(tasks.c.tenant_id == chosen.tenant_id)
    if chosen.endpoint is not None:
        conditions.append(tasks.c.endpoint == chosen.endpoint)
    if chosen.code is not None:
        conditions.append(tasks.c.trouble_code == chosen.code)
    return and_(*conditions)


def _stops(chosen: Filter) -> ColumnElement[bool]:
    """Say which stops are meant: they are why documents are blocked."""
    conditions: list[ColumnElement[bool]] = [literal("blocked" in chosen.states)]
    if chosen.tenant_id is not None:
        conditions.append(stops.c.tenant_id == chosen.tenant_id)
    if chosen.endpoint is not None:
        conditions.append(stops.c.endpoint.in_(["*", chosen.endpoint]))
    if chosen.code is not None:
        conditions.append(stops.c.code == chosen.code)
    return and_(*conditions)
