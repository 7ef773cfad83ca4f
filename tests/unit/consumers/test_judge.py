"""What is pushed now and what is noted: the mapper's outcomes against the ledger."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.entry import Entry, Verdict
from consumers.judge import Judgement, Stop, judge
from consumers.schedule import HOUR
from mappers import Block, Conflict, Outcome, Push, Skip, Wait

NOW = 1_000_000.0
STOP = Stop("API_KEY_INVALID", "the key is refused")


def push(number: str = "N1") -> Push:
    return Push({"number": number})


def judged(outcomes: list[Outcome], *entries: Entry, stop: Stop | None = None) -> Judgement:
    return judge(outcomes, {entry.number: entry for entry in entries}, stop, NOW, Random(5))


def is_hourly(judgement: Judgement) -> bool:
    return judgement.due_at is not None and 0.9 * HOUR <= judgement.due_at - NOW <= 1.1 * HOUR


def test_what_is_called_for_is_pushed_in_the_mappers_order_and_due_now() -> None:
    told = judged([push("N2"), push("N1")])
    assert [each.number for each in told.pushes] == ["N2", "N1"]
    assert (told.entries, told.due_at, told.waits) == ({}, NOW, False)


@pytest.mark.parametrize("next_in", [None, 0.0, -1.0])
def test_an_entry_whose_time_has_come_is_pushed(next_in: float | None) -> None:
    entry = Entry("N1", verdict=Verdict.RETRY, next_at=None if next_in is None else NOW + next_in)
    told = judged([push()], entry)
    assert [each.number for each in told.pushes] == ["N1"]
    assert told.entries == {"N1": entry}


def test_an_entry_whose_time_has_not_come_is_left_alone_until_then() -> None:
    early = Entry("N1", verdict=Verdict.RETRY, next_at=NOW + 60)
    late = Entry("N2", verdict=Verdict.BLOCK, next_at=NOW + 600)
    told = judged([push("N1"), push("N2")], early, late)
    assert told == Judgement((), {"N1": early, "N2": late}, NOW + 60, waits=False)


@pytest.mark.parametrize(
    ("outcome", "verdict", "code", "reason"),
    [
        (Skip("OUT_OF_RANGE", "N1"), Verdict.SKIP, "OUT_OF_RANGE", None),
        (Conflict("AMENDED", "N1"), Verdict.CONFLICT, "AMENDED", None),
        (Block("CODE_MISSING", "N1", "tax:sales:10"), Verdict.BLOCK, "CODE_MISSING", "tax:sales:10"),
        (Block("NO_RATE", "N1"), Verdict.BLOCK, "NO_RATE", None),
        (Wait("N1"), Verdict.WAIT, None, None),
    ],
)
@pytest.mark.parametrize(
    "before",
    [
        None,
        Entry("N1", verdict=Verdict.RETRY, code="HTTP_5XX", reason="x", attempts=3, next_at=NOW + 9),
        Entry("N1", document={"number": "N1"}, snapshot_text="{}", doubt_at=NOW - 5, attempts=1),
        Entry("N1", document={"number": "N1"}, snapshot_text="{}", remote_id="D1", attempts=1),
    ],
)
def test_what_the_mapper_says_is_noted_and_the_facts_stay(
    outcome: Outcome, verdict: Verdict, code: str | None, reason: str | None, before: Entry | None
) -> None:
    told = judged([outcome], *([before] if before else []))
    kept = before or Entry("N1")
    assert told.entries == {"N1": replace(kept, verdict=verdict, code=code, reason=reason, next_at=None)}
    assert told.pushes == ()
    assert told.waits is isinstance(outcome, Wait)
    if isinstance(outcome, Block | Wait):
        assert is_hourly(told)
    else:
        assert told.due_at is None


@pytest.mark.parametrize(
    "outcome", [push(), Skip("X", "N1"), Block("X", "N1"), Wait("N1"), Conflict("X", "N1")]
)
@pytest.mark.parametrize("stop", [None, STOP])
def test_a_number_that_is_taken_is_left_to_a_person(outcome: Outcome, stop: Stop | None) -> None:
    taken = Entry("N1", verdict=Verdict.CONFLICT, code="DOCUMENT_CONFLICT")
    told = judged([outcome], taken, stop=stop)
    assert (told.pushes, told.entries, told.due_at) == ((), {"N1": taken}, None)


def test_a_taken_number_that_is_no_longer_called_for_stays_as_it_is() -> None:
    taken = Entry("N1", verdict=Verdict.CONFLICT, code="NUMBER_TAKEN")
    assert judged([], taken).entries == {"N1": taken}


@pytest.mark.parametrize(
    ("code", "pushed"), [("DOCUMENT_CONFLICT", 1), ("NUMBER_TAKEN", 0), ("NOT_ADOPTABLE", 0)]
)
def test_what_a_person_accepted_is_tried_once_more_to_be_adopted(code: str, pushed: int) -> None:
    taken = Entry("N1", verdict=Verdict.CONFLICT, code=code)
    told = judge([push()], {"N1": taken}, None, NOW, Random(5), adopts={"N1"})
    assert len(told.pushes) == pushed


def test_what_was_adopted_keeps_that_name() -> None:
    adopted = Entry(
        "N1", document={"number": "N1"}, snapshot_text="{}", remote_id="D1", code="ADOPTED", reason="x"
    )
    assert judged([], adopted).entries == {"N1": adopted}


def test_a_stop_pushes_nothing_and_names_why() -> None:
    doubtful = Entry("N1", document={"number": "N1"}, snapshot_text="{}", doubt_at=NOW - 5)
    told = judged([push("N1"), push("N2")], doubtful, stop=STOP)
    blocked = Entry("N2", verdict=Verdict.BLOCK, code=STOP.code, reason=STOP.reason)
    assert told.pushes == ()
    assert told.entries == {"N1": replace(blocked, **facts(doubtful)), "N2": blocked}
    assert is_hourly(told)


def facts(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.number,
        "document": entry.document,
        "snapshot_text": entry.snapshot_text,
        "doubt_at": entry.doubt_at,
    }


def test_a_stop_does_not_hide_what_the_mapper_says() -> None:
    told = judged([Skip("CANCELLED", "N1"), Wait("N2")], stop=STOP)
    assert [entry.verdict for entry in told.entries.values()] == [Verdict.SKIP, Verdict.WAIT]
    assert told.waits


def test_what_was_never_attempted_and_is_no_longer_called_for_is_superseded() -> None:
    entry = Entry("N1", verdict=Verdict.BLOCK, code="TAX_CODE_MISSING", reason="x", next_at=NOW + 9)
    told = judged([], entry)
    assert told.entries == {"N1": Entry("N1", verdict=Verdict.SKIP, code="SUPERSEDED")}
    assert told.due_at is None


def test_what_is_in_doubt_is_never_superseded() -> None:
    doubtful = Entry("N1", document={"number": "N1"}, snapshot_text="{}", doubt_at=NOW, verdict=Verdict.RETRY)
    assert judged([], doubtful).entries == {"N1": doubtful}


def test_what_was_accepted_and_is_as_the_row_says_has_no_verdict() -> None:
    pushed = Entry("N1", document={"number": "N1"}, snapshot_text="{}", remote_id="D1")
    noted = replace(pushed, verdict=Verdict.CONFLICT, code="AMENDED")
    assert judged([], noted).entries == {"N1": pushed}


def test_the_earliest_deadline_is_the_tasks() -> None:
    retry = Entry("N1", verdict=Verdict.RETRY, next_at=NOW + 30)
    assert judged([push("N1"), Block("X", "N2")], retry).due_at == NOW + 30
    assert judged([push("N1"), push("N2")], retry).due_at == NOW


numbers = st.sampled_from(["N1", "N2", "N3"])
entries = st.builds(
    Entry,
    number=numbers,
    document=st.just({"number": "N"}),
    snapshot_text=st.just("{}"),
    doubt_at=st.none() | st.floats(0, NOW),
    verdict=st.none() | st.sampled_from(Verdict),
    code=st.just("X"),
    next_at=st.none() | st.floats(NOW - 1e6, NOW + 1e6),
) | st.builds(Entry, number=numbers, remote_id=st.just("D1"), verdict=st.none() | st.sampled_from(Verdict))
said = st.one_of(
    numbers.map(push),
    numbers.map(lambda n: Skip("X", n)),
    numbers.map(lambda n: Block("X", n)),
    numbers.map(lambda n: Conflict("X", n)),
    numbers.map(Wait),
)


@given(
    st.lists(said, max_size=3, unique_by=lambda outcome: outcome.number),
    st.lists(entries, max_size=3, unique_by=lambda entry: entry.number),
    st.sampled_from([None, STOP]),
)
def test_no_judgement_loses_a_fact_or_a_deadline(
    outcomes: list[Outcome], given_entries: list[Entry], stop: Stop | None
) -> None:
    told = judged(outcomes, *given_entries, stop=stop)
    before = {entry.number: entry for entry in given_entries}
    for number, entry in before.items():
        kept = told.entries[number]
        assert facts(kept) == facts(entry)
        assert kept.remote_id == entry.remote_id
        if entry.taken:
            assert kept == entry
    for each in told.pushes:
        entry = before.get(each.number)
        assert stop is None
        assert entry is None or entry.next_at is None or entry.next_at <= NOW
        assert entry is None or not entry.taken
    open_ones = [
        outcome
        for outcome in outcomes
        if isinstance(outcome, Push | Block | Wait)
        and not (outcome.number in before and before[outcome.number].taken)
    ]
    assert (told.due_at is not None) == bool(open_ones)
    assert told.due_at is None or told.due_at >= NOW
