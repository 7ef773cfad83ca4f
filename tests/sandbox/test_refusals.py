"""One test for each row of the table of errors."""

import json
from collections.abc import Callable

import pytest

from tests.sandbox.documents import Document, bill, credit_note, invoice, line, payment, receipt
from tests.sandbox.shop import Answer, Shop

ROUNDED = {"net": "90.00", "tax": "9.00", "rounding": "0.01", "total": "99.01"}
DEEP = "[" * 100_000


def check(answer: Answer, status: int, code: str) -> None:
    """Check the exact form of an error."""
    assert (answer.status, answer.code) == (status, code), answer.body
    assert answer.body["error"] == answer.body["errors"][0]
    for error in answer.body["errors"]:
        assert set(error) - {"locked_until"} == {"code", "message", "field", "value", "help"}
        assert error["message"]
        assert error["help"]
    assert answer.body["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("body", ["", "{", "[]", "7", '{"number": NaN}', "\xff", DEEP])
def test_a_body_that_is_no_json_object_is_malformed(shop: Shop, body: str) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = shop.call("POST", "/api/v1/sales-invoices", body.encode("latin-1"), headers)
    check(answer, 400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    "headers", [{"Idempotency-Key": "k" * 129}, {"Idempotency-Key": ""}, {"Content-Type": "text/plain"}]
)
def test_headers_that_break_the_contract_are_malformed(shop: Shop, headers: dict[str, str]) -> None:
    check(shop.post("sales-invoices", invoice(), headers), 400, "MALFORMED_REQUEST")
    assert shop.post("sales-invoices", invoice(), {"Idempotency-Key": "k" * 128}).status == 201


def test_a_look_up_without_its_query_is_malformed(shop: Shop) -> None:
    check(shop.get("sales-invoices", number="S1"), 400, "MALFORMED_REQUEST")
    check(shop.call("GET", "/api/v1/company"), 400, "MALFORMED_REQUEST")


@pytest.mark.parametrize("authorization", ["", "Bearer wrong-key-0001", "Basic abc", "Bearer "])
def test_a_key_that_opens_nothing_is_invalid(shop: Shop, authorization: str) -> None:
    headers = {"Authorization": authorization}
    check(shop.post("sales-invoices", invoice(), headers), 401, "API_KEY_INVALID")
    check(shop.call("GET", "/api/v1/company?company=x", headers=headers), 401, "API_KEY_INVALID")


def test_a_revoked_key_is_invalid_and_the_new_one_is_not(shop: Shop) -> None:
    shop.sandbox.patch_company(shop.company_id, keys=[{"key": "new-key-of-" + shop.company_id}])
    check(shop.post("sales-invoices", invoice()), 401, "API_KEY_INVALID")
    shop.key = "new-key-of-" + shop.company_id
    assert shop.post("sales-invoices", invoice()).status == 201


def test_a_key_without_the_scope_is_refused_there_only(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop()
    shop.sandbox.patch_company(
        shop.company_id, keys=[{"key": shop.key, "scopes": ["sales-invoices", "sales-receipts"]}]
    )
    check(shop.post("expense-bills", bill()), 403, "SCOPE_MISSING")
    check(shop.look_up("KS1", "expense-bills"), 403, "SCOPE_MISSING")
    assert shop.post("sales-invoices", invoice()).status == 201
    assert shop.get("company").body["scopes"] == ["sales-invoices", "sales-receipts"]


def test_a_company_whose_subscription_ended_is_refused(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(subscription_active=False)
    check(shop.post("sales-invoices", invoice()), 403, "SUBSCRIPTION_INACTIVE")
    check(shop.get("company"), 403, "SUBSCRIPTION_INACTIVE")


def test_a_company_that_is_not_the_keys_is_not_found_and_named(shop: Shop) -> None:
    answer = shop.post("sales-invoices", invoice(company_name="别家公司"))
    check(answer, 404, "COMPANY_NOT_FOUND")
    assert "别家公司" in answer.body["error"]["message"]
    check(shop.call("GET", "/api/v1/company?company=Other"), 404, "COMPANY_NOT_FOUND")


def test_a_body_over_the_limit_is_too_large(shop: Shop) -> None:
    check(shop.post("sales-invoices", invoice(memo="x" * 1_000_001)), 413, "PAYLOAD_TOO_LARGE")


SALES = [
    ("TAX_CODE_MISSING", "lines[0].tax_code", invoice(lines__0__tax_code="ZZ")),
    ("CURRENCY_NOT_ENABLED", "currency", invoice(currency="USD", exchange_rate="4.5")),
    ("ACCOUNT_MISSING", "lines[0].account_code", invoice(lines__0__account_code="99999")),
    ("ACCOUNT_MISSING", "rounding_account", invoice(rounding_account="99999")),
    ("ACCOUNT_NOT_SELECTABLE", "lines[0].account_code", invoice(lines__0__account_code="30000")),
    ("CONTACT_INVALID", "contact.code", invoice(contact__code="")),
    ("CONTACT_INVALID", "contact.name", invoice(contact__name=" ")),
    ("CONTACT_INVALID", "contact.type", invoice(contact__type="supplier")),
    ("CONTACT_INVALID", "contact.tin", invoice(contact__tin=7)),
    ("CONTACT_INVALID", "contact", invoice(contact=None)),
    ("PERIOD_LOCKED", "date", invoice(date="2025-12-31")),
    ("DATE_BEFORE_INCORPORATION", "date", invoice(date="2024-12-31")),
    ("INVOICE_NOT_FOUND", "original_number", credit_note("S2", "S0")),
    ("TOTAL_MISMATCH", "totals.net", invoice(totals__net="91.00")),
    ("TOTAL_MISMATCH", "totals.tax", invoice(totals__tax="8.00")),
    ("TOTAL_MISMATCH", "totals.total", invoice(totals__total="99.01")),
    ("EXCHANGE_RATE_MISSING", "exchange_rate", invoice(currency="SGD")),
    ("VALIDATION_FAILED", "exchange_rate", invoice(exchange_rate="1")),
    ("VALIDATION_FAILED", "exchange_rate", invoice(currency="SGD", exchange_rate="3.123456789")),
    ("VALIDATION_FAILED", "exchange_rate", invoice(currency="SGD", exchange_rate="0")),
    ("VALIDATION_FAILED", "company_name", invoice(company_name=None)),
    ("VALIDATION_FAILED", "document_type", invoice(document_type="bill")),
    ("VALIDATION_FAILED", "number", invoice("N" * 21)),
    ("VALIDATION_FAILED", "number", invoice("")),
    ("VALIDATION_FAILED", "date", invoice(date="2026-02-30")),
    ("VALIDATION_FAILED", "date", invoice(date="20260501")),
    ("VALIDATION_FAILED", "due_date", invoice(due_date=None)),
    ("VALIDATION_FAILED", "tax_inclusive", invoice(tax_inclusive=None)),
    ("VALIDATION_FAILED", "lines", invoice(lines=[])),
    ("VALIDATION_FAILED", "lines[0]", invoice(lines=["x"])),
    ("VALIDATION_FAILED", "lines[0].description", invoice(lines__0__description="描" * 256)),
    ("VALIDATION_FAILED", "lines[0].quantity", invoice(lines__0__quantity="1.00001")),
    ("VALIDATION_FAILED", "lines[0].unit_price", invoice(lines__0__unit_price=45)),
    ("VALIDATION_FAILED", "lines[0].amount", invoice(lines__0__amount="90.0")),
    ("VALIDATION_FAILED", "lines[0].amount", invoice(lines__0__amount=90.0)),
    ("VALIDATION_FAILED", "lines[0].line_no", invoice(lines__0__line_no=0)),
    ("VALIDATION_FAILED", "totals", invoice(totals=None)),
    ("VALIDATION_FAILED", "totals.total", invoice(document_type="credit_note")),
    ("VALIDATION_FAILED", "rounding_account", invoice(totals=ROUNDED)),
    ("VALIDATION_FAILED", "lines[0].discount", invoice(currency="JPY", exchange_rate="0.03")),
]
OTHERS = [
    ("BANK_CURRENCY_MISMATCH", "bank_account_code", "sales-receipts", receipt(bank_account_code="12150")),
    ("ACCOUNT_MISSING", "bank_account_code", "sales-receipts", receipt(bank_account_code="99999")),
    ("ACCOUNT_NOT_SELECTABLE", "bank_account_code", "sales-receipts", receipt(bank_account_code="40000")),
    ("INVOICE_NOT_FOUND", "allocations", "sales-receipts", receipt(of="S0")),
    ("INVOICE_NOT_FOUND", "allocations", "sales-receipts", receipt(contact__code="C2")),
    ("AMOUNT_EXCEEDS_OUTSTANDING", "allocations", "sales-receipts", receipt(amount="99.01")),
    ("TOTAL_MISMATCH", "allocations", "sales-receipts", receipt(allocations__0__amount="98.00")),
    ("VALIDATION_FAILED", "amount", "sales-receipts", receipt(document_type="refund")),
    ("VALIDATION_FAILED", "amount", "sales-receipts", receipt(amount="0.00")),
    ("VALIDATION_FAILED", "allocations", "sales-receipts", receipt(allocations=[])),
    ("VALIDATION_FAILED", "currency", "sales-receipts", receipt(currency="SGD", exchange_rate="3.4")),
    ("BILL_NOT_FOUND", "allocations", "expense-payments", payment(of="KS0")),
    ("BILL_NOT_FOUND", "original_number", "expense-bills", bill(original_number="KS0")),
    ("CONTACT_INVALID", "contact.type", "expense-bills", bill(contact__type="customer")),
    ("VALIDATION_FAILED", "period", "expense-bills", bill(period=None)),
    ("VALIDATION_FAILED", "period.to", "expense-bills", bill(period__to="2026-03-31")),
]


@pytest.mark.parametrize(
    ("code", "field", "scope", "document"),
    [(code, field, "sales-invoices", document) for code, field, document in SALES] + OTHERS,
)
def test_a_document_that_breaks_a_rule_is_refused_and_the_field_named(
    open_shop: Callable[..., Shop], code: str, field: str, scope: str, document: Document
) -> None:
    shop = open_shop(locked_until="2025-12-31", incorporated_on="2025-01-01")
    accounts = shop.get("master-data").body["accounts"]
    shop.sandbox.patch_company(shop.company_id, accounts=[*accounts, {"code": "30000", "selectable": False}])
    shop.post("sales-invoices", invoice("S1"))
    shop.post("expense-bills", bill("KS1"))
    document = {**document, "number": "NEW"} if document["number"] in ("S1", "KS1") else document
    answer = shop.post(scope, document)
    assert answer.status == 422
    assert (code, field) in [(error["code"], error["field"]) for error in answer.body["errors"]]
    check(answer, 422, answer.code)
    assert shop.look_up("NEW", scope, str((document["contact"] or {}).get("code") or "-")).status == 404


def test_a_locked_period_says_until_when(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(locked_until="2026-05-01")
    answer = shop.post("sales-invoices", invoice())
    check(answer, 422, "PERIOD_LOCKED")
    assert answer.body["error"]["locked_until"] == "2026-05-01"
    assert shop.post("sales-invoices", invoice(date="2026-05-02")).status == 201


def test_all_that_is_wrong_is_told_at_once(shop: Shop) -> None:
    answer = shop.post(
        "sales-invoices",
        invoice(lines=[line(tax_code="ZZ"), line(account_code="99999", line_no=2)], contact__type="x"),
    )
    assert answer.codes == [
        "CONTACT_INVALID",
        "TAX_CODE_MISSING",
        "ACCOUNT_MISSING",
        "TOTAL_MISMATCH",
        "TOTAL_MISMATCH",
    ]


def test_a_refused_document_passes_once_the_books_are_fixed(shop: Shop) -> None:
    document = invoice(lines__0__tax_code="SV10")
    check(shop.post("sales-invoices", document), 422, "TAX_CODE_MISSING")
    shop.sandbox.patch_company(shop.company_id, tax_codes=["SV10"])
    assert shop.post("sales-invoices", document).status == 201


def test_unknown_paths_and_methods_are_refused_in_the_same_form(shop: Shop) -> None:
    check(shop.call("GET", "/api/v1/nothing"), 404, "NOT_FOUND")
    answer = shop.call("PUT", "/api/v1/sales-invoices", b"{}")
    check(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["Allow"] == "GET, POST"
    check(shop.call("POST", "/api/v1/company", b"{}"), 405, "METHOD_NOT_ALLOWED")


def test_no_error_repeats_the_api_key(shop: Shop) -> None:
    answers = [
        shop.post("sales-invoices", invoice(company_name=shop.key)),
        shop.post("sales-invoices", invoice(lines__0__tax_code=shop.key)),
        shop.get("company", company=shop.key),
        shop.get("sales-invoices", number=shop.key, contact=shop.key),
        shop.call("GET", "/" + shop.key),
    ]
    assert [answer.status for answer in answers] == [404, 422, 404, 404, 404]
    assert all(shop.key not in json.dumps([answer.headers, answer.body]) for answer in answers)
