"""What would be sent for a row, as a delivery would see it now: read, map, and never push."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Connection, TableClause, Text, cast, column, or_, select, table
from sqlalchemy.engine import Row

from consumers.view import parse_snapshot
from mappers import Outcome, Sent, Settings, plan
from outbox.endpoints import Aggregate, Endpoint
from outbox.errors import UsageError
from outbox.tables import documents, stops, tasks
from outbox.tenants import Tenant, get, read_settings


def _view(name: str) -> TableClause:
    columns = (column("id", BigInteger), column("tenant_id", BigInteger), column("original_id", BigInteger))
    return table(name, *columns, column("snapshot"), schema="aiaccount")


_VIEWS = {
    Aggregate.POS_TRANSACTION: _view("pos_transaction_snapshot"),
    Aggregate.KOL_SETTLEMENT: _view("kol_settlement_snapshot"),
}


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
    view = _VIEWS[endpoint.aggregate]
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
    sent, ledger = _sent(connection, tenant, endpoint, aggregate_id, row.original_id if row else None)
    settings = Settings.from_json(read_settings(connection, tenant_id))
    try:
        outcomes = plan(endpoint, settings, parse_snapshot(row.snapshot) if row else None, sent)
    except ValueError as error:
        raise UsageError(f"row {aggregate_id} cannot be mapped: {error}") from error
    return Preview(tenant, row is not None, outcomes, ledger, _obstacles(connection, tenant, endpoint))


def _remembered(connection: Connection, endpoint: Endpoint, aggregate_id: int) -> int | None:
    """Return whose row it was, where it is gone."""
    return connection.scalar(
        select(tasks.c.tenant_id).where(tasks.c.endpoint == endpoint, tasks.c.aggregate_id == aggregate_id)
    )


def _sent(
    connection: Connection, tenant: Tenant, endpoint: Endpoint, aggregate_id: int, original_id: int | None
) -> tuple[list[Sent], dict[str, str]]:
    """Return what was sent of the row and of the sale that it refunds, and the states of its documents."""
    siblings = [one for one in Endpoint if one.aggregate is endpoint.aggregate]
    own = (documents.c.aggregate_id == aggregate_id) & documents.c.endpoint.in_(siblings)
    original = (documents.c.aggregate_id == original_id) & (documents.c.endpoint == Endpoint.POS_INVOICE)
    found = connection.execute(
        select(
            documents.c.endpoint,
            documents.c.aggregate_id,
            documents.c.number,
            documents.c.state,
            documents.c.accepted_at,
            documents.c.doubt_at,
            cast(documents.c.document, Text).label("document"),
            cast(documents.c.snapshot, Text).label("snapshot"),
        )
        .where(documents.c.company_id == tenant.company_id, or_(own, original))
        .order_by(documents.c.number)
    ).all()
    sent = [
        _as_sent(entry, of_original=entry.aggregate_id != aggregate_id)
        for entry in found
        if entry.accepted_at or entry.doubt_at
    ]
    states = {
        entry.number: entry.state
        for entry in found
        if entry.aggregate_id == aggregate_id and entry.endpoint == endpoint
    }
    return sent, states


def _as_sent(entry: Row[Any], *, of_original: bool) -> Sent:
    return Sent(
        endpoint=entry.endpoint,
        number=entry.number,
        state="pushed" if entry.accepted_at else "in_doubt",
        document=json.loads(entry.document, parse_float=Decimal),
        snapshot=parse_snapshot(entry.snapshot),
        of_original=of_original,
    )


def _obstacles(connection: Connection, tenant: Tenant, endpoint: Endpoint) -> list[str]:
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
