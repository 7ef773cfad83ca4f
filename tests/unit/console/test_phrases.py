"""Every code that can stand in the ledger has a few words for people."""

import pytest

from console.phrases import PAUSING, PHRASES, phrase_of, value_of
from console.reasons import REASONS

OUTCOMES = {"created", "duplicate"}
"""What the log of attempts says of an acceptance: no hindrance."""


def test_every_code_that_has_a_reason_has_a_phrase_and_no_other_has() -> None:
    assert set(PHRASES) == set(REASONS) - OUTCOMES


@pytest.mark.parametrize("phrase", PHRASES.values())
def test_a_phrase_is_short_and_plain(phrase: str) -> None:
    assert 4 <= len(phrase) <= 40
    assert phrase[0].isupper()
    assert phrase[-1].isalpha()


@pytest.mark.parametrize(
    ("code", "reason", "said"),
    [
        ("TAX_CODE_MISSING", "Tax Code 'MY-SALES10' not found", "Tax Code missing: MY-SALES10"),
        ("TAX_CODE_MISSING", "something is missing", "Tax Code missing"),
        ("TAX_CODE_MISSING", None, "Tax Code missing"),
        ("PAYMENT_METHOD_UNMAPPED", "payment:duitnow:MYR", "No code set for payment:duitnow:MYR"),
        ("PERIOD_LOCKED", "locked until 2026-04-30", "Period locked: 2026-04-30"),
        ("HTTP_5XX", "Service Unavailable", "AiAccount has an error"),
        ("ACCOUNT_UNMAPPED", "x" * 99, "No code set for " + "x" * 29 + "…"),
        ("NEVER_SEEN", "why", "NEVER_SEEN"),
    ],
)
def test_a_phrase_names_the_value_that_the_reason_is_about(code: str, reason: str | None, said: str) -> None:
    assert phrase_of(code, value_of(code, reason)) == said


def test_what_pauses_a_tenant_has_a_phrase() -> None:
    assert set(PHRASES) >= PAUSING
