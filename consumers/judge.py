"""What to do about an aggregate's documents at one endpoint: the mapper's outcomes against the ledger. Pure.

The mapper says what the state calls for; the ledger says what was tried and when it may be tried again; a
stop says that the tenant is not called at all. Asked after the read, and again with what came of each push.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import assert_never

from consumers.breakers import Breaker, keeping
from consumers.entry import Entry, Verdict, hourly
from mappers import Accepted, Block, Conflict, Outcome, Push, Skip, Wait

DIFFERENCE_ACCEPTED = "DIFFERENCE_ACCEPTED"
"""Sent, not what the row calls for, and a person accepted that: the reason names the conflict that it was."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a tenant, or an endpoint of it, is not called until a person acts."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to push now, in order; the entries as they should stand; and when to look again.

    `due_at` is on the monotonic clock, None where there is nothing to do until the row changes.
    """

    pushes: tuple[Push, ...]
    entries: Mapping[str, Entry]
    due_at: float | None
    waits: bool


def judge(  # noqa: PLR0913, PLR0917 - all that decides
    outcomes: Sequence[Outcome],
    entries: Mapping[str, Entry],
    stop: Stop | None,
    now: float,
    random: Random,
    breakers: Sequence[Breaker] = (),
    *,
    adopts: Collection[str | None] = (),
) -> Judgement:
    """Decide what is pushed now and what is noted in the ledger.

    Args:
        outcomes: What the mapper says, one for each document.
        entries: What the ledger holds of the aggregate at this endpoint, by number.
        stop: Set where the tenant must not be called.
        now: The monotonic clock.
        random: Where jitter comes from.
        breakers: What the tenant's books lack at this endpoint.
        adopts: The documents for which a person accepted what AiAccount has instead.
    """
    after = dict(entries)
    pushes: list[Push] = []
    deadlines: list[float] = []
    for outcome in outcomes:
        entry = entries.get(outcome.number) or Entry(outcome.number)
        if entry.taken and not (entry.number in adopts and entry.code == "DOCUMENT_CONFLICT"):
            continue
        if not isinstance(outcome, Push):
            after[entry.number] = _noted(outcome, entry)
            if isinstance(outcome, Block | Wait):
                deadlines.append(now + hourly(random))
        elif stop is not None:
            after[entry.number] = entry.marked(Verdict.BLOCK, stop.code, stop.reason)
            deadlines.append(now + hourly(random))
        elif entry.next_at is not None and entry.next_at > now:
            deadlines.append(entry.next_at)
        elif (breaker := keeping(breakers, outcome.document, entry)) and breaker.probe_at > now:
            until = now + hourly(random)
            after[entry.number] = entry.held(Verdict.BLOCK, breaker.code, breaker.reason, until)
            deadlines.append(until)
        else:
            pushes.append(outcome)
            deadlines.append(now)
    called_for = {outcome.number for outcome in outcomes}
    for number, entry in entries.items():
        if number not in called_for and not entry.taken:
            after[number] = _uncalled(entry)
    waits = any(isinstance(outcome, Wait) for outcome in outcomes)
    return Judgement(tuple(pushes), after, min(deadlines, default=None), waits)


def _noted(outcome: Skip | Block | Conflict | Wait | Accepted, entry: Entry) -> Entry:
    """Return the entry with the mapper's reason why it is not pushed."""
    match outcome:
        case Skip():
            return entry.marked(Verdict.SKIP, outcome.code, None)
        case Conflict():
            return entry.marked(Verdict.CONFLICT, outcome.code, None)
        case Accepted():
            return entry if entry.adopted else entry.marked(None, DIFFERENCE_ACCEPTED, outcome.code)
        case Block():
            return entry.marked(Verdict.BLOCK, outcome.code, outcome.key)
        case Wait():
            return entry.marked(Verdict.WAIT, None, None)
        case _:
            assert_never(outcome)


def _uncalled(entry: Entry) -> Entry:
    """Return an entry that the state no longer calls for: sent and right, in doubt, or never to be sent."""
    if entry.accepted:
        return entry if entry.adopted else entry.marked(None, None, None)
    return entry if entry.doubt_at is not None else entry.marked(Verdict.SKIP, "SUPERSEDED", None)
