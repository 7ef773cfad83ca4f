"""A row's story in words, 80 columns wide: pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from console.amounts import called_for
from console.figures import exact
from console.finding import KINDS
from console.layout import fact, wrapped
from console.prospects import holding, prospect
from console.reasons import advice, meaning
from console.story import Document, Story, endpoints_of
from console.tried import tried
from mappers import Accepted, Block, Conflict, Outcome, Push, Skip, SnapshotError, Wait
from outbox.endpoints import Aggregate, Endpoint

KIND = {
    Endpoint.POS_INVOICE: "sales invoice",
    Endpoint.POS_RECEIPT: "sales receipt",
    Endpoint.KOL_BILL: "expense bill",
    Endpoint.KOL_PAYMENT: "expense payment",
}
_TIMES = ("completed_at", "paid_at", "voided_at", "approved_at", "cancelled_at")
_UNFINISHED = {"open": "completed", "draft": "approved"}


def tell(story: Story, number: str, endpoint: Endpoint | None = None) -> Iterator[str]:
    """Tell a row's story, line by line.

    Args:
        story: What is known of the row.
        number: What was asked for: a document's own number tells of that document alone.
        endpoint: Only its documents.
    """
    yield from _row(story)
    documents = [
        (kind, name)
        for kind in endpoints_of(story.row)
        for name in _numbers(story, kind)
        if endpoint in {None, kind} and number in {name, story.row.number}
    ]
    for kind, name in documents:
        yield ""
        yield from _document(story, kind, name)
    for kind in endpoints_of(story.row):
        yield from _trouble(story, kind)
    if not documents and (said := _nothing(story, number)):
        yield ""
        yield from wrapped(said)
    yield from _people(story)


def _row(story: Story) -> Iterator[str]:
    row, owner = story.row, story.owner
    kind = KINDS[row.aggregate]
    whose = f"tenant {row.tenant_id}, {owner.company_name}" if owner else f"blogger {row.tenant_id}"
    yield from wrapped(f"{row.number}: a {kind} of {whose}")
    if owner is None:
        yield from fact(
            "you can",
            "The blogger did not subscribe, so nothing is posted: "
            f"`aiaccount-sync tenants add {row.tenant_id}` makes a tenant of it.",
        )
        return
    zone = owner.timezone
    yield f"Times are {zone}'s; it is {exact(story.now, zone)} there."
    yield ""
    state = row.status or ("gone from NS16" if story.sight.rows else "")
    yield from fact("row", f"{row.aggregate_id} of {row.table}{', ' if state else ''}{state}")
    if not story.sight.rows:
        yield from fact("", "Told from the ledger alone: rows and settings are shown to aiaccount_admin.")
    if not row.owned:
        yield from fact("reason", f"NOT_OWNED: {meaning('NOT_OWNED')}")
        yield from fact("you can", advice("NOT_OWNED", tenant=row.tenant_id, number=row.number, endpoint=""))
    if story.unread:
        yield from fact("reason", f"READ_FAILED: {meaning('READ_FAILED')}. {story.unread}")
        yield from fact(
            "you can", advice("READ_FAILED", tenant=row.tenant_id, number=row.number, endpoint="")
        )
    yield from _facts_of_row(story)


def _facts_of_row(story: Story) -> Iterator[str]:
    snapshot = story.source.snapshot if story.source else None
    head = (snapshot or {}).get(story.row.aggregate)
    if not isinstance(head, Mapping) or story.owner is None:
        return
    times = [f"{name.removesuffix('_at')} {_instant(head[name], story)}" for name in _TIMES if head.get(name)]
    if story.row.aggregate is Aggregate.KOL_SETTLEMENT:
        times.insert(0, f"for {head.get('period_start')} to {head.get('period_end')}")
    if times:
        yield from fact("when", "; ".join(times))
    if story.business_date:
        yield from fact("booked on", f"{story.business_date}, the business date")
    yield from fact("money", "; ".join(_money(endpoint, head) for endpoint in endpoints_of(story.row)))


def _money(endpoint: Endpoint, head: Mapping[str, object]) -> str:
    try:
        currency, amount = called_for(endpoint, head)
    except SnapshotError as error:
        return str(error)
    return f"{currency} {amount:,} as {KIND[endpoint]}s"


def _document(story: Story, endpoint: Endpoint, number: str) -> Iterator[str]:
    """Tell of one document."""
    entry = _entry(story, endpoint, number)
    outcome = _outcome(story, endpoint, number)
    yield f"{number}, {KIND[endpoint]}: {entry.state if entry else 'not sent'}"
    yield from _wanted(story, endpoint, entry, outcome)
    code = entry.code if entry and entry.code else getattr(outcome, "code", None)
    if code is not None:
        yield from fact("reason", f"{code}: {meaning(code)}")
        detail = (entry.reason if entry else None) or getattr(outcome, "key", None)
        if detail:
            yield from fact("", detail)
    if entry is not None:
        yield from _ledger(story, entry)
    attempts = [one for one in story.attempts if (one.endpoint, one.number) == (endpoint, number)]
    yield from tried(story, attempts)
    if not attempts and isinstance(outcome, Push):
        yield from fact("tried", "never")
    unsent = entry is None or entry.state not in {"pushed", "skipped"}
    if unsent and not isinstance(outcome, Skip):
        for said in holding(story, endpoint, entry, outcome):
            yield from fact("held", said)
    yield from fact("next", prospect(story, endpoint, entry, outcome))
    if code is not None:
        day = str(story.business_date or "DATE")
        head = endpoints_of(story.row)[0]  # what hangs on a skipped document is skipped with it
        asked = advice(code, tenant=story.row.tenant_id, number=number, endpoint=head, date=day)
        yield from fact("you can", asked)


def _wanted(
    story: Story, endpoint: Endpoint, entry: Document | None, outcome: Outcome | None
) -> Iterator[str]:
    """Say what the mappers want with it now."""
    match outcome:
        case Push():
            again = ", exactly as it was sent, since it may have arrived" if entry and entry.doubt_at else ""
            yield from fact("should be", f"{_shown(outcome.document)}{again}")
        case Skip():
            yield from fact("should be", "nothing: there is nothing to post")
        case Block():
            yield from fact("should be", "a document, once what is wrong is mended")
        case Wait():
            yield from fact("should be", "a document, but it hangs on another that was not accepted yet")
        case Conflict() | Accepted():
            yield from fact("should be", "something else than what was sent")
        case None if entry is not None and entry.accepted_at is not None:
            if story.outcomes is not None:
                yield from fact("should be", "as it was sent")
        case _:
            if story.outcomes is not None and not isinstance(story.outcomes.get(endpoint), str):
                yield from fact("should be", "nothing: the row does not call for it")


def _ledger(story: Story, entry: Document) -> Iterator[str]:
    zone = story.owner.timezone if story.owner else "UTC"
    if entry.accepted_at is not None:
        sent = f": {_shown(entry.document)}" if entry.document else ""
        yield from fact(
            "accepted", f"{exact(entry.accepted_at, zone)}, AiAccount's id {entry.remote_id}{sent}"
        )
    if entry.doubt_at is not None:
        yield from fact(
            "in doubt", f"since {exact(entry.doubt_at, zone)}: it may stand in AiAccount, and is found out"
        )
    if story.owner and entry.company_id != story.owner.company_id:
        yield from fact("", f"in the books of the company {entry.company_id}, which the tenant has left")


def _trouble(story: Story, endpoint: Endpoint) -> Iterator[str]:
    """Tell what keeps the whole row from being handled at an endpoint."""
    task = (story.tasks or {}).get(endpoint)
    said = (story.outcomes or {}).get(endpoint)
    if isinstance(said, str):
        code, detail = "MAPPING_FAILED", said
    elif task is not None and task.trouble_code is not None:
        code, detail = task.trouble_code, task.trouble or ""
    else:
        return
    yield ""
    yield f"All {KIND[endpoint]}s of the row: not handled"
    yield from fact("reason", f"{code}: {meaning(code)}")
    yield from fact("", detail)
    yield from fact("next", prospect(story, endpoint, None, Block(code, "")))
    yield from fact(
        "you can", advice(code, tenant=story.row.tenant_id, number=story.row.number, endpoint=endpoint)
    )


def _nothing(story: Story, number: str) -> str | None:
    """Say why there is no document to tell of."""
    status = story.row.status
    if story.owner is None or not story.row.owned or story.unread:
        return None
    if status in _UNFINISHED:
        return f"{status.capitalize()}: nothing is posted until it is {_UNFINISHED[status]}."
    if number != story.row.number:
        return f"The row calls for no document {number}, and none was ever noted. Ask for {story.row.number}."
    if any(isinstance(said, str) for said in (story.outcomes or {}).values()):
        return None
    return "The row calls for no document, and none was ever noted."


def _people(story: Story) -> Iterator[str]:
    """Tell what people decided and did."""
    zone = story.owner.timezone if story.owner else "UTC"
    lines = [
        f"{exact(one.decided_at, zone)}  {one.decided_by}: {one.kind} {one.number}"
        + ("" if one.holds or one.kind != "accept" else " (the row has changed since: it holds no more)")
        for one in story.decisions
        if not one.of_original
    ]
    lines += [
        f"{exact(one.at, zone)}  {one.actor}: {one.action}{'' if one.succeeded else ' (failed)'}"
        for one in story.deeds
        if not (story.decisions and one.succeeded and one.action.startswith("resolve"))  # told already
    ]
    if lines:
        yield ""
        yield "By people:"
        for line in sorted(lines):
            yield from wrapped(line, "  ")
    if story.owner and not story.sight.decisions:
        yield ""
        yield "What people decided is shown to the role aiaccount_admin."


def _numbers(story: Story, endpoint: Endpoint) -> list[str]:
    """Return the numbers of an endpoint's documents: those of the ledger, then those that are called for."""
    said = (story.outcomes or {}).get(endpoint, ())
    called = [] if isinstance(said, str) else [one.number for one in said]
    return list(dict.fromkeys([one.number for one in story.documents if one.endpoint == endpoint] + called))


