"""Put a bad network before a server on this machine: ``python -m deploy.proxy --upstream 5432``."""

import argparse
import signal
import sys

from deploy.proxy.proxy import Proxy
from deploy.proxy.wording import ToxicInvalidError, read_toxic, tell_toxic

_EPILOG = """\
toxics (times in seconds; both directions unless upstream or downstream is said):
  latency seconds=S [jitter=S]    everything comes later, its order stays
  down                            nobody listens; what was connected is reset
  timeout [seconds=S]             nothing comes through; closed after S, else held
  reset [seconds=S]               the connection is reset (RST)
  slow-close seconds=S            the end of the stream comes later
  bandwidth bytes_per_second=N    at most so much, for each connection
  slicer size=N [spread=N] [pause=S]   cut into pieces
  limit size=N                    so many bytes more, then closed

Commands are read from standard input, a line each: a toxic puts it on and says
its number; `remove NUMBER` and `clear` take toxics off.

examples:
  python -m deploy.proxy --upstream 5432 --toxic "latency seconds=0.1 jitter=0.05"
  echo "timeout downstream" | python -m deploy.proxy --upstream 9092 --port 9192

A broker names its own address to its clients: one behind a proxy must name the
proxy's (advertised.listeners), or its clients go past it.
"""


def main() -> int:
    """Run a proxy until Ctrl-C or SIGTERM; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.proxy",
        description="Put a bad network before a server on this machine.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--upstream", type=int, required=True, help="the server's port on 127.0.0.1")
    parser.add_argument("--port", type=int, help="where to listen (default: a free port)")
    parser.add_argument(
        "--toxic", action="append", default=[], metavar="WORDS", help="to begin with; may be given again"
    )
    parser.add_argument("--seed", type=int, default=0, help="of jitter and slices (default 0)")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        toxics = [read_toxic(words) for words in asked.toxic]
        with Proxy(asked.upstream, port=asked.port, seed=asked.seed) as proxy:
            for toxic, direction in toxics:
                proxy.add(toxic, direction)
            _say(f"{proxy.address} leads to port {asked.upstream}; Ctrl-C ends it")
            for line in sys.stdin:
                _say(obey(proxy, line.strip()))
            signal.pause()
    except KeyboardInterrupt:
        return 130
    except (ToxicInvalidError, OSError) as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


def obey(proxy: Proxy, line: str) -> str:
    """Do what a line says; return what to tell the person."""
    match line.split():
        case []:
            return ""
        case ["clear"]:
            proxy.clear()
            return "all toxics are off"
        case ["remove", number] if number.isdecimal():
            proxy.remove(int(number))
            return f"{number} is off"
    try:
        toxic, direction = read_toxic(line)
    except ToxicInvalidError as failure:
        return str(failure)
    return f"{proxy.add(toxic, direction)}: {tell_toxic(toxic, direction)}"


def _say(line: str) -> None:
    if line:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
