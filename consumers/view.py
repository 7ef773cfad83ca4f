"""What a delivery reads after its claim: the committed state, the ledger's entries, the tenant."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from consumers.breakers import Breaker
from consumers.entry import Entry, Verdict
from consumers.judge import Stop
from mappers import Decision, Sent
from mappers.decision import decided
from outbox.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class TenantVersion:
    """Which tenant, and which version of its settings and key, this delivery reads with.

    `limited` says that its calls are given out one by one.
    """

    tenant_id: int
    active: bool
    company_id: str | None
    settings_version: int
    key_version: int | None
    stop: Stop | None
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Outage:
    """An endpoint that is down, and when it may be probed, on the monotonic clock."""

    reason: str
    probe_at: float


@dataclass(frozen=True, slots=True)
class View:
    """The state of one aggregate at one endpoint, as of one moment after the claim.

    `owner_id` is the blogger whose row it is, a tenant or not. `snapshot_text` is the snapshot exactly as the
    database gave it, None where the row is gone; `digest` is the SHA-256 of it; `changed` says that it is not
    the one handled last. `others` is what was sent of the same aggregate at its other endpoint, and of a
    refund's original. `closed_until` is when AiAccount takes calls for the tenant again, `outage` that of the
    endpoint, `breakers` what the tenant's books lack there,
    `decisions` what people decided about the row and its original.
    """

    owner_id: int | None
    tenant: TenantVersion | None
    snapshot: Mapping[str, object] | None
    snapshot_text: str | None
    digest: bytes
    changed: bool
    entries: Mapping[str, Entry]
    others: tuple[Sent, ...]
    original_id: int | None
    original_accepted: int
    closed_until: float | None = None
    outage: Outage | None = None
    breakers: tuple[Breaker, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def adopts(self) -> frozenset[str | None]:
        """The documents for which a person accepted what AiAccount has, with the row as it still is."""
        return decided(self.decisions).accepted_numbers


def read_view(row: Mapping[str, Any], endpoint: Endpoint, aggregate_id: int, now: float) -> View:
    """Make a view of a row of the statement `read`.

    Args:
        row: Its columns by name.
        endpoint: Whose delivery it is.
        aggregate_id: Of which aggregate.
        now: The monotonic clock when the row had come: ages are counted back from it, so nothing seems older
            than it is.
    """
    entries: dict[str, Entry] = {}
    others: list[Sent] = []
    original_accepted = 0
    for found in json.loads(row["entries"] or "[]", parse_float=Decimal):
        own = found["aggregate_id"] == aggregate_id
        entry = _entry(found, now)
        if own and found["endpoint"] == endpoint:
            entries[entry.number] = entry
            continue
        original_accepted += not own and entry.accepted
        others.extend(sent_of(found["endpoint"], [entry], of_original=not own))
    return View(
        owner_id=row["owner_id"],
        tenant=_tenant(row),
        snapshot=parse_snapshot(row["snapshot"]),
        snapshot_text=row["snapshot"],
        digest=bytes(row["digest"]),
        changed=row["changed"],
        entries=entries,
        others=tuple(others),
        original_id=row["original_id"],
        original_accepted=original_accepted,
        closed_until=_ahead(row["closed_in"], now),
        outage=_outage(row, now),
        breakers=tuple(_breaker(found, now) for found in json.loads(row["breakers"] or "[]")),
        decisions=read_decisions(row["decisions"]),
    )


def sent_of(endpoint: str, entries: list[Entry], *, of_original: bool = False) -> list[Sent]:
    """Return those of the entries that were sent or may have been, as the mapper takes them."""
    return [
        Sent(
            endpoint=endpoint,
            number=entry.number,
            state="pushed" if entry.accepted else "in_doubt",
            document=entry.document,
            snapshot=parse_snapshot(entry.snapshot_text),
            of_original=of_original,
        )
        for entry in entries
        if entry.document is not None and (entry.accepted or entry.doubt_at is not None)
    ]


def read_decisions(text: str | None) -> tuple[Decision, ...]:
    """Parse what people decided about a row and about its original."""
    return tuple(map(Decision.from_json, json.loads(text or "[]")))


def parse_snapshot(text: str | None) -> Mapping[str, object] | None:
    """Parse a snapshot, every number a Decimal or an int; None for a row that is gone."""
    if text is None:
        return None
    snapshot = json.loads(text, parse_float=Decimal)
    return snapshot if isinstance(snapshot, dict) else None


def _tenant(row: Mapping[str, Any]) -> TenantVersion | None:
    if row["tenant_id"] is None or row["settings_version"] is None:
        return None
    return TenantVersion(
        tenant_id=row["tenant_id"],
        active=row["active"],
        company_id=row["company_id"],
        settings_version=row["settings_version"],
        key_version=row["key_version"],
        stop=Stop(row["stop_code"], row["stop_reason"]) if row["stop_code"] else None,
        limited=bool(row["limited"]),
    )


def _outage(row: Mapping[str, Any], now: float) -> Outage | None:
    if row["outage"] is None:
        return None
    return Outage(row["outage"], now + float(row["outage_probe_in"]))


def _breaker(found: Mapping[str, Any], now: float) -> Breaker:
    return Breaker(found["code"], found["value"], found["reason"], now + float(found["probe_in"]))


def _entry(found: Mapping[str, Any], now: float) -> Entry:
    return Entry(
        number=found["number"],
        document=found["document"],
        snapshot_text=found["snapshot"],
        doubt_at=_ago(found["doubt_age"], now),
        remote_id=found["remote_id"],
        verdict=Verdict(found["verdict"]) if found["verdict"] else None,
        code=found["code"],
        reason=found["reason"],
        attempts=found["attempts"],
        first_at=_ago(found["first_age"], now),
        next_at=_ahead(found["next_in"], now),
    )


def _ahead(seconds: Decimal | float | None, now: float) -> float | None:
    return None if seconds is None else now + float(seconds)


def _ago(age: Decimal | int | None, now: float) -> float | None:
    return None if age is None else now - float(age)
