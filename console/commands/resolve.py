"""`aiaccount-sync resolve`: a person decides about a document in conflict."""

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Annotated

import typer

from console.audited import on_record
from console.conflict import (
    InConflict,
    adopts,
    current_issue,
    differences,
    find,
    forecast,
    issue_in_conflict,
)
from console.exits import MEANINGS, Exit
from console.preview import SourceRow, read_row
from console.printing import AsJson, epilog, print_json, say
from console.reasons import meaning
from console.session import session_of, transaction
from consumers.adoption import NOT_ADOPTABLE
from mappers import Decision
from mappers.decision import MOST_ISSUES, decided
from outbox import audit
from outbox.decisions import Choice, Kind, Place, decide, lock
from outbox.endpoints import Endpoint
from outbox.errors import UsageError

_EPILOG = epilog(
    (
        "aiaccount-sync resolve POS2026050100001                # show what differs, change nothing",
        "aiaccount-sync resolve POS2026050100001 --reissue",
        "aiaccount-sync resolve POS2026050100001 --accept --note 'agreed with Mei'",
    ),
    {**MEANINGS, Exit.WRONG: "shown, and it waits for a decision"},
    (
        "Decisions, each about the whole row with its receipts or payments:",
        "  --reissue  reverse what was sent (-V1), then issue the row anew (-A1)",
        "  --reverse  the row is gone: reverse what was sent, and issue nothing",
        "  --accept   leave what AiAccount has, for as long as the row stays as it is",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("resolve", epilog=_EPILOG)(resolve)


def resolve(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="The document in conflict.", metavar="NUMBER")],
    *,
    reissue: Annotated[bool, typer.Option("--reissue", help="Reverse it and issue the row anew.")] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="Reverse it: its row is gone.")] = False,
    accept: Annotated[bool, typer.Option("--accept", help="Accept what AiAccount has.")] = False,
    tenant: Annotated[int | None, typer.Option(help="Whose document.", metavar="ID", min=1)] = None,
    endpoint: Annotated[Endpoint | None, typer.Option(help="Of which kind.")] = None,
    note: Annotated[str | None, typer.Option(help="Why, for whoever asks later.", metavar="TEXT")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide about a document that is in conflict.

    Its row changed after it was sent, or AiAccount has other content under its number. Without a decision
    this shows what differs and what each decision would send. A decision is recorded with who and when; what
    it calls for is sent like everything else.
    """
    chosen: dict[Kind, bool] = {"reissue": reissue, "reverse": reverse, "accept": accept}
    kinds = [kind for kind, given in chosen.items() if given]
    if len(kinds) > 1:
        raise UsageError("give one of --reissue, --reverse and --accept")
    config = session_of(context).config
    if not kinds:
        with transaction(config) as connection:
            conflict = find(connection, number, tenant, endpoint)
            row = read_row(connection, conflict.endpoint, conflict.aggregate_id)
        _show(conflict, row, as_json=as_json)
        raise typer.Exit(Exit.WRONG)
    kind = kinds[0]
    with (
        on_record(config, f"resolve --{kind}", tenant_id=tenant, subject=number) as deed,
        transaction(config) as connection,
    ):
        conflict = find(connection, number, tenant, endpoint)
        place = _place(conflict, read_row(connection, conflict.endpoint, conflict.aggregate_id))
        lock(connection, place)
        conflict = find(connection, number, tenant, endpoint)
        row = read_row(connection, conflict.endpoint, conflict.aggregate_id)
        decision = _decision(kind, conflict, row)
        decide(connection, place, Choice(number, kind, decision.issue, deed.actor, note))
        detail = {
            "endpoint": conflict.endpoint.value,
            "code": conflict.code,
            "issue": decision.issue,
            "differs": differences(row, conflict),
            "note": note,
        }
        audit.write(connection, replace(deed, tenant_id=conflict.tenant_id, detail=detail))
    sent = forecast(row, conflict, decision)
    if as_json:
        print_json({"decision": kind, "issue": decision.issue, "will_be_sent": sent})
        return
    say(f"Decided: {kind} {number}. Will be sent:" if sent else f"Decided: {kind} {number}. Nothing is sent.")
    for line in sent:
        say(f"  {line}")


def _place(conflict: InConflict, row: SourceRow) -> Place:
    company_id = row.tenant.company_id or ""
    return Place(company_id, conflict.tenant_id, conflict.endpoint.aggregate, conflict.aggregate_id)


def _decision(kind: Kind, conflict: InConflict, row: SourceRow) -> Decision:
    """Return the decision, if it can be made.

    Raises:
        UsageError: It was decided already, or the decision does not fit the conflict.
    """
    number, current = conflict.number, current_issue(row.decisions)
    if issue_in_conflict(conflict, row.decisions) < current or _under_way(conflict, row):
        raise UsageError(f"{number} was decided about already, and that is under way: `audit` says by whom")
    if problem := _refusal(kind, conflict, row, current):
        raise UsageError(f"{number} cannot be settled by --{kind}: {problem}")
    return Decision(kind, current if kind == "accept" else current + 1, datetime.now(UTC))


def _under_way(conflict: InConflict, row: SourceRow) -> bool:
    """Say whether the row, or AiAccount's own document under this number, was accepted already."""
    made = decided(row.decisions)
    if conflict.ours:
        return made.accepted
    return conflict.code != NOT_ADOPTABLE and conflict.number in made.accepted_numbers


def _refusal(kind: Kind, conflict: InConflict, row: SourceRow, current: int) -> str | None:
    """Say why a decision does not fit, or none."""
    gone = conflict.code == "SOURCE_GONE"
    reasons = {
        "refunds of it were posted; settle those first, or use --accept": (
            kind != "accept" and (conflict.code == "VOIDED_AFTER_REFUND" or _refunded(row))
        ),
        "its row is gone, so there is nothing to issue; use --reverse": kind == "reissue" and gone,
        "its row is still there; use --reissue": kind == "reverse" and not gone,
        "it is a reversal; use --accept": kind != "accept" and conflict.number.endswith(("-V1", "X")),
        f"it was issued anew {MOST_ISSUES} times, and there are no more numbers": (
            kind != "accept" and current == MOST_ISSUES
        ),
        "its number stands for another row; use --reissue": (
            kind == "accept" and not conflict.ours and conflict.code == "NUMBER_TAKEN"
        ),
    }
    return next((reason for reason, applies in reasons.items() if applies), None)


def _refunded(row: SourceRow) -> bool:
    return row.snapshot is not None and str(row.snapshot.get("refunded", "0")).strip("0.") != ""


def _show(conflict: InConflict, row: SourceRow, *, as_json: bool) -> None:
    found = differences(row, conflict)
    offers: dict[Kind, list[str] | str] = {}
    current = current_issue(row.decisions)
    kinds: tuple[Kind, ...] = ("reissue", "reverse", "accept")
    for kind in kinds:
        refused = _refusal(kind, conflict, row, current)
        issue = current if kind == "accept" else current + 1
        decision = Decision(kind, issue, datetime.now(UTC))
        offers[kind] = refused or forecast(row, conflict, decision)
    if as_json:
        shown = {name: value for name, value in asdict(conflict).items() if name != "document"}
        print_json({**shown, "differs": found, "decisions": offers})
        return
    said = meaning(conflict.code)
    say(f"{conflict.number} at {conflict.endpoint}, tenant {conflict.tenant_id}, {row.tenant.company_name}")
    say(f"  {conflict.code}{f': {said}' if said else ''}")
    if conflict.reason:
        say(f"  {conflict.reason}")
    for line in found:
        say(f"  {line}")
    for kind, offer in offers.items():
        if isinstance(offer, str):
            continue
        takes = "take what AiAccount has for the row's own and " if adopts(conflict, kind) else ""
        say(f"\n--{kind} would {takes}send:" if offer else f"\n--{kind} would {takes}send nothing.")
        for line in offer:
            say(f"  {line}")
