"""Carry a schedule out, event by event, and count what was done."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from deploy.proxy.wording import tell_toxic
from tests.chaos.arena import Arena
from tests.chaos.schedule import Event, Kill, Pause, Spoil, Stray, Target

POLL_SECONDS = 0.05


@dataclass
class Done:
    """What was done: kills by target, tasks claimed at them, pauses, spoilt links, strays set."""

    kills: Counter[Target] = field(default_factory=Counter)
    claimed: int = 0
    pauses: int = 0
    spoils: int = 0
    strays: int = 0


def play(
    arena: Arena,
    events: Sequence[Event],
    pace: float,
    tell: Callable[[float, str], None],
    watch: Callable[[float], None],
) -> Done:
    """Do each event at its time and take back what lasts; end when the last is over.

    Args:
        arena: Where.
        events: The schedule.
        pace: How many times later than scheduled all is done, on a machine that is slow now.
        tell: Called with the seconds since the beginning, and what is done.
        watch: Called often, with the seconds since the beginning.
    """
    done, began = Done(), time.monotonic()
    to_do, to_undo = list(events), list[tuple[float, Callable[[], None]]]()
    while to_do or to_undo:
        now = time.monotonic() - began
        while to_do and to_do[0].at * pace <= now:
            to_undo += _do(arena, to_do.pop(0), now, done, tell)
        for ended in [one for one in to_undo if one[0] <= now]:
            to_undo.remove(ended)
            ended[1]()
        arena.tend()
        watch(now)
        time.sleep(POLL_SECONDS)
    return done


def _do(
    arena: Arena, event: Event, now: float, done: Done, tell: Callable[[float, str], None]
) -> list[tuple[float, Callable[[], None]]]:
    """Do one event; return what takes it back, and when."""
    match event:
        case Kill(_, target):
            busy = arena.in_flight()
            killed = arena.kill(target)
            done.kills[target] += killed
            done.claimed += busy or 0
            claimed = "" if busy is None else f", {busy} tasks claimed"
            tell(now, f"kill -9 {target}{claimed}" if killed else f"{target} was not there to be killed")
            return []
        case Pause(_, target, seconds):
            arena.pause(target)
            done.pauses += 1
            tell(now, f"{target} stands still for {seconds:.1f} s")
            return [(now + seconds, lambda: arena.resume(target))]
        case Spoil(_, side, toxic, direction, seconds):
            number = arena.links[side].add(toxic, direction)
            done.spoils += 1
            tell(now, f"link to {side}: {tell_toxic(toxic, direction)} for {seconds:.1f} s")
            return [(now + seconds, lambda: arena.links[side].remove(number))]
        case Stray(_, behaviour, times, given):
            arena.field.sandbox.add_fault(behaviour, times=times, match={"method": "POST"}, **dict(given))
            done.strays += times
            tell(now, f"AiAccount strays {times} times: {behaviour}")
            return []
        case _:
            assert_never(event)
