"""Schedules written out: what the search found, and what it takes long to find with a part taken out."""

from typing import Any

import pytest

from tests.stateful.ablations import ABLATIONS
from tests.stateful.machine import Schedules

Steps = tuple[tuple[str, dict[str, Any]], ...]
SELL = {"tenant": 0, "net": 20, "kind": "unpaid", "taxed": False, "end": True, "go": True}
CHANGE = {"pick": 0, "end": True, "go": True}
STORED_AND_LOST, TOO_LARGE = (
    {"behaviour": "reset_after_storing"},
    {"behaviour": "status", "code": "PAYLOAD_TOO_LARGE"},
)

GONE_BEFORE_ITS_FIRST_RELEASE: Steps = (
    ("kill", {"who": 0, "at": "called"}),
    ("kill", {"who": 1, "at": "called"}),
    ("sell", SELL),
    ("change_sale", {**CHANGE, "how": "delete"}),
)
REFUSED_AFTER_A_LOST_REPLY: Steps = (
    ("misbehave", {"faults": [(STORED_AND_LOST, 3), (TOO_LARGE, 1)], "who": 0}),
    ("sell", SELL),
    ("wait", {"seconds": 11.0}),
    ("change_sale", {**CHANGE, "how": "void"}),
)
VOIDED_DURING_THE_CALL: Steps = (
    ("slow_down", {"latency": 10.0}),
    ("sell", SELL),
    ("change_sale", {**CHANGE, "how": "void"}),
    ("wait", {"seconds": 11.0}),
)


def play(steps: Steps) -> list[str]:
    """Play a schedule, mend everything, and say what does not come right."""
    machine = Schedules()
    try:
        for name, given in steps:
            getattr(machine, name)(**given)
            machine.promises.hold()
        return list(machine.drain())
    finally:
        machine.world.end_run()


@pytest.mark.parametrize(
    "steps",
    [GONE_BEFORE_ITS_FIRST_RELEASE, REFUSED_AFTER_A_LOST_REPLY, VOIDED_DURING_THE_CALL],
    ids=["gone before its first release", "refused after a lost reply", "voided during the call"],
)
def test_a_schedule_that_broke_something_once_comes_right(steps: Steps) -> None:
    assert not play(steps)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("a_refusal_ends_every_doubt", REFUSED_AFTER_A_LOST_REPLY),
        ("release_forgets_again", VOIDED_DURING_THE_CALL),
    ],
)
def test_a_schedule_breaks_a_promise_with_a_part_taken_out(name: str, steps: Steps) -> None:
    with ABLATIONS[name]():
        assert any(found.startswith("I1") for found in play(steps))
