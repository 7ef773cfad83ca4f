"""`aiaccount-sync reconcile`: the rows against what was handled, and the ledger against AiAccount."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from console.amounts import DEFINITION
from console.audited import on_record
from console.comparison import FOUND, Books, compare, greatest_id, unknown_tenants
from console.exits import MEANINGS, Exit
from console.printing import AsJson, epilog, print_columns, print_json, say
from console.remote import Answers, Caller, ask
from console.session import comparing, session_of, transaction
from console.statement import as_json, print_books
from consumers.keyring import read_key_ring
from outbox import audit
from outbox.endpoints import Aggregate
from outbox.environment import Config
from outbox.errors import UsageError
from outbox.reconcile import GRACE_SECONDS, Scope

_EPILOG = epilog(
    (
        "aiaccount-sync reconcile --from 2026-05-01 --to 2026-05-31",
        "aiaccount-sync reconcile --tenant 7 --tenant 8 --fix",
        "aiaccount-sync reconcile --from 2026-05-01 --tenant 7 --remote",
    ),
    {
        **MEANINGS,
        Exit.OK: "nothing is missing",
        Exit.WRONG: "something is missing, changed, orphaned or not explained: it is named",
    },
    (
        "Rows, by day and tenant:",
        "  handled    looked at as they stand now",
        "  under way  changed just now, due, or being looked at",
        "  missing    never looked at",
        "  changed    looked at, and changed since without anybody noticing",
        "  orphaned   deleted, or not the tenant's any more, without anybody noticing",
        "A dash for the date: not completed yet; left out where dates are given. Rows",
        "of before a tenant's cut-over that nobody ever looked at are left out.",
        "",
        "\b",
        *DEFINITION,
        "",
        "\b",
        "The database login needs aiaccount_admin, and aiaccount_keys for --remote.",
    ),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(reconcile)


def reconcile(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    from_: Annotated[
        str | None, typer.Option("--from", help="First business date, such as 2026-05-01.", metavar="DATE")
    ] = None,
    to: Annotated[
        str | None, typer.Option(help="Last business date, itself included.", metavar="DATE")
    ] = None,
    tenant: Annotated[
        list[int] | None, typer.Option(help="Only this tenant; may be given often.", metavar="ID", min=1)
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Make due what is not handled as it stands.")] = False,
    remote: Annotated[
        bool, typer.Option("--remote", help="Ask AiAccount for each document, at half of the tenant's rate.")
    ] = False,
    as_json_: AsJson = False,
) -> None:
    """Compare rows with what was handled, in money too.

    This goes on by itself beside the relay: recent rows every few minutes, everything in turn. By hand it
    shows the whole, or puts it right at once (--fix). With --remote the ledger is held against AiAccount
    itself: one call for each document that was ever sent, so 30 a minute at the usual rate.
    """
    dates = _dates(from_, to, datetime.now(UTC).date())
    config = session_of(context).config
    if remote:
        config.require_api_url()
    ring = read_key_ring(config) if remote else None
    with comparing(config) as session, _progress() as progress:
        if unknown := unknown_tenants(session, tenant or ()):
            raise UsageError(f"there is no tenant {unknown[0]}; `tenants list` names those that there are")
        bars = {each: progress.add_task(_SHOWN[each], total=greatest_id(session, each)) for each in Aggregate}
        scope = Scope(GRACE_SECONDS, tuple(tenant) if tenant else None, dates, differing=False)

        def advance(each: Aggregate, to: int) -> None:
            progress.update(bars[each], completed=to)

        if fix:
            books = _fixed(config, session, scope, advance)
        else:
            books = compare(session, scope, fix=False, progress=advance)
        answers = None
        if ring is not None:
            bar = progress.add_task("AiAccount", total=len(books.sent))
            caller = Caller(config, ring, lambda: progress.advance(bar))
            answers = ask(session, caller, books.sent)
    if as_json_:
        asked = None if answers is None else _answers_json(answers)
        print_json({**as_json(books, fixed=fix), "remote": asked})
    else:
        print_books(books, fixed=fix)
        if answers is not None:
            _print_answers(answers)
    _end(books, answers)


def _fixed(
    config: Config, session: psycopg.Connection, scope: Scope, progress: Callable[[Aggregate, int], None]
) -> Books:
    """Compare, make due what is not handled, and write down who did."""
    only = scope.tenants[0] if scope.tenants is not None and len(scope.tenants) == 1 else None
    with on_record(config, "reconcile --fix", tenant_id=only) as deed:
        books = compare(session, scope, fix=True, progress=progress)
        with transaction(config) as connection:
            audit.write(connection, replace(deed, detail={"made_due": books.made_due}))
    return books


_SHOWN = {Aggregate.POS_TRANSACTION: "sales", Aggregate.KOL_SETTLEMENT: "settlements"}


def _dates(first: str | None, last: str | None, today: date) -> tuple[date, date] | None:
    if first is None and last is None:
        return None
    begin = date.min if first is None else _date("--from", first)
    end = date.max if last is None else _date("--to", last)
    if begin > end:
        raise UsageError(f"--from {begin} is after --to {end}")
    if begin > today + timedelta(days=1):
        raise UsageError(f"--from {begin} lies in the future: there is nothing to compare yet")
    return begin, end


def _date(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a date such as 2026-05-01") from None


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show how far it has come, on standard error and only where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield progress


def _print_answers(answers: Answers) -> None:
    say(f"\nAiAccount was asked for {answers.asked} documents; {len(answers.disagreements)} disagree.")
    if answers.disagreements:
        print_columns(
            ("tenant", "kind", "number", "finding", "detail"),
            [tuple(asdict(one).values()) for one in answers.disagreements],
        )
    for tenant, (documents, why) in sorted(answers.not_asked.items()):
        say(f"Tenant {tenant}: {documents} documents could not be asked for: {why}")


def _answers_json(answers: Answers) -> dict[str, Any]:
    return {
        "asked": answers.asked,
        "disagreements": [asdict(one) for one in answers.disagreements],
        "not_asked": [
            {"tenant_id": tenant, "documents": documents, "reason": why}
            for tenant, (documents, why) in sorted(answers.not_asked.items())
        ],
    }


def _end(books: Books, answers: Answers | None) -> None:
    if any(map(books.found, FOUND)) or books.unreadable or books.unexplained:
        raise typer.Exit(Exit.WRONG)
    if answers is not None and (answers.disagreements or answers.not_asked):
        raise typer.Exit(Exit.WRONG)
