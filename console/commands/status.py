"""`aiaccount-sync status`: what is going on, for each tenant and endpoint, and in the pipeline."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

import psycopg
import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from console.board import WIDTH, as_json, board, wrong
from console.exits import MEANINGS, Exit
from console.pipeline import Pipeline, Watch
from console.printing import AsJson, epilog, print_json
from console.session import looking, session_of
from console.standing import Look, look, settle, unseen
from outbox.broker import Lags
from outbox.errors import UsageError

_EPILOG = epilog(
    (
        "aiaccount-sync status",
        "aiaccount-sync status --tenant 7 --watch",
        "aiaccount-sync status --json | jq '.tenants[].endpoints[].pill.text'",
    ),
    {
        **MEANINGS,
        Exit.OK: "all is well: last sync, syncing or no data",
        Exit.WRONG: "something is paused (not meant so), failed or stalled, or Kafka is away",
    },
    (
        "What is said of each tenant and endpoint; the first that holds:",
        "  Paused     the tenant is not called until a person acts, or is inactive",
        "  Failed     documents that do not go by themselves: the commonest reason",
        "  Stalled    something waits for two minutes and nothing moves, or the way",
        "             from the till is cut: capture, relay, consumers, AiAccount",
        "  Syncing    rows that are due or being handled, documents that wait",
        "  Last sync  when AiAccount accepted the last document, in the tenant's zone,",
        "             and how many rows: documents that it accepted that day",
        "  No data to push",
        "",
        "\b",
        "--json: {at, tenants: [{tenant_id, company_name, timezone, endpoints:",
        "  [{endpoint, pill: {kind, text}, last_sync_at, rows_that_day, waiting,",
        "    waiting_since, paused_for, failures: [{state, code, value, phrase, count,",
        "    since, number}]}]}], pipeline: null or {captures, outbox: {rows,",
        "  age_seconds}, relay: {leads, by, since, moved_at}, kafka: {error, groups:",
        "  [{endpoint, records, seconds}]}, tasks: {due, overdue}, ledger: {state:",
        "  documents}, oldest_unsent: null or {tenant_id, endpoint, number, since}}}",
        "Kinds: paused, failed, stalled, syncing, last sync, no data. Moments: UTC,",
        "ISO 8601.",
        "",
        "\b",
        "The database login needs aiaccount_admin, or aiaccount_reader: then it shows",
        "the tenants that aiaccount.readers names for it, and no pipeline.",
    ),
)
REST = 4.0
"""A look is followed by a pause of at least so many times its own length."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(status)


def status(
    context: typer.Context,
    *,
    tenant: Annotated[
        list[int] | None, typer.Option(help="Only this tenant; may be given often.", metavar="ID", min=1)
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[
        float, typer.Option(help="Seconds between two looks of --watch.", metavar="SECONDS", min=0.1)
    ] = 2.0,
    as_json_: AsJson = False,
) -> None:
    """Show what is going on.

    For each tenant and endpoint one line in words; for operators the pipeline: the outbox, the relay that
    leads, how far Kafka's readers are behind, tasks, and the ledger by state. Nothing is changed.
    """
    if watch and as_json_:
        raise UsageError("--watch is for people and --json for machines: give one of them")
    config = session_of(context).config
    with looking(config) as session, closing(Lags(config.bootstrap_servers)) as lags:
        settle(session)
        if strange := unseen(session, tenant or ()):
            raise UsageError(f"there is no tenant {strange[0]}, or none that this login may see")
        looks = _looks(session, tenant or None, Watch(lags))
        if watch:
            bad = _watch(looks, every)
        else:
            found, pipeline = next(looks)
            bad = wrong(found, pipeline)
            if as_json_:
                print_json(as_json(found, pipeline))
            else:
                _console().print(board(found, pipeline), soft_wrap=True)
    if bad:
        raise typer.Exit(Exit.WRONG)


def _looks(
    session: psycopg.Connection, tenants: list[int] | None, watch: Watch
) -> Iterator[tuple[Look, Pipeline | None]]:
    while True:
        found = look(session, tenants)
        yield found, watch.look(session) if found.operator else None


def _watch(looks: Iterator[tuple[Look, Pipeline | None]], every: float) -> bool:
    """Show one look after the other until Ctrl-C; return whether something was wrong at the last."""
    console, bad = _console(), False
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts what is in its background deaf to them
        signal.signal(number, signal.default_int_handler)
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                began = time.monotonic()
                found, pipeline = next(looks)
                took = time.monotonic() - began
                bad = wrong(found, pipeline)
                shown = Text("\n").join([board(found, pipeline), Text(f"{found.at:%H:%M:%S} UTC", "dim")])
                if console.is_terminal:
                    live.update(shown, refresh=True)
                else:
                    console.print(shown, soft_wrap=True)
                time.sleep(max(every, REST * took))
        except KeyboardInterrupt:
            return bad


def _console() -> Console:
    """Return a console that colours on a terminal alone, and breaks no line of ours."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
