"""What the statements `claim`, `read` and `tenants` of `consumers/steps.sql` do, on the tables in memory."""

import hashlib
import json

import psycopg

from outbox.endpoints import Aggregate, Endpoint
from tests.stateful.database import Database, Given, key_of, since
from tests.stateful.rows import Row
from tests.stateful.tables import Document, Task, Tenant


def claim(database: Database, given: Given) -> list[Row]:
    """Take each task, or ask for another look."""
    now = database.now()
    until = now + given["seconds"]
    rows = json.loads(given["rows"])
    if len({key_of(row) for row in rows}) != len(rows):
        raise psycopg.errors.CardinalityViolation("one task twice in one claim")
    for row in rows:
        known = database.tables.tasks.get(key_of(row))
        if known is None:
            fresh = Task(*key_of(row), lane=row["lane"], due_at=until, token=row["token"], busy_until=until)
            database.tables.put_task(fresh)
            continue
        lane = "live" if row["lane"] == "live" else known.lane
        if known.busy_until is not None and known.busy_until > now:
            database.tables.put_task(known, again=True, lane=lane, leases=0)
        else:
            database.tables.put_task(
                known,
                token=row["token"],
                busy_until=until,
                due_at=until,
                again=False,
                lane=lane,
                leases=0,
                calling_for=None,
            )
    return [
        {"endpoint": row["endpoint"], "aggregate_id": row["aggregate_id"], "token": database.task(row).token}
        for row in rows
    ]


def read(database: Database, given: Given) -> list[Row]:
    """Give the committed state now, and what the ledger holds."""
    return [_read(database, row) for row in json.loads(given["rows"]) if key_of(row) in database.tables.tasks]


def tenants(database: Database, given: Given) -> list[Row]:
    """Give settings and sealed keys."""
    found = []
    for tenant_id in given["tenants"]:
        tenant = database.tables.tenants.get(tenant_id)
        if tenant is None:
            continue
        sealed = database.tables.credentials.get(tenant_id)
        found.append(
            {
                "tenant_id": tenant_id,
                "settings_version": tenant.settings_version,
                "settings": json.dumps(tenant.settings),
                "key_version": sealed.version if sealed else None,
                "key_id": sealed.key_id if sealed else None,
                "nonce": sealed.nonce if sealed else None,
                "ciphertext": sealed.ciphertext if sealed else None,
            }
        )
    return found


def _read(database: Database, asked: Row) -> Row:
    task = database.task(asked)
    source = database.rows.owned(task.aggregate_type, task.aggregate_id)
    snapshot = database.rows.text(task.aggregate_type, task.aggregate_id)
    digest = hashlib.sha256((snapshot or "null").encode()).digest()
    owner = source["blogger_id"] if source else task.tenant_id
    if owner is None:
        of_task = [
            row for row in database.tables.documents.values() if (row.endpoint, row.aggregate_id) == task.key
        ]
        owner = of_task[-1].tenant_id if of_task else None
    original_id = source.get("original_txn_id") if source else None
    tenant = database.tables.tenants.get(owner) if owner is not None else None
    credential = database.tables.credentials.get(owner) if tenant else None
    found = {
        "n": asked["n"],
        "snapshot": snapshot,
        "digest": digest,
        "changed": digest.hex() != task.digest,
        "original_id": original_id,
        "owner_id": owner,
        "tenant_id": None,
        "active": None,
        "company_id": None,
        "settings_version": None,
        "key_version": credential.version if credential else None,
        "limited": False,
        "closed_in": None,
        "outage": None,
        "outage_probe_in": None,
        "breakers": None,
        "stop_code": None,
        "stop_reason": None,
        "entries": None,
        "decisions": None,  # nobody decides anything here: `resolve` has tests of its own
    }
    outage = database.tables.outages.get(asked["endpoint"])
    if outage is not None:
        found |= {"outage": outage.reason, "outage_probe_in": outage.probe_at - database.now()}
    if tenant is None:
        return found
    now = database.now()
    pace = database.tables.paces.get(tenant.tenant_id)
    breakers = [
        {"code": key[2], "value": key[3], "reason": each.reason, "probe_in": each.probe_at - now}
        for key, each in sorted(database.tables.breakers.items(), key=str)
        if key[:2] == (tenant.tenant_id, asked["endpoint"]) and each.opened_at and each.passed_at is None
    ]
    entries = _entries(database, task, tenant, original_id)
    stop = _stop(
        database, tenant.tenant_id, asked["endpoint"], (tenant.settings_version, found["key_version"])
    )
    return {
        **found,
        "tenant_id": tenant.tenant_id,
        "active": tenant.active,
        "company_id": tenant.company_id,
        "settings_version": tenant.settings_version,
        "limited": tenant.calls_per_minute is not None or tenant.calls_at_once is not None,
        "closed_in": pace.closed_until - now if pace else None,
        "breakers": json.dumps(breakers) if breakers else None,
        "stop_code": stop[0] if stop else None,
        "stop_reason": stop[1] if stop else None,
        "entries": json.dumps(entries) if entries else None,
    }


def _stop(
    database: Database, tenant_id: int, endpoint: str, versions: tuple[int, int | None]
) -> tuple[str, str] | None:
    for where in ("*", endpoint):
        stop = database.tables.stops.get((tenant_id, where))
        if stop is not None and (stop[3], stop[2]) == versions:
            return stop[:2]
    return None


def _entries(database: Database, task: Task, tenant: Tenant, original_id: int | None) -> list[Row]:
    endpoints = [each for each in Endpoint if each.aggregate == Aggregate(task.aggregate_type)]
    rows = database.tables.of(tenant.company_id, task.aggregate_id, *endpoints)
    if original_id is not None:
        rows += database.tables.of(tenant.company_id, original_id, "pos_invoice")
    now = database.now()

    def ahead(row: Document) -> float | None:
        learnt_with_others = row.verdict == "block" and row.settings_version != tenant.settings_version
        return None if row.next_at is None or learnt_with_others else row.next_at - now

    return [
        {
            "endpoint": row.endpoint,
            "aggregate_id": row.aggregate_id,
            "number": row.number,
            "document": row.document,
            "snapshot": row.snapshot,
            "doubt_age": since(row.doubt_at, now),
            "remote_id": row.remote_id,
            "verdict": row.verdict,
            "code": row.code,
            "reason": row.reason,
            "attempts": row.attempts,
            "first_age": since(row.first_attempt_at, now),
            "next_in": ahead(row),
        }
        for row in sorted(rows, key=lambda row: row.number)
    ]
