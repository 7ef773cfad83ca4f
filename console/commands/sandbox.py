"""`aiaccount-sync sandbox`: the stand-in for AiAccount."""

from pathlib import Path
from typing import Annotated

import typer

from console.exits import MEANINGS, Exit
from console.printing import epilog, say
from deploy.sandbox.server import Options, run

_EPILOG = epilog(
    ("aiaccount-sync sandbox --port 8090 --book book.jsonl --config companies.json",),
    {Exit.OK: "stopped by Ctrl-C or SIGTERM", Exit.USAGE: MEANINGS[Exit.USAGE]},
)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=_EPILOG)(sandbox)


def sandbox(
    *,
    port: Annotated[int, typer.Option(help="On 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    book: Annotated[
        Path, typer.Option(help="Where all that it is asked is written; it goes on from there.")
    ] = Path("sandbox-book.jsonl"),
    config: Annotated[
        Path | None,
        typer.Option(help="JSON with the companies and faults to begin with.", exists=True, dir_okay=False),
    ] = None,
    rate_limit: Annotated[bool, typer.Option(help="Whether companies are limited to their rates.")] = True,
    latency_ms: Annotated[float, typer.Option(help="How long each call takes.", min=0)] = 0.0,
) -> None:
    """Run a stand-in for AiAccount, to try things out.

    No company's real books are touched. Prints its URL, for AIACCOUNT_SYNC_API_URL, and serves until it is
    stopped. Faults and companies can be set while it runs, under /_sandbox/; its own description is at
    /openapi.json.
    """
    options = Options(book=book, port=port, config=config, rate_limit=rate_limit, latency_ms=latency_ms)
    run(options, lambda url: say(f"The sandbox listens on {url}"))
