"""Common rules 1 to 3 and 6 to 10: numbers, dates, money, codes, contact, zero, cut-over, currency."""

import pytest

from tests.unit.mappers.rows import (
    BILL,
    NUMBER,
    REFUND,
    VOIDED,
    Ledger,
    codes_without,
    item,
    original,
    paid,
    refund,
    sale,
    settlement,
    tender,
)


def test_an_invoice_number_leaves_room_for_its_reversal() -> None:
    assert Ledger().said("pos_invoice", sale(receipt_no="A" * 17)) == [f"push {'A' * 17}"]
    assert Ledger().said("pos_invoice", sale(receipt_no="A" * 18)) == [f"block NUMBER_TOO_LONG {'A' * 18}"]


def test_a_receipt_number_leaves_room_for_its_reversal() -> None:
    row = sale(receipt_no="A" * 17)
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.said("pos_receipt", row) == [f"block NUMBER_TOO_LONG {'A' * 17}-R1"]
    row = sale(receipt_no="A" * 16)
    assert Ledger().post("pos_invoice", row).said("pos_receipt", row) == [f"push {'A' * 16}-R1"]


def test_a_bill_and_a_payment_leave_room_for_their_reversals() -> None:
    assert Ledger().said("kol_bill", settlement(settlement_no="K" * 18)) == [
        f"block NUMBER_TOO_LONG {'K' * 18}"
    ]
    row = paid(settlement_no="K" * 17)
    ledger = Ledger().post("kol_bill", row)
    assert ledger.said("kol_payment", row) == [f"block NUMBER_TOO_LONG {'K' * 17}-P1"]


def test_nothing_tendered_under_a_long_number_shows_the_number_first() -> None:
    row = sale(receipt_no="A" * 17, amount_paid="0.00")
    assert Ledger().said("pos_receipt", row) == [f"block NUMBER_TOO_LONG {'A' * 17}-R1"]


def test_a_receipt_is_dated_by_its_tender_else_the_row_else_its_completion() -> None:
    row = sale(
        completed_at="2026-05-01T02:00:00Z", paid_at="2026-05-02T02:00:00Z", tenders=[tender(1, "50.00")]
    )
    header = row["pos_transaction"]
    header["tenders"][0]["paid_at"] = "2026-05-03T02:00:00Z"
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.pushed("pos_receipt", row)["date"] == "2026-05-03"
    header["tenders"][0]["paid_at"] = None
    assert ledger.pushed("pos_receipt", row)["date"] == "2026-05-02"
    header["paid_at"] = None
    assert ledger.pushed("pos_receipt", row)["date"] == "2026-05-01"


def test_a_payment_is_dated_by_its_entry_else_the_row_else_its_last_change() -> None:
    entry = tender(1, "1000.00", "bank_transfer", paid_at="2026-05-04T02:00:00Z")
    row = paid(payments=[entry], paid_at="2026-05-05T02:00:00Z", updated_at="2026-05-06T02:00:00Z")
    ledger = Ledger().post("kol_bill", row)
    assert ledger.pushed("kol_payment", row)["date"] == "2026-05-04"
    entry["paid_at"] = None
    assert ledger.pushed("kol_payment", row)["date"] == "2026-05-05"
    row["kol_settlement"]["paid_at"] = None
    assert ledger.pushed("kol_payment", row)["date"] == "2026-05-06"


def test_a_bill_is_dated_period_end_as_it_stands() -> None:
    row = settlement(period_end="2026-04-30")
    document = Ledger(day_cutoff_hour=20, timezone="America/New_York").pushed("kol_bill", row)
    assert (document["date"], document["due_date"]) == ("2026-04-30", "2026-04-30")


def test_the_day_ends_by_the_clock_on_the_wall_when_the_clocks_change() -> None:
    """Clocks in New York went from 02:00 to 03:00 on 8 March 2026: 03:30 there is past a cut-off at 3."""
    ledger = Ledger(timezone="America/New_York", day_cutoff_hour=3)
    assert ledger.pushed("pos_invoice", sale(completed_at="2026-03-08T07:30:00Z"))["date"] == "2026-03-08"
    assert ledger.pushed("pos_invoice", sale(completed_at="2026-03-08T06:30:00Z"))["date"] == "2026-03-07"


