"""A document in conflict: what differs, and what each way to settle it would do. Reads, and never sends."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from console.preview import SourceRow
from mappers import Decision, Outcome, Push, Sent, plan
from mappers.issues import issue_of
from outbox.endpoints import Endpoint
from outbox.errors import UsageError
from outbox.tables import documents, tenants

PAIRS = {
    Endpoint.POS_INVOICE: (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT),
    Endpoint.POS_RECEIPT: (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT),
    Endpoint.KOL_BILL: (Endpoint.KOL_BILL, Endpoint.KOL_PAYMENT),
    Endpoint.KOL_PAYMENT: (Endpoint.KOL_BILL, Endpoint.KOL_PAYMENT),
}
_ROUNDS = 4


@dataclass(frozen=True)
class InConflict:
    """A document of the ledger that waits for a person's decision; `ours` says that AiAccount accepted it."""

    tenant_id: int
    endpoint: Endpoint
    aggregate_id: int
    number: str
    code: str
    reason: str | None
    ours: bool
    document: Mapping[str, Any] | None


def find(
    connection: Connection, number: str, tenant_id: int | None = None, endpoint: Endpoint | None = None
) -> InConflict:
    """Return the one document of this number that is in conflict.

    Raises:
        UsageError: There is none, or there are several: the sentence says how to tell them apart.
    """
    found = select(
        documents.c.tenant_id,
        documents.c.endpoint,
        documents.c.aggregate_id,
        documents.c.number,
        documents.c.state,
        documents.c.code,
        documents.c.reason,
        documents.c.accepted_at.is_not(None).label("ours"),
        documents.c.document,
    ).where(
        documents.c.number == number,
        documents.c.tenant_id == tenants.c.tenant_id,
        documents.c.company_id == tenants.c.company_id,
    )
    if tenant_id is not None:
        found = found.where(documents.c.tenant_id == tenant_id)
    if endpoint is not None:
        found = found.where(documents.c.endpoint == endpoint)
    rows = connection.execute(found).all()
    waiting = [row for row in rows if row.state == "conflict"]
    if not rows:
        raise UsageError(
            f"there is no document {number}; `retry --dry-run --state conflict` names those in conflict"
        )
    if not waiting:
        raise UsageError(f"{number} is not in conflict: it is {rows[0].state}")
    if len(waiting) > 1:
        places = ", ".join(f"tenant {row.tenant_id} at {row.endpoint}" for row in waiting)
        raise UsageError(
            f"several documents {number} are in conflict ({places}): give --tenant or --endpoint"
        )
    row = waiting[0]
    return InConflict(
        row.tenant_id,
        Endpoint(row.endpoint),
        row.aggregate_id,
        row.number,
        row.code,
        row.reason,
        row.ours,
        row.document,
    )


def differences(row: SourceRow, conflict: InConflict) -> list[str]:
    """Say what differs between the document as it was sent and the one that the row calls for now."""
    if conflict.document is None:
        return []
    today = _today(row, conflict)
    if today is None:
        return [f"{conflict.number} was sent, and the row calls for no such document now"]
    own = {"number", "original_number", "allocations", "company_name"}
    return [
        f"{place}: {_shown(was)} was sent, the row says {_shown(now)}"
        for place, was, now in _differing("", conflict.document, today)
        if place.partition(".")[0] not in own
    ]


def forecast(row: SourceRow, conflict: InConflict, choice: Decision) -> list[str]:
    """Say, document by document, what would be sent after a decision, in the order in which it would go."""
    sent, endpoint = list(row.sent), conflict.endpoint
    if adopts(conflict, choice.kind) and conflict.document is not None:
        sent.append(Sent(endpoint, conflict.number, "pushed", conflict.document, row.snapshot))
    decisions = [*row.decisions, choice]
    said: list[str] = []
    for each in PAIRS[endpoint] * _ROUNDS:  # as deliveries would: all that one can send, then the other
        known = {entry.number for entry in sent if entry.endpoint == each}
        while new := _next(plan(each, row.settings, row.snapshot, sent, decisions), known):
            known.add(new.number)
            said.append(_sentence(new.document))
            sent.append(Sent(each, new.number, "pushed", new.document, row.snapshot))
    return said


def adopts(conflict: InConflict, kind: str) -> bool:
    """Say whether a decision takes a document that AiAccount did not get from us for the row's own."""
    return kind == "accept" and not conflict.ours


def _next(outcomes: Sequence[Outcome], known: set[str]) -> Push | None:
    """Return the first document that was not sent yet."""
    return next((each for each in outcomes if isinstance(each, Push) and each.number not in known), None)


def current_issue(decisions: Sequence[Decision]) -> int:
    """Return the issue under which the row stands now."""
    return max(
        (each.issue for each in decisions if each.kind != "accept" and not each.of_original), default=0
    )


def issue_in_conflict(conflict: InConflict, decisions: Sequence[Decision]) -> int:
    """Return the issue that the document in conflict belongs to."""
    entry = Sent(conflict.endpoint, conflict.number, "pushed", conflict.document or {}, None)
    return issue_of(entry, current_issue(decisions))


def _today(row: SourceRow, conflict: InConflict) -> Mapping[str, Any] | None:
    """Return the document that the row would give today if nothing had been sent of it."""
    head, part = PAIRS[conflict.endpoint]
    sent = [entry for entry in row.sent if entry.of_original]
    decisions = [each for each in row.decisions if each.of_original]
    if row.snapshot is None:
        return None
    first = [
        each for each in plan(head, row.settings, row.snapshot, sent, decisions) if isinstance(each, Push)
    ]
    if conflict.endpoint == head:
        return first[0].document if first else None
    if not first:
        return None
    sent.append(Sent(head, first[0].number, "pushed", first[0].document, row.snapshot))
    wanted = conflict.number.rpartition("-")[2].lstrip("PQRSTUVWXYZ")
    for each in plan(part, row.settings, row.snapshot, sent, decisions):
        if isinstance(each, Push) and each.number.rpartition("-")[2][1:] == wanted:
            return each.document
    return None


def _differing(place: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - JSON
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*was, *(key for key in now if key not in was)]:
            yield from _differing(f"{place}.{key}".lstrip("."), was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list):
        for at in range(max(len(was), len(now))):
            then, today = (each[at] if at < len(each) else None for each in (was, now))
            yield from _differing(f"{place}[{at + 1}]", then, today)
    elif was != now:
        yield place, was, now


def _shown(value: object) -> str:
    match value:
        case None:
            return "none"
        case dict():
            return str(value.get("description") or value.get("amount") or "one more")
        case _:
            return str(value)


def _sentence(document: Mapping[str, Any]) -> str:
    amount = document.get("amount") or document.get("totals", {}).get("total")
    return f"{document['number']}  {document['document_type']}  {amount} {document['currency']}"
