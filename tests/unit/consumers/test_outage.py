"""When a process takes an endpoint for down."""

import pytest

from consumers.outage import Outages
from outbox.endpoints import Endpoint

INVOICE, BILL = Endpoint.POS_INVOICE, Endpoint.KOL_BILL


def called(outages: Outages, answers: str, begin: float = 100.0, step: float = 1.0) -> float:
    """Note a call for each letter, `x` for one that failed, and return when the last was."""
    now = begin
    for at, answer in enumerate(answers):
        now = begin + at * step
        outages.note(INVOICE, now, failed=answer == "x")
    return now


@pytest.mark.parametrize(
    ("answers", "down"),
    [
        ("x" * 9, False),
        ("x" * 10, True),
        ("...xxxxxxx", True),
        ("....xxxxxx", False),
        ("xxxxxxx...", False),
        ("." * 100, False),
    ],
)
def test_most_of_at_least_ten_calls_must_have_failed(answers: str, *, down: bool) -> None:
    outages = Outages()
    now = called(outages, answers, step=0.1)
    assert (outages.down_until(INVOICE, now) is not None) is down


def test_only_the_last_half_minute_counts() -> None:
    outages = Outages()
    now = called(outages, "x" * 20, step=4.0)
    assert outages.down_until(INVOICE, now) is None


def test_it_is_not_called_for_half_a_minute_and_others_are_not_concerned() -> None:
    outages = Outages()
    now = called(outages, "x" * 10)
    assert outages.down_until(INVOICE, now) == now + 30
    assert outages.down_until(INVOICE, now + 30) is None
    assert outages.down_until(BILL, now) is None


def test_after_a_trip_the_sample_begins_anew() -> None:
    outages = Outages()
    now = called(outages, "x" * 10)
    outages.note(INVOICE, now + 31, failed=True)
    assert outages.down_until(INVOICE, now + 31) is None


def test_what_answers_again_is_called_again_at_once() -> None:
    outages = Outages()
    now = called(outages, "x" * 10)
    outages.forget(INVOICE)
    assert outages.down_until(INVOICE, now) is None
