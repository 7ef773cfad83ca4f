"""What would be sent for a row, as a delivery would see it now: read, map, and never push."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Text, cast, or_, select
from sqlalchemy.engine import Row

from consumers.view import parse_snapshot
from mappers import Decision, Outcome, Sent, Settings, plan
from outbox.decisions import Place, made
from outbox.endpoints import Endpoint
from outbox.errors import UsageError
from outbox.tables import documents, snapshot_views, stops, tasks
from outbox.tenants import Tenant, get, read_settings


@dataclass(frozen=True)
class SourceRow:
    """A row as a delivery would read it: what it says, what was sent of it and what people decided.

    `snapshot` is none where the view has no such row; `sent` is of both its endpoints and of its original.
    """

    tenant: Tenant
    settings: Settings
    snapshot: Mapping[str, object] | None
    sent: Sequence[Sent]
    decisions: Sequence[Decision]


@dataclass(frozen=True)
class Preview:
    """What the mapper says of a row at an endpoint, and what stands in the way of sending it.

    `found` says whether the snapshot view has the row; `ledger` holds the documents of before by number.
    """

    tenant: Tenant
    found: bool
    outcomes: Sequence[Outcome]
    ledger: Mapping[str, str]
    obstacles: Sequence[str]


def preview(connection: Connection, endpoint: Endpoint, aggregate_id: int) -> Preview:
    """Read a row, what was sent of it and its tenant's settings, and ask the mapper.

    Raises:
        UsageError: Nothing is known of the row, its tenant did not subscribe, or it cannot be mapped.
    """
    row = read_row(connection, endpoint, aggregate_id)
    try:
        outcomes = plan(endpoint, row.settings, row.snapshot, row.sent, row.decisions)
    except ValueError as error:
        raise UsageError(f"row {aggregate_id} cannot be mapped: {error}") from error
    tenant = row.tenant
    ledger = _ledger(connection, tenant, endpoint, aggregate_id)
    obstacles = obstacles_of(connection, tenant, endpoint)
    return Preview(tenant, row.snapshot is not None, outcomes, ledger, obstacles)


def read_row(connection: Connection, endpoint: Endpoint, aggregate_id: int) -> SourceRow:
    """Read a row of an endpoint's table.

    Raises:
        UsageError: Nothing is known of the row, or its tenant did not subscribe.
    """
    view = snapshot_views[endpoint.aggregate]
    row = connection.execute(
        select(view.c.tenant_id, view.c.original_id, cast(view.c.snapshot, Text).label("snapshot")).where(
            view.c.id == aggregate_id
        )
    ).one_or_none()
    tenant_id = row.tenant_id if row else _remembered(connection, endpoint, aggregate_id)
    if tenant_id is None:
        raise UsageError(
            f"the view of {endpoint.aggregate} has no row {aggregate_id}, and nothing of it was ever sent: "
            "it is not there, or it is not the tenant's own (e-commerce, or owed by the platform)"
        )
    tenant = get(connection, tenant_id)
    original_id = row.original_id if row else None
    place = Place(tenant.company_id or "", tenant_id, endpoint.aggregate, aggregate_id)
    return SourceRow(
        tenant=tenant,
        settings=Settings.from_json(read_settings(connection, tenant_id)),
        snapshot=parse_snapshot(row.snapshot) if row else None,
        sent=_sent(connection, tenant, endpoint, aggregate_id, original_id),
        decisions=[
            Decision(one.kind, one.issue, one.decided_at, one.holds, one.of_original, one.number)
            for one in made(connection, place, original_id)
        ],
    )


def _remembered(connection: Connection, endpoint: Endpoint, aggregate_id: int) -> int | None:
    """Return whose row it was, where it is gone."""
    return connection.scalar(
        select(tasks.c.tenant_id).where(tasks.c.endpoint == endpoint, tasks.c.aggregate_id == aggregate_id)
    )


def _sent(
    connection: Connection, tenant: Tenant, endpoint: Endpoint, aggregate_id: int, original_id: int | None
) -> list[Sent]:
    """Return what was sent of the row, at both its endpoints, and of the sale that it refunds."""
    siblings = [one for one in Endpoint if one.aggregate is endpoint.aggregate]
    own = (documents.c.aggregate_id == aggregate_id) & documents.c.endpoint.in_(siblings)
    original = (documents.c.aggregate_id == original_id) & (documents.c.endpoint == Endpoint.POS_INVOICE)
    found = connection.execute(
        select(
            documents.c.endpoint,
            documents.c.aggregate_id,
            documents.c.number,
            documents.c.accepted_at.is_not(None).label("accepted"),
            cast(documents.c.document, Text).label("document"),
            cast(documents.c.snapshot, Text).label("snapshot"),
        )
        .where(
            documents.c.company_id == tenant.company_id,
            or_(own, original),
            or_(documents.c.accepted_at.is_not(None), documents.c.doubt_at.is_not(None)),
        )
        .order_by(documents.c.number)
    ).all()
    return [as_sent(entry, of_original=entry.aggregate_id != aggregate_id) for entry in found]


def _ledger(connection: Connection, tenant: Tenant, endpoint: Endpoint, aggregate_id: int) -> dict[str, str]:
    """Return the states of the row's documents at the endpoint."""
    found = select(documents.c.number, documents.c.state).where(
        documents.c.company_id == tenant.company_id,
        documents.c.aggregate_id == aggregate_id,
        documents.c.endpoint == endpoint,
    )
    return {row.number: row.state for row in connection.execute(found.order_by(documents.c.number))}


def as_sent(entry: Row[Any], *, of_original: bool) -> Sent:
    """Return an entry of the ledger, with document and snapshot as text, as the mappers take it."""
    return Sent(
        endpoint=entry.endpoint,
        number=entry.number,
        state="pushed" if entry.accepted else "in_doubt",
        document=json.loads(entry.document, parse_float=Decimal),
        snapshot=parse_snapshot(entry.snapshot),
        of_original=of_original,
    )


def obstacles_of(connection: Connection, tenant: Tenant, endpoint: Endpoint) -> list[str]:
    """Say why nothing of the tenant's would be sent now, whatever the mapper says."""
    said = []
    if not tenant.active:
        said.append("the tenant is inactive: nothing of it is sent")
    if tenant.company_id is None:
        said.append("the tenant has no company yet: `credentials set` connects it")
    rows = select(stops.c.code, stops.c.reason).where(
        stops.c.tenant_id == tenant.tenant_id, stops.c.endpoint.in_(["*", endpoint])
    )
    said += [f"the tenant is stopped: {stop.code}, {stop.reason}" for stop in connection.execute(rows)]
    return said
