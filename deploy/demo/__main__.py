"""Play a trading day: ``python -m deploy.demo``."""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from deploy.checker import check
from deploy.demo.bloggers import BLOGGERS
from deploy.demo.clock import TradingClock, yesterday
from deploy.demo.day import play
from deploy.demo.latency import measure
from deploy.demo.ledger import NotDrainedError
from deploy.demo.report import posted, print_played, print_result
from deploy.demo.screen import Screen
from deploy.demo.stage import Stage, put_up
from deploy.demo.trading import Trading
from deploy.sandbox.client import SandboxError
from deploy.servers.broker import BrokerChoice
from deploy.servers.process import ServerFailed

DRAIN_SECONDS = 60.0
SALES_A_SECOND = 22
SHORTEST_DAY = 6.0
_TAIL_LINES = 15
_FAULTS: tuple[tuple[str, dict[str, int]], ...] = (
    ("status", {"status": 503}),
    ("reset_after_storing", {}),
) * 2
"""What AiAccount does wrong, spread over the day: all at once would be an outage, which is waited out."""
_EPILOG = """\
It starts PostgreSQL 18, a broker and a stand-in for AiAccount in temporary
directories, installs AiAccount Sync by its own command line, plays a trading
day of six bloggers, waits until nothing moves any more, and has the checker
judge the books. Nothing leaves this machine, nothing stays on it.

exit status:
  0    the books are right: nothing lost, doubled, reordered, misdirected, wrong,
       and no API key in clear anywhere
  1    they are not, or something did not run: it is named
  130  stopped by Ctrl-C
"""


def main() -> int:
    """Play the demo; return the exit status."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that both end it in good order
    screen = Screen()
    folder = Path(tempfile.mkdtemp(prefix="aiaccount-demo-"))
    try:
        return _play(screen, folder, asked)
    except KeyboardInterrupt:
        screen.say("\nStopped. Everything that was started has been ended.")
        return 130
    except subprocess.CalledProcessError as failure:
        screen.say(f"\n{' '.join(failure.cmd)}\n{failure.stdout}{failure.stderr}", "red")
    except (ServerFailed, SandboxError, NotDrainedError) as failure:
        screen.say(f"\n{failure}", "red")
        _print_tails(screen, folder)
    finally:
        if asked.keep:
            screen.say(f"\nLogs and the sandbox's book are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.demo",
        description="Play a trading day, from the till to the books, and check the books.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sales", type=int, default=400, help="about how many sales in all (default 400)")
    parser.add_argument("--seed", type=int, default=1, help="another seed plays another day (default 1)")
    parser.add_argument(
        "--broker",
        choices=[BrokerChoice.TANSU.value, BrokerChoice.KAFKA.value],
        default=BrokerChoice.TANSU.value,
        help="tansu comes from PyPI; kafka is Apache Kafka and needs Java 17 and Maven (default tansu)",
    )
    parser.add_argument("--calm", action="store_true", help="AiAccount never fails")
    parser.add_argument("--keep", action="store_true", help="keep the logs and the sandbox's book")
    return parser


def _play(screen: Screen, folder: Path, asked: argparse.Namespace) -> int:
    began = time.monotonic()
    screen.say("AiAccount Sync: a trading day, from the till to the books", "bold")
    with ExitStack() as stack:
        stage = put_up(stack, folder, BrokerChoice(asked.broker), screen)
        screen.heading("The bloggers")
        screen.facts([(blogger.name, blogger.note) for blogger in BLOGGERS], 25)
        trading = _trade(screen, stage, asked)
        screen.console.print()
        with screen.step("checker", "reads the rows, the ledger, the book, the logs"):
            latency = measure(stage.sandbox.book, trading.record.called_for)
            logs = sorted(folder.glob("*.log"))
            verdict = check(stage.url, stage.sandbox.book, canaries=stage.secrets, texts=logs)
        print_result(screen, trading.record, latency, verdict, BrokerChoice(asked.broker))
    screen.say(f"\nAll has ended, {time.monotonic() - began:.0f} s after the start.")
    if not verdict.clean:
        _print_tails(screen, folder)
    return 0 if verdict.clean and not verdict.pending and posted(verdict) else 1


def _trade(screen: Screen, stage: Stage, asked: argparse.Namespace) -> Trading:
    seconds = max(SHORTEST_DAY, asked.sales / SALES_A_SECOND)
    day = yesterday()
    screen.heading(f"A trading day: {day:%A %d %B %Y}, twelve hours in {seconds:.0f} s")
    faults = deque(() if asked.calm else _FAULTS)
    if faults:
        screen.say("  AiAccount will fail now and then: 503, replies lost after storing.")
    trading = Trading(stage.url, TradingClock(day, seconds))
    with trading.ledger() as ledger:

        def watch() -> None:
            stage.check_alive()
            while faults and len(faults) > len(_FAULTS) * (1 - trading.clock.part):
                _stray(stage, *faults.popleft())
            pushed, moving = ledger.progress()
            clock, again = trading.clock, f", {moving} under way" if moving else ""
            rows = trading.record.rows
            screen.progress(clock.part, f"{clock.shown}  {rows} rows, {pushed} documents posted{again}")

        with screen.watching():
            play(trading, asked.sales, asked.seed, watch)
        print_played(screen, trading.record)
        with screen.watching():
            took = ledger.until_drained(DRAIN_SECONDS, lambda left: screen.progress(1.0, f"closed; {left}"))
    screen.say(f"  The tills have closed; {took:.1f} s later nothing moved any more.")
    return trading


def _stray(stage: Stage, behaviour: str, more: Mapping[str, int]) -> None:
    """Have AiAccount fail one call of each blogger, as real servers do.

    Not for the blogger whose books lack a tax code: a refusal after a call of unknown outcome is looked up
    two minutes later, and nobody wants to watch that.
    """
    for company_id in (blogger.company_id for blogger in BLOGGERS if blogger.posts):
        match = {"method": "POST", "company_id": company_id}
        stage.sandbox.add_fault(behaviour, times=1, match=match, **more)


def _print_tails(screen: Screen, folder: Path) -> None:
    for log in sorted(folder.glob("*.log")):
        lines = log.read_text("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        screen.say(f"\n{log.name} ends:\n" + "\n".join(lines), "dim")


if __name__ == "__main__":
    sys.exit(main())
