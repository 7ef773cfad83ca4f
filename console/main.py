"""The composition root: `aiaccount-sync`, its global options, and how a run ends."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from typer.main import get_command

from console.exits import MEANINGS, Exit, exit_of, sentence
from console.logs import LogFormat, LogLevel, configure
from console.printing import epilog, warn
from console.session import Session, session_of

PROGRAM = "aiaccount-sync"
COMMANDS = (
    "migrate",
    "relay",
    "consume",
    "tenants",
    "credentials",
    "status",
    "preview",
    "retry",
    "resolve",
    "explain",
    "audit",
    "dead-letters",
    "reconcile",
    "backfill",
    "runs",
    "sandbox",
)
_HELP = ("-h", "--help")
_BEGINNING = (
    "aiaccount-sync credentials master-key > master.key   # once; keep it safe",
    "aiaccount-sync migrate                               # install, or upgrade",
    "aiaccount-sync tenants add 7 --company-name 'Mei Live Sdn Bhd' --cutover-date 2026-01-01",
    "aiaccount-sync credentials set 7                     # asks for the API key",
    "aiaccount-sync relay                                 # one process,",
    "aiaccount-sync consume                               # and another",
)


def build(names: Sequence[str] = COMMANDS) -> typer.Typer:
    """Put these commands together."""
    app = typer.Typer(
        name=PROGRAM,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog=epilog(_BEGINNING, MEANINGS),
        context_settings={"help_option_names": [*_HELP]},
    )
    app.callback()(_options)
    for name in names:
        import_module(f"console.commands.{name.replace('-', '_')}").add_to(app)
    return app


def main() -> None:
    """Run the command line and end the process with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status; what went wrong is one line on standard error."""
    session = Session()
    try:
        command = get_command(build(_wanted(arguments)))
        status = command.main([*arguments], prog_name=PROGRAM, standalone_mode=False, obj=session)
    except typer.TyperException as error:  # what was given does not parse
        said = str(getattr(error, "format_message", error.__str__)())
        warn(said if "\n" in said else f"{PROGRAM}: {said} (--help tells more)")
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where every error ends
        warn(sentence(error, debug=session.debug))
        return exit_of(error)
    return status if isinstance(status, int) else Exit.OK


def _wanted(arguments: Sequence[str]) -> Sequence[str]:
    """Return the command that is meant, so that only its libraries are loaded; all where it is not plain."""
    for argument in arguments:
        if argument in COMMANDS:
            return [argument]
        if argument in _HELP:
            break
    return COMMANDS


def _options(
    context: typer.Context,
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    log_format: Annotated[
        LogFormat, typer.Option(help="How the log on standard error looks.")
    ] = LogFormat.TEXT,
    log_level: Annotated[LogLevel, typer.Option(help="The least that is logged.")] = LogLevel.INFO,
) -> None:
    """Post a blogger's sales and KOL commissions to the blogger's own books in AiAccount, by itself.

    Configured by the environment: AIACCOUNT_SYNC_DATABASE_URL (NS16's PostgreSQL),
    AIACCOUNT_SYNC_ENVIRONMENT (the installation's name), KAFKA_BOOTSTRAP_SERVERS, AIACCOUNT_SYNC_API_URL
    (AiAccount) and one of AIACCOUNT_SYNC_MASTER_KEYS_FILE, _MASTER_KEYS and _MASTER_KEYS_COMMAND.
    """
    session_of(context).debug = debug
    configure(log_format, log_level)


if __name__ == "__main__":
    main()
