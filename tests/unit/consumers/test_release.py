"""The rows that record how a delivery ended: each list of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from consumers.accounts import Account
from consumers.entry import Entry, Verdict
from consumers.judge import Stop
from consumers.learned import Attempt
from consumers.outcomes import Outcome, Treatment
from consumers.release import Ending, Trouble, record_of
from consumers.steps import NOTHING, Record
from consumers.stops import Stops
from consumers.view import TenantVersion, View
from mappers import Settings
from outbox.endpoints import Endpoint

NOW = 1_000.0
TOKEN = UUID(int=7)
TENANT = TenantVersion(1, active=True, company_id="C1", settings_version=3, key_version=2, stop=None)
SETTINGS = Settings.from_json(
    {
        "tenant_id": 1,
        "company_name": "Mei Live Sdn Bhd",
        "kol_mode": "single",
        "owner_kol_id": 10,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 0,
        "cutover_date": "2026-01-01",
        "codes": {},
        "wanted": {},
    }
)
ACCOUNT = Account(1, 3, SETTINGS, 2, None)
SENT = Entry("N1", {"number": "N1"}, '{"a": 1}', doubt_at=NOW - 9, attempts=2, first_at=NOW - 60)
KEY = {"endpoint": Endpoint.POS_INVOICE, "aggregate_id": 5, "tenant_id": 1}


def view(*entries: Entry, original_id: int | None = None, original_accepted: int = 0) -> View:
    return View(
        owner_id=1,
        tenant=TENANT,
        snapshot={},
        snapshot_text="{}",
        digest=bytes(range(32)),
        changed=True,
        entries={entry.number: entry for entry in entries},
        others=(),
        original_id=original_id,
        original_accepted=original_accepted,
    )


def record(
    given_view: View | None, *entries: Entry, endpoint: Endpoint = Endpoint.POS_INVOICE, **ending: Any
) -> Record:
    by_number = {entry.number: entry for entry in entries}
    return record_of(endpoint, 5, TOKEN, given_view, Ending(now=NOW, entries=by_number, **ending))


def only(row: Mapping[str, Any], *names: str) -> list[Any]:
    return [row[name] for name in names]


def test_a_delivery_without_anything_to_say_only_releases() -> None:
    told = record(view())
    assert told.released == {
        **KEY,
        "company_id": "C1",
        "token": str(TOKEN),
        "settings_version": 3,
        "digest": bytes(range(32)).hex(),
        "trouble_code": None,
        "trouble": None,
        "due_in": None,
        "original_id": None,
        "original_accepted": 0,
    }
    assert told.touched == [KEY]
    assert told.accepted == told.fresh == told.noted == told.woken == []
    assert told.learned == NOTHING


@pytest.mark.parametrize(("due_at", "due_in"), [(None, None), (NOW + 30, 30.0), (NOW, 0.0), (NOW - 30, 0.0)])
def test_the_deadline_is_told_in_seconds_from_now_and_never_in_the_past(
    due_at: float | None, due_in: float | None
) -> None:
    assert record(view(), due_at=due_at).released["due_in"] == due_in


def test_a_row_that_could_not_be_read_is_released_with_its_trouble_and_no_digest() -> None:
    told = record(None, trouble=Trouble("READ_FAILED", "ValueError: x"), due_at=NOW + 86_400)
    names = ("tenant_id", "company_id", "digest", "trouble_code", "trouble", "due_in")
    assert only(told.released, *names) == [None, None, None, "READ_FAILED", "ValueError: x", 86_400]


def test_a_row_of_nobody_who_subscribed_is_released_under_its_owner() -> None:
    told = record(replace(view(), tenant=None, owner_id=9))
    assert only(told.released, "tenant_id", "company_id") == [9, None]


def test_an_acceptance_is_recorded_with_what_this_attempt_sent() -> None:
    done = replace(SENT, doubt_at=None, remote_id="D1")
    told = record(view(SENT), done, intended=frozenset({"N1"}))
    row = {"number": "N1", "document": {"number": "N1"}, "snapshot": '{"a": 1}', "remote_id": "D1"}
    assert told.accepted == [{**KEY, "company_id": "C1", "token": str(TOKEN), **row}]
    assert told.noted == told.fresh == []


def test_an_acceptance_that_the_mapper_has_a_word_on_is_noted_too() -> None:
    done = replace(SENT, doubt_at=None, remote_id="D1", verdict=Verdict.CONFLICT, code="AMENDED")
    told = record(view(SENT), done, intended=frozenset({"N1"}))
    assert len(told.accepted) == 1
    assert [only(row, "number", "accepted", "verdict") for row in told.noted] == [["N1", True, "conflict"]]


def test_what_was_accepted_before_is_not_accepted_again() -> None:
    done = replace(SENT, doubt_at=None, remote_id="D1")
    told = record(view(done), done)
    assert told.accepted == told.noted == told.woken == []
    amended = replace(done, verdict=Verdict.CONFLICT, code="AMENDED")
    (row,) = record(view(done), amended).noted
    assert only(row, "accepted", "verdict", "code") == [True, "conflict", "AMENDED"]


@pytest.mark.parametrize(
    ("endpoint", "woken"),
    [
        (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT),
        (Endpoint.KOL_BILL, Endpoint.KOL_PAYMENT),
        (Endpoint.POS_RECEIPT, None),
        (Endpoint.KOL_PAYMENT, None),
    ],
)
def test_an_acceptance_wakes_what_hangs_on_it_and_locks_its_task_first(
    endpoint: Endpoint, woken: Endpoint | None
) -> None:
    done = [replace(SENT, number=n, doubt_at=None, remote_id="D1") for n in ("N1", "N1V")]
    told = record(view(SENT), *done, endpoint=endpoint, intended=frozenset({"N1", "N1V"}))
    rows = [] if woken is None else [{**KEY, "endpoint": woken}]
    assert told.woken == rows
    assert told.touched == [{**KEY, "endpoint": endpoint}, *rows]
    assert len(told.accepted) == 2


def test_a_document_that_the_ledger_did_not_know_is_new_and_one_that_it_knows_is_noted() -> None:
    skip, known = Entry("N2", verdict=Verdict.SKIP, code="X"), replace(SENT, verdict=Verdict.RETRY, code="Y")
    intended = Entry("N3", {"number": "N3"}, "{}", verdict=Verdict.BLOCK, code="Z")
    told = record(view(SENT), skip, known, intended, intended=frozenset({"N3"}))
    assert [row["number"] for row in told.fresh] == ["N2"]
    assert [row["number"] for row in told.noted] == ["N1", "N3"]
    assert all(row["token"] == str(TOKEN) and row["company_id"] == "C1" for row in [*told.fresh, *told.noted])


def test_a_document_that_is_as_it_was_is_not_written() -> None:
    told = record(view(SENT), SENT)
    assert told.noted == told.fresh == told.accepted == []


@pytest.mark.parametrize(
    ("doubt_at", "next_at", "doubt_age", "next_in"),
    [(None, None, None, None), (NOW - 9, NOW + 30, 9, 30), (NOW + 5, NOW - 5, 0, 0)],
)
def test_times_are_told_as_ages_so_that_no_two_clocks_are_compared(
    doubt_at: float | None, next_at: float | None, doubt_age: float | None, next_in: float | None
) -> None:
    after = replace(SENT, doubt_at=doubt_at, next_at=next_at, verdict=Verdict.RETRY, code="Y", reason="why")
    (row,) = record(view(SENT), after).noted
    assert only(row, "doubt_age", "next_in", "attempts", "code", "reason") == [
        doubt_age,
        next_in,
        2,
        "Y",
        "why",
    ]


@pytest.mark.parametrize(
    ("waits", "original_id", "named"),
    [(True, 4, 4), (False, 4, None), (True, None, None), (False, None, None)],
)
def test_what_waits_for_an_original_locks_its_task_and_says_what_it_saw(
    *, waits: bool, original_id: int | None, named: int | None
) -> None:
    told = record(view(original_id=original_id, original_accepted=1), waits=waits)
    assert only(told.released, "original_id", "original_accepted") == [named, 1 if named else 0]
    original = [] if named is None else [{**KEY, "aggregate_id": 4}]
    assert told.touched == [KEY, *original]


def refused(treatment: Treatment) -> Outcome:
    return Outcome(treatment, "CODE", "why", certain=True)


def test_the_attempts_are_recorded_under_the_account_and_company_that_they_were_made_for() -> None:
    tried = Attempt("N1", NOW - 2, 1.5, 3, refused(Treatment.PARK))
    (row,) = record(view(), account=ACCOUNT, attempts=(tried,)).learned.attempts
    assert only(row, "company_id", "tenant_id", "aggregate_id", "number") == ["C1", 1, 5, "N1"]
    assert record(view(), attempts=(tried,)).learned == NOTHING, "without an account nothing was called"


@pytest.mark.parametrize(
    ("treatment", "everywhere"), [(Treatment.STOP_TENANT, True), (Treatment.STOP_ENDPOINT, False)]
)
def test_a_process_remembers_a_refused_key_at_once(treatment: Treatment, *, everywhere: bool) -> None:
    stops = Stops()
    stops.note(Endpoint.POS_INVOICE, ACCOUNT, refused(treatment))
    assert stops.of(Endpoint.POS_INVOICE, ACCOUNT) == Stop("CODE", "why")
    assert (stops.of(Endpoint.KOL_BILL, ACCOUNT) is not None) is everywhere


@pytest.mark.parametrize(
    "other",
    [
        replace(ACCOUNT, key_version=3),
        replace(ACCOUNT, settings_version=4),
        replace(ACCOUNT, tenant_id=2),
        replace(ACCOUNT, key_version=None),
    ],
)
def test_a_refusal_holds_back_no_other_key_settings_or_tenant(other: Account) -> None:
    stops = Stops()
    stops.note(Endpoint.POS_INVOICE, ACCOUNT, refused(Treatment.STOP_TENANT))
    stops.note(Endpoint.POS_INVOICE, ACCOUNT, refused(Treatment.STOP_ENDPOINT))
    assert stops.of(Endpoint.POS_INVOICE, other) is None


def test_what_is_remembered_is_bounded() -> None:
    stops = Stops()
    for tenant in range(10_001):
        stops.note(Endpoint.POS_INVOICE, replace(ACCOUNT, tenant_id=tenant), refused(Treatment.STOP_TENANT))
    assert stops.of(Endpoint.POS_INVOICE, replace(ACCOUNT, tenant_id=0)) is None
    assert stops.of(Endpoint.POS_INVOICE, replace(ACCOUNT, tenant_id=10_000)) is not None
