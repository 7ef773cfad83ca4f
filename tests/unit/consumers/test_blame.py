"""What a refusal blames: its code where only a text tells, and the value that it names."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumers.blame import VALUE_LENGTH, code_in, value_in
from consumers.outcomes import Outcome, Treatment, as_refusal, classify
from consumers.reply import Reply, json_object, reason_of

SENT = {"company_name": "Mei Live Sdn Bhd", "number": "N1"}


def told(status: int, body: object) -> Outcome:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return classify(Reply(status, {}, raw), SENT)


def problem(code: str, **more: object) -> dict[str, object]:
    return {"code": code, "message": "It cannot be", **more}


@pytest.mark.parametrize("status", [400, 422, 503])
@pytest.mark.parametrize(
    ("given_problem", "value"),
    [
        (problem("TAX_CODE_MISSING", value="SR"), "SR"),
        (problem("CURRENCY_NOT_ENABLED", value=" USD "), "USD"),
        (problem("ACCOUNT_MISSING", value=40000), "40000"),
        (problem("ACCOUNT_NOT_SELECTABLE", value="40000"), "40000"),
        (problem("BANK_CURRENCY_MISMATCH", value="12000"), "12000"),
        (problem("CONTACT_INVALID", value="KOL-小美"), "KOL-小美"),
        (problem("PERIOD_LOCKED", value="2026-03-07", locked_until="2026-04-30"), "2026-04-30"),
        (problem("PERIOD_LOCKED", value="2026-03-07"), None),
        (problem("DATE_BEFORE_INCORPORATION", value="2019-03-07"), None),
        (problem("TAX_CODE_MISSING", value=None), None),
        (problem("TAX_CODE_MISSING", value=""), None),
        (problem("TAX_CODE_MISSING", value="  "), None),
        (problem("TAX_CODE_MISSING", value=True), None),
        (problem("TAX_CODE_MISSING", value=1.5), None),
        (problem("TAX_CODE_MISSING", value=["SR"]), None),
        (problem("TAX_CODE_MISSING", value={"a": 1}), None),
        (problem("TAX_CODE_MISSING", value="x" * 5000), "x" * VALUE_LENGTH),
        (problem("TAX_CODE_MISSING", value=10**4000), None),
        (problem("TAX_CODE_MISSING", value="a\0b"), "ab"),
        (problem("TAX_CODE_MISSING", value="\0"), None),
        (problem("TAX_CODE_MISSING", value="\ud800"), "?"),
    ],
    ids=str,
)
def test_the_value_that_a_refusal_names_is_told_in_a_bounded_text(
    status: int, given_problem: dict[str, object], value: str | None
) -> None:
    outcome = told(status, {"error": given_problem, "errors": [given_problem]})
    assert (outcome.treatment, outcome.value) == (Treatment.BLOCK, value)
    assert as_refusal(outcome).value == value


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("Tax Code 'SR' not found", "TAX_CODE_MISSING", "SR"),
        ('Tax code "SR 6%" does not exist', "TAX_CODE_MISSING", "SR 6%"),
        ("Tax Code “SR” not found", "TAX_CODE_MISSING", "SR"),
        ("tax_code SR does not exist", "TAX_CODE_MISSING", "SR"),
        ("Tax Code: MY-SALES10 missing", "TAX_CODE_MISSING", "MY-SALES10"),
        ("Tax Code missing", "TAX_CODE_MISSING", None),
        ("TAX CODE MISSING", "TAX_CODE_MISSING", None),
        ("Tax Code is missing for line 3", "TAX_CODE_MISSING", None),
        ("Currency USD is not enabled", "CURRENCY_NOT_ENABLED", "USD"),
        ("Currency 'usd' is not enabled", "CURRENCY_NOT_ENABLED", "usd"),
        ("Unknown currency", "CURRENCY_NOT_ENABLED", None),
        ("Account 40000 not found", "ACCOUNT_MISSING", "40000"),
        ("Account code '610-01' does not exist", "ACCOUNT_MISSING", "610-01"),
        ("The account with no such name is missing", "ACCOUNT_MISSING", None),
    ],
)
def test_a_text_that_names_the_value_is_read(text: str, code: str, value: str | None) -> None:
    outcome = told(400, text.encode())
    assert (outcome.treatment, outcome.code, outcome.value) == (Treatment.BLOCK, code, value)
    assert text in outcome.reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The period is locked until 2026-04-30", "2026-04-30"),
        ("Locked up to 2026-04-30.", "2026-04-30"),
        ("The period is locked until further notice", None),
        ("2026-03-07 is locked", None),
        ("locked until ٢٠٢٦-٠٤-٣٠", None),
        ("locked until 2026-04-300", None),
    ],
)
def test_until_when_a_period_is_locked_is_read_from_the_text_where_no_field_tells(
    text: str, value: str | None
) -> None:
    assert told(422, {"error": {"code": "PERIOD_LOCKED", "message": text}}).value == value


def test_the_value_is_that_of_the_problem_whose_code_counts() -> None:
    first, second = problem("ACCOUNT_MISSING", value="40000"), problem("TAX_CODE_MISSING", value="SR")
    assert told(422, {"error": second, "errors": [first, second]}).value == "SR"
    assert told(422, {"error": {"code": "TAX_CODE_MISSING"}, "errors": [first, second]}).value == "SR"
    assert told(422, {"error": problem("TAX_CODE_MISSING"), "errors": [first]}).value is None


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (422, "INVOICE_NOT_FOUND"),
        (422, "TOTAL_MISMATCH"),
        (401, "API_KEY_INVALID"),
        (409, "DOCUMENT_CONFLICT"),
    ],
)
def test_what_blocks_nothing_in_the_books_names_no_value(status: int, code: str) -> None:
    assert told(status, {"error": problem(code, value="SR")}).value is None


@pytest.mark.parametrize(("status", "stray"), [(400, False), (422, False), (500, True)])
@pytest.mark.parametrize("first", [{}, {"code": "BAD"}, {"code": "MALFORMED_REQUEST"}, "Bad", None])
def test_a_code_that_only_the_list_of_errors_carries_counts(
    status: int, first: object, *, stray: bool
) -> None:
    outcome = told(status, {"error": first, "errors": [7, problem("ACCOUNT_MISSING", value="40000")]})
    assert (outcome.treatment, outcome.code, outcome.value, outcome.stray) == (
        Treatment.BLOCK,
        "ACCOUNT_MISSING",
        "40000",
        stray,
    )


def test_what_is_absent_is_blamed_only_in_the_clause_that_names_it() -> None:
    assert code_in("Account 40000 is a heading; the invoice was not found") is None
    assert code_in("The account is closed. Something is missing.") is None
    assert code_in("Bad request; Account 40000.1 was not found") == "ACCOUNT_MISSING"


@given(st.text(alphabet="abXY'\"“0 \0\ud800小", min_size=1).map(str.strip).filter(bool))
@example("SR")
def test_a_value_in_a_field_and_in_a_text_is_one_and_the_same(value: str) -> None:
    by_field = told(422, {"error": problem("TAX_CODE_MISSING", value=value)}).value
    by_text = told(400, {"message": f"Tax Code '{value}' not found"})
    if by_field is not None and not {"'", '"', "“"} & set(value):
        assert (by_text.code, by_text.value) == ("TAX_CODE_MISSING", by_field)


@given(st.binary(max_size=300), st.sampled_from(["TAX_CODE_MISSING", "PERIOD_LOCKED", "CONTACT_INVALID", ""]))
def test_no_body_is_an_error_and_no_value_is_more_than_the_ledger_holds(body: bytes, code: str) -> None:
    read = json_object(body)
    value = value_in(read, code, reason_of(Reply(400, {}, body), read))
    assert value is None or (0 < len(value) <= VALUE_LENGTH and "\0" not in value and value.encode())
