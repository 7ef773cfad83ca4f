"""What the attempts of a delivery teach all processes."""

import pytest

from consumers.accounts import Account
from consumers.breakers import Breaker
from consumers.learned import Attempt, learned
from consumers.outcomes import MASTER_DATA, Outcome, Treatment
from consumers.steps import Learned
from mappers import Settings
from outbox.endpoints import Endpoint

NOW = 100.0
SETTINGS = Settings.from_json(
    {
        "tenant_id": 1,
        "company_name": "Mei Live Sdn Bhd",
        "kol_mode": "single",
        "owner_kol_id": None,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 0,
        "cutover_date": "2026-01-01",
        "codes": {},
        "wanted": {},
    }
)
ACCOUNT = Account(1, 3, SETTINGS, 2, None)
VERSIONS = {"key_version": 2, "settings_version": 3}


def outcome(treatment: Treatment, code: str = "CODE", **given: object) -> Outcome:
    return Outcome(treatment, code, "why", certain=True, **given)  # type: ignore[arg-type]


def taught(*attempts: Attempt) -> Learned:
    return learned(Endpoint.POS_INVOICE, 5, ACCOUNT, "C1", attempts, NOW)


def attempt(treatment: Treatment, code: str = "CODE", **given: object) -> Attempt:
    said = {name: given.pop(name) for name in ("wait", "value") if name in given}
    return Attempt("N1", NOW - 4, 1.5, 2, outcome(treatment, code, **said), **given)  # type: ignore[arg-type]


def test_every_attempt_is_logged_with_its_age_its_calls_and_what_came_of_it() -> None:
    (row,) = taught(attempt(Treatment.ACCEPTED, "created")).attempts
    assert row == {
        "tenant_id": 1,
        "endpoint": "pos_invoice",
        **VERSIONS,
        "company_id": "C1",
        "aggregate_id": 5,
        "number": "N1",
        "ago": 4.0,
        "seconds": 1.5,
        "calls": 2,
        "treatment": "accepted",
        "code": "created",
        "reason": "why",
    }


@pytest.mark.parametrize("treatment", Treatment)
def test_only_a_stop_stops_and_names_the_versions_that_it_was_learnt_with(treatment: Treatment) -> None:
    where = {Treatment.STOP_TENANT: "*", Treatment.STOP_ENDPOINT: Endpoint.POS_INVOICE}.get(treatment)
    row = {"tenant_id": 1, **VERSIONS, "stopped": where, "code": "CODE", "reason": "why"}
    assert taught(attempt(treatment)).stops == ([] if where is None else [row])


def test_too_many_calls_close_the_tenant_for_as_long_as_was_said_and_a_second_at_least() -> None:
    limited = taught(attempt(Treatment.LIMITED, wait=40.0), attempt(Treatment.LIMITED))
    assert limited.limits == [{"tenant_id": 1, "seconds": 40.0}, {"tenant_id": 1, "seconds": 1.0}]


@pytest.mark.parametrize("code", MASTER_DATA)
def test_a_refusal_by_the_books_is_counted_with_what_it_names(code: str) -> None:
    named = {"tenant_id": 1, "endpoint": "pos_invoice", "code": code, "reason": "why"}
    assert taught(attempt(Treatment.BLOCK, code, value="SR")).refusals == [{**named, "value": "SR"}]
    assert taught(attempt(Treatment.BLOCK, code)).refusals == [{**named, "value": ""}]


def test_a_key_that_cannot_be_opened_is_no_refusal_by_the_books() -> None:
    assert taught(attempt(Treatment.BLOCK, "KEY_UNREADABLE")).refusals == []


def test_an_outage_is_told_by_what_tripped_and_its_end_by_a_probe_that_was_answered() -> None:
    assert taught(attempt(Treatment.UNKNOWN, tripped=True)).outages == [
        {"endpoint": "pos_invoice", "reason": "why"}
    ]
    assert taught(attempt(Treatment.UNKNOWN, probes=True)).recovered == []
    assert taught(attempt(Treatment.PARK, probes=True)).recovered == [{"endpoint": "pos_invoice"}]
    assert taught(attempt(Treatment.PARK)).recovered == []


def test_a_breaker_that_a_document_got_past_is_named() -> None:
    breaker = Breaker("TAX_CODE_MISSING", "SR", "no SR", NOW)
    told = taught(attempt(Treatment.ACCEPTED, "created", passed=(breaker,)))
    named = {"tenant_id": 1, "endpoint": "pos_invoice", "code": "TAX_CODE_MISSING", "value": "SR"}
    assert told.passed == [named]
    assert told.of_the_gate == [named]
    assert taught(attempt(Treatment.ACCEPTED, "created")).of_the_gate == []
