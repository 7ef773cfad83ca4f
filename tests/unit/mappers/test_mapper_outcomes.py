"""Which outcome: the order of in doubt, sent, skip, block, wait, push, and of the checks within them."""

import pytest

from tests.unit.mappers.rows import (
    BILL,
    CANCELLED,
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


def test_what_is_in_doubt_is_pushed_as_it_was_sent_whatever_the_row_says() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    (sent,) = ledger.sent
    other = sale(item(1, "70.00"), receipt_no="POS2026050100077", customer_id=5)
    for now in (other, sale(**VOIDED), sale(status="open"), sale(source="ecommerce_pickup"), None):
        assert ledger.pushed("pos_invoice", now) == sent.document


def test_what_is_in_doubt_is_pushed_even_when_the_row_cannot_be_read() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    assert ledger.said("pos_invoice", sale(status="lost")) == [f"push {NUMBER}"]


def test_what_is_in_doubt_carries_todays_company_name_in_its_old_place() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    (sent,) = ledger.sent
    ledger.settings = Ledger(company_name="Mei Live (2026)").settings
    document = ledger.pushed("pos_invoice", sale())
    assert document == {**sent.document, "company_name": "Mei Live (2026)"}
    assert list(document) == list(sent.document)


def test_a_reversal_in_doubt_is_pushed_again_and_nothing_else_is_derived() -> None:
    ledger = Ledger().post("pos_invoice", sale()).post("pos_invoice", sale(**VOIDED)).doubt(NUMBER + "-V1")
    for now in (sale(**VOIDED), sale(), sale(item(1, "70.00")), sale(status="open"), None):
        assert ledger.said("pos_invoice", now) == [f"push {NUMBER}-V1"]


def test_what_hangs_on_a_document_in_doubt_waits() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    assert ledger.said("pos_receipt", sale()) == [f"wait {NUMBER}-R1"]


def test_a_document_of_another_endpoint_in_doubt_is_not_pushed_here() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    assert "push" not in " ".join(ledger.said("pos_receipt", sale()))


def test_a_certain_refusal_leaves_no_trace() -> None:
    changed = sale(item(1, "70.00"), customer_id=5, customer_name="Tan")
    assert Ledger().post("pos_invoice", sale()).sent
    assert Ledger().plan("pos_invoice", changed) == Ledger().plan("pos_invoice", changed)
    assert Ledger().pushed("pos_invoice", changed)["contact"]["code"] == "C5"


@pytest.mark.parametrize(
    ("changes", "mode", "code"),
    [
        ({"payer_type": "platform"}, "single", "NOT_OWNED"),
        ({}, "single", "KOL_MODE_SINGLE"),
        ({}, "multi", "SELF_PAYEE"),
        ({"payee_kol_id": 11}, "multi", "CANCELLED_BEFORE_PUSH"),
    ],
)
def test_a_bill_is_skipped_for_the_first_reason_that_applies(
    changes: dict[str, object], mode: str, code: str
) -> None:
    old = {"period_start": "2025-01-01", "period_end": "2025-01-31", "commission_amount": "0.00"}
    row = settlement(**{"payee_kol_id": 10, **CANCELLED, **old, **changes})
    assert Ledger(kol_mode=mode).said("kol_bill", row) == [f"skip {code} {BILL}"]


def test_before_the_cutover_comes_before_zero() -> None:
    old = {"completed_at": "2025-05-01T06:00:00Z"}
    free = sale(order_discount="50.00", **old)
    assert Ledger().said("pos_invoice", free) == [f"skip BEFORE_CUTOVER {NUMBER}"]


def test_voided_comes_before_the_cutover() -> None:
    row = sale(completed_at="2025-05-01T06:00:00Z", **VOIDED)
    assert Ledger().said("pos_invoice", row) == [f"skip VOIDED_BEFORE_PUSH {NUMBER}"]


def test_not_owned_comes_before_voided() -> None:
    assert Ledger().said("pos_invoice", sale(platform_order_id=9, **VOIDED)) == [f"skip NOT_OWNED {NUMBER}"]


def test_a_skip_comes_before_a_block() -> None:
    row = sale(total_amount="77.00", receipt_no="X" * 30, **VOIDED)
    assert Ledger().said("pos_invoice", row) == [f"skip VOIDED_BEFORE_PUSH {'X' * 30}"]


def test_zero_needs_a_document_that_can_be_built() -> None:
    empty = sale(total_amount="0.00", subtotal="0.00")
    empty["items"] = []
    assert Ledger().said("pos_invoice", empty) == [f"block NO_LINES {NUMBER}"]
    off = sale(item(1, "0.00"), total_amount="0.00", subtotal="1.00")
    assert Ledger().said("pos_invoice", off) == [f"block SOURCE_TOTAL_MISMATCH {NUMBER}"]


def test_the_checks_of_an_invoice_come_in_their_order() -> None:
    """Mend one fault after the other: the next one shows."""
    long = "R" * 20
    row = refund(
        of=original(txn_type="refund", status="voided", refunded="99.00"),
        receipt_no=long,
        currency="SGD",
        service_charge="1.005",
        total_amount="-20.00",
        tax_type="sales",
        rounding_adjustment="0.01",
    )
    header, items = row["pos_transaction"], row["items"]
    row["items"] = []
    ledger = Ledger(codes={"payment:cash:SGD": "1"})

    def blocked() -> str:
        (said,) = ledger.said("pos_invoice", row)
        return said.removeprefix("block ").replace(f" {header['receipt_no']}", "")

    assert blocked() == "NUMBER_TOO_LONG"
    header["receipt_no"] = REFUND
    assert blocked() == "NO_LINES"
    row["items"] = items
    assert blocked() == "CURRENCY_PRECISION"
    header["service_charge"] = "1.00"
    assert blocked() == "SOURCE_TOTAL_MISMATCH"
    header["total_amount"] = "21.01"
    assert blocked() == "REFUND_OF_REFUND"
    row["original"]["txn_type"] = "sale"
    assert blocked() == "ORIGINAL_VOIDED"
    row["original"]["status"] = "paid"
    assert blocked() == "REFUND_EXCEEDS_ORIGINAL"
    row["original"]["refunded"] = "20.00"
    assert blocked() == "EXCHANGE_RATE_MISSING"
    header["exchange_rate"] = "3.3512"
    expected = [
        ("TAX_CODE_UNMAPPED", "tax:sales:0"),
        ("ACCOUNT_UNMAPPED", "account:sales"),
        ("TAX_CODE_UNMAPPED", "tax:none:0"),
        ("ACCOUNT_UNMAPPED", "account:service_charge"),
        ("ACCOUNT_UNMAPPED", "account:rounding"),
    ]
    codes = {"payment:cash:SGD": "1"}
    for code, key in expected:
        assert blocked() == f"{code} {key}"
        codes[key] = "9"
        ledger.settings = Ledger(codes=codes).settings
    assert ledger.said("pos_invoice", row) == [f"wait {REFUND}"]


def test_the_checks_of_a_receipt_come_in_their_order() -> None:
    row = sale(currency="SGD", tenders=[tender(1, "50.005"), tender(12, "0.001", None)])
    ledger = Ledger(codes={})
    long, first = f"{NUMBER}-R12", f"{NUMBER}-R1"
    assert ledger.said("pos_receipt", row) == [
        f"block CURRENCY_PRECISION {first}",
        f"block NUMBER_TOO_LONG {long}",
    ]
    row["pos_transaction"]["tenders"] = [tender(1, "50.01")]
    assert ledger.said("pos_receipt", row) == [f"block TENDER_MISMATCH {first}"]
    row["pos_transaction"]["tenders"] = [tender(1, "50.00", None)]
    assert ledger.said("pos_receipt", row) == [f"block EXCHANGE_RATE_MISSING {first}"]
    row["pos_transaction"]["exchange_rate"] = "3.35"
    assert ledger.said("pos_receipt", row) == [f"block PAYMENT_METHOD_UNMAPPED {first} payment:none:SGD"]
    ledger.settings = Ledger().settings
    row["pos_transaction"]["tenders"] = [tender(1, "50.00")]
    assert ledger.said("pos_receipt", row) == [f"wait {first}"]


def test_the_checks_of_a_bill_come_in_their_order() -> None:
    row = settlement(settlement_no="K" * 18, currency="SGD", wht_amount="1.005", net_payable="9.00")
    header = row["kol_settlement"]
    ledger = Ledger(codes={})

    def blocked() -> str:
        (said,) = ledger.said("kol_bill", row)
        return said.removeprefix("block ").replace(f" {header['settlement_no']}", "")

    assert blocked() == "NUMBER_TOO_LONG"
    header["settlement_no"] = BILL
    assert blocked() == "CURRENCY_PRECISION"
    header["wht_amount"] = "1.00"
    assert blocked() == "SOURCE_TOTAL_MISMATCH"
    header["net_payable"] = "1000.00"
    assert blocked() == "EXCHANGE_RATE_MISSING"
    header["exchange_rate"] = "3.3"
    codes: dict[str, str] = {}
    for key in ("tax:none:0", "account:expense", "account:wht_payable"):
        assert blocked().endswith(f"_UNMAPPED {key}")
        codes[key] = "9"
        ledger.settings = Ledger(codes=codes).settings
    assert ledger.said("kol_bill", row) == [f"push {BILL}"]


def test_a_bill_without_a_code_blocks_and_its_payment_waits() -> None:
    ledger = Ledger(codes=codes_without("account:expense"))
    assert ledger.said("kol_bill", paid()) == [f"block ACCOUNT_UNMAPPED {BILL} account:expense"]
    assert ledger.said("kol_payment", paid()) == [f"wait {BILL}-P1"]


def test_what_hangs_on_a_skipped_invoice_is_skipped_for_the_same_reason_once_for_each() -> None:
    tenders = [tender(1, "20.00"), tender(2, "30.00")]
    for changes, code in (
        ({"platform_order_id": 3}, "NOT_OWNED"),
        (VOIDED, "VOIDED_BEFORE_PUSH"),
        ({"completed_at": "2025-06-01T00:00:00Z"}, "BEFORE_CUTOVER"),
    ):
        said = Ledger().said("pos_receipt", sale(tenders=tenders, **changes))
        assert said == [f"skip {code} {NUMBER}-R1", f"skip {code} {NUMBER}-R2"]


def test_a_repeated_seq_of_a_skipped_sale_is_skipped_once() -> None:
    row = sale(tenders=[tender(1, "20.00"), tender(1, "30.00")], platform_order_id=3)
    assert Ledger().said("pos_receipt", row) == [f"skip NOT_OWNED {NUMBER}-R1"]


def test_the_tenders_of_a_zero_sale_are_skipped_with_it() -> None:
    row = sale(order_discount="50.00", tenders=[tender(1, "10.00"), tender(2, "-10.00")])
    assert Ledger().said("pos_receipt", row) == [
        f"skip ZERO_TOTAL {NUMBER}-R1",
        f"skip ZERO_TOTAL {NUMBER}-R2",
    ]


def test_nothing_tendered_on_a_skipped_sale_is_not_blocked() -> None:
    row = sale(completed_at="2025-06-01T00:00:00Z", amount_paid="0.00")
    assert Ledger().said("pos_receipt", row) == []


def test_an_open_row_gives_nothing_even_when_it_is_not_owned() -> None:
    for changes in ({}, {"source": "ecommerce_pickup"}):
        row = sale(status="open", completed_at=None, **changes)
        assert Ledger().said("pos_invoice", row) == []
        assert Ledger().said("pos_receipt", row) == []


def test_a_draft_gives_nothing_even_when_it_is_not_owned() -> None:
    row = settlement(status="draft", payer_type="platform", payments=[tender(1, "10.00")])
    assert Ledger().said("kol_bill", row) == []
    assert Ledger().said("kol_payment", row) == []


def test_a_row_that_is_gone_with_nothing_sent_gives_nothing() -> None:
    for endpoint in ("pos_invoice", "pos_receipt", "kol_bill", "kol_payment"):
        assert Ledger().said(endpoint, None) == []
