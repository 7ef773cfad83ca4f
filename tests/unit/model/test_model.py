"""The model of the delivery protocol keeps every promise, and needs each of its parts to do so."""

import sys

import pytest

from tests.model import __main__ as command
from tests.model.explore import Exploration, Found, steps_from
from tests.model.parts import PARTS, Part
from tests.model.scope import Scope
from tests.model.state import START, Packed, mirrored
from tests.model.steps import DOUBT, DRAIN, PROMISES, TOLD
from tests.model.tell import lines
from tests.model.worlds import SMALL, WORLDS

# How many steps the design's own model took, which cuts the protocol into smaller steps than ours.
DESIGN = {"due at claim": 4, "look again": 15, "acceptance without token": 23}


def without(part: Part, promise: str) -> Found:
    return Exploration(part.scope, (promise,), first=True).run()


@pytest.mark.parametrize("world", SMALL, ids=lambda world: world.name)
def test_every_promise_holds_in_every_state_that_can_be_reached(world: Scope) -> None:
    found = Exploration(world).run()
    assert not found.broken, "\n".join(line for trace in found.broken.values() for line in lines(trace))
    assert found.states > 10_000, "a world in which nothing happens proves nothing"


@pytest.mark.parametrize("part", PARTS.values(), ids=lambda part: part.name)
def test_without_this_part_its_promise_breaks(part: Part) -> None:
    found = without(part, part.breaks)
    trace = found.broken[part.breaks]
    assert len(trace.steps) <= DESIGN.get(part.name, 25)
    state = START
    for label, after in trace.steps:
        assert any((step.label, step.state) == (label, after) for step in steps_from(state, part.scope)), (
            f"{label} is no step from where it is told"
        )
        state = after
    assert lines(trace)


@pytest.mark.parametrize(
    ("name", "promise"),
    [("intent before call", DOUBT), ("acceptance without token", TOLD), ("due at claim", DRAIN)],
)
def test_the_promises_that_no_part_is_named_with_can_break_too(name: str, promise: str) -> None:
    assert without(PARTS[name], promise).broken
    assert {promise, *(part.breaks for part in PARTS.values())} <= set(PROMISES)


def test_a_state_and_its_mirror_image_are_one_and_are_found_again() -> None:
    packed = Packed()
    states, scope = [START], WORLDS["receipt-dies"]
    for _ in range(6):
        states += [step.state for state in states[-40:] for step in steps_from(state, scope)]
    for state in states:
        number = packed.pack(state)
        assert packed.pack(mirrored(state)) == number
        assert packed.unpack(number) in (state, mirrored(state))


def test_the_command_tells_a_trace_that_people_can_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["model", "--without", "due at claim"])
    assert command.main() == 1
    told = capsys.readouterr().out
    assert "broken: I1 no task sleeps for ever, in 3 steps" in told
    assert "  3. A dies\n" in told


def test_the_command_says_what_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["model", "--world", "late"])
    assert command.main() == 0
    told = capsys.readouterr().out
    assert all(f"holds: {promise}" in told for promise in PROMISES if promise != DOUBT)
