"""`aiaccount-sync preview`: the document that would be sent for a row, or why none."""

import json
from typing import Annotated

import typer

from console.exits import MEANINGS, Exit
from console.preview import Preview, preview
from console.printing import AsJson, epilog, print_json, say
from console.reasons import meaning
from console.session import session_of, transaction
from mappers import Block, Conflict, Outcome, Push, canonical
from outbox.endpoints import Endpoint

_EPILOG = epilog(
    (
        "aiaccount-sync preview --endpoint pos_invoice --id 1234",
        "aiaccount-sync preview --endpoint kol_payment --id 56 --json",
    ),
    {**MEANINGS, Exit.WRONG: "a document is blocked or in conflict: a person must act"},
    (
        "Each document of the row comes out in one of five ways:",
        "  push      it would be sent, as shown",
        "  skip      there is nothing to post",
        "  wait      it hangs on a document that was not sent yet",
        "  block     the row or the settings must be mended",
        "  conflict  it was sent, and the row says something else now",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("preview", epilog=_EPILOG)(show)


def show(
    context: typer.Context,
    *,
    endpoint: Annotated[Endpoint, typer.Option(help="Which kind of document.")],
    aggregate_id: Annotated[
        int, typer.Option("--id", help="The id of the row in pos_transactions or kol_settlements.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what would be sent for a row now, or why none.

    Reads the row, what was sent of it and the tenant's settings. Nothing is sent.
    """
    with transaction(session_of(context).config) as connection:
        seen = preview(connection, endpoint, aggregate_id)
    if as_json:
        print_json(
            {
                "tenant_id": seen.tenant.tenant_id,
                "found": seen.found,
                "outcomes": [json.loads(canonical(outcome.to_json())) for outcome in seen.outcomes],
                "ledger": seen.ledger,
                "obstacles": seen.obstacles,
            }
        )
    else:
        _print(seen)
    if any(isinstance(outcome, Block | Conflict) for outcome in seen.outcomes):
        raise typer.Exit(Exit.WRONG)


def _print(seen: Preview) -> None:
    say(f"Tenant {seen.tenant.tenant_id}, {seen.tenant.company_name}")
    for obstacle in seen.obstacles:
        say(f"Note: {obstacle}")
    if not seen.found:
        say("The row is gone, or is not the tenant's own any more.")
    for outcome in seen.outcomes:
        say(f"\n{_said(outcome)}")
        if isinstance(outcome, Push):
            say(json.dumps(json.loads(canonical(outcome.document)), ensure_ascii=False, indent=2))
    if not seen.outcomes:
        say("\nNothing to do: what the row calls for was sent, or it calls for nothing yet.")
    for number, state in seen.ledger.items():
        say(f"In the ledger: {number} is {state}.")


def _said(outcome: Outcome) -> str:
    """Say an outcome in a line."""
    kind, *_ = outcome.to_json()
    if isinstance(outcome, Push):
        return f"push {outcome.number}:"
    code = getattr(outcome, "code", None)
    if code is None:
        return f"{kind} {outcome.number}: it hangs on a document that was not sent yet"
    key = getattr(outcome, "key", None)
    told = f"{kind} {outcome.number}: {code}{f' {key}' if key else ''}"
    return f"{told}: {meaning(code)}" if meaning(code) else told
