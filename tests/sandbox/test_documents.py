"""What is stored, what is known again, and what is owed."""

from collections.abc import Callable

import pytest

from tests.sandbox.documents import (
    COMPANY,
    Document,
    bent,
    bill,
    credit_note,
    invoice,
    line,
    payment,
    receipt,
)
from tests.sandbox.shop import Shop


@pytest.mark.parametrize(
    ("scope", "document", "total"),
    [
        ("sales-invoices", invoice(), "99.00"),
        ("sales-receipts", receipt(), "99.00"),
        ("expense-bills", bill(), "100.00"),
        ("expense-payments", payment(), "100.00"),
    ],
)
def test_a_document_is_created_and_can_be_looked_up(
    shop: Shop, scope: str, document: Document, total: str
) -> None:
    shop.post("sales-invoices", invoice())
    shop.post("expense-bills", bill())
    fresh = bent(document, number="NEW-1")
    created = shop.post(scope, fresh)
    assert created.status == 201
    assert created.body["status"] == "created"
    assert created.body["duplicate"] is False
    assert created.body["company_name"] == COMPANY
    told = created.body["document"]
    assert told == {
        "id": told["id"],
        "number": "NEW-1",
        "document_type": fresh["document_type"],
        "contact_code": fresh["contact"]["code"],
        "date": "2026-05-01",
        "currency": "MYR",
        "total": total,
    }
    found = shop.look_up("NEW-1", scope, fresh["contact"]["code"])
    assert found.status == 200
    assert found.body["document"] == told
    assert found.body["content"] == fresh