def test_the_cut_off_hour_itself_belongs_to_the_new_day() -> None:
    ledger = Ledger(day_cutoff_hour=4)
    assert ledger.pushed("pos_invoice", sale(completed_at="2026-05-01T20:00:00Z"))["date"] == "2026-05-02"
    assert (
        ledger.pushed("pos_invoice", sale(completed_at="2026-05-01T19:59:59.999999Z"))["date"] == "2026-05-01"
    )


def test_a_time_may_carry_any_offset_and_fraction() -> None:
    row = sale(completed_at="2026-05-01T23:30:00.123456-08:00")
    assert Ledger().pushed("pos_invoice", row)["date"] == "2026-05-02"


def test_a_reversal_is_dated_by_the_void_in_the_tenants_zone() -> None:
    voided = sale(status="voided", voided_at="2026-05-02T16:30:00Z")
    ledger = Ledger().post_all(sale())
    document = ledger.pushed("pos_invoice", voided)
    assert (document["date"], document["due_date"]) == ("2026-05-03", "2026-05-03")
    ledger.post("pos_invoice", voided)
    assert ledger.pushed("pos_receipt", voided)["date"] == "2026-05-03"


def test_yen_have_no_decimals_and_zeros_do_not_count() -> None:
    row = sale(item(1, "1500.00"), currency="JPY", exchange_rate="0.02900000")
    ledger = Ledger().post("pos_invoice", row)
    document = ledger.sent[0].document
    assert document["totals"] == {"net": "1500", "tax": "0", "rounding": "0", "total": "1500"}
    assert document["lines"][0]["unit_price"] == "1500.0000"
    assert document["lines"][0]["discount"] == "0"
    assert ledger.pushed("pos_receipt", row)["amount"] == "1500"


def test_dinars_have_three_decimals() -> None:
    row = sale(item(1, "10.50"), currency="KWD", exchange_rate="15")
    document = Ledger().pushed("pos_invoice", row)
    assert (document["totals"]["total"], document["exchange_rate"]) == ("10.500", "15")


@pytest.mark.parametrize(
    "field",
    ["order_discount", "service_charge", "tax_amount", "tip_amount", "rounding_adjustment", "line_discount"],
)
def test_every_amount_of_an_invoice_is_checked_for_precision(field: str) -> None:
    row = sale(currency="VND", exchange_rate="0.00018")
    (row["items"][0] if field == "line_discount" else row["pos_transaction"])[field] = "0.50"
    assert Ledger().said("pos_invoice", row) == [f"block CURRENCY_PRECISION {NUMBER}"]


def test_an_items_tax_is_checked_for_precision() -> None:
    row = sale(item(1, "50.00", tax_amount="0.005"))
    assert Ledger().said("pos_invoice", row) == [f"block CURRENCY_PRECISION {NUMBER}"]


def test_every_amount_of_a_bill_is_checked_for_precision() -> None:
    row = settlement(adjustments=[{"label": "Bonus", "amount": "0.005"}])
    assert Ledger().said("kol_bill", row) == [f"block CURRENCY_PRECISION {BILL}"]
    row = settlement(commission_amount="0.005")
    assert Ledger().said("kol_bill", row) == [f"block CURRENCY_PRECISION {BILL}"]


def test_quantities_and_rates_lose_their_trailing_zeros_and_unit_prices_keep_four_decimals() -> None:
    line = item(1, "50.00", quantity="10.0000", unit_price="5")
    row = sale(line, currency="SGD", exchange_rate="10.00000000")
    document = Ledger().pushed("pos_invoice", row)
    assert document["lines"][0]["quantity"] == "10"
    assert document["lines"][0]["unit_price"] == "5.0000"
    assert document["exchange_rate"] == "10"


def test_a_unit_price_with_more_decimals_is_rounded_half_up() -> None:
    row = sale(item(1, "50.00", unit_price="0.00005"))
    assert Ledger().pushed("pos_invoice", row)["lines"][0]["unit_price"] == "0.0001"


