"""The schedules with one part of the code taken out: each is there because a promise breaks without it."""

import pytest

from tests.stateful.ablations import ABLATIONS
from tests.stateful.searching import search

SCHEDULES, STEPS = 2_000, 25
SEEN = {
    "a_claim_is_not_due_at_its_end": "I1",
    "a_time_out_is_a_refusal": "I",
    "no_intent_before_the_call": "I",
    "the_cursor_goes_by_the_last_transaction": "I1",
    "what_is_in_doubt_is_mapped_anew": "I",
}
"""Which promise breaks; "I" alone: it depends on the schedule."""


@pytest.mark.parametrize("name", SEEN)
def test_the_schedules_notice_what_is_taken_out(name: str) -> None:
    with ABLATIONS[name]():
        found = search(SCHEDULES, STEPS, None, shrink=False)
    assert found.broken.startswith(f"AssertionError: {SEEN[name]}"), (
        f"{found.schedules} schedules: {found.broken}"
    )
