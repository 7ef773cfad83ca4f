"""Which documents a breaker keeps, and which get past it."""

from dataclasses import replace
from typing import Any

import pytest

from consumers.breakers import Breaker, concerns, keeping, passed
from consumers.entry import Entry, Verdict
from consumers.outcomes import Outcome, Treatment

DOCUMENT: dict[str, Any] = {
    "number": "N1",
    "date": "2026-05-01",
    "currency": "MYR",
    "contact": {"code": "C7", "name": "Kak Siti"},
    "rounding_account": "40900",
    "lines": [{"account_code": "40000", "tax_code": "SR"}, {"account_code": "40001", "tax_code": "NT"}],
}
NEW = Entry("N1")


def breaker(code: str, value: str = "", probe_at: float = 0.0) -> Breaker:
    return Breaker(code, value, "why", probe_at)


def blocked(code: str) -> Entry:
    return replace(NEW, verdict=Verdict.BLOCK, code=code)


@pytest.mark.parametrize(
    ("code", "value", "other"),
    [
        ("TAX_CODE_MISSING", "NT", "ZR"),
        ("CURRENCY_NOT_ENABLED", "MYR", "SGD"),
        ("ACCOUNT_MISSING", "40001", "41000"),
        ("ACCOUNT_NOT_SELECTABLE", "40900", "40901"),
        ("CONTACT_INVALID", "C7", "C8"),
        ("PERIOD_LOCKED", "2026-05-01", "2026-04-30"),
    ],
)
def test_a_breaker_concerns_the_documents_that_need_what_is_missing_and_no_others(
    code: str, value: str, other: str
) -> None:
    assert concerns(breaker(code, value), DOCUMENT, NEW)
    assert not concerns(breaker(code, other), DOCUMENT, NEW)
    assert not concerns(breaker(code, other), DOCUMENT, blocked(code))


def test_a_receipt_needs_its_bank_account() -> None:
    receipt = {"number": "N1-R1", "bank_account_code": "12000"}
    assert concerns(breaker("BANK_CURRENCY_MISMATCH", "12000"), receipt, NEW)
    assert not concerns(breaker("BANK_CURRENCY_MISMATCH", "12100"), receipt, NEW)


@pytest.mark.parametrize("code", ["TAX_CODE_MISSING", "DATE_BEFORE_INCORPORATION", "PERIOD_LOCKED"])
def test_where_nothing_is_named_only_what_was_refused_for_it_is_concerned(code: str) -> None:
    assert not concerns(breaker(code), DOCUMENT, NEW)
    assert not concerns(breaker(code), DOCUMENT, blocked("ACCOUNT_MISSING"))
    assert concerns(breaker(code), DOCUMENT, blocked(code))


def test_of_several_breakers_the_one_that_is_probed_last_keeps_a_document() -> None:
    soon, late = breaker("TAX_CODE_MISSING", "SR", 5.0), breaker("ACCOUNT_MISSING", "40000", 9.0)
    assert keeping([soon, late], DOCUMENT, NEW) == late
    assert keeping([breaker("TAX_CODE_MISSING", "ZR")], DOCUMENT, NEW) is None


def test_a_document_in_doubt_is_never_kept() -> None:
    assert keeping([breaker("TAX_CODE_MISSING", "SR", 9.0)], DOCUMENT, replace(NEW, doubt_at=1.0)) is None


def outcome(treatment: Treatment, code: str, value: str | None = None) -> Outcome:
    return Outcome(treatment, code, "why", certain=True, value=value)


def test_a_document_passes_by_being_created_or_by_lacking_something_else() -> None:
    both = [breaker("TAX_CODE_MISSING", "SR"), breaker("ACCOUNT_MISSING", "40000")]
    assert passed(both, DOCUMENT, NEW, outcome(Treatment.ACCEPTED, "created")) == tuple(both)
    other = outcome(Treatment.BLOCK, "ACCOUNT_MISSING", "40000")
    assert passed(both, DOCUMENT, NEW, other) == (both[0],)


@pytest.mark.parametrize(
    ("treatment", "code"),
    [
        (Treatment.ACCEPTED, "duplicate"),
        (Treatment.UNKNOWN, "TIMEOUT"),
        (Treatment.LIMITED, "RATE_LIMITED"),
        (Treatment.CONFLICT, "DOCUMENT_CONFLICT"),
        (Treatment.STOP_TENANT, "API_KEY_INVALID"),
    ],
)
def test_what_says_nothing_of_the_books_passes_nothing(treatment: Treatment, code: str) -> None:
    assert passed([breaker("TAX_CODE_MISSING", "SR")], DOCUMENT, NEW, outcome(treatment, code)) == ()


def test_what_does_not_need_it_does_not_pass_it() -> None:
    created = outcome(Treatment.ACCEPTED, "created")
    assert passed([breaker("TAX_CODE_MISSING", "ZR")], DOCUMENT, NEW, created) == ()
