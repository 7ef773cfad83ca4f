"""`aiaccount-sync retry`: what waits for a person goes again now."""

from dataclasses import asdict, replace
from datetime import date
from typing import Annotated

import typer

from console.audited import on_record
from console.commands.tenants import read_date
from console.exits import PLAIN_MEANINGS
from console.held import STATES, Filter, held, let_go, stopped
from console.printing import AsJson, epilog, print_columns, print_json, say
from console.session import session_of, transaction
from outbox import audit
from outbox.endpoints import Endpoint
from outbox.errors import UsageError

_EPILOG = epilog(
    (
        "aiaccount-sync retry --tenant 7 --dry-run",
        "aiaccount-sync retry --reason TAX_CODE_MISSING",
        "aiaccount-sync retry --tenant 7 --endpoint kol_bill --state parked",
        "aiaccount-sync retry --tenant 7 --date 2026-05-01..2026-05-31",
        "aiaccount-sync retry POS2026050100001 POS2026050100001-R1",
    ),
    PLAIN_MEANINGS,
    (
        "States:",
        "  blocked   the tenant must mend its books or settings; or the tenant is stopped",
        "  conflict  AiAccount or another row has other content under the number",
        "  in doubt  an attempt had no clear answer: it may stand in AiAccount",
        "  parked    the data is wrong, or it failed for three days",
        "  retrying  it failed a while ago and has a time of its own to go again",
        "  trouble   the whole row could not be handled",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(retry)


def retry(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    numbers: Annotated[
        list[str] | None, typer.Argument(help="Only documents of these numbers.", metavar="NUMBER")
    ] = None,
    *,
    tenant: Annotated[int | None, typer.Option(help="Only this tenant's.", metavar="ID", min=1)] = None,
    endpoint: Annotated[Endpoint | None, typer.Option(help="Only of this kind.")] = None,
    reason: Annotated[
        str | None, typer.Option(help="Only for this reason, such as TAX_CODE_MISSING.", metavar="CODE")
    ] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="Only in this state; may be given often.", metavar="STATE")
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option(
            "--date", help="Only of this business date, or from one to another.", metavar="DATE[..DATE]"
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that waits.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing: list what waits.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try again now what waits for a person.

    Whatever was mended, in AiAccount or in NS16, is found without waiting for the next look at it. A tenant
    that is stopped is called again, too. Nothing is posted twice: AiAccount drops what it has, and a document
    that stands there with other content comes back as a conflict.
    """
    if unknown := set(state or ()) - set(STATES):
        raise UsageError(f"there is no state {min(unknown)!r}; the states are {', '.join(STATES)}")
    given = (tenant, endpoint, reason, state, dates, numbers or None)
    if not everything and not dry_run and all(one is None for one in given):
        raise UsageError(
            "say what to try again: numbers, --tenant, --endpoint, --reason, --state, --date or --all"
        )
    meant = None if dates is None else read_dates(dates)
    chosen = Filter(tenant, endpoint, reason, tuple(state or STATES), meant, tuple(numbers or ()))
    config = session_of(context).config
    with on_record(config, "retry", tenant_id=tenant) as deed, transaction(config) as connection:
        waiting, stopping = held(connection, chosen), stopped(connection, chosen)
        freed = None if dry_run else let_go(connection, chosen)
        if freed is not None:
            asked = {**asdict(chosen), "dates": dates}
            audit.write(connection, replace(deed, detail={"asked": asked, "due_now": asdict(freed)}))
    if as_json:
        print_json(
            {
                "held": [asdict(one) for one in waiting],
                "stopped": [asdict(one) for one in stopping],
                "due_now": None if freed is None else asdict(freed),
            }
        )
        return
    for stop in stopping:
        where = "everywhere" if stop.endpoint == "*" else f"at {stop.endpoint}"
        say(f"Tenant {stop.tenant_id} is stopped {where}: {stop.code}, {stop.reason}")
    if waiting:
        print_columns(
            ("tenant", "endpoint", "row", "number", "state", "reason", "detail", "since"),
            [tuple(asdict(one).values()) for one in waiting],
        )
    if freed is None:
        say(f"{len(waiting)} wait; nothing was changed.")
    else:
        say(f"Due now: {freed.documents} documents of {freed.tasks} rows; {freed.stops} stops lifted.")


def read_dates(text: str) -> tuple[date, date]:
    """Read a date, or two with `..` between them, both included.

    Raises:
        UsageError: It is none, or the second lies before the first.
    """
    first, between, last = text.partition("..")
    start = read_date(first)
    end = read_date(last) if between else start
    if end < start:
        raise UsageError(f"--date {text}: {end} lies before {start}")
    return start, end