def test_what_is_not_stored_is_not_found(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    missing = shop.look_up("S2")
    assert (missing.status, missing.code) == (404, "DOCUMENT_NOT_FOUND")
    assert shop.look_up("S1", contact="C9").status == 404
    assert shop.look_up("S1", "sales-receipts").status == 404
    assert shop.look_up("S1").status == 200


def test_the_same_document_again_is_a_duplicate(shop: Shop) -> None:
    created = shop.post("sales-invoices", invoice())
    again = shop.post("sales-invoices", invoice(), {"Idempotency-Key": "another"})
    assert again.status == 200
    assert again.body["status"] == "duplicate"
    assert again.body["duplicate"] is True
    assert again.body["content_match"] is True
    assert again.body["document"] == created.body["document"]
    assert shop.stored() == ["S1"]


def test_contents_compare_by_value_and_not_by_spelling(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    respelled = invoice(lines__0__quantity="2.000", lines__0__unit_price="45", totals__net="90.0")
    del respelled["memo"]
    again = shop.post("sales-invoices", dict(reversed(respelled.items())))
    assert (again.status, again.body["content_match"]) == (200, True)


@pytest.mark.parametrize(
    "changes",
    [
        {"memo": "other"},
        {"date": "2026-05-02"},
        {"totals__total": "98.00"},
        {"lines__0__description": "Shirt"},
        {"source__id": "2"},
        {"contact__name": "Other"},
    ],
)
def test_other_content_under_the_same_identity_is_a_conflict(shop: Shop, changes: Document) -> None:
    created = shop.post("sales-invoices", invoice())
    other = shop.post("sales-invoices", invoice(**changes))
    assert (other.status, other.code) == (409, "DOCUMENT_CONFLICT")
    assert other.body["document"] == created.body["document"]
    assert shop.look_up("S1").body["content"] == invoice()


def test_a_silent_company_says_nothing_about_content(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(silent=True)
    created = shop.post("sales-invoices", invoice())
    for document in (invoice(), invoice(memo="other")):
        again = shop.post("sales-invoices", document)
        assert again.status == 200
        assert again.body["content_match"] is None
        assert again.body["document"] == created.body["document"]
    assert shop.look_up("S1").body["content"] == invoice()


def test_number_contact_and_kind_tell_documents_apart(shop: Shop) -> None:
    assert shop.post("sales-invoices", invoice()).status == 201
    assert shop.post("sales-invoices", invoice(contact__code="C2")).status == 201
    assert shop.post("sales-invoices", invoice("S2")).status == 201
    assert shop.post("sales-receipts", receipt("S1")).status == 201
    assert sorted(shop.stored()) == ["S1", "S1", "S1", "S2"]


def test_companies_do_not_see_each_other(open_shop: Callable[..., Shop]) -> None:
    one, other = open_shop(), open_shop()
    assert one.post("sales-invoices", invoice()).status == 201
    assert other.look_up("S1").status == 404
    assert other.post("sales-receipts", receipt()).code == "INVOICE_NOT_FOUND"
    assert other.post("sales-invoices", invoice()).status == 201


def test_a_duplicate_is_known_again_though_its_period_is_locked_by_now(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.sandbox.patch_company(shop.company_id, locked_until="2026-05-31", tax_codes=[])
    assert shop.post("sales-invoices", invoice()).status == 200
    assert shop.post("sales-invoices", invoice("S2")).codes == ["PERIOD_LOCKED", "TAX_CODE_MISSING"]


def test_a_renamed_company_keeps_its_documents_and_loses_its_old_name(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.sandbox.patch_company(shop.company_id, name="美美直播")
    old = shop.post("sales-invoices", invoice())
    assert (old.status, old.code) == (404, "COMPANY_NOT_FOUND")
    assert COMPANY in old.body["error"]["message"]
    again = shop.post("sales-invoices", invoice(company_name="美美直播"))
    assert (again.status, again.body["content_match"]) == (200, True)
    assert again.body["company_name"] == "美美直播"


def test_an_invoice_is_paid_in_parts_and_never_over(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    assert shop.post("sales-receipts", receipt("S1-R1", "40.00")).status == 201
    assert shop.post("sales-receipts", receipt("S1-R2", "59.01")).code == "AMOUNT_EXCEEDS_OUTSTANDING"
    assert shop.post("sales-receipts", receipt("S1-R2", "59.00")).status == 201
    assert shop.post("sales-receipts", receipt("S1-R3", "0.01")).code == "AMOUNT_EXCEEDS_OUTSTANDING"


def test_a_refund_settles_its_credit_note_and_no_invoice(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.post("sales-receipts", receipt())
    assert shop.post("sales-invoices", credit_note("S2", "S1")).status == 201
    assert shop.post("sales-receipts", receipt("S2-R1", "-99.00", "S1")).code == "VALIDATION_FAILED"
    assert shop.post("sales-receipts", receipt("S2-R1", "-99.01", "S2")).code == "AMOUNT_EXCEEDS_OUTSTANDING"
    assert shop.post("sales-receipts", receipt("S2-R1", "-99.00", "S2")).status == 201
    assert shop.post("sales-receipts", receipt("S2-R2", "-0.01", "S2")).code == "AMOUNT_EXCEEDS_OUTSTANDING"
    assert shop.post("sales-receipts", receipt("S2-R3", "1.00", "S2")).code == "VALIDATION_FAILED"


def test_a_receipt_may_come_after_the_credit_note_of_its_sale(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.post("sales-invoices", credit_note("S2", "S1"))
    assert shop.post("sales-receipts", receipt()).status == 201


def test_a_void_reverses_invoice_and_receipt(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    shop.post("sales-receipts", receipt())
    assert shop.post("sales-receipts", receipt("S1-R1X", "-99.00", "S1-V1")).code == "INVOICE_NOT_FOUND"
    assert shop.post("sales-invoices", credit_note("S1-V1", "S1")).status == 201
    assert shop.post("sales-receipts", receipt("S1-R1X", "-99.00", "S1-V1")).status == 201


def test_a_voided_credit_note_is_reversed_by_an_invoice_that_takes_a_receipt(shop: Shop) -> None:
    shop.post("sales-invoices", credit_note("S2", None))
    shop.post("sales-receipts", receipt("S2-R1", "-99.00", "S2"))
    assert shop.post("sales-invoices", invoice("S2-V1", original_number="S2")).status == 201
    assert shop.post("sales-receipts", receipt("S2-R1X", "99.00", "S2-V1")).status == 201


def test_a_payment_reversal_gives_back_what_was_paid_and_no_more(shop: Shop) -> None:
    shop.post("expense-bills", bill())
    early = payment("KS1-P1X", "-100.00")
    assert shop.post("expense-payments", early).code == "AMOUNT_EXCEEDS_OUTSTANDING"
    assert shop.post("expense-payments", payment()).status == 201
    again = payment("KS1-P2", "0.01")
    assert shop.post("expense-payments", again).code == "AMOUNT_EXCEEDS_OUTSTANDING"
    assert shop.post("expense-payments", early).status == 201
    assert shop.post("expense-payments", payment("KS1-P1B")).status == 201


def test_a_bill_is_reversed_by_a_debit_note(shop: Shop) -> None:
    shop.post("expense-bills", bill())
    reversal = bill(
        "KS1-V1",
        document_type="debit_note",
        original_number="KS1",
        lines__0__amount="-100.00",
        totals={"net": "-100.00", "tax": "0.00", "rounding": "0.00", "total": "-100.00"},
    )
    assert shop.post("expense-bills", reversal).status == 201


def test_two_allocations_to_one_invoice_count_together(shop: Shop) -> None:
    shop.post("sales-invoices", invoice())
    halves = [{"invoice_number": "S1", "amount": "50.00"}] * 2
    both = receipt(amount="100.00", allocations=halves)
    assert shop.post("sales-receipts", both).code == "AMOUNT_EXCEEDS_OUTSTANDING"


def test_foreign_and_minorless_currencies_are_taken(shop: Shop) -> None:
    yen = invoice(
        currency="JPY",
        exchange_rate="0.02912345",
        lines=[line("1500", "150", discount="0")],
        totals={"net": "1500", "tax": "150", "rounding": "0", "total": "1650"},
    )
    assert shop.post("sales-invoices", yen).status == 201
    paid = receipt(amount="1650", currency="JPY", exchange_rate="0.03", bank_account_code="12160")
    assert shop.post("sales-receipts", paid).status == 201


def test_rounding_mixed_signs_and_long_texts_are_taken(shop: Shop) -> None:
    document = invoice(
        "N" * 20,
        lines=[
            line(description="描" * 255),
            line("-10.02", "-1.00", line_no=2, quantity="-0.5"),
            line("0.00", "0.00", line_no=3, sku=None),
        ],
        totals={"net": "79.98", "tax": "8.00", "rounding": "0.02", "total": "88.00"},
        rounding_account="40900",
    )
    assert shop.post("sales-invoices", document).status == 201


def test_unknown_fields_are_ignored(shop: Shop) -> None:
    assert shop.post("sales-invoices", {**invoice(), "colour": "red"}).status == 201


def test_the_connection_test_tells_the_company_and_the_scopes(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(locked_until="2025-12-31")
    told = shop.get("company").body
    del told["request_id"]
    assert told == {
        "company_id": shop.company_id,
        "name": COMPANY,
        "home_currency": "MYR",
        "scopes": ["sales-invoices", "sales-receipts", "expense-bills", "expense-payments"],
        "locked_until": "2025-12-31",
    }


def test_the_master_data_can_be_read(shop: Shop) -> None:
    told = shop.get("master-data").body
    assert told["tax_codes"] == ["NT", "MY-SALES10", "SV6", "SV8"]
    assert told["currencies"] == ["MYR", "SGD", "JPY"]
    yen = {"code": "12160", "kind": "bank", "currency": "JPY", "selectable": True}
    assert yen in told["accounts"]


def test_every_reply_sets_a_cookie_of_its_own(shop: Shop) -> None:
    replies = [shop.get("company"), shop.post("sales-invoices", invoice()), shop.look_up("none")]
    cookies = [cookie for reply in replies for cookie in reply.cookies]
    assert len(set(cookies)) == 3
    assert shop.call("GET", "/nowhere", headers={"Authorization": ""}).cookies