def test_a_missing_key_blocks_that_document_and_the_others_go_on() -> None:
    ledger = Ledger(codes=codes_without("account:sales"))
    assert ledger.said("pos_invoice", sale()) == [f"block ACCOUNT_UNMAPPED {NUMBER} account:sales"]
    tenders = [tender(1, "20.00", "grabpay"), tender(2, "30.00")]
    ledger = Ledger().post("pos_invoice", sale(tenders=tenders))
    assert ledger.said("pos_receipt", sale(tenders=tenders)) == [
        f"block PAYMENT_METHOD_UNMAPPED {NUMBER}-R1 payment:grabpay:MYR",
        f"push {NUMBER}-R2",
    ]


def test_the_rate_of_no_tax_is_zero_and_a_rate_keeps_its_decimals() -> None:
    untaxed = sale(tax_rate="6.0000")
    assert Ledger().pushed("pos_invoice", untaxed)["lines"][0]["tax_code"] == "NT"
    half = sale(tax_type="service", tax_rate="6.5000", tax_amount="3.25")
    assert Ledger().said("pos_invoice", half) == [f"block TAX_CODE_UNMAPPED {NUMBER} tax:service:6.5"]


def test_tips_and_rounding_have_accounts_of_their_own() -> None:
    row = sale(tip_amount="3.00", rounding_adjustment="-0.02")
    document = Ledger().pushed("pos_invoice", row)
    tip = document["lines"][1]
    assert (tip["account_code"], tip["tax_code"], tip["description"]) == ("21500", "NT", "Tip")
    assert (tip["quantity"], tip["unit_price"], tip["discount"], tip["sku"]) == ("1", "3.0000", "0.00", None)
    assert document["rounding_account"] == "40900"
    missing = Ledger(codes=codes_without("account:rounding"))
    assert missing.said("pos_invoice", row) == [f"block ACCOUNT_UNMAPPED {NUMBER} account:rounding"]


def test_a_customer_without_a_name_goes_by_the_code() -> None:
    contact = Ledger().pushed("pos_invoice", sale(customer_id=5, customer_tin="T1"))["contact"]
    assert contact == {"code": "C5", "name": "C5", "type": "customer", "tin": "T1"}


def test_a_walk_in_has_no_tax_number_of_another() -> None:
    contact = Ledger().pushed("pos_invoice", sale(customer_name="Tan", customer_tin="T1"))["contact"]
    assert contact == {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None}


def test_a_kol_is_a_supplier() -> None:
    contact = Ledger().pushed("kol_bill", settlement(payee_tin="IG1"))["contact"]
    assert contact == {"code": "K11", "name": "Aisyah", "type": "supplier", "tin": "IG1"}


def test_receipt_reversal_refund_and_payment_take_the_contact_that_was_sent() -> None:
    named = {"customer_id": 5, "customer_name": "Tan"}
    ledger = Ledger().post("pos_invoice", sale(**named))
    code = "C5"
    assert ledger.pushed("pos_receipt", sale(customer_id=6))["contact"]["code"] == code
    assert ledger.pushed("pos_invoice", sale(customer_id=6, **VOIDED))["contact"]["code"] == code
    credit_note = ledger.as_original().pushed("pos_invoice", refund(customer_id=6))
    assert credit_note["contact"] == {"code": code, "name": "Tan", "type": "customer", "tin": None}
    bill = Ledger().post("kol_bill", settlement())
    assert bill.pushed("kol_payment", paid(payee_name="Aisyah binti Ali"))["contact"]["name"] == "Aisyah"


def test_a_refund_without_an_original_has_its_own_contact() -> None:
    row = refund(known=False, customer_id=6)
    document = Ledger().pushed("pos_invoice", row)
    assert (document["contact"]["code"], document["original_number"]) == ("C6", None)


