"""Play chaos: ``make chaos``, ``make chaos-long``, ``make chaos SEEDS="1 2 3"``."""

import argparse
import secrets
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from deploy.demo.screen import Screen
from deploy.sandbox.client import SandboxError
from deploy.servers.process import ServerFailed
from tests.chaos.arena import Arena, Servers, arena, servers
from tests.chaos.desk import RoughDesk
from tests.chaos.play import Done, play
from tests.chaos.report import Round, print_round, print_takeover, right
from tests.chaos.schedule import A_ROUND, length_of, schedule
from tests.chaos.takeover import take_over
from tests.faults.book import pushes, repeated
from tests.faults.field import ready
from tests.faults.trade import Trade

ROUNDS = 3
RATE = 15.0
USUAL_SECONDS, SLOWEST = 4.0, 2.5
"""In which four processes are usually at work, and how many times slower a round may become."""
DRAIN_SECONDS = 480.0
SEEDS_BELOW = 1_000_000
_EPILOG = f"""\
A round is {A_ROUND} kills (SIGKILL) in some {length_of(A_ROUND):.0f} s, of the relays, the consumers and,
once each, of PostgreSQL and Kafka, with pauses, spoilt links and an AiAccount
that strays, under load; then everything is healed, what is left is done, and the
checker judges the books. Before the rounds one consumer is killed in peace, to
count what is sent again and to measure how soon all goes on.

exit status:
  0    nothing was lost, doubled, reordered, misdirected or wrong, in any round
  1    something was, or did not run: it is named, with the seed that shows it
  130  stopped by Ctrl-C

examples:
  make chaos                     {ROUNDS} rounds with new seeds
  make chaos SEEDS="4711 4712"   these rounds once more
  make chaos-long                2,000 kills
"""


def main() -> int:
    """Play the rounds that are asked for; return the exit status."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that both end it in good order
    seeds = asked.seed or [secrets.randbelow(SEEDS_BELOW) for _ in range(-(-asked.kills // A_ROUND))]
    screen, folder = Screen(), Path(tempfile.mkdtemp(prefix="aiaccount-chaos-"))
    if seeds:
        screen.say(f"Seeds: {' '.join(map(str, seeds))}", "bold")
    well = False
    try:
        well = _play(screen, folder, seeds)
    except KeyboardInterrupt:
        screen.say("\nStopped. Everything that was started has been ended.")
        return 130
    except (ServerFailed, SandboxError, AssertionError) as failure:
        screen.say(f"\n{failure}", "red")
    finally:
        if asked.keep or not well:
            screen.say(f"\nLogs and books are kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return 0 if well else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Kill, pause and spoil everything under load, then check the books.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, action="append", help="play this round; may be given again")
    parser.add_argument(
        "--kills",
        type=int,
        default=ROUNDS * A_ROUND,
        help="at least so many, in rounds with new seeds; 0 for none but the kill in peace",
    )
    parser.add_argument("--keep", action="store_true", help="keep the logs and the sandbox's books")
    return parser


def _play(screen: Screen, folder: Path, seeds: list[int]) -> bool:
    began, wrong, kills = time.monotonic(), list[str](), 0
    with ExitStack() as stack:
        with screen.step("servers", "PostgreSQL, a broker, an installation"):
            shared = stack.enter_context(servers(_made(folder / "ground")))
        screen.heading("One kill in peace")
        takeover = take_over(shared, _made(folder / "takeover"), lambda line: screen.say(f"  {line}"))
        print_takeover(screen, takeover)
        if not (takeover.bounded and right(takeover.verdict)):
            wrong.append("the kill in peace")
        for place, seed in enumerate(seeds, 1):
            screen.heading(f"Round {place} of {len(seeds)}, seed {seed}")
            done, well = _round(screen, shared, _made(folder / f"round-{place}-seed-{seed}"), seed)
            kills += done.kills.total()
            if not well:
                wrong.append(f"seed {seed}")
    screen.say(f"\n{kills} kills in {len(seeds)} rounds, {time.monotonic() - began:.0f} s in all.")
    if wrong:
        screen.say(f"Not right: {', '.join(wrong)}", "bold red")
    else:
        screen.say("0 lost, 0 doubled, 0 reordered, 0 misdirected, 0 wrong", "bold green")
    return not wrong


def _round(screen: Screen, shared: Servers, folder: Path, seed: int) -> tuple[Done, bool]:
    """Play one round; return what was done and whether all was well."""
    events = schedule(seed)
    with arena(shared, folder) as ring:
        field = ring.field
        field.trade = Trade(field.database_url, field.subscribers, seed, desk=RoughDesk, rate=RATE)
        pace = _pace(ring)
        if pace > 1:
            screen.say(f"  Processes are slow to start here now: all is done {pace:.1f} times later.")
        length = length_of(A_ROUND) * pace
        field.trade.open()
        with screen.watching():
            done = play(
                ring,
                events,
                pace,
                lambda at, line: screen.say(f"  {at:5.1f} s  {line}"),
                lambda now: _show(screen, now, length, field.trade.acts),
            )
        healed = time.monotonic()
        ring.heal()
        try:
            with screen.watching():
                ring.drain(DRAIN_SECONDS, lambda left: screen.progress(1.0, left))
        finally:
            ring.write_open()
        seconds = time.monotonic() - healed
        book, verdict = field.sandbox.book, field.verdict()
        restarts = ring.restarts.total()
        print_round(screen, Round(done, restarts, len(pushes(book)), len(repeated(book)), seconds, verdict))
    return done, right(verdict)


def _show(screen: Screen, now: float, length: float, acts: int) -> None:
    """Renew the line that a terminal has; a pipe has the events."""
    if screen.console.is_terminal:
        screen.progress(now / length, f"{now:.0f} of {length:.0f} s, {acts:,} acts of trade")


def _pace(ring: Arena) -> float:
    """Start our processes; return how many times slower than usual they are at work."""
    began = time.monotonic()
    ring.launch()
    ready(*ring.ours.values())
    return min(SLOWEST, max(1.0, (time.monotonic() - began) / USUAL_SECONDS))


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
