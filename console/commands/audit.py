"""`aiaccount-sync audit`: who changed which key, setting or document state."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from console.exits import PLAIN_MEANINGS
from console.printing import AsJson, epilog, print_json, say
from console.session import session_of, transaction
from outbox.audit import Recorded, read
from outbox.errors import UsageError

_EPILOG = epilog(
    (
        "aiaccount-sync audit",
        "aiaccount-sync audit --tenant 7 --since 2026-05-01",
        "aiaccount-sync audit --last 1000 --json",
    ),
    PLAIN_MEANINGS,
)
_WIDTH = 80


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit", epilog=_EPILOG)(show)


def show(
    context: typer.Context,
    *,
    tenant: Annotated[
        int | None, typer.Option(help="Only what concerns this one.", metavar="ID", min=1)
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only from then on: a date, or a date with a time.", metavar="TIME")
    ] = None,
    last: Annotated[int, typer.Option(help="How many at most: the newest.", min=1)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show who changed what, failed tries too.

    The newest comes last. Nothing here can be changed or deleted, and no API key ever stands in it. Times
    are UTC.
    """
    begin = None if since is None else _moment(since)
    with transaction(session_of(context).config) as connection:
        found = read(connection, tenant_id=tenant, since=begin, last=last)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        say(_line(one))
        detail = json.dumps(one.detail, ensure_ascii=False) if one.detail else ""
        if detail:
            say(f"    {detail if len(detail) <= _WIDTH - 4 else detail[: _WIDTH - 7] + '...'}")
    if not found:
        say("Nothing was done yet.")


def _line(one: Recorded) -> str:
    at = one.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    who = one.actor if one.role == one.actor else f"{one.actor} ({one.role})"
    what = " ".join(
        part
        for part in (
            one.action,
            f"tenant {one.tenant_id}" if one.tenant_id is not None else "",
            one.subject or "",
            "" if one.succeeded else "FAILED",
        )
        if part
    )
    return f"{at}  {who}  {what}"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a time such as 2026-05-01 or 2026-05-01T08:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
