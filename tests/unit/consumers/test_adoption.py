"""What is taken for a row's own document, of all that AiAccount may show under its identity."""

import json
from typing import Any

import pytest

from consumers.adoption import adopt
from consumers.outcomes import Treatment
from consumers.reply import Broken, Reply

OURS: dict[str, Any] = {
    "company_name": "Mei Live Sdn Bhd",
    "document_type": "receipt",
    "number": "N1-R1",
    "date": "2026-05-01",
    "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
    "currency": "MYR",
    "exchange_rate": None,
    "amount": "40.00",
    "allocations": [{"invoice_number": "N1", "amount": "40.00"}],
    "reference": None,
}
THEIRS = {**OURS, "amount": "50.00", "allocations": [{"invoice_number": "N1", "amount": "50.00"}], "more": 1}
HEAD = {"id": "D-1", "number": "N1-R1", "document_type": "receipt", "date": "2026-05-01", "currency": "MYR"}


def reply(total: str, *, status: int = 200, head: Any = None, **more: Any) -> Reply:
    """Return an answer to the look-up."""
    document = {**HEAD, "total": total} if head is None else head
    body = {"company_name": "Mei Live Sdn Bhd", "document": document, **more}
    return Reply(status, {}, json.dumps(body).encode())


def test_a_document_that_is_shown_whole_is_adopted_as_it_stands_there() -> None:
    came = adopt(reply("50.00", content=THEIRS), OURS)
    assert (came.outcome.treatment, came.outcome.code) == (Treatment.ACCEPTED, "ADOPTED")
    assert (came.outcome.remote_id, came.document) == ("D-1", THEIRS)
    assert "total 50.00 instead of 40.00" in came.outcome.reason


@pytest.mark.parametrize("content", [None, [], {"number": "N1-R1"}])
def test_one_whose_head_is_ours_is_adopted_as_ours(content: object) -> None:
    came = adopt(reply("40.00", content=content), OURS)
    assert (came.outcome.code, came.document) == ("ADOPTED", OURS)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "text",
        {},
        {key: value for key, value in THEIRS.items() if key != "allocations"},
        {**THEIRS, "amount": 50},
        {**THEIRS, "allocations": [{"invoice_number": "N1"}]},
        {**THEIRS, "allocations": {}},
        {**THEIRS, "number": "N2-R1"},
        {**THEIRS, "contact": {**OURS["contact"], "code": "C7"}},
        {**THEIRS, "contact": None},
    ],
    ids=lambda content: json.dumps(content)[:40],
)
def test_one_that_differs_and_is_not_whole_or_another_stays_a_conflict(content: object) -> None:
    came = adopt(reply("50.00", content=content), OURS)
    assert (came.outcome.treatment, came.outcome.code) == (Treatment.CONFLICT, "NOT_ADOPTABLE")
    assert came.document is OURS


@pytest.mark.parametrize(
    "answer",
    [
        Broken("TIMEOUT", "no answer"),
        reply("50.00", status=503),
        reply("50.00", head={"number": "N1-R1"}, content=THEIRS),
        Reply(200, {}, b"<html>"),
        Reply(404, {}, b'{"error": {"code": "DOCUMENT_NOT_FOUND"}}'),
        reply("50.00", company_name="Kak Siti Trading", content=THEIRS),
    ],
    ids=["broken", "status", "no id", "html", "nothing there", "another company"],
)
def test_a_look_that_shows_nothing_is_tried_again(answer: Reply | Broken) -> None:
    came = adopt(answer, OURS)
    assert (came.outcome.treatment, came.outcome.code) == (Treatment.RETRY, "LOOK_UP_FAILED")
    assert came.outcome.certain
    assert came.document is OURS