def _entry(story: Story, endpoint: Endpoint, number: str) -> Document | None:
    """Return the ledger's entry; of several companies' that of the present one."""
    found = [one for one in story.documents if (one.endpoint, one.number) == (endpoint, number)]
    now = story.owner.company_id if story.owner else None
    return next((one for one in found if one.company_id == now), found[-1] if found else None)


def _outcome(story: Story, endpoint: Endpoint, number: str) -> Outcome | None:
    said = (story.outcomes or {}).get(endpoint, ())
    return None if isinstance(said, str) else next((one for one in said if one.number == number), None)


def _shown(document: Mapping[str, Any]) -> str:
    """Say a document in a line: its type, money and date, and what it hangs on."""
    amount = document.get("amount") or document.get("totals", {}).get("total")
    kind = str(document["document_type"]).replace("_", " ")
    others = [
        str(part.get("invoice_number") or part.get("bill_number"))
        for part in document.get("allocations") or ()
    ]
    hangs = f", for {', '.join(others)}" if others else ""
    return f"{kind} of {document['currency']} {amount}, dated {document['date']}{hangs}"


def _instant(text: object, story: Story) -> str:
    """Write a row's time; one that is no time, such as infinity, as it stands."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    return exact(at, story.owner.timezone if story.owner else "UTC")
