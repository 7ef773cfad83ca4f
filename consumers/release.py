"""How a delivery ends, and the rows that record it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from consumers.accounts import Account
from consumers.entry import Entry
from consumers.learned import Attempt, learned
from consumers.outcomes import Outcome
from consumers.steps import NOTHING, Record
from consumers.view import View
from outbox.endpoints import Endpoint

_LEADS = {Endpoint.POS_INVOICE: Endpoint.POS_RECEIPT, Endpoint.KOL_BILL: Endpoint.KOL_PAYMENT}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a whole row could not be handled."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ending:
    """The state of a delivery as it ends; times are on the worker's monotonic clock.

    `entries` are the aggregate's at this endpoint as they should stand, `intended` the numbers of those that
    this delivery wrote as intents, `attempts` what was tried, `waits` whether one waits for another document,
    `hold` why nothing may be called for now.
    """

    now: float = 0.0
    entries: Mapping[str, Entry] = field(default_factory=dict)
    intended: frozenset[str] = frozenset()
    account: Account | None = None
    due_at: float | None = None
    waits: bool = False
    trouble: Trouble | None = None
    last: Outcome | None = None
    attempts: tuple[Attempt, ...] = ()
    hold: str | None = None

    def accepted(self, view: View | None) -> list[Entry]:
        """Return the entries that this delivery saw accepted."""
        before = view.entries if view is not None else {}
        return [
            entry
            for number, entry in self.entries.items()
            if entry.accepted and not (number in before and before[number].accepted)
        ]


def record_of(
    endpoint: Endpoint, aggregate_id: int, token: UUID, view: View | None, ending: Ending
) -> Record:
    """Return the rows that record how a delivery of this task ended.

    A row whose owner is no active tenant was not handled: it keeps no digest, so that reconciliation finds it
    once the owner is one.
    """
    key: dict[str, Any] = {"endpoint": endpoint, "aggregate_id": aggregate_id}
    tenant = view.tenant if view is not None else None
    key_of = {**key, "tenant_id": view.owner_id if view is not None else None}
    company = {**key_of, "company_id": tenant.company_id if tenant else None, "token": str(token)}
    before = view.entries if view is not None else {}
    accepted = ending.accepted(view)
    changed = [
        entry
        for number, entry in ending.entries.items()
        if entry != before.get(number) and (entry not in accepted or entry.code is not None)
    ]
    known = before.keys() | ending.intended
    woken = [{**key_of, "endpoint": _LEADS[endpoint]}] if accepted and endpoint in _LEADS else []
    original_id = view.original_id if view is not None and ending.waits else None
    original = (
        [{**key_of, "endpoint": Endpoint.POS_INVOICE, "aggregate_id": original_id}] if original_id else []
    )
    return Record(
        released={
            **company,
            "settings_version": tenant.settings_version if tenant else None,
            "digest": view.digest.hex() if view is not None and tenant and tenant.active else None,
            "trouble_code": ending.trouble.code if ending.trouble else None,
            "trouble": ending.trouble.reason if ending.trouble else None,
            "due_in": None if ending.due_at is None else max(ending.due_at - ending.now, 0.0),
            "original_id": original_id,
            "original_accepted": view.original_accepted if view is not None and original_id else 0,
        },
        touched=[key_of, *woken, *(original if original_id else [])],
        accepted=[_accepted(company, entry) for entry in accepted],
        fresh=[_noted(company, entry, ending.now) for entry in changed if entry.number not in known],
        noted=[_noted(company, entry, ending.now) for entry in changed if entry.number in known],
        woken=woken,
        learned=learned(
            endpoint, aggregate_id, ending.account, company["company_id"], ending.attempts, ending.now
        )
        if ending.account
        else NOTHING,
    )


def _accepted(company: Mapping[str, Any], entry: Entry) -> dict[str, Any]:
    return {
        **company,
        "number": entry.number,
        "document": entry.document,
        "snapshot": entry.snapshot_text,
        "remote_id": entry.remote_id,
    }


def _noted(company: Mapping[str, Any], entry: Entry, now: float) -> dict[str, Any]:
    return {
        **company,
        "number": entry.number,
        "accepted": entry.accepted,
        "verdict": entry.verdict,
        "code": entry.code,
        "reason": entry.reason,
        "attempts": entry.attempts,
        "doubt_age": None if entry.doubt_at is None else max(now - entry.doubt_at, 0.0),
        "next_in": None if entry.next_at is None else max(entry.next_at - now, 0.0),
    }
