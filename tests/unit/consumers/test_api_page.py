"""The API page's table of replies, as data: each row has its treatment, and no code is forgotten."""

import json
import re
from dataclasses import dataclass

import pytest

from consumers.outcomes import Treatment, classify
from consumers.reply import Broken, Reply
from deploy.sandbox.problem import Code, status_of

# The table of the API page, as it stands there.
PAGE = """
| HTTP | code | what the client does |
| --- | --- | --- |
| 400 | `MALFORMED_REQUEST` | our bug: park the document, alert |
| 401 | `API_KEY_INVALID` | stop that tenant, every endpoint, until its key changes |
| 403 | `SCOPE_MISSING` | stop that endpoint of the tenant |
| 403 | `SUBSCRIPTION_INACTIVE` | stop the tenant |
| 404 | `COMPANY_NOT_FOUND` | stop the tenant; the message names the company |
| 409 | `DOCUMENT_CONFLICT` | state `conflict`, a person decides |
| 409 | `REQUEST_IN_PROGRESS` | again in 2 s |
| 413 | `PAYLOAD_TOO_LARGE` | park |
| 422 | `TAX_CODE_MISSING`, `CURRENCY_NOT_ENABLED`, `ACCOUNT_MISSING`, `ACCOUNT_NOT_SELECTABLE`, `BANK_CURRENCY_MISMATCH`, `CONTACT_INVALID`, `PERIOD_LOCKED` (with `locked_until`), `DATE_BEFORE_INCORPORATION` | state `blocked`: the tenant must fix its books. No retry storm: one probe per tenant, endpoint and code now and then; when a probe passes, everything blocked for that reason goes again |
| 422 | `INVOICE_NOT_FOUND`, `BILL_NOT_FOUND` | the document it depends on has not arrived: wait and retry |
| 422 | `AMOUNT_EXCEEDS_OUTSTANDING`, `TOTAL_MISMATCH`, `EXCHANGE_RATE_MISSING`, `VALIDATION_FAILED` | park: the data is wrong |
| 429 | `RATE_LIMITED`, `Retry-After` in seconds or as an HTTP date | that tenant waits, no attempt is counted; the others go on |
| 5xx, time-out, broken connection, a 2xx without a readable `document.id` | - | **in doubt**: the document may exist. Retry with the same key and content |
"""  # noqa: E501 - the page's own lines
TREATED = {
    "our bug: park": Treatment.PARK,
    "park": Treatment.PARK,
    "stop that tenant": Treatment.STOP_TENANT,
    "stop the tenant": Treatment.STOP_TENANT,
    "stop that endpoint": Treatment.STOP_ENDPOINT,
    "state `conflict`": Treatment.CONFLICT,
    "state `blocked`": Treatment.BLOCK,
    "again in 2 s": Treatment.BUSY,
    "the document it depends on": Treatment.RETRY,
    "that tenant waits": Treatment.LIMITED,
    "**in doubt**": Treatment.UNKNOWN,
}
UNCERTAIN = (Treatment.UNKNOWN, Treatment.BUSY)
OUTSIDE = {Code.DOCUMENT_NOT_FOUND, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.SERVER_ERROR}
SENT = {"company_name": "Mei Live Sdn Bhd", "number": "N1", "date": "2026-05-01"}


@dataclass(frozen=True)
class Row:
    """One code of the page: the status it comes with and what the page says is done."""

    status: int
    code: str
    treatment: Treatment


def rows() -> list[Row]:
    """Read the page's table; a row that is treated in words of which we know none is an error."""
    found = []
    for line in PAGE.strip().splitlines()[2:]:
        status, codes, told = (cell.strip() for cell in line.strip("|").split("|"))
        (treatment,) = {each for words, each in TREATED.items() if told.startswith(words)}
        if status.isdigit():
            named = re.findall(r"`([A-Z][A-Z_]+)`", codes)
            found += [Row(int(status), code, treatment) for code in named]
    return found


ROWS = rows()


def said(status: int, code: str, message: str = "It cannot be") -> Reply:
    problem = {"code": code, "message": message, "field": None, "value": None, "help": "Mend it"}
    body = {"error": problem, "errors": [problem], "request_id": "r1"}
    return Reply(status, {}, json.dumps(body).encode())


def test_the_page_names_every_code_that_the_sandbox_plays_and_no_other() -> None:
    assert {row.code for row in ROWS} == set(Code) - OUTSIDE
    assert {row.code: row.status for row in ROWS} == {
        code.value: status_of(code) for code in set(Code) - OUTSIDE
    }
    assert len(ROWS) == len({row.code for row in ROWS}) == 23


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.status} {row.code}")
def test_a_row_of_the_page_is_treated_as_the_page_says(row: Row) -> None:
    told = classify(said(row.status, row.code), SENT)
    assert (told.treatment, told.code, told.reason) == (row.treatment, row.code, "It cannot be")
    assert told.certain is (row.treatment not in UNCERTAIN)
    assert not told.stray


def test_every_treatment_but_acceptance_has_a_row() -> None:
    named = {row.treatment for row in ROWS} | {Treatment.UNKNOWN, Treatment.ACCEPTED}
    assert named == set(Treatment) == set(TREATED.values()) | {Treatment.ACCEPTED}


@pytest.mark.parametrize(
    "reply",
    [
        *(Reply(status, {}, b"") for status in (500, 501, 502, 503, 504, 520, 599)),
        *(Broken(code, "no answer") for code in ("TIMEOUT", "CONNECT_FAILED", "CONNECTION_BROKEN")),
        *(Reply(status, {}, body) for status in (200, 201) for body in (b"", b"{}", b"<html>", b"{")),
        *(Reply(status, {}, b"") for status in (100, 202, 204, 206, 300, 301, 302, 304, 307, 308)),
    ],
    ids=str,
)
def test_what_the_page_calls_in_doubt_is_of_unknown_outcome(reply: Reply | Broken) -> None:
    told = classify(reply, SENT)
    assert (told.treatment, told.certain) == (Treatment.UNKNOWN, False)


@pytest.mark.parametrize("row", [row for row in ROWS if row.status == 422], ids=lambda row: row.code)
def test_the_codes_of_a_422_count_where_real_servers_stray(row: Row) -> None:
    as_400, as_500 = classify(said(400, row.code), SENT), classify(said(500, row.code), SENT)
    assert (as_400.treatment, as_400.code, as_400.certain) == (row.treatment, row.code, True)
    assert (as_500.treatment, as_500.code, as_500.certain) == (row.treatment, row.code, False)
    assert as_500.stray


BOUNDED = {row.code for row in ROWS} | {
    "created",
    "duplicate",
    "WRONG_COMPANY",
    "NO_DOCUMENT_ID",
    *(f"HTTP_{hundred}XX" for hundred in range(1, 10)),
}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 418, 422, 429, 500, 503])
@pytest.mark.parametrize("code", ["BRAND_NEW_CODE", "x" * 500, "a\nb", "", "'; drop table", "tenant-4711"])
def test_an_unknown_code_becomes_one_of_few_and_stays_with_its_text_for_people(
    status: int, code: str
) -> None:
    told = classify(said(status, code, "The moon is in the wrong house"), SENT)
    assert told.code in BOUNDED
    assert told.reason.endswith("The moon is in the wrong house")
    assert code[:60] in told.reason or told.code == "RATE_LIMITED"
