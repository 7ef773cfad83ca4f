"""`aiaccount-sync explain`: the story of a document, and why it is not there."""

from typing import Annotated

import typer

from console.exits import PLAIN_MEANINGS
from console.finding import find, sight_of
from console.printing import epilog, print_json, say, warn
from console.raw import raw
from console.session import session_of, transaction
from console.story import read_story
from console.telling import tell
from consumers.redact import redact
from outbox.endpoints import Endpoint

_EPILOG = epilog(
    (
        "aiaccount-sync explain POS2026050100001             # the sale and all its documents",
        "aiaccount-sync explain POS2026050100001-R1          # one of them",
        "aiaccount-sync explain KS202605-00001 --tenant 7    # where several tenants have the number",
        "aiaccount-sync explain POS2026050100001 --raw       # as it was sent, or would be",
    ),
    PLAIN_MEANINGS,
    (
        "NUMBER is a receipt_no or settlement_no of NS16, or a document's number:",
        "  -R1     the first receipt        -P1    the first payment",
        "  -V1     the reversal             -P1X   that of a payment",
        "  -A1     issued anew by `resolve --reissue`",
        "",
        "For each document:",
        "  should be   what the row calls for with today's settings",
        "  reason      why it is not there, in one sentence",
        "  accepted    since when AiAccount has it, and under which id",
        "  tried       each attempt: when, what came of it, and what AiAccount said",
        "  held        what keeps it: a stop, an outage, what the books lack",
        "  next        what happens by itself, and when",
        "  you can     what a person can do",
        "",
        "The role aiaccount_reader is told of its tenants what the ledger holds.",
        "The role aiaccount_admin is told the rest, too.",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain", epilog=_EPILOG)(explain)


def explain(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Of a row, or of a document.", metavar="NUMBER")],
    *,
    tenant: Annotated[int | None, typer.Option(help="Whose.", metavar="ID", min=1)] = None,
    endpoint: Annotated[Endpoint | None, typer.Option(help="Only documents of this kind.")] = None,
    as_sent: Annotated[
        bool, typer.Option("--raw", help="The document as JSON: as it was sent, or would be.")
    ] = False,
) -> None:
    """Tell the story of a document: why it is there, or not.

    The row, what it calls for and why, every attempt, what happens next and when, and what a person can do.
    Times are in the tenant's zone. Nothing is changed or sent.
    """
    with transaction(session_of(context).config) as connection:
        sight = sight_of(connection)
        rows = find(connection, number, tenant, endpoint, sight)
        stories = [read_story(connection, row, sight) for row in rows]
    if as_sent:
        document, how = raw(stories, number, endpoint)
        warn(f"{number}: {how}")
        print_json(document)
        return
    for at, story in enumerate(stories):
        if at:
            say("")
        for line in tell(story, number, endpoint):
            say(redact(line))
