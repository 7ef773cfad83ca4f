"""`aiaccount-sync migrate`: install, upgrade or check."""

from typing import Annotated

import typer

from console.exits import MEANINGS, Exit
from console.printing import AsJson, epilog, print_json, say
from console.session import session_of
from outbox.broker import check_topics, create_topics
from outbox.environment import Config
from outbox.migrate import check, drop_triggers, install

_EPILOG = epilog(
    (
        "aiaccount-sync migrate",
        "aiaccount-sync migrate --check --json",
        "aiaccount-sync migrate --capture-mode strict",
        "aiaccount-sync migrate --drop-triggers        # the way out; migrate switches capture on again",
    ),
    {**MEANINGS, Exit.WRONG: "--check found something wrong: each thing on a line of its own"},
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(migrate)


def migrate(  # noqa: PLR0913 - each is an option
    context: typer.Context,
    *,
    checking: Annotated[
        bool, typer.Option("--check", help="Change nothing: name what is wrong with the installation.")
    ] = False,
    capture_mode: Annotated[
        str | None,
        typer.Option(
            help="lenient: a failed capture is a warning. strict: it fails the sale.", metavar="MODE"
        ),
    ] = None,
    topics: Annotated[bool, typer.Option(help="Also make or check the topics in Kafka.")] = True,
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic that is made now.")] = 12,
    replication: Annotated[
        int | None, typer.Option(min=1, help="Copies of each partition; the broker's default if not given.")
    ] = None,
    dropping: Annotated[
        bool, typer.Option("--drop-triggers", help="Switch capture off, and do nothing else.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install, upgrade or check what is in NS16's database.

    Makes the schema `aiaccount` with its tables, views and triggers, and the topics in Kafka. It may run
    while tills sell, and again at any time: what is as it should be is left alone.
    """
    config = session_of(context).config
    url = config.require_database()
    if checking:
        _check(config, topics=topics, as_json=as_json)
        return
    if dropping:
        done = drop_triggers(url)
    else:
        done = install(url, config.require_environment(), capture_mode=capture_mode)
        if topics:
            made = create_topics(config.bootstrap_servers, partitions, replication)
            done += [f"Made the topic {name}." for name in made]
    if as_json:
        print_json({"done": done})
    else:
        say("\n".join(done or ["Nothing to do: all is as it should be."]))


def _check(config: Config, *, topics: bool, as_json: bool) -> None:
    problems = [str(problem) for problem in check(config.require_database(), config.require_environment())]
    if topics:
        problems += check_topics(config.bootstrap_servers)
    if as_json:
        print_json({"problems": problems})
    else:
        say("\n".join(problems or ["All is as it should be."]))
    if problems:
        raise typer.Exit(Exit.WRONG)
