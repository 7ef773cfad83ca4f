"""`aiaccount-sync consume`: the consumers, which send documents to AiAccount."""

from typing import Annotated

import typer

from console.exits import PLAIN_MEANINGS, Exit
from console.printing import epilog
from console.session import session_of
from consumers.keyring import read_key_ring
from consumers.runner import run
from outbox.endpoints import Endpoint

_EPILOG = epilog(
    ("aiaccount-sync consume", "aiaccount-sync --log-format json consume pos_invoice pos_receipt"),
    {**PLAIN_MEANINGS, Exit.OK: "stopped"},
    ("The database login needs the role aiaccount_consumer.",),
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(consume)


def consume(
    context: typer.Context,
    endpoints: Annotated[
        list[Endpoint] | None,
        typer.Argument(help="Which kinds of documents; all four if none is given.", metavar="[ENDPOINT]..."),
    ] = None,
) -> None:
    """Send documents to AiAccount.

    Runs until Ctrl-C or SIGTERM; what is under way is finished first. As many
    processes as you like may run, for all kinds or each for some. Metrics,
    /livez and /readyz are served on AIACCOUNT_SYNC_CONSUMER_METRICS_PORT.
    """
    config = session_of(context).config
    run(config, list(dict.fromkeys(endpoints or Endpoint)), read_key_ring(config))
