"""Look at every state that can be reached, breadth first: what is found is found by the shortest way."""

import gc
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.model.around import events
from tests.model.delivery import moves
from tests.model.promises import asleep, forgets, settled
from tests.model.scope import Scope
from tests.model.state import START, Packed, State
from tests.model.steps import DOUBT, DRAIN, PROMISES, SLEEP, Label, Step

EVERY = 20_000
"""States between two lines of progress."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The shortest way to a broken promise: each step's label and the state after it."""

    promise: str
    steps: tuple[tuple[Label, State], ...]


@dataclass(slots=True)
class Found:
    """What an exploration found: how much it saw, and a trace for each promise that breaks."""

    states: int = 0
    steps: int = 0
    seconds: float = 0.0
    broken: dict[str, Trace] = field(default_factory=dict)


def steps_from(state: State, scope: Scope) -> Iterator[Step]:
    """Give every step that can be taken from a state."""
    yield from events(state, scope)
    yield from moves(state, scope, 0)
    yield from moves(state, scope, 1)


class Exploration:
    """Explore a scope and watch `promises`; stop at the first that breaks if `first` is set."""

    def __init__(
        self,
        scope: Scope,
        promises: tuple[str, ...] = PROMISES,
        *,
        first: bool = False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._scope = scope
        self._first = first
        self._tell = tell
        self._watched = frozenset(promises) - ({DOUBT} if scope.lands_late else set())
        self._packed = Packed()
        self._states: list[int] = []
        self._parents = array("q")
        self._targets = array("q")
        self._starts = array("q")
        self._peaceful: list[int] = []
        self.found = Found()

    def run(self) -> Found:
        """Look at everything."""
        began = time.monotonic()
        collected = gc.isenabled()
        gc.disable()  # nothing here is a cycle, and millions of tuples cost it half of the time
        try:
            drains = self._explore() and DRAIN in self._watched
            if drains and (stuck := self._stuck()) is not None:
                self._break(DRAIN, stuck)
        finally:
            if collected:
                gc.enable()
        self.found.states = len(self._states)
        self.found.seconds = time.monotonic() - began
        return self.found

    def _explore(self) -> bool:
        """Reach all states; False where a broken promise ended it."""
        pack = self._packed.pack
        numbers = {pack(START): 0}
        self._states.append(pack(START))
        self._parents.append(-1)
        at = 0
        while at < len(self._states):
            if at % EVERY == 0 and at:
                self._tell(f"{at:,} states looked at, {len(self._states) - at:,} more known")
            state = self._packed.unpack(self._states[at])
            if not self._look(at, state) and self._first:
                return False
            self._starts.append(len(self._targets))
            for step in steps_from(state, self._scope):
                self.found.steps += 1
                packed = pack(step.state)
                number = numbers.setdefault(packed, len(self._states))
                if number == len(self._states):
                    self._states.append(packed)
                    self._parents.append(at)
                if step.fair:
                    self._targets.append(number)
                for promise in self._watched.intersection(step.breaks):
                    self._break(promise, at, step)
                    if self._first:
                        return False
            at += 1
        self._starts.append(len(self._targets))
        return True

    def _look(self, at: int, state: State) -> bool:
        """Judge a state as it is; False where it breaks a promise."""
        if settled(state, self._scope):
            self._peaceful.append(at)
        broken = [SLEEP] if SLEEP in self._watched and asleep(state, self._scope) else []
        if DOUBT in self._watched and forgets(state):
            broken.append(DOUBT)
        for promise in broken:
            self._break(promise, at)
        return not broken

    def _stuck(self) -> int | None:
        """Return the first state from which fair steps lead nowhere where all is settled."""
        came_from: list[list[int]] = [[] for _ in self._states]
        for at in range(len(self._states)):
            for edge in range(self._starts[at], self._starts[at + 1]):
                came_from[self._targets[edge]].append(at)
        good = bytearray(len(self._states))
        waiting = list(self._peaceful)
        while waiting:
            at = waiting.pop()
            if not good[at]:
                good[at] = 1
                waiting.extend(came_from[at])
        stuck = good.find(0)
        return None if stuck < 0 else stuck

    def _break(self, promise: str, at: int, last: Step | None = None) -> None:
        """Keep the first trace of a broken promise."""
        if promise in self.found.broken:
            return
        path = [at]
        while (parent := self._parents[path[-1]]) >= 0:
            path.append(parent)
        path.reverse()
        told: list[tuple[Label, State]] = []
        state = START
        for number in path[1:]:
            wanted = self._states[number]
            step = next(
                step for step in steps_from(state, self._scope) if self._packed.pack(step.state) == wanted
            )
            told.append((step.label, step.state))
            state = step.state
        if last is not None:
            wanted = self._packed.pack(last.state)
            step = next(
                step
                for step in steps_from(state, self._scope)
                if promise in step.breaks and self._packed.pack(step.state) == wanted
            )
            told.append((step.label, step.state))
        self.found.broken[promise] = Trace(promise, tuple(told))
