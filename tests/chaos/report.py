"""What came of it, in words for people, 80 columns wide."""

from dataclasses import dataclass
from statistics import median

from deploy.checker import Verdict, render
from deploy.demo.report import counts_of, posted
from deploy.demo.screen import Screen
from tests.chaos.play import Done
from tests.chaos.takeover import ENDPOINTS, IN_FLIGHT, Takeover

SOON_SECONDS = 10.0


def right(verdict: Verdict) -> bool:
    """Tell whether nothing is wrong, all that can be sent is sent, and there is something to judge."""
    return verdict.clean and not verdict.pending and bool(posted(verdict))


def print_takeover(screen: Screen, result: Takeover) -> None:
    """Print what one kill left, with what was promised beside it."""
    took = result.fresh_seconds
    within = sum(seconds <= SOON_SECONDS for seconds in took)
    again = (
        f"{len(result.again)} of {result.pushed:,} pushes; {len(result.in_doubt)} documents were under way "
        f"at the kill, and one process may have {IN_FLIGHT} at each of {ENDPOINTS} endpoints"
    )
    claims = f"{result.claimed}, taken up {result.claims_seconds:.1f} s after the kill, as claims end then"
    fresh = (
        f"{result.fresh} sales made right after it: posted after {median(took):.1f} s (median), "
        f"{max(took):.1f} s at the most; {within} of {result.fresh} within {SOON_SECONDS:.0f} s"
    )
    screen.facts([("sent again", again), ("its claims", claims), ("all else", fresh)], 12)
    print_verdict(screen, result.verdict)
    if not result.bounded:
        stray = sorted(result.again - result.in_doubt)
        screen.say(f"  More was sent again than was under way: {', '.join(stray[:8]) or 'too many'}", "red")


@dataclass(frozen=True)
class Round:
    """What was done in a round, and how it ended; `seconds` is from the last fault until nothing was left.

    `restarts` counts the processes that ended by themselves, `pushed` all pushes, `again` the documents that
    were pushed more than once.
    """

    done: Done
    restarts: int
    pushed: int
    again: int
    seconds: float
    verdict: Verdict


def print_round(screen: Screen, played: Round) -> None:
    """Print what was done in a round and how it ended."""
    done, verdict = played.done, played.verdict
    kills = ", ".join(f"{target} {count}" for target, count in sorted(done.kills.items()) if count)
    beside = (
        f"{done.pauses} pauses, links spoilt {done.spoils} times, {done.strays} calls for AiAccount to "
        f"spoil; {played.restarts} times a process ended for want of a server and was started again"
    )
    documents = (
        f"{posted(verdict):,} in the books after {played.pushed:,} pushes; {played.again:,} were pushed again"
    )
    held = f"; {verdict.held} wait for a person, behind what was amended" if verdict.held else ""
    healed = f"nothing was left to do {played.seconds:.1f} s after the last fault{held}"
    rows = [
        ("kills", f"{done.kills.total()}: {kills}; {done.claimed:,} tasks were claimed at them"),
        ("beside them", beside),
        ("documents", documents),
        ("healed", healed),
    ]
    screen.facts(rows, 12)
    print_verdict(screen, verdict)


def print_verdict(screen: Screen, verdict: Verdict) -> None:
    """Print the checker's verdict: one line where all is well."""
    if right(verdict):
        screen.say(f"  {counts_of(verdict)}", "bold green")
    else:
        screen.say(render(verdict), "red")
