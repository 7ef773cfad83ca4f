"""What the statements of a record and of its wakes in `consumers/steps.sql` do, on the tables in memory."""

import json

from outbox.endpoints import Endpoint
from tests.stateful.database import Database, Given, document_key, key_of
from tests.stateful.rows import Row
from tests.stateful.tables import Document, Task

_HEADS = {Endpoint.POS_RECEIPT: Endpoint.POS_INVOICE, Endpoint.KOL_PAYMENT: Endpoint.KOL_BILL}


def record_lock(database: Database, given: Given) -> list[Row]:
    """Create the tasks that are missing."""
    for row in json.loads(given["touched"]):
        if key_of(row) not in database.tables.tasks:
            fresh = Task(*key_of(row), tenant_id=row["tenant_id"], lane=_lane(database, *key_of(row)))
            database.tables.put_task(fresh, due_at=database.now())
    return []


def record_accepted(database: Database, given: Given) -> list[Row]:
    """Record acceptances, whatever the token says."""
    for row in json.loads(given["accepted"]):
        known = database.tables.documents.get(document_key(row))
        if known is not None and known.accepted_at is None:
            database.tables.put_document(
                known,
                document=row["document"],
                snapshot=row["snapshot"],
                accepted_at=database.now(),
                remote_id=row["remote_id"],
                doubt_at=None,
                verdict=None,
                code=None,
                reason=None,
                next_at=None,
            )
    return []


def record_look(database: Database, given: Given) -> list[Row]:
    """Have a task looked at again whose acceptance came under a token that was lost."""
    for row in json.loads(given["accepted"]):
        task = database.tables.tasks.get(key_of(row))
        if task is not None and task.token != row["token"]:
            due_at = database.now() if task.token is None else task.due_at
            database.tables.put_task(task, again=task.token is not None, due_at=due_at)
    return []


def record_new(database: Database, given: Given) -> list[Row]:
    """Note the reasons of documents that the ledger did not know."""
    for row in json.loads(given["fresh"]):
        if database.holds(row) and document_key(row) not in database.tables.documents:
            fresh = Document(*document_key(row), tenant_id=row["tenant_id"])
            database.tables.put_document(fresh, **_reason(row), next_at=database.after(row["next_in"]))
    return []


def record_noted(database: Database, given: Given) -> list[Row]:
    """Note every outcome but acceptances, under the token."""
    for row in json.loads(given["noted"]):
        known = database.tables.documents.get(document_key(row))
        if known is None or not database.holds(row) or (known.accepted_at is not None) != row["accepted"]:
            continue
        doubt_at = None if row["doubt_age"] is None else database.now() - row["doubt_age"]
        database.tables.put_document(
            known,
            **_reason(row),
            attempts=row["attempts"],
            doubt_at=doubt_at,
            next_at=database.after(row["next_in"]),
        )
    return []


def record_stops(database: Database, given: Given) -> list[Row]:
    """Stop who is to be stopped, if the versions are still those."""
    for row in json.loads(given["stops"]):
        tenant = database.tables.tenants.get(row["tenant_id"])
        credential = database.tables.credentials.get(row["tenant_id"])
        versions = row["key_version"], row["settings_version"]
        if tenant and credential and versions == (credential.version, tenant.settings_version):
            database.tables.stops[row["tenant_id"], row["stopped"]] = (row["code"], row["reason"], *versions)
    return []


def release(database: Database, given: Given) -> list[Row]:
    """Release what the tokens still hold."""
    released = []
    for row in json.loads(given["released"]):
        if not database.holds(row):
            continue
        task = database.task(row)
        tenant = database.tables.tenants.get(row["tenant_id"])
        version = tenant.settings_version if tenant else None
        unseen = (
            task.tenant_id is None
            and row["settings_version"] is not None
            and row["settings_version"] != version
        )
        originals = database.tables.of(row["company_id"], row["original_id"] or 0, "pos_invoice")
        accepted = sum(each.accepted_at is not None for each in originals)
        now_due = task.again or accepted != row["original_accepted"] or unseen
        database.tables.put_task(
            task,
            token=None,
            busy_until=None,
            again=False,
            calling_for=None,
            digest=row["digest"],
            tenant_id=task.tenant_id if row["tenant_id"] is None else row["tenant_id"],
            trouble_code=row["trouble_code"],
            trouble=row["trouble"],
            due_at=database.now() if now_due else database.after(row["due_in"]),
        )
        released.append({"token": row["token"]})
    return released


def wake(database: Database, given: Given) -> list[Row]:
    """Have looked at again what hangs on an acceptance."""
    woken = {(*key_of(row), row["tenant_id"]) for row in json.loads(given["woken"])}
    for endpoint, aggregate_id, _ in list(woken):
        if endpoint == Endpoint.POS_RECEIPT:
            refunds = database.rows.refunds_of(aggregate_id)
            woken |= {("pos_invoice", each["id"], each["blogger_id"]) for each in refunds}
    for endpoint, aggregate_id, tenant_id in sorted(woken, key=str):
        known = database.tables.tasks.get((endpoint, aggregate_id))
        lane = _lane(database, endpoint, aggregate_id)
        at_rest = known is not None and known.due_at is None and endpoint in _HEADS
        database.look_again(
            [Task(endpoint, aggregate_id, tenant_id, lane=lane)], **({"lane": lane} if at_rest else {})
        )
    return []


def _lane(database: Database, endpoint: str, aggregate_id: int) -> str:
    """Return the lane of the invoice or bill that a receipt or payment hangs on."""
    head = database.tables.tasks.get((_HEADS.get(endpoint, ""), aggregate_id))
    return head.lane if head is not None else "live"


def _reason(row: Row) -> Row:
    return {name: row[name] for name in ("verdict", "code", "reason")}
