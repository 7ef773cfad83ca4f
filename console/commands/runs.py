"""`aiaccount-sync runs`: what was asked to be synced again, how it stands, and how it is cancelled."""

from dataclasses import replace
from typing import Annotated

import typer

from console.audited import on_record
from console.entering import person
from console.exits import MEANINGS, PLAIN_MEANINGS, Exit
from console.figures import in_utc
from console.printing import AsJson, epilog, print_columns, print_json, say, warn
from console.ran import MEANINGS as STANDINGS
from console.ran import as_json as told_json
from console.ran import exit_of_run, how_to_go_on, print_run, summary
from console.session import session_of, transaction
from console.watching import look, watch
from outbox import audit, runs
from outbox.endpoints import Endpoint
from outbox.runs import Run

RunId = Annotated[int, typer.Argument(help="The run's id.", min=1, max=2**63 - 1, metavar="RUN")]
ENDED: dict[int, str] = {
    **MEANINGS,
    Exit.OK: "all that the rows call for is in AiAccount",
    Exit.WRONG: "something is waiting, blocked or failed, or it was cancelled: it is named",
}


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Backfills: what became of them.")
    group.command("list", epilog=_LISTING)(listing)
    group.command("show", epilog=_SHOWING)(show)
    group.command("cancel", epilog=_CANCELLING)(cancel)
    app.add_typer(group, name="runs")


_LISTING = epilog(
    ("aiaccount-sync runs list", "aiaccount-sync runs list --tenant 7 --open"),
    PLAIN_MEANINGS,
    (
        "States:",
        "  queueing    its rows become due tasks",
        "  sending     all are due; some were not looked at yet",
        "  done        nothing moves any more; `runs show` says what is held up",
        "  cancelling  what nobody has looked at is taken back; the rest goes on",
        "  cancelled   the same, and nothing moves any more",
        "Runs are kept for 90 days after their end; `audit` keeps that they were asked for.",
    ),
)


def listing(
    context: typer.Context,
    *,
    tenant: Annotated[
        int | None, typer.Option(help="Only runs of this one.", metavar="ID", min=1, max=2**63 - 1)
    ] = None,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that are not at their end.")] = False,
    last: Annotated[int, typer.Option(help="How many at most: the newest.", min=1, max=10_000)] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was asked to be synced again, the newest first."""
    with transaction(session_of(context).config) as connection:
        found = runs.listed(connection, tenant=tenant, open_only=open_only, last=last)
    if as_json:
        print_json([summary(run) for run in found])
        return
    if not found:
        say("No runs.")
        return
    print_columns(
        ("run", "asked", "by", "from", "to", "tenants", "kinds", "state"),
        [
            (
                run.id,
                in_utc(run.asked_at).removesuffix(" UTC"),
                run.asked_by,
                run.first,
                run.last,
                _some(run.tenants),
                _kinds(run),
                run.state,
            )
            for run in found
        ],
        right=("run",),
    )


def _some(tenants: tuple[int, ...]) -> str:
    return str(tenants[0]) if len(tenants) == 1 else f"{len(tenants)} of them"


def _kinds(run: Run) -> str:
    return "all" if len(run.endpoints) == len(Endpoint) else ", ".join(run.endpoints)


_SHOWING = epilog(
    ("aiaccount-sync runs show 12", "aiaccount-sync runs show 12 --watch"),
    {**ENDED, Exit.WRONG: f"{ENDED[Exit.WRONG]}, or not at its end"},
    STANDINGS,
)


def show(
    context: typer.Context,
    run: RunId,
    *,
    watching: Annotated[bool, typer.Option("--watch", help="Go on until it is over.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a run stands, by what is in the ledger now."""
    config = session_of(context).config
    try:
        seen = watch(config, run) if watching else look(config, run)
    except KeyboardInterrupt:
        warn(how_to_go_on(run))
        raise
    if as_json:
        print_json(told_json(seen))
    else:
        print_run(seen)
    raise typer.Exit(exit_of_run(seen))


_CANCELLING = epilog(
    ("aiaccount-sync runs cancel 12",),
    PLAIN_MEANINGS,
    (
        "What was sent stays sent. Rows of before the cut-over that were not sent are not",
        "called for any more, unless another run names their dates. Rows of after it are,",
        "as always: what is missing of them is found and sent without any run.",
    ),
)


def cancel(context: typer.Context, run: RunId) -> None:
    """Cancel a run: what nobody has looked at yet is taken back.

    What is being sent just now goes on.
    """
    config = session_of(context).config
    with on_record(config, "runs cancel", subject=str(run)) as deed, transaction(config) as connection:
        runs.cancel(connection, run, person())
        asked = runs.get(connection, run)
        audit.write(connection, replace(deed, detail={"tenants": list(asked.tenants)}))
    say(f"Run {run} is cancelled. How it ends: aiaccount-sync runs show {run}")
