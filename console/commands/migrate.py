"""`aiaccount-sync migrate`: install, upgrade or check."""

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from console.audited import on_record
from console.exits import MEANINGS, Exit
from console.printing import AsJson, epilog, print_json, say
from console.session import session_of, transaction
from outbox import audit
from outbox.broker import check_topics, create_topics
from outbox.environment import Config
from outbox.migrate import administration, check, drop_triggers, install

_EPILOG = epilog(
    (
        "aiaccount-sync migrate",
        "aiaccount-sync migrate --check --json",
        "aiaccount-sync migrate --capture-mode strict",
        "aiaccount-sync migrate --drop-triggers        # the way out; migrate switches capture on again",
        "aiaccount-sync migrate --print-roles | psql postgresql://postgres@db/ns16",
    ),
    {**MEANINGS, Exit.WRONG: "--check found something wrong: each thing on a line of its own"},
    (
        "Roles: who runs this must own NS16's tables (or be a superuser) and be able to make roles",
        "(CREATEROLE). Where it may not, an administrator runs once what --print-roles prints, and then",
        "this is run again. Logins are yours to make, each with one role:",
        "  create role sync_relay login password '...' in role aiaccount_relay;            -- relay",
        "  create role sync_consumers login password '...' in role aiaccount_consumer;     -- consume",
        "  create role ops login password '...' in role aiaccount_admin;                   -- the rest",
        "  create role key_officer login password '...' in role aiaccount_admin, aiaccount_keys;",
        "                                                  -- credentials test and rotate",
        "  create role mei login password '...' in role aiaccount_reader;     -- looks, sees no tenant yet",
        "  insert into aiaccount.readers values ('mei', 7);                   -- now tenant 7; null: all",
    ),
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
    printing_roles: Annotated[
        bool,
        typer.Option("--print-roles", help="Print the SQL that an administrator must run, and do nothing."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Install, upgrade or check what is in NS16's database.

    Makes the schema `aiaccount` with its tables, views and triggers, the roles with their privileges, and
    the topics in Kafka. It may run while tills sell, and again at any time: what is as it should be is left
    alone.
    """
    config = session_of(context).config
    if checking:
        _check(config, topics=topics, as_json=as_json)
        return
    if printing_roles:
        say("\n".join(f"{statement};" for statement in administration(config.require_database())))
        return
    done = (
        _dropped(config)
        if dropping
        else _installed(config, capture_mode, _Topics(partitions, replication) if topics else None)
    )
    if as_json:
        print_json({"done": done})
    else:
        say("\n".join(done or ["Nothing to do: all is as it should be."]))


@dataclass(frozen=True)
class _Topics:
    """How topics are made."""

    partitions: int
    replication: int | None


def _dropped(config: Config) -> list[str]:
    url = config.require_database()
    with on_record(config, "migrate --drop-triggers") as deed:
        done = drop_triggers(url)
        with transaction(config) as connection:
            audit.write(connection, replace(deed, detail={"done": done}))
    return done


def _installed(config: Config, capture_mode: str | None, topics: _Topics | None) -> list[str]:
    """Install; a change of the capture mode is written down, and so is whatever else was changed."""
    url, environment = config.require_database(), config.require_environment()
    mode = f" --capture-mode {capture_mode}" if capture_mode else ""
    with on_record(config, f"migrate{mode}") as deed:
        done = install(url, environment, capture_mode=capture_mode)
        if done:
            with transaction(config) as connection:
                audit.write(connection, replace(deed, detail={"done": done}))
    if topics is not None:
        made = create_topics(config.bootstrap_servers, topics.partitions, topics.replication)
        done += [f"Made the topic {name}." for name in made]
    return done


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
