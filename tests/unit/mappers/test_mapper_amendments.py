"""Common rules 12 and 13: sent, and the row changed, was renumbered or is gone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.mappers.rows import (
    BILL,
    CANCELLED,
    NUMBER,
    REFUND,
    VOIDED,
    Ledger,
    item,
    original,
    paid,
    refund,
    sale,
    settlement,
    tender,
)

AMENDED = "conflict AMENDED_AFTER_PUSH"
NEW = "POS2026050100099"


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_id": 9, "customer_name": "Other", "customer_tin": "T9"},
        {"store_code": "S2"},
        {"cashier_id": 3},
        {"void_reason": "typo"},
        {"updated_at": "2026-06-01T00:00:00Z"},
        {"completed_at": "2026-05-01T07:00:00Z"},
        {"exchange_rate": "2.00"},
        {"tax_rate": "6.0000"},
        {"status": "refunded"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_nothing_in_the_document_is_no_edit(changes: dict[str, object]) -> None:
    ledger = Ledger().post_all(sale())
    assert ledger.said("pos_invoice", sale(**changes)) == []
    assert ledger.said("pos_receipt", sale(**changes)) == []


ITEM = item(1, "50.00", quantity="2.0000", unit_price="25.0000", sku="TS-01", description="T-shirt")


EDITS = {
    "description": sale({**ITEM, "description": "Hat"}),
    "sku": sale({**ITEM, "sku": "HAT"}),
    "quantity": sale({**ITEM, "quantity": "1.0000", "unit_price": "50.0000"}),
    "discount": sale({**ITEM, "line_discount": "1.00"}),
    "tax": sale({**ITEM, "tax_type": "sales", "tax_rate": "10"}),
    "lines": sale(item(1, "25.00"), item(2, "25.00")),
    "date": sale(completed_at="2026-05-02T06:00:00Z"),
    "currency": sale(currency="SGD", exchange_rate="3"),
    "mode": sale(tax_inclusive=True),
    "tip": sale(tip_amount="1.00"),
    "rounding": sale(rounding_adjustment="0.01"),
    "order discount": sale(order_discount="1.00"),
}


@pytest.mark.parametrize("now", EDITS.values(), ids=EDITS.keys())
def test_anything_else_is_a_conflict(now: dict[str, Any]) -> None:
    ledger = Ledger().post("pos_invoice", sale(ITEM))
    assert ledger.said("pos_invoice", sale(ITEM)) == []
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {NUMBER}"]


@pytest.mark.parametrize(
    "now",
    [
        sale(total_amount="51.00"),
        sale(tax_amount="1.00"),
        sale(currency="SGD"),
        sale(rounding_adjustment="0.005"),
    ],
    ids=["sums", "shares", "rate", "precision"],
)
def test_a_row_that_no_longer_passes_its_checks_is_a_conflict(now: dict[str, Any]) -> None:
    ledger = Ledger().post("pos_invoice", sale())
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {NUMBER}"]


def test_a_row_that_lost_its_items_is_a_conflict() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    now = sale()
    now["items"] = []
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {NUMBER}"]


def test_another_spelling_of_the_same_numbers_is_no_edit() -> None:
    ledger = Ledger().post_all(sale())
    now = sale(subtotal="50", order_discount=0, total_amount="50.000", tax_type="none", tax_rate="0")
    now["items"][0].update(quantity=2, unit_price="25", tax_type="none", tax_rate="0.0000")
    assert ledger.said("pos_invoice", now) == []
    assert ledger.said("pos_receipt", now) == []


def test_a_line_number_that_moves_without_changing_the_order_is_no_edit() -> None:
    ledger = Ledger().post("pos_invoice", sale(item(1, "30.00"), item(2, "20.00", sku="SKU-2")))
    assert ledger.said("pos_invoice", sale(item(1, "30.00"), item(5, "20.00", sku="SKU-2"))) == []
    swapped = sale(item(2, "30.00", sku="SKU-1"), item(1, "20.00", sku="SKU-2"))
    assert ledger.said("pos_invoice", swapped) == [f"{AMENDED} {NUMBER}"]


def test_a_change_of_settings_is_never_an_edit() -> None:
    ledger = Ledger().post_all(sale())
    for changes in (
        {"codes": {}},
        {"timezone": "Pacific/Auckland"},
        {"day_cutoff_hour": 23},
        {"cutover_date": "2030-01-01"},
        {"home_currency": "SGD"},
        {"company_name": "Other"},
    ):
        ledger.settings = Ledger(**changes).settings
        assert ledger.said("pos_invoice", sale(cashier_id=8)) == []
        assert ledger.said("pos_receipt", sale(cashier_id=8)) == []


def test_a_change_of_the_row_is_found_beside_a_change_of_settings() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    ledger.settings = Ledger(home_currency="SGD").settings
    assert ledger.said("pos_invoice", sale(item(1, "60.00"))) == [f"{AMENDED} {NUMBER}"]


def test_a_row_that_todays_rules_refuse_both_then_and_now_is_compared_by_what_it_says() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    (sent,) = ledger.sent
    broken = sale(total_amount="51.00")
    ledger.record(replace(sent, snapshot=broken))
    assert ledger.said("pos_invoice", sale(total_amount="51.00", cashier_id=1)) == []
    assert ledger.said("pos_invoice", sale(total_amount="52.00")) == [f"{AMENDED} {NUMBER}"]
    assert ledger.said("pos_invoice", sale()) == [f"{AMENDED} {NUMBER}"]


def test_a_document_without_a_snapshot_of_its_own_was_made_from_todays() -> None:
    ledger = Ledger().post_all(sale())
    ledger.sent = [replace(entry, snapshot=None) for entry in ledger.sent]
    assert ledger.said("pos_invoice", sale()) == []
    assert ledger.said("pos_receipt", sale()) == []


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ("2026-05-01T06:00:00Z", "2026-05-02T06:00:00Z", False),
        ("2026-05-01T06:00:00Z", "2026-05-01T09:00:00Z", True),
        (None, "2026-05-02T06:00:00Z", True),
        ("2026-05-01T06:00:00Z", None, True),
    ],
)
def test_a_receipts_date_counts_only_where_the_tender_had_its_own_both_times(
    then: str | None,
    now: str | None,
    same: bool,  # noqa: FBT001  # a parameter of a test
) -> None:
    ledger = Ledger().post_all(sale(tenders=[tender(1, "50.00", paid_at=then)]))
    expected = [] if same else [f"{AMENDED} {NUMBER}-R1"]
    row = sale(tenders=[tender(1, "50.00", paid_at=now)], paid_at="2026-05-07T00:00:00Z")
    assert ledger.said("pos_receipt", row) == expected


def test_a_reference_and_a_tenders_order_are_nothing() -> None:
    tenders = [tender(1, "20.00"), tender(2, "30.00")]
    ledger = Ledger().post_all(sale(tenders=tenders))
    now = [{**tenders[1], "ref": "new"}, {**tenders[0], "ref": "other"}]
    assert ledger.said("pos_receipt", sale(tenders=now)) == []


@pytest.mark.parametrize(
    "now",
    [
        sale(tenders=[tender(1, "49.00"), tender(2, "1.00")]),
        sale(tenders=[tender(1, "50.00", "card")]),
        sale(tenders=[tender(1, "50.00")], currency="SGD", exchange_rate="3"),
        sale(tenders=[tender(1, "50.00")], currency="SGD"),
        sale(tenders=[tender(1, "49.995")]),
    ],
    ids=["amount", "method", "currency", "rate missing", "precision"],
)
def test_a_receipt_that_changed_is_a_conflict(now: dict[str, Any]) -> None:
    ledger = Ledger().post_all(sale(tenders=[tender(1, "50.00")]))
    assert ledger.said("pos_receipt", now)[0] == f"{AMENDED} {NUMBER}-R1"


def test_by_the_shortcut_another_currency_is_a_conflict_on_each_receipt() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00")).post_all(sale())
    now = sale(currency="SGD", exchange_rate="3.3")
    assert ledger.said("pos_receipt", now) == [f"{AMENDED} {NUMBER}-R1", f"{AMENDED} {NUMBER}-R2"]


def test_a_sale_that_became_a_refund_is_a_conflict_on_both() -> None:
    ledger = Ledger().post_all(sale())
    now = sale(txn_type="refund")
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {NUMBER}"]
    assert ledger.said("pos_receipt", now) == [f"{AMENDED} {NUMBER}-R1"]


def test_a_refund_moved_to_another_original_is_a_conflict() -> None:
    ledger = Ledger().post("pos_invoice", sale()).as_original().post("pos_invoice", refund())
    now = refund(of=original(receipt_no="POS2026040100003"))
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {REFUND}"]


def test_a_refund_sent_without_its_original_stays_as_it_is_when_the_cutover_moves() -> None:
    row = refund(of=original(completed_at="2025-12-30T06:00:00Z"))
    ledger = Ledger().post_all(row)
    ledger.settings = Ledger(cutover_date="2025-01-01").settings
    now = refund(of=original(completed_at="2025-12-30T06:00:00Z"), cashier_id=1)
    assert ledger.said("pos_invoice", now) == []


@pytest.mark.parametrize(
    "now",
    [
        settlement(commission_amount="1001.00"),
        settlement(adjustments=[{"label": "Bonus", "amount": "1.00"}]),
        settlement(wht_amount="1.00"),
        settlement(period_start="2026-03-31"),
        settlement(currency="SGD", exchange_rate="3"),
        settlement(payee_kol_id=12),
        settlement(net_payable="999.00"),
        settlement(currency="SGD"),
        settlement(wht_amount="0.005"),
    ],
    ids=["commission", "adjustment", "wht", "period", "currency", "payee", "sums", "rate", "precision"],
)
def test_a_bill_that_changed_is_a_conflict(now: dict[str, Any]) -> None:
    ledger = Ledger().post("kol_bill", settlement())
    assert ledger.said("kol_bill", now) == [f"{AMENDED} {BILL}"]


def test_what_is_nothing_in_a_bill_is_no_edit() -> None:
    ledger = Ledger().post_all(paid(), "kol")
    now = paid(
        payee_name="Aisyah A.", payee_tin="T", gross_sales="1.00", commission_rate=None, payment_reference="X"
    )
    assert ledger.said("kol_bill", now) == []
    assert ledger.said("kol_payment", now) == []


def test_another_payee_is_a_conflict_on_the_payment_too() -> None:
    ledger = Ledger().post_all(paid(), "kol")
    assert ledger.said("kol_payment", paid(payee_kol_id=12)) == [f"{AMENDED} {BILL}-P1"]


def test_a_voided_or_cancelled_row_is_not_compared() -> None:
    ledger = Ledger().post_all(sale())
    now = sale(item(1, "70.00"), currency="SGD", **VOIDED)
    assert ledger.said("pos_invoice", now) == [f"push {NUMBER}-V1"]
    bill = Ledger().post_all(paid(), "kol")
    now = paid(commission_amount="7.00", payee_kol_id=12, **CANCELLED)
    assert bill.said("kol_bill", now) == [f"push {BILL}-V1"]
    assert bill.said("kol_payment", now) == [f"push {BILL}-P1X"]


def test_a_reversal_that_was_sent_is_not_compared_again() -> None:
    ledger = Ledger().post_all(sale()).post_all(sale(**VOIDED))
    now = sale(item(1, "70.00"), amount_paid="50.00", **{**VOIDED, "voided_at": "2026-06-02T00:00:00Z"})
    assert ledger.said("pos_invoice", now) == []
    assert ledger.said("pos_receipt", now) == []


def test_a_renumbered_sale_is_a_conflict_for_each_old_number_and_nothing_under_the_new() -> None:
    ledger = Ledger().post_all(sale(status="completed", tenders=[tender(1, "20.00")]))
    now = sale(receipt_no=NEW, tenders=[tender(1, "20.00"), tender(2, "30.00")])
    assert ledger.said("pos_invoice", now) == [f"{AMENDED} {NUMBER}"]
    assert ledger.said("pos_receipt", now) == [f"{AMENDED} {NUMBER}-R1"]


def test_a_renumbered_sale_in_doubt_is_pushed_under_its_old_number_and_nothing_under_the_new() -> None:
    ledger = Ledger().post("pos_invoice", sale(), "in_doubt")
    assert ledger.said("pos_invoice", sale(receipt_no=NEW)) == [f"push {NUMBER}"]
    assert ledger.said("pos_receipt", sale(receipt_no=NEW)) == []


def test_a_renumbered_sale_that_is_voided_is_reversed_under_its_old_number() -> None:
    ledger = Ledger().post_all(sale())
    voided = sale(receipt_no=NEW, amount_paid="50.00", **VOIDED)
    assert ledger.said("pos_invoice", voided) == [f"push {NUMBER}-V1"]
    ledger.post("pos_invoice", voided)
    assert ledger.said("pos_receipt", voided) == [f"push {NUMBER}-R1X"]
    ledger.post("pos_receipt", voided)
    assert ledger.said("pos_invoice", voided) == []
    assert ledger.said("pos_receipt", voided) == []


def test_a_renumbered_sale_all_of_which_was_reversed_is_a_conflict_under_the_old_invoices_number() -> None:
    ledger = Ledger().post_all(sale()).post_all(sale(**VOIDED))
    assert ledger.said("pos_invoice", sale(receipt_no=NEW)) == [f"{AMENDED} {NUMBER}"]
    assert ledger.said("pos_receipt", sale(receipt_no=NEW)) == []


def test_a_renumbered_settlement_is_a_conflict_and_its_removed_payment_is_not_reversed() -> None:
    ledger = Ledger().post_all(paid(), "kol")
    for now in (paid(settlement_no="KS202604-00099"), settlement(settlement_no="KS202604-00099")):
        assert ledger.said("kol_bill", now) == [f"{AMENDED} {BILL}"]
        assert ledger.said("kol_payment", now) == [f"{AMENDED} {BILL}-P1"]
    cancelled = paid(settlement_no="KS202604-00099", **CANCELLED)
    assert ledger.said("kol_bill", cancelled) == [f"push {BILL}-V1"]
    assert ledger.said("kol_payment", cancelled) == [f"push {BILL}-P1X"]
    ledger.post_all(cancelled, "kol")
    assert ledger.said("kol_bill", paid(settlement_no="KS202604-00099")) == [f"{AMENDED} {BILL}"]
    assert ledger.said("kol_payment", paid(settlement_no="KS202604-00099")) == []


def test_nothing_goes_under_a_new_number_while_only_a_receipt_is_known_under_the_old() -> None:
    ledger = Ledger().post_all(sale())
    ledger.sent = [entry for entry in ledger.sent if entry.endpoint == "pos_receipt"]
    assert ledger.said("pos_invoice", sale(receipt_no=NEW)) == []
    assert ledger.said("pos_receipt", sale(receipt_no=NEW)) == [f"{AMENDED} {NUMBER}-R1"]
    bill = Ledger().post_all(paid(), "kol")
    bill.sent = [entry for entry in bill.sent if entry.endpoint == "kol_payment"]
    assert bill.said("kol_bill", paid(settlement_no="KS202604-00099")) == []


def test_a_number_that_ends_like_a_document_is_still_the_rows_own() -> None:
    ledger = Ledger().post_all(sale(receipt_no="POS-R1"))
    assert [entry.number for entry in ledger.sent] == ["POS-R1", "POS-R1-R1"]
    assert ledger.said("pos_invoice", sale(receipt_no="POS-R1")) == []
    assert ledger.said("pos_receipt", sale(receipt_no="POS-R1")) == []
    void = Ledger().post_all(sale(receipt_no="POS-V1"))
    assert void.said("pos_invoice", sale(receipt_no="POS-V1")) == []


@pytest.mark.parametrize(
    "gone",
    [lambda: None, lambda: sale(status="open"), lambda: sale(source="ecommerce_pickup")],
    ids=["deleted", "reopened", "not owned"],
)
def test_a_row_that_is_gone_is_a_conflict_for_each_document_sent(
    gone: Callable[[], dict[str, Any] | None],
) -> None:
    ledger = Ledger().post_all(sale(tenders=[tender(1, "20.00"), tender(2, "30.00")]))
    assert ledger.said("pos_invoice", gone()) == [f"conflict SOURCE_GONE {NUMBER}"]
    assert [said for said in ledger.said("pos_receipt", gone()) if "skip" not in said] == [
        f"conflict SOURCE_GONE {NUMBER}-R1",
        f"conflict SOURCE_GONE {NUMBER}-R2",
    ]