def test_every_push_carries_todays_company_name() -> None:
    ledger = Ledger().post_all(sale())
    ledger.settings = Ledger(company_name="New name").settings
    assert ledger.pushed("pos_invoice", sale(**VOIDED))["company_name"] == "New name"
    ledger.post("pos_invoice", sale(**VOIDED))
    assert ledger.pushed("pos_receipt", sale(**VOIDED))["company_name"] == "New name"


def test_an_even_exchange_across_tax_codes_is_not_zero() -> None:
    goods = item(1, "50.00", tax_type="sales", tax_rate="10", tax_amount="0.00")
    back = item(2, "-50.00", quantity="-1.0000", unit_price="50.0000")
    document = Ledger().pushed("pos_invoice", sale(goods, back))
    assert (document["document_type"], document["totals"]["total"]) == ("invoice", "0.00")


def test_an_even_exchange_of_two_keys_with_one_code_is_zero() -> None:
    ledger = Ledger(codes={"tax:sales:10": "SAME", "tax:none:0": "SAME", "account:sales": "1"})
    goods = item(1, "50.00", tax_type="sales", tax_rate="10", tax_amount="0.00")
    back = item(2, "-50.00", quantity="-1.0000", unit_price="50.0000")
    assert ledger.said("pos_invoice", sale(goods, back)) == [f"skip ZERO_TOTAL {NUMBER}"]


def test_a_total_that_only_rounding_makes_zero_is_not_zero() -> None:
    row = sale(item(1, "0.02"), rounding_adjustment="-0.02")
    document = Ledger().pushed("pos_invoice", row)
    assert document["totals"] == {"net": "0.02", "tax": "0.00", "rounding": "-0.02", "total": "0.00"}


def test_zero_needs_no_code_and_no_rate() -> None:
    row = sale(order_discount="50.00", currency="SGD")
    assert Ledger(codes={}).said("pos_invoice", row) == [f"skip ZERO_TOTAL {NUMBER}"]


def test_a_tender_of_zero_is_skipped_and_the_others_go() -> None:
    row = sale(tenders=[tender(1, "0.00", "voucher"), tender(2, "50.00")])
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.said("pos_receipt", row) == [f"skip ZERO_TOTAL {NUMBER}-R1", f"push {NUMBER}-R2"]


def test_the_cutover_date_itself_is_in_and_the_day_before_is_out() -> None:
    ledger = Ledger(cutover_date="2026-05-01")
    assert ledger.said("pos_invoice", sale()) == [f"push {NUMBER}"]
    ledger = Ledger(cutover_date="2026-05-02")
    assert ledger.said("pos_invoice", sale()) == [f"skip BEFORE_CUTOVER {NUMBER}"]


@pytest.mark.parametrize(("first", "last"), [("2025-06-10", "2025-06-15"), ("2025-06-15", "2025-06-20")])
def test_a_wanted_range_includes_both_its_ends(first: str, last: str) -> None:
    row = sale(completed_at="2025-06-15T02:00:00Z", paid_at="2025-06-15T02:00:00Z")
    ledger = Ledger(wanted={"pos_invoice": [[first, last]]})
    assert ledger.said("pos_invoice", row) == [f"push {NUMBER}"]
    assert ledger.said("pos_receipt", row) == [f"wait {NUMBER}-R1"]


def test_a_wanted_range_is_for_its_endpoint_alone() -> None:
    row = sale(completed_at="2025-06-15T02:00:00Z")
    ledger = Ledger(wanted={"pos_receipt": [["2025-01-01", "2025-12-31"]]})
    assert ledger.said("pos_invoice", row) == [f"skip BEFORE_CUTOVER {NUMBER}"]
    assert ledger.said("pos_receipt", row) == [f"skip BEFORE_CUTOVER {NUMBER}-R1"]


def test_once_the_invoice_was_sent_its_receipts_go_whatever_the_cutover_says() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    ledger.settings = Ledger(cutover_date="2026-12-01").settings
    assert ledger.said("pos_invoice", sale()) == []
    assert ledger.said("pos_receipt", sale()) == [f"push {NUMBER}-R1"]


