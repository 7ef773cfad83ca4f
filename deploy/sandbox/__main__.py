"""Start a sandbox from the shell: `python -m deploy.sandbox --port 0 --book PATH`."""

import argparse
import json
import sys
from pathlib import Path

from deploy.sandbox.server import Options, run


def main() -> None:
    """Serve, and print `{"url": ...}` on one line once calls are taken."""
    parser = argparse.ArgumentParser(prog="python -m deploy.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--book", type=Path, required=True, help="the book, appended to; restored from")
    parser.add_argument("--config", type=Path, help="JSON with the companies and faults to begin with")
    parser.add_argument("--rate-limit", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="how long each call takes")
    parser.add_argument("--payload-limit", type=int, default=1_000_000, help="largest body, in bytes")
    given = parser.parse_args()
    run(Options(**vars(given)), _announce)


def _announce(url: str) -> None:
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
