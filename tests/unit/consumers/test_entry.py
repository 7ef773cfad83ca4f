"""How the outcome of an attempt changes a document's entry in the ledger."""

from dataclasses import replace
from random import Random
from typing import assert_never

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.entry import CONFIRM_AFTER, Entry, Verdict, attempted, confirmable, hourly, settled
from consumers.outcomes import Outcome, Treatment
from consumers.schedule import DAY, HOUR, PARK_AFTER

NOW = 1_000_000.0
DOCUMENT = {"number": "N1"}
STOPS = [Treatment.STOP_ENDPOINT, Treatment.STOP_TENANT]
REFUSED = [Treatment.BLOCK, *STOPS, Treatment.PARK, Treatment.RETRY]
PASSING = [Treatment.UNKNOWN, Treatment.BUSY, Treatment.RETRY]


def outcome(treatment: Treatment, *, certain: bool = True, wait: float | None = None) -> Outcome:
    remote_id = "D1" if treatment is Treatment.ACCEPTED else None
    return Outcome(treatment, "CODE", "because", certain=certain, remote_id=remote_id, wait=wait)


def entry(doubt: float | None = None, attempts: int = 1, first: float = 0.0) -> Entry:
    """Return an entry as a delivery holds it after its attempt; `doubt` and `first` are seconds ago."""
    return Entry(
        "N1",
        document=DOCUMENT,
        snapshot_text="{}",
        doubt_at=None if doubt is None else NOW - doubt,
        attempts=attempts,
        first_at=NOW - first,
    )


def after(
    given_entry: Entry, treatment: Treatment, *, certain: bool = True, wait: float | None = None
) -> Entry:
    return settled(given_entry, outcome(treatment, certain=certain, wait=wait), NOW, Random(3))


def test_an_attempt_begun_may_exist_from_then_on() -> None:
    first = attempted(Entry("N1"), DOCUMENT, "{}", 7.0)
    assert first == Entry("N1", DOCUMENT, "{}", doubt_at=7.0, attempts=1, first_at=7.0)
    second = attempted(replace(first, verdict=Verdict.RETRY, code="X"), {"number": "N1", "v": 2}, "{}", 9.0)
    assert (second.doubt_at, second.attempts, second.first_at) == (9.0, 2, 7.0)
    assert (second.document, second.snapshot_text) == ({"number": "N1", "v": 2}, "{}")


@pytest.mark.parametrize(
    ("verdict", "snapshot", "attempts", "counted"),
    [
        (None, "{}", 3, True),
        (Verdict.RETRY, "{}", 3, True),
        (Verdict.PARK, "{}", 3, True),
        (Verdict.RETRY, "{}", 0, False),
        (Verdict.RETRY, "[]", 3, False),
        (Verdict.PARK, "[]", 3, False),
        (Verdict.BLOCK, "{}", 3, False),
        (Verdict.WAIT, "{}", 3, False),
        (Verdict.SKIP, "{}", 3, False),
    ],
)
def test_the_72_hours_are_of_one_run_of_failures_that_may_pass(
    verdict: Verdict | None, snapshot: str, attempts: int, *, counted: bool
) -> None:
    before = Entry("N1", DOCUMENT, "{}", attempts=attempts, first_at=7.0, verdict=verdict)
    again = attempted(before, DOCUMENT, snapshot, 9.0)
    assert (again.attempts, again.first_at) == ((attempts + 1, 7.0) if counted else (1, 9.0))


@pytest.mark.parametrize("doubt", [None, 0.0, 500.0])
def test_an_acceptance_is_final_and_ends_every_doubt(doubt: float | None) -> None:
    before = replace(entry(doubt), verdict=Verdict.RETRY, code="HTTP_5XX", reason="x", next_at=NOW - 1)
    done = after(before, Treatment.ACCEPTED)
    assert done.accepted
    assert done.remote_id == "D1"
    assert (done.doubt_at, done.verdict, done.code, done.reason, done.next_at) == (None,) * 5
    assert (done.document, done.snapshot_text, done.attempts) == (DOCUMENT, "{}", 1)


@pytest.mark.parametrize("doubt", [None, 0.0, 500.0])
def test_a_conflict_ends_the_doubt_and_waits_for_a_person(doubt: float | None) -> None:
    done = after(entry(doubt), Treatment.CONFLICT)
    assert (done.verdict, done.code, done.reason) == (Verdict.CONFLICT, "CODE", "because")
    assert (done.doubt_at, done.next_at) == (None, None)
    assert done.taken


