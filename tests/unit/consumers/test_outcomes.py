"""What a reply means: every row of the API page, and how real servers stray."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.outcomes import Outcome, Treatment, as_refusal, classify, found
from consumers.reply import Broken, Reply, identity, json_object
from consumers.retry_after import MAX_WAIT

NAME = "Mei Live Sdn Bhd"
NOW, LATER = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:51:07 GMT"
SENT = {
    "company_name": NAME,
    "document_type": "invoice",
    "number": "N1",
    "date": "2026-05-01",
    "currency": "MYR",
    "totals": {"total": "99.00"},
}
STORED = {
    "id": "D1",
    "number": "N1",
    "document_type": "invoice",
    "contact_code": "POS-WALKIN",
    "date": "2026-05-01",
    "currency": "MYR",
    "total": "99.00",
}
BLOCKS = [
    "TAX_CODE_MISSING",
    "CURRENCY_NOT_ENABLED",
    "ACCOUNT_MISSING",
    "ACCOUNT_NOT_SELECTABLE",
    "BANK_CURRENCY_MISMATCH",
    "CONTACT_INVALID",
    "PERIOD_LOCKED",
    "DATE_BEFORE_INCORPORATION",
]
WAITS = ["INVOICE_NOT_FOUND", "BILL_NOT_FOUND"]
PARKS = ["AMOUNT_EXCEEDS_OUTSTANDING", "TOTAL_MISMATCH", "EXCHANGE_RATE_MISSING", "VALIDATION_FAILED"]
REFUSALS = [
    *((code, Treatment.BLOCK) for code in BLOCKS),
    *((code, Treatment.RETRY) for code in WAITS),
    *((code, Treatment.PARK) for code in PARKS),
]
ROWS = [
    (400, "MALFORMED_REQUEST", Treatment.PARK),
    (401, "API_KEY_INVALID", Treatment.STOP_TENANT),
    (403, "SCOPE_MISSING", Treatment.STOP_ENDPOINT),
    (403, "SUBSCRIPTION_INACTIVE", Treatment.STOP_TENANT),
    (404, "COMPANY_NOT_FOUND", Treatment.STOP_TENANT),
    (409, "DOCUMENT_CONFLICT", Treatment.CONFLICT),
    (413, "PAYLOAD_TOO_LARGE", Treatment.PARK),
    *((422, code, treatment) for code, treatment in REFUSALS),
]
CODES = {
    "created",
    "duplicate",
    "DOCUMENT_CONFLICT",
    "REQUEST_IN_PROGRESS",
    "RATE_LIMITED",
    "WRONG_COMPANY",
    "NO_DOCUMENT_ID",
    *(code for _, code, _ in ROWS),
    *(f"HTTP_{hundred}XX" for hundred in range(1, 10)),
}
CERTAIN = {
    Treatment.ACCEPTED,
    Treatment.CONFLICT,
    Treatment.LIMITED,
    Treatment.BLOCK,
    Treatment.PARK,
    Treatment.RETRY,
    Treatment.STOP_ENDPOINT,
    Treatment.STOP_TENANT,
}


def reply(status: int, body: object = b"", **headers: str) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def error(code: str, message: str = "It cannot be", **more: object) -> dict[str, object]:
    return {"error": {"code": code, "message": message, **more}}


def of(status: int, body: object = b"", **headers: str) -> Outcome:
    return classify(reply(status, body, **headers), SENT)


def stored(**changes: object) -> dict[str, Any]:
    return {"status": "duplicate", "duplicate": True, "company_name": NAME, "document": {**STORED, **changes}}


@pytest.mark.parametrize(("status", "code", "treatment"), ROWS)
def test_each_row_of_the_api_page_is_treated_as_it_says_and_is_certain(
    status: int, code: str, treatment: Treatment
) -> None:
    assert of(status, error(code)) == Outcome(treatment, code, "It cannot be", certain=True)


def test_a_created_document_is_accepted_under_its_id() -> None:
    body = {"status": "created", "duplicate": False, "company_name": NAME, "document": STORED}
    assert of(201, body) == Outcome(Treatment.ACCEPTED, "created", "created", certain=True, remote_id="D1")


def test_a_duplicate_of_the_same_content_is_accepted_and_called_so() -> None:
    told = of(200, {**stored(), "content_match": True})
    assert told == Outcome(Treatment.ACCEPTED, "duplicate", "duplicate", certain=True, remote_id="D1")


def test_a_request_in_progress_is_asked_again_in_two_seconds_and_leaves_a_doubt() -> None:
    told = of(409, error("REQUEST_IN_PROGRESS"))
    assert (told.treatment, told.wait, told.certain) == (Treatment.BUSY, 2.0, False)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": LATER, "date": NOW}, 90.0),
        ({"retry_after": NOW, "date": LATER}, 0.0),
        ({"retry_after": LATER}, 60.0),
        ({"retry_after": LATER, "date": "yesterday"}, 60.0),
        ({"retry_after": "3, 3"}, 60.0),
        ({"retry_after": "9" * 30}, MAX_WAIT),
        ({"retry_after": "-5"}, 60.0),
        ({"retry_after": "soon"}, 60.0),
        ({}, 60.0),
    ],
)
def test_too_many_calls_wait_as_told_within_a_day(header: dict[str, str], wait: float) -> None:
    told = of(429, error("RATE_LIMITED"), **header)
    assert (told.treatment, told.code, told.wait, told.certain) == (
        Treatment.LIMITED,
        "RATE_LIMITED",
        wait,
        True,
    )


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
def test_a_server_error_leaves_the_document_in_doubt(status: int) -> None:
    assert of(status, b"<html>Bad gateway") == Outcome(
        Treatment.UNKNOWN, "HTTP_5XX", f"HTTP {status}: <html>Bad gateway", certain=False
    )


def test_no_reply_leaves_the_document_in_doubt_with_what_broke() -> None:
    told = classify(Broken("TIMEOUT", "no answer"), SENT)
    assert told == Outcome(Treatment.UNKNOWN, "TIMEOUT", "no answer", certain=False)


@pytest.mark.parametrize(("code", "treatment"), REFUSALS)
def test_a_400_with_a_code_of_422_counts_as_that_code(code: str, treatment: Treatment) -> None:
    told = of(400, error(code))
    assert (told.treatment, told.code, told.certain, told.stray) == (treatment, code, True, False)


@pytest.mark.parametrize(("code", "treatment"), REFUSALS)
def test_a_5xx_with_a_code_of_422_is_stray_and_uncertain(code: str, treatment: Treatment) -> None:
    told = of(503, error(code))
    assert (told.treatment, told.code, told.certain, told.stray) == (treatment, code, False, True)
    assert as_refusal(told) == Outcome(treatment, code, "It cannot be", certain=False)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Tax Code missing", "TAX_CODE_MISSING"),
        ("Tax Code 'SR' not found", "TAX_CODE_MISSING"),
        ("tax_code SR does not exist", "TAX_CODE_MISSING"),
        ("Currency USD is not enabled", "CURRENCY_NOT_ENABLED"),
        ("Unknown currency", "CURRENCY_NOT_ENABLED"),
        ("Account 40000 not found", "ACCOUNT_MISSING"),
        ("account_code is missing", "ACCOUNT_MISSING"),
        ("The date is missing", "MALFORMED_REQUEST"),
        ("Tax Code is wrong", "MALFORMED_REQUEST"),
    ],
)
@pytest.mark.parametrize("form", ["plain", "message", "error text", "error", "errors"])
def test_a_400_whose_text_names_what_is_missing_counts_as_that(text: str, code: str, form: str) -> None:
    body: object = {
        "plain": text.encode(),
        "message": {"message": text},
        "error text": {"error": text},
        "error": {"error": {"message": text}},
        "errors": {"error": {"message": "Bad"}, "errors": [{"message": "Bad"}, {"message": text}]},
    }[form]
    told = of(400, body)
    assert (told.code, told.certain) == (code, True)
    assert told.treatment is (Treatment.PARK if code == "MALFORMED_REQUEST" else Treatment.BLOCK)
    assert text in told.reason


@pytest.mark.parametrize(
    ("status", "code", "treatment"),
    [
        (400, "MALFORMED_REQUEST", Treatment.PARK),
        (401, "API_KEY_INVALID", Treatment.STOP_TENANT),
        (413, "PAYLOAD_TOO_LARGE", Treatment.PARK),
        (422, "VALIDATION_FAILED", Treatment.PARK),
    ],
)
@pytest.mark.parametrize("body", [b"", b"no", {"error": {"code": "SOMETHING_NEW"}}, {"error": {"code": 7}}])
def test_a_status_that_says_enough_needs_no_code_that_we_know(
    status: int, code: str, treatment: Treatment, body: object
) -> None:
    told = of(status, body)
    assert (told.treatment, told.code, told.certain) == (treatment, code, True)


@pytest.mark.parametrize("status", [204, 301, 302, 307, 308, 403, 404, 405, 409, 418])
def test_a_status_without_a_code_that_we_know_leaves_the_document_in_doubt(status: int) -> None:
    told = of(status, error("SOMETHING_NEW"), location="https://elsewhere.example")
    assert (told.treatment, told.code, told.certain) == (
        Treatment.UNKNOWN,
        f"HTTP_{status // 100}XX",
        False,
    )


@pytest.mark.parametrize("status", [401, 403, 404, 413])
@pytest.mark.parametrize("code", ["TAX_CODE_MISSING", "VALIDATION_FAILED", "DOCUMENT_CONFLICT"])
def test_a_code_of_another_status_is_not_believed(status: int, code: str) -> None:
    assert of(status, error(code)).code != code


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>We will be back soon",
        b'{"status": "created", "document": {"id": "D1"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe\xfd",
        {},
        [],
        "created",
        {"document": None},
        {"document": "D1"},
        {"document": ["D1"]},
        {"document": {**STORED, "id": None}},
    ],
    ids=range(13),
)
def test_a_success_without_a_readable_document_leaves_it_in_doubt(status: int, body: object) -> None:
    told = of(status, body)
    assert (told.treatment, told.code, told.certain) == (Treatment.UNKNOWN, "NO_DOCUMENT_ID", False)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (0, "0"),
        (1, "1"),
        (42, "42"),
        (-7, "-7"),
        ("42", "42"),
        (" ", " "),
        ("é", "é"),
        ("x" * 200, "x" * 200),
        ("x" * 201, None),
        (10**4000, None),
        ("", None),
        ("a\0b", None),
        ("\ud800", None),
        (True, None),
        (False, None),
        (None, None),
        (1.5, None),
        (["1"], None),
        ({"id": "1"}, None),
    ],
)
def test_an_id_is_a_whole_number_or_a_text_that_the_ledger_can_hold(given: object, read: str | None) -> None:
    assert identity(given) == read
    told = of(201, {"document": {**STORED, "id": given}})
    assert told.remote_id == read
    assert (told.treatment is Treatment.ACCEPTED) == (read is not None)


@pytest.mark.parametrize("flagged", [{}, {"duplicate": True}, {"status": "duplicate"}, {"duplicate": False}])
@pytest.mark.parametrize(
    "other",
    [
        {"number": "N2"},
        {"document_type": "credit_note"},
        {"date": "2026-05-02"},
        {"currency": "USD"},
        {"total": "98.99"},
        {"total": "NaN"},
        {"total": "Infinity"},
        {"total": float("nan")},
        {"total": float("inf")},
        {"total": "1e999999999"},
        {"total": True},
        {"total": []},
        {"total": {"amount": "99.00"}},
        {"date": ["2026-05-01"]},
    ],
    ids=str,
)
def test_a_silent_duplicate_that_differs_is_a_conflict_and_never_a_success(
    flagged: dict[str, object], other: dict[str, object]
) -> None:
    told = of(200, {**flagged, "content_match": None, "document": {**STORED, **other}})
    assert (told.treatment, told.code, told.certain) == (Treatment.CONFLICT, "DOCUMENT_CONFLICT", True)
    assert next(iter(other)) in told.reason
    assert told.remote_id is None


@pytest.mark.parametrize("total", ["99.00", "99", "99.000", 99, 99.0, "9.9e1", None])
def test_a_silent_duplicate_with_the_same_head_is_accepted_however_its_total_is_written(
    total: object,
) -> None:
    told = of(200, {**stored(total=total), "content_match": None})
    assert (told.treatment, told.code) == (Treatment.ACCEPTED, "duplicate")


def test_the_total_of_a_receipt_is_its_amount() -> None:
    sent = {**SENT, "totals": None, "amount": "99.00"}
    same = classify(reply(200, {**stored(), "content_match": None}), sent)
    other = classify(reply(200, {**stored(total="99.01"), "content_match": None}), sent)
    assert (same.treatment, other.treatment) == (Treatment.ACCEPTED, Treatment.CONFLICT)


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("flagged", [{}, {"duplicate": True}, {"duplicate": False}])
def test_a_server_that_says_the_content_differs_is_believed(status: int, flagged: dict[str, object]) -> None:
    told = of(status, {**flagged, "content_match": False, "document": STORED})
    assert told.treatment is Treatment.CONFLICT


@pytest.mark.parametrize("status", [200, 201, 400, 401, 409, 422, 429, 500])
def test_a_reply_that_names_another_company_stops_the_tenant_and_leaves_a_doubt(status: int) -> None:
    told = of(status, {**stored(), **error("TAX_CODE_MISSING"), "company_name": "Another Sdn Bhd"})
    assert (told.treatment, told.code, told.certain) == (Treatment.STOP_TENANT, "WRONG_COMPANY", False)
    assert "Another Sdn Bhd" in told.reason
    assert NAME in told.reason


@pytest.mark.parametrize("name", [None, 7, {}, NAME])
def test_a_company_name_that_is_absent_or_unreadable_names_no_other(name: object) -> None:
    assert of(201, {"company_name": name, "document": STORED}).treatment is Treatment.ACCEPTED


def test_the_reason_holds_every_error_with_its_value_and_when_the_period_is_locked() -> None:
    first = {"code": "TAX_CODE_MISSING", "message": "Tax Code missing", "value": "SR"}
    second = {"code": "PERIOD_LOCKED", "message": "The period is locked", "locked_until": "2026-04-30"}
    third = {"code": "ACCOUNT_MISSING"}
    told = of(422, {"error": first, "errors": [first, second, third, "and more", 7]})
    assert told.reason == (
        "Tax Code missing: SR; The period is locked (locked until 2026-04-30); ACCOUNT_MISSING; and more"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda text: (422, error("TAX_CODE_MISSING", text)),
        lambda text: (422, {"errors": [text]}),
        lambda text: (500, text.encode("utf-8", "replace")),
        lambda text: (429, error("RATE_LIMITED", text)),
        lambda text: (201, {"company_name": text, "document": STORED}),
        lambda text: (200, {**stored(number=text), "content_match": None}),
        lambda text: (200, {**stored(date=text), "content_match": None}),
        lambda text: (200, {"document": {"id": None, "text": text}}),
    ],
)
@pytest.mark.parametrize("text", ["x" * 10_000, "\0" * 100 + "zero", "\ud800 half", "\U0001f600" * 5000])
def test_a_reason_is_short_and_of_what_the_ledger_can_hold(make: Any, text: str) -> None:
    status, body = make(text)
    reason = of(status, body).reason
    assert 0 < len(reason) <= 500
    assert "\0" not in reason
    assert reason.encode().decode() == reason


def nested(deep: int) -> bytes:
    return b'{"document": {"id": "D1", "date": %s1%s}}' % (b"[" * deep, b"]" * deep)


@pytest.mark.parametrize("deep", [100, *range(850, 1000, 7), 10_000])
def test_a_body_however_deep_is_never_an_error(deep: int) -> None:
    assert of(200, nested(deep)).treatment in (Treatment.CONFLICT, Treatment.UNKNOWN)


@pytest.mark.parametrize("body", [b"1" * 5000, b'{"document": {"id": %s}}' % (b"1" * 5000), b"1e999", b"NaN"])
def test_numbers_too_big_to_read_are_no_answer(body: bytes) -> None:
    assert of(201, body).code == "NO_DOCUMENT_ID"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
told_codes = st.sampled_from([code for _, code, _ in ROWS] + ["REQUEST_IN_PROGRESS", "RATE_LIMITED"])
problems = anything | st.fixed_dictionaries(
    {},
    optional={
        "code": told_codes | anything,
        "message": anything,
        "value": anything,
        "locked_until": anything,
    },
)
documents = anything | st.fixed_dictionaries({}, optional=dict.fromkeys(STORED, anything))
bodies = st.binary(max_size=200) | st.fixed_dictionaries(
    {},
    optional={
        "error": problems,
        "errors": st.lists(problems, max_size=3) | anything,
        "company_name": st.just(NAME) | anything,
        "document": documents,
        "duplicate": anything,
        "content_match": anything,
        "status": st.just("duplicate") | anything,
        "message": anything,
    },
).map(lambda body: json.dumps(body).encode())
statuses = st.integers(100, 999) | st.sampled_from([200, 201, 400, 401, 403, 404, 409, 413, 422, 429, 500])
headers = st.dictionaries(st.sampled_from(["retry-after", "date", "location"]), st.text())


@given(statuses, headers, bodies)
def test_no_reply_is_an_error_and_what_is_told_is_bounded(
    status: int, given_headers: dict[str, str], body: bytes
) -> None:
    told = classify(Reply(status, given_headers, body), SENT)
    assert told.code in CODES
    assert len(told.reason) <= 500
    assert "\0" not in told.reason
    told.reason.encode()
    assert (told.remote_id is not None) == (told.treatment is Treatment.ACCEPTED)
    assert told.wait is None or 0 <= told.wait <= MAX_WAIT
    if told.certain:
        assert told.treatment in CERTAIN
        assert status < 500
    if told.treatment is Treatment.ACCEPTED:
        assert status in (200, 201)
    if told.treatment in (Treatment.UNKNOWN, Treatment.BUSY) or told.stray:
        assert not told.certain


@given(statuses, bodies)
def test_a_look_up_is_an_answer_or_none_and_never_another_error(status: int, body: bytes) -> None:
    try:
        told = found(Reply(status, {}, body), SENT)
    except LookupError:
        return
    if told is None:
        assert status == 404
    else:
        assert status == 200
        assert told.treatment in (Treatment.ACCEPTED, Treatment.CONFLICT)
        assert told.certain


def test_a_look_up_that_finds_it_is_its_acceptance_or_the_conflict() -> None:
    same = found(reply(200, {"document": STORED}), SENT)
    other = found(reply(200, {"document": {**STORED, "total": "1.00"}, "content_match": True}), SENT)
    assert same is not None
    assert other is not None
    assert (same.treatment, same.remote_id) == (Treatment.ACCEPTED, "D1")
    assert other.treatment is Treatment.CONFLICT


def test_a_look_up_that_finds_nothing_says_so() -> None:
    assert found(reply(404, error("DOCUMENT_NOT_FOUND")), SENT) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, b"<html>Not found"),
        (404, {}),
        (404, error("COMPANY_NOT_FOUND")),
        (404, error("NOT_FOUND")),
        (404, {**error("DOCUMENT_NOT_FOUND"), "company_name": "Another Sdn Bhd"}),
        (200, b""),
        (200, {"document": None}),
        (200, {"document": {**STORED, "id": None}}),
        (200, {"document": STORED, "company_name": "Another Sdn Bhd"}),
        (201, {"document": STORED}),
        (302, b""),
        (401, error("API_KEY_INVALID")),
        (429, error("RATE_LIMITED")),
        (500, {"document": STORED}),
    ],
)
def test_a_look_up_that_answers_neither_way_proves_nothing(status: int, body: object) -> None:
    with pytest.raises(LookupError):
        found(reply(status, body), SENT)


def test_a_look_up_that_broke_proves_nothing() -> None:
    with pytest.raises(LookupError, match="TIMEOUT"):
        found(Broken("TIMEOUT", "no answer"), SENT)


@pytest.mark.parametrize("body", [b"", b"[1]", b"7", b'"x"', b"null", b"{", b"\xff"])
def test_what_is_no_json_object_reads_as_an_empty_one(body: bytes) -> None:
    assert json_object(body) == {}
