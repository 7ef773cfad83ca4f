"""What the gate of `consumers/steps.sql` does, on the tables in memory: who is given a call, what is learnt.

The statements: `gate_lock`, `intend`, and those of a record that change what calls are given out by.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.stateful.database import Database, Given, document_key
from tests.stateful.rows import Row
from tests.stateful.tables import Breaker, BreakerKey, Document, Outage, Pace

PROBE_OUTAGE, PROBE_BREAKER, DAY, OPENS_AT = 30.0, 900.0, 86_400.0, 3
PASSING = (None, "retry", "park")
"""The verdicts after which the count of attempts goes on, while the row stays as it is."""


@dataclass(frozen=True)
class Share:
    """What a tenant may still call: a row of `aiaccount.shares`, None without a limit of ours."""

    calls: int | None
    every: float
    reserve: int
    calls_at_once: int | None
    closed_until: float


@dataclass(frozen=True)
class Asked:
    """An intent whose token holds, and its place in the batch: of its tenant, endpoint and lack."""

    row: Row
    later: bool
    calling: bool
    nth: int
    place: int
    nth_at_endpoint: int
    nth_lacking: int


def share_of(database: Database, tenant_id: int) -> Share:
    """Reckon a tenant's share at this moment."""
    tenant = database.tables.tenants[tenant_id]
    pace = database.tables.paces.get(tenant_id, Pace())
    if tenant.calls_per_minute is None:
        return Share(None, 0.0, 0, tenant.calls_at_once, pace.closed_until)
    burst = max(1, tenant.calls_per_minute // 12)
    every = 60.0 / (tenant.calls_per_minute - burst + 1)
    owed = max(pace.spent_until - database.now(), 0.0)
    calls = math.floor((burst * every - owed) / every + 1e-6)
    return Share(calls, every, burst // 2, tenant.calls_at_once, pace.closed_until)


def gate_lock(database: Database, given: Given) -> list[Row]:
    """Make the paces that are missing; there is nobody to keep out."""
    for tenant_id in given["tenants"]:
        if tenant_id in database.tables.tenants:
            database.tables.paces.setdefault(tenant_id, Pace())
    return []


def intend(database: Database, given: Given) -> list[Row]:
    """Write each document exactly as it will be sent, under the token, as far as the gate gives calls out."""
    rows = json.loads(given["rows"])
    held = {row["token"] for row in rows if database.holds(row)}
    taken = {document_key(row) for row in rows if _is_taken(database, row)}
    asked = _in_turn(database, [row for row in rows if row["token"] in held])
    kept = {each.row["n"]: _kept(database, each) for each in asked}
    given_out = [each.row for each in asked if kept[each.row["n"]][0] is None]
    probes = {each.row["n"] for each in asked if each.row["endpoint"] in database.tables.outages}
    _spend(database, given_out)
    written = {
        document_key(row) for row in given_out if document_key(row) not in taken and _write(database, row)
    }
    return [
        {
            "token": row["token"],
            "number": row["number"],
            "written": document_key(row) in written and row["token"] in held,
            "held": row["token"] in held,
            "taken": document_key(row) in taken,
            "kept": kept.get(row["n"], (None, None))[0],
            "seconds": kept.get(row["n"], (None, None))[1],
            "probes": row["n"] in probes,
        }
        for row in rows
    ]


def record_attempts(database: Database, given: Given) -> list[Row]:
    """Keep what was tried."""
    database.tables.attempts.extend(json.loads(given["attempts"]))
    return []


def record_limits(database: Database, given: Given) -> list[Row]:
    """Leave alone for a while whoever was called too often."""
    for row in json.loads(given["limits"]):
        if row["tenant_id"] in database.tables.tenants:
            pace = database.tables.paces.get(row["tenant_id"], Pace())
            closed = max(pace.closed_until, database.now() + row["seconds"])
            database.tables.paces[row["tenant_id"]] = replace(pace, closed_until=closed)
    return []


def record_outages(database: Database, given: Given) -> list[Row]:
    """Note endpoints that are down."""
    for row in json.loads(given["outages"]):
        known = Outage(row["reason"], database.now() + PROBE_OUTAGE)
        database.tables.outages.setdefault(row["endpoint"], known)
    return []


def record_recovered(database: Database, given: Given) -> list[Row]:
    """Forget those that answer again."""
    for row in json.loads(given["recovered"]):
        database.tables.outages.pop(row["endpoint"], None)
    return []


def record_refusals(database: Database, given: Given) -> list[Row]:
    """Count equal refusals; the third opens the breaker."""
    now = database.now()
    rows = [row for row in json.loads(given["refusals"]) if row["tenant_id"] in database.tables.tenants]
    reasons = {_breaker_key(row): row["reason"] for row in sorted(rows, key=lambda row: row["reason"])}
    for key, count in Counter(map(_breaker_key, rows)).items():
        known = database.tables.breakers.get(key)
        if known is not None and known.passed_at is not None:
            known = None
        counted = known.refusals if known is not None and known.probe_at > now - DAY else 0
        refusals = count + counted
        opened_at = known.opened_at if known is not None else None
        if refusals < OPENS_AT:
            opened_at = None
        elif opened_at is None:
            opened_at = now
        database.tables.breakers[key] = Breaker(refusals, reasons[key], opened_at, now + PROBE_BREAKER)
    return []


def record_passed(database: Database, given: Given) -> list[Row]:
    """Note that what was missing is there."""
    for row in json.loads(given["passed"]):
        known = database.tables.breakers.get(_breaker_key(row))
        if known is not None and known.passed_at is None:
            database.tables.breakers[_breaker_key(row)] = replace(known, passed_at=database.now())
    return []


def _in_turn(database: Database, rows: list[Row]) -> list[Asked]:
    """Give the intents their places: live ones first."""
    nth: Counter[object] = Counter()
    asked = []
    for row in sorted(rows, key=lambda row: (database.task(row).lane != "live", row["n"])):
        task, tenant, endpoint = database.task(row), row["tenant_id"], row["endpoint"]
        calling = task.calling_for is not None
        nth.update([("tenant", tenant), ("endpoint", endpoint), _lacks(row)])
        nth["place", tenant] += not calling
        asked.append(
            Asked(
                row,
                task.lane != "live",
                calling,
                nth["tenant", tenant],
                nth["place", tenant],
                nth["endpoint", endpoint],
                nth[_lacks(row)],
            )
        )
    return asked


def _kept(database: Database, asked: Asked) -> tuple[str | None, float]:
    """Say what keeps an intent, and for how long."""
    row, now = asked.row, database.now()
    share = share_of(database, row["tenant_id"])
    if share.closed_until > now:
        return "RATE_LIMITED", share.closed_until - now
    outage = database.tables.outages.get(row["endpoint"])
    breaker = database.tables.breakers.get(_lacks(row))
    if breaker is not None and (breaker.opened_at is None or breaker.passed_at is not None):
        breaker = None
    spare = None if share.calls is None else share.calls - (share.reserve if asked.later else 0)
    if outage is not None:
        seconds = max(outage.probe_at - now, PROBE_OUTAGE)
    elif breaker is not None:
        seconds = max(breaker.probe_at - now, PROBE_BREAKER)
    else:
        seconds = max(1.0, share.every * (asked.nth - (spare or 0)))
    if outage is not None and (outage.probe_at > now or asked.nth_at_endpoint > 1):
        return "ENDPOINT_DOWN", seconds
    if breaker is not None and (breaker.probe_at > now or asked.nth_lacking > 1):
        return row["lacks_code"], seconds
    if not asked.calling and asked.place > _places(database, share, row["tenant_id"]):
        return "PACED", seconds
    return "PACED" if spare is not None and asked.nth > spare else None, seconds


def _places(database: Database, share: Share, tenant_id: int) -> float:
    if share.calls_at_once is None:
        return math.inf
    now = database.now()
    return share.calls_at_once - sum(
        task.calling_for == tenant_id and task.busy_until is not None and task.busy_until > now
        for task in database.tables.tasks.values()
    )


def _spend(database: Database, given_out: list[Row]) -> None:
    """Count the calls given out against the tenants' shares, and let the next probe wait."""
    tables, now = database.tables, database.now()
    shares = {row["tenant_id"]: share_of(database, row["tenant_id"]) for row in given_out}
    for tenant_id, calls in Counter(row["tenant_id"] for row in given_out).items():
        pace = tables.paces.get(tenant_id)
        if shares[tenant_id].calls is not None and pace is not None:
            spent = max(pace.spent_until, now) + shares[tenant_id].every * calls
            tables.paces[tenant_id] = replace(pace, spent_until=spent)
    for row in given_out:
        task = database.task(row)
        if shares[row["tenant_id"]].calls_at_once is not None and task.calling_for is None:
            tables.put_task(task, calling_for=row["tenant_id"])
        outage, breaker = tables.outages.get(row["endpoint"]), tables.breakers.get(_lacks(row))
        if outage is not None:
            tables.outages[row["endpoint"]] = replace(outage, probe_at=now + PROBE_OUTAGE)
        if breaker is not None:
            tables.breakers[_lacks(row)] = replace(breaker, probe_at=now + PROBE_BREAKER)


def _write(database: Database, row: Row) -> bool:
    known = database.tables.documents.get(document_key(row))
    if known is not None and known.accepted_at is not None:
        return False
    now = database.now()
    before = known or Document(*document_key(row), tenant_id=row["tenant_id"])
    goes_on = before.attempts > 0 and before.verdict in PASSING and before.snapshot == row["snapshot"]
    first_at = before.first_attempt_at if goes_on else None
    database.tables.put_document(
        before,
        tenant_id=row["tenant_id"],
        document=row["document"],
        snapshot=row["snapshot"],
        doubt_at=now,
        attempts=(before.attempts if goes_on else 0) + 1,
        first_attempt_at=now if first_at is None else first_at,
        last_attempt_at=now,
        key_version=row["key_version"],
        settings_version=row["settings_version"],
    )
    return True


def _is_taken(database: Database, row: Row) -> bool:
    return any(
        other.stands and other.aggregate_id != row["aggregate_id"]
        for other in database.tables.named(row["company_id"], row["endpoint"], row["number"])
    )


def _lacks(row: Row) -> BreakerKey:
    return row["tenant_id"], row["endpoint"], row.get("lacks_code"), row.get("lacks_value")


def _breaker_key(row: Mapping[str, Any]) -> BreakerKey:
    return row["tenant_id"], row["endpoint"], row["code"], row["value"]
