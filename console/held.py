"""What waits for a person: documents that do not go by themselves, and letting them go again.

Filters are put together with SQLAlchemy Core; what is let go is locked in the order in which deliveries
lock it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Select,
    Table,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)

from outbox.endpoints import Endpoint
from outbox.tables import breakers, documents, snapshot_views, stops, tasks, tenants
from outbox.wake import raise_version

TROUBLE = "trouble"
STATES = ("blocked", "conflict", "in doubt", "parked", "retrying", TROUBLE)


@dataclass(frozen=True)
class Filter:
    """Which of what waits is meant; none is no matter. `code` is the reason's, such as TAX_CODE_MISSING.

    `dates` are business dates, both included; `numbers` are of documents. With either, whole tenants that are
    stopped are not meant.
    """

    tenant_id: int | None = None
    endpoint: Endpoint | None = None
    code: str | None = None
    states: tuple[str, ...] = STATES
    dates: tuple[date, date] | None = None
    numbers: tuple[str, ...] = ()


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
    _lock_stopped(connection, chosen)
    lifted = (
        connection.execute(delete(stops).where(_stops(chosen)).returning(stops.c.tenant_id)).scalars().all()
    )
    for tenant_id in sorted(set(lifted)):
        raise_version(connection, tenant_id)
    connection.execute(delete(breakers).where(_breakers(chosen)))
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


def _lock_stopped(connection: Connection, chosen: Filter) -> None:
    """Lock whose stops are lifted before the stops, in one order: who records a run does so too."""
    whose = select(stops.c.tenant_id).where(_stops(chosen))
    found = select(tenants.c.tenant_id).where(tenants.c.tenant_id.in_(whose)).order_by(tenants.c.tenant_id)
    connection.execute(found.with_for_update(key_share=True)).all()


def _breakers(chosen: Filter) -> ColumnElement[bool]:
    """Say which breakers are forgotten: those that keep what is let go."""
    conditions: list[ColumnElement[bool]] = [literal("blocked" in chosen.states)]
    if chosen.tenant_id is not None:
        conditions.append(breakers.c.tenant_id == chosen.tenant_id)
    if chosen.endpoint is not None:
        conditions.append(breakers.c.endpoint == chosen.endpoint)
    if chosen.code is not None:
        conditions.append(breakers.c.code == chosen.code)
    return and_(*conditions)


def _keys(condition: ColumnElement[bool]) -> Select[tuple[str, int]]:
    return select(tasks.c.endpoint, tasks.c.aggregate_id).where(condition)


def _documents(chosen: Filter) -> ColumnElement[bool]:
    """Say which documents wait: those of the company that the tenant posts to now."""
    current = exists().where(
        tenants.c.tenant_id == documents.c.tenant_id, tenants.c.company_id == documents.c.company_id
    )
    named = documents.c.number.in_(chosen.numbers) if chosen.numbers else true()
    own_date = cast(documents.c.document["date"].as_string(), Date)
    dated = (
        true()
        if chosen.dates is None
        else or_(own_date.between(*chosen.dates), _dated(documents, chosen.dates))
    )
    return and_(
        documents.c.state.in_(chosen.states),
        current,
        named,
        dated,
        *_same(chosen, documents.c.tenant_id, documents.c.endpoint, documents.c.code),
    )


def _has_held_document(chosen: Filter) -> ColumnElement[bool]:
    return exists().where(
        documents.c.endpoint == tasks.c.endpoint,
        documents.c.aggregate_id == tasks.c.aggregate_id,
        _documents(chosen),
    )


def _troubled(chosen: Filter) -> ColumnElement[bool]:
    """Say which tasks wait as a whole: they have no document that could be named."""
    return and_(
        tasks.c.trouble_code.is_not(None),
        literal(TROUBLE in chosen.states and not chosen.numbers),
        true() if chosen.dates is None else _dated(tasks, chosen.dates),
        *_same(chosen, tasks.c.tenant_id, tasks.c.endpoint, tasks.c.trouble_code),
    )


def _stops(chosen: Filter) -> ColumnElement[bool]:
    """Say which stops are meant: they are why documents are blocked."""
    whole = "blocked" in chosen.states and not chosen.numbers and chosen.dates is None
    own = [] if chosen.endpoint is None else ["*", chosen.endpoint]
    return and_(literal(whole), *_same(chosen, stops.c.tenant_id, stops.c.endpoint, stops.c.code, own))


def _same(
    chosen: Filter,
    tenant_id: Column[int],
    endpoint: Column[str],
    code: Column[str],
    endpoints: Sequence[str] = (),
) -> list[ColumnElement[bool]]:
    """Say what is asked alike of documents, tasks and stops."""
    conditions: list[ColumnElement[bool]] = []
    if chosen.tenant_id is not None:
        conditions.append(tenant_id == chosen.tenant_id)
    if chosen.endpoint is not None:
        conditions.append(endpoint.in_(endpoints or [chosen.endpoint]))
    if chosen.code is not None:
        conditions.append(code == chosen.code)
    return conditions


def _dated(of: Table, dates: tuple[date, date]) -> ColumnElement[bool]:
    """Say whether the row's business date is meant."""
    return or_(
        *(
            and_(
                of.c.endpoint.in_([one for one in Endpoint if one.aggregate is aggregate]),
                exists().where(view.c.id == of.c.aggregate_id, view.c.business_date.between(*dates)),
            )
            for aggregate, view in snapshot_views.items()
        )
    )
