"""`aiaccount-sync backfill`: pick a range, sync it again, see what happened."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.audited import on_record
from console.commands.runs import ENDED
from console.commands.tenants import read_date
from console.entering import person
from console.printing import AsJson, epilog, print_json, say, warn
from console.ran import MEANINGS, as_json, exit_of_run, how_to_go_on, print_run
from console.rehearsal import rehearse
from console.rehearsed import print_rehearsal, rehearsed_json
from console.session import session_of, transaction
from console.watching import watch
from outbox import audit, runs, tenants
from outbox.endpoints import Endpoint
from outbox.environment import Config
from outbox.errors import ServiceError, UsageError
from outbox.runs import Asked
from outbox.tenants import Tenant

NO_DATA = "No data to push."
YEAR_DAYS = 366

_EPILOG = epilog(
    (
        "aiaccount-sync backfill --tenant 7 --from 2026-05-01 --to 2026-05-31 --dry-run",
        "aiaccount-sync backfill --tenant 7 --from 2026-05-01 --to 2026-05-31",
        "aiaccount-sync backfill --tenant 7 --tenant 8 --endpoint pos_invoice \\",
        "    --endpoint pos_receipt --from 2026-05-01 --to 2026-05-31 --detach",
        "aiaccount-sync backfill --all --from 2025-01-01 --to 2026-06-30 --yes",
    ),
    {**ENDED, 0: f"{ENDED[0]}; with --dry-run or --detach: done; or there is no data"},
    (
        "Dates are the tenant's business dates, both ends included: of a sale, its",
        "receipts and refunds the day it was completed, by the tenant's zone and",
        "--day-cutoff-hour; of a settlement and its payments the end of its period.",
        "Receipts and payments of before the cut-over go with their invoices and bills:",
        "name both, or leave --endpoint out. With an invoice or bill that is accepted its",
        "receipt or payment goes too, named or not; named alone, before the cut-over,",
        "they call for nothing: BEFORE_CUTOVER.",
        "",
        "\b",
        *MEANINGS,
        "",
        "\b",
        "It is safe at any time, over live sales, over another backfill, and of what was",
        "sent: each document goes once. Live sales come first. The database login needs",
        "aiaccount_admin.",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(backfill)


def backfill(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    from_: Annotated[
        str, typer.Option("--from", help="First business date, such as 2026-05-01.", metavar="DATE")
    ],
    to: Annotated[str, typer.Option(help="Last business date, itself included.", metavar="DATE")],
    tenant: Annotated[
        list[int] | None,
        typer.Option(help="This tenant; may be given often.", metavar="ID", min=1, max=2**63 - 1),
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Every tenant that is active and connected.")
    ] = False,
    endpoint: Annotated[
        list[Endpoint] | None, typer.Option(help="Only this kind of document; may be given often.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Change nothing: say how many rows, and for how much.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also a range of more than a year.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--detach", help="Watch it to its end, or only start it and print its id.")
    ] = True,
    as_json_: AsJson = False,
) -> None:
    """Sync a range of dates again, or rows of before the cut-over.

    A run is recorded and goes on by itself: beside the relay its rows become due, and the consumers send what
    is missing. Ctrl-C stops watching, not the run.
    """
    first, last = read_range(from_, to, datetime.now(UTC).date(), yes=yes)
    if bool(tenant) == everyone:
        raise UsageError("say whose: --tenant ID, as often as you like, or --all")
    endpoints = tuple(dict.fromkeys(endpoint or Endpoint))
    config = session_of(context).config
    with transaction(config) as connection:
        chosen = _chosen(tenants.listed(connection), tenant or ())
    asked = Asked(tuple(one.tenant_id for one in chosen), endpoints, first, last)
    if dry_run:
        _rehearse(config, asked, as_json_=as_json_)
        return
    run = _record(config, asked)
    if run is None:
        _say_nothing(as_json_=as_json_)
        return
    if not wait:
        if as_json_:
            print_json({"run": run})
        else:
            say(f"{run}")
            warn(how_to_go_on(run))
        return
    warn(f"Run {run} is recorded.")
    try:
        seen = watch(config, run)
    except (KeyboardInterrupt, ServiceError):
        warn(how_to_go_on(run))
        raise
    if as_json_:
        print_json(as_json(seen))
    else:
        print_run(seen)
    raise typer.Exit(exit_of_run(seen))


def read_range(first: str, last: str, today: date, *, yes: bool) -> tuple[date, date]:
    """Read the two ends of a range.

    Raises:
        UsageError: One is no date, they are the wrong way round or lie ahead, or are over a year apart
            and `yes` was not said.
    """
    begin, end = _read("--from", first), _read("--to", last)
    if begin > end:
        raise UsageError(f"--from {begin} is after --to {end}")
    if begin > today + timedelta(days=1):  # somewhere it is tomorrow already
        raise UsageError(f"--from {begin} lies in the future: there is nothing to sync yet")
    days = (end - begin).days + 1
    if days > YEAR_DAYS and not yes:
        raise UsageError(f"{begin} to {end} are {days:,} days, more than a year: say --yes if it is meant")
    return begin, end


def _read(option: str, text: str) -> date:
    try:
        return read_date(text)
    except UsageError as error:
        raise UsageError(f"{option} {error}") from error


def _chosen(there: Sequence[Tenant], wanted: Sequence[int]) -> list[Tenant]:
    """Return the tenants that are meant, all of which can be posted for.

    Raises:
        UsageError: One is no tenant, inactive or not connected; or of all there is none that is not.
    """
    if not wanted:
        able = [one for one in there if one.active and one.company_id is not None]
        if not able:
            raise UsageError("there is no tenant that is active and connected to its company")
        return able
    by_id = {one.tenant_id: one for one in there}
    for tenant_id in wanted:
        if tenant_id not in by_id:
            raise UsageError(f"there is no tenant {tenant_id}; `tenants list` names those that there are")
        if not by_id[tenant_id].active:
            raise UsageError(
                f"tenant {tenant_id} is inactive: `tenants set {tenant_id} --active` lets it be posted for"
            )
        if by_id[tenant_id].company_id is None:
            raise UsageError(
                f"tenant {tenant_id} has no company yet: `credentials set {tenant_id}` connects it"
            )
    return [by_id[tenant_id] for tenant_id in dict.fromkeys(wanted)]


def _record(config: Config, asked: Asked) -> int | None:
    """Record a run with its wanted ranges and the deed, in one transaction."""
    only = asked.tenants[0] if len(asked.tenants) == 1 else None
    with on_record(config, "backfill", tenant_id=only) as deed, transaction(config) as connection:
        run = runs.record(connection, asked, person())
        if run is not None:
            detail = {
                "tenants": list(asked.tenants),
                "endpoints": list(asked.endpoints),
                "from": asked.first.isoformat(),
                "to": asked.last.isoformat(),
            }
            audit.write(connection, replace(deed, subject=f"run {run}", detail=detail))
    return run


def _rehearse(config: Config, asked: Asked, *, as_json_: bool) -> None:
    columns = (TextColumn("asking the mappers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    disable = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=disable) as progress:
        bar = progress.add_task("rows", total=None)
        rehearsal = rehearse(
            config, asked, lambda done, rows: progress.update(bar, completed=done, total=rows)
        )
    if as_json_:
        print_json(rehearsed_json(rehearsal))
    elif rehearsal.rows:
        print_rehearsal(rehearsal)
    else:
        say(NO_DATA)


def _say_nothing(*, as_json_: bool) -> None:
    if as_json_:
        print_json({"run": None, "found": 0})
    else:
        say(NO_DATA)