def test_a_refund_of_a_sale_from_a_wanted_range_waits_for_it() -> None:
    row = refund(of=original(completed_at="2025-12-30T06:00:00Z"))
    ledger = Ledger(wanted={"pos_invoice": [["2025-12-30", "2025-12-30"]]})
    assert ledger.said("pos_invoice", row) == [f"wait {REFUND}"]


def test_a_refund_of_a_sale_from_before_the_cutover_that_was_sent_names_it() -> None:
    old = {"completed_at": "2025-12-30T06:00:00Z"}
    ledger = Ledger(cutover_date="2025-01-01").post("pos_invoice", sale(**old)).as_original()
    ledger.settings = Ledger().settings
    assert ledger.pushed("pos_invoice", refund(of=original(**old)))["original_number"] == NUMBER


def test_home_currency_has_no_rate_even_if_one_is_recorded() -> None:
    row = sale(exchange_rate="1.00000000")
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.sent[0].document["exchange_rate"] is None
    assert ledger.pushed("pos_receipt", row)["exchange_rate"] is None


def test_foreign_currency_needs_a_rate_on_invoice_receipt_bill_and_payment() -> None:
    code = "block EXCHANGE_RATE_MISSING"
    assert Ledger().said("pos_invoice", sale(currency="SGD")) == [f"{code} {NUMBER}"]
    assert Ledger().said("pos_receipt", sale(currency="SGD")) == [f"{code} {NUMBER}-R1"]
    assert Ledger().said("kol_bill", paid(currency="SGD")) == [f"{code} {BILL}"]
    assert Ledger().said("kol_payment", paid(currency="SGD")) == [f"{code} {BILL}-P1"]
    assert Ledger(home_currency="SGD").said("pos_invoice", sale(currency="SGD")) == [f"push {NUMBER}"]


def test_documents_have_the_shape_of_the_api() -> None:
    row = sale(store_code="S1")
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.sent[0].document == {
        "company_name": "Mei Live Sdn Bhd",
        "document_type": "invoice",
        "number": NUMBER,
        "original_number": None,
        "date": "2026-05-01",
        "due_date": "2026-05-01",
        "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "tax_inclusive": False,
        "lines": [
            {
                "line_no": 1,
                "sku": "TS-01",
                "description": "T-shirt",
                "quantity": "2",
                "unit_price": "25.0000",
                "discount": "0.00",
                "account_code": "40000",
                "tax_code": "NT",
                "amount": "50.00",
                "tax_amount": "0.00",
            }
        ],
        "totals": {"net": "50.00", "tax": "0.00", "rounding": "0.00", "total": "50.00"},
        "rounding_account": None,
        "outlet": "S1",
        "memo": None,
        "source": {"system": "NS16", "table": "pos_transactions", "id": "1"},
    }
    assert ledger.pushed("pos_receipt", row) == {
        "company_name": "Mei Live Sdn Bhd",
        "document_type": "receipt",
        "number": f"{NUMBER}-R1",
        "date": "2026-05-01",
        "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "amount": "50.00",
        "bank_account_code": "12100",
        "allocations": [{"invoice_number": NUMBER, "amount": "50.00"}],
        "reference": None,
        "source": {"system": "NS16", "table": "pos_transactions", "id": "1"},
    }


def test_a_bill_and_a_payment_have_the_shape_of_the_api() -> None:
    ledger = Ledger().post("kol_bill", paid())
    bill = ledger.sent[0].document
    assert set(bill) == {
        *(
            "company_name",
            "document_type",
            "number",
            "original_number",
            "date",
            "due_date",
            "contact",
            "memo",
        ),
        *("currency", "exchange_rate", "tax_inclusive", "lines", "totals", "period", "source"),
    }
    assert set(bill["lines"][0]) == {
        *("line_no", "description", "account_code", "tax_code", "amount", "tax_amount"),
    }
    assert bill["source"] == {"system": "NS16", "table": "kol_settlements", "id": "1"}
    payment = ledger.pushed("kol_payment", paid(payment_reference="FT-9"))
    assert payment["allocations"] == [{"bill_number": BILL, "amount": "1000.00"}]
    assert (payment["reference"], payment["source"]) == ("FT-9", bill["source"])