@pytest.mark.parametrize("treatment", [Treatment.BLOCK, *STOPS])
def test_a_block_is_tried_about_hourly(treatment: Treatment) -> None:
    done = after(entry(), treatment)
    assert (done.verdict, done.code, done.reason) == (Verdict.BLOCK, "CODE", "because")
    assert done.next_at is not None
    assert 0.9 * HOUR <= done.next_at - NOW <= 1.1 * HOUR


def test_what_is_parked_is_tried_daily() -> None:
    done = after(entry(), Treatment.PARK)
    assert (done.verdict, done.next_at) == (Verdict.PARK, NOW + DAY)


@pytest.mark.parametrize(("wait", "waits"), [(None, 1.0), (0.0, 1.0), (0.5, 1.0), (7.0, 7.0), (DAY, DAY)])
@pytest.mark.parametrize("attempts", [1, 5])
def test_too_many_calls_count_no_attempt_and_wait_as_told(
    wait: float | None, waits: float, attempts: int
) -> None:
    done = after(entry(attempts=attempts), Treatment.LIMITED, wait=wait)
    assert (done.verdict, done.attempts, done.next_at) == (Verdict.RETRY, attempts - 1, NOW + waits)


def test_too_many_calls_never_park_however_long_it_goes_on() -> None:
    done = after(entry(first=PARK_AFTER * 2), Treatment.LIMITED, wait=5.0)
    assert (done.verdict, done.next_at) == (Verdict.RETRY, NOW + 5)


@pytest.mark.parametrize("treatment", PASSING)
@pytest.mark.parametrize(
    ("attempts", "longest"), [(1, 10), (2, 30), (3, 120), (4, 600), (5, 1800), (9, 3600)]
)
def test_what_may_pass_is_retried_on_the_schedule(
    treatment: Treatment, attempts: int, longest: float
) -> None:
    done = after(entry(attempts=attempts), treatment, certain=treatment is Treatment.RETRY)
    assert done.verdict is Verdict.RETRY
    assert done.attempts == attempts
    assert done.next_at is not None
    assert longest / 2 <= done.next_at - NOW <= longest


def test_what_is_at_work_there_is_asked_for_on_the_schedule_and_not_every_two_seconds() -> None:
    done = after(entry(attempts=9), Treatment.BUSY, certain=False, wait=2.0)
    assert done.next_at is not None
    assert done.next_at >= NOW + 1800


@pytest.mark.parametrize("verdict", Verdict)
def test_what_waits_for_its_call_begins_the_schedule_anew_after_a_block_and_not_after_a_failure(
    verdict: Verdict,
) -> None:
    held = replace(entry(attempts=4), verdict=verdict).held(Verdict.RETRY, "PACED", "paced", NOW + 9)
    goes_on = verdict in {Verdict.RETRY, Verdict.PARK}
    assert held.attempts == (4 if goes_on else 0)
    again = attempted(replace(held, snapshot_text=None), {}, "{}", NOW)
    assert again.first_at == (held.first_at if goes_on else NOW)


@pytest.mark.parametrize("treatment", PASSING)
@pytest.mark.parametrize(
    ("first", "verdict"), [(PARK_AFTER, Verdict.RETRY), (PARK_AFTER + 1, Verdict.PARK), (0, Verdict.RETRY)]
)
def test_after_72_hours_it_is_parked_named_and_tried_daily(
    treatment: Treatment, first: float, verdict: Verdict
) -> None:
    done = after(entry(attempts=80, first=first, doubt=0.0), treatment, certain=False)
    assert (done.verdict, done.code) == (verdict, "CODE")
    assert done.next_at is not None
    assert (done.next_at == NOW + DAY) is (verdict is Verdict.PARK)
    assert done.doubt_at == NOW, "parked or not, it may exist"


@pytest.mark.parametrize(
    "treatment", [t for t in Treatment if t not in (Treatment.ACCEPTED, Treatment.CONFLICT)]
)
@pytest.mark.parametrize("doubt", [None, 0.0, 60.0, 500.0])
@pytest.mark.parametrize("certain", [True, False])
def test_every_other_outcome_leaves_the_doubt_as_it_is(
    treatment: Treatment, doubt: float | None, *, certain: bool
) -> None:
    done = after(entry(doubt), treatment, certain=certain)
    assert done.doubt_at == (None if doubt is None else NOW - doubt)
    assert not done.accepted
    assert not done.taken


@pytest.mark.parametrize("treatment", [Treatment.BLOCK, *STOPS, Treatment.PARK])
@pytest.mark.parametrize("doubt", [0.0, 60.0, 119.0, 121.0])
def test_a_refusal_after_a_doubt_is_tried_when_a_look_up_can_end_the_doubt(
    treatment: Treatment, doubt: float
) -> None:
    done = after(entry(doubt), treatment)
    usual = after(entry(None), treatment)
    assert done.next_at is not None
    if doubt < CONFIRM_AFTER + 1:
        assert done.next_at == NOW - doubt + CONFIRM_AFTER + 1
        assert confirmable(done, done.next_at)
    else:
        assert done.next_at == usual.next_at


@pytest.mark.parametrize("treatment", [Treatment.BLOCK, Treatment.PARK])
def test_a_stray_refusal_is_not_tried_every_two_minutes(treatment: Treatment) -> None:
    done = after(entry(0.0), treatment, certain=False)
    assert done.next_at == after(entry(None), treatment).next_at


def test_a_retry_after_a_doubt_keeps_its_own_time() -> None:
    done = after(entry(0.0, attempts=5), Treatment.RETRY)
    assert done.next_at == after(entry(None, attempts=5), Treatment.RETRY).next_at


@pytest.mark.parametrize(
    ("doubt", "may"), [(None, False), (0.0, False), (119.9, False), (120.0, True), (9e9, True)]
)
def test_a_look_up_proves_something_only_two_minutes_after_the_last_doubt_began(
    doubt: float | None, *, may: bool
) -> None:
    assert confirmable(entry(doubt), NOW) is may


def test_an_hour_is_spread_by_a_tenth() -> None:
    spread = [hourly(Random(seed)) for seed in range(200)]
    assert 0.9 * HOUR <= min(spread) < 0.92 * HOUR
    assert 1.08 * HOUR < max(spread) <= 1.1 * HOUR


def test_only_a_conflict_of_what_was_not_accepted_is_taken() -> None:
    conflict = Entry("N1", verdict=Verdict.CONFLICT, code="NUMBER_TAKEN")
    assert conflict.taken
    assert not replace(conflict, remote_id="D1").taken
    assert not any(replace(conflict, verdict=v).taken for v in (None, *Verdict) if v is not Verdict.CONFLICT)


def test_a_mark_clears_the_deadline_and_leaves_the_facts() -> None:
    facts = replace(entry(5.0), remote_id="D1")
    marked = replace(facts, verdict=Verdict.RETRY, next_at=9.0).marked(Verdict.SKIP, "OUT_OF_RANGE", None)
    assert marked == replace(facts, verdict=Verdict.SKIP, code="OUT_OF_RANGE")


def has_deadline(treatment: Treatment) -> bool:
    match treatment:
        case Treatment.ACCEPTED | Treatment.CONFLICT:
            return False
        case (
            Treatment.UNKNOWN
            | Treatment.BUSY
            | Treatment.LIMITED
            | Treatment.RETRY
            | Treatment.BLOCK
            | Treatment.PARK
            | Treatment.STOP_ENDPOINT
            | Treatment.STOP_TENANT
        ):
            return True
        case _:
            assert_never(treatment)


@given(
    st.sampled_from(Treatment),
    st.booleans(),
    st.none() | st.floats(0, 1e7),
    st.none() | st.floats(0, DAY),
    st.integers(1, 500),
    st.floats(0, 1e7),
    st.randoms(use_true_random=False),
)
def test_whatever_came_of_it_the_deadline_is_not_in_the_past(  # noqa: PLR0913, PLR0917 - one for each field
    treatment: Treatment,
    certain: bool,  # noqa: FBT001 - Hypothesis gives it
    doubt: float | None,
    wait: float | None,
    attempts: int,
    first: float,
    random: Random,
) -> None:
    done = settled(entry(doubt, attempts, first), outcome(treatment, certain=certain, wait=wait), NOW, random)
    assert (done.next_at is not None) == has_deadline(treatment)
    assert done.next_at is None or NOW <= done.next_at <= NOW + DAY
