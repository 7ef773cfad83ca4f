"""POS sales invoices: sums, shares, lines, refund rows, voided rows."""

import pytest

from tests.unit.mappers.rows import NUMBER, REFUND, VOIDED, Ledger, item, original, refund, sale

MISMATCH = [f"block SOURCE_TOTAL_MISMATCH {NUMBER}"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subtotal", "49.99"),
        ("order_discount", "0.01"),
        ("service_charge", "0.01"),
        ("tax_amount", "0.01"),
        ("tip_amount", "0.01"),
        ("rounding_adjustment", "0.01"),
        ("total_amount", "50.01"),
    ],
)
def test_every_part_of_the_total_is_checked(field: str, value: str) -> None:
    row = sale()
    row["pos_transaction"][field] = value
    assert Ledger().said("pos_invoice", row) == MISMATCH


def test_the_subtotal_is_the_sum_of_the_items() -> None:
    row = sale(item(1, "30.00"), item(2, "20.00"))
    row["items"][1]["line_total"] = "21.00"
    assert Ledger().said("pos_invoice", row) == MISMATCH


def test_included_tax_is_not_added_to_the_total() -> None:
    row = sale(item(1, "108.00"), tax_inclusive=True, tax_type="service", tax_rate="8", tax_amount="8.00")
    document = Ledger().pushed("pos_invoice", row)
    assert document["totals"] == {"net": "100.00", "tax": "8.00", "rounding": "0.00", "total": "108.00"}
    assert document["tax_inclusive"] is True


def test_where_every_item_carries_its_tax_their_sum_is_the_headers() -> None:
    taxed = {"tax_type": "sales", "tax_rate": "10"}
    items = (item(1, "30.00", tax_amount="3.00"), item(2, "20.00", tax_amount="2.00"))
    document = Ledger().pushed("pos_invoice", sale(*items, tax_amount="5.00", **taxed))
    assert [line["tax_amount"] for line in document["lines"]] == ["3.00", "2.00"]
    assert Ledger().said("pos_invoice", sale(*items, tax_amount="5.01", **taxed)) == MISMATCH


def test_what_the_headers_tax_exceeds_the_lines_own_is_shared_by_the_rest() -> None:
    items = (item(1, "30.00", tax_amount="3.00"), item(2, "20.00"), item(3, "10.00"))
    row = sale(*items, tax_type="sales", tax_rate="10", tax_amount="6.00")
    document = Ledger().pushed("pos_invoice", row)
    assert [line["tax_amount"] for line in document["lines"]] == ["3.00", "2.00", "1.00"]


def test_tax_is_shared_by_what_is_left_after_the_discount() -> None:
    """The discount falls on the line that has its own tax too: 60 and 30 left, so 6 and 3 of 9."""
    items = (item(1, "80.00", quantity="1"), item(2, "40.00"))
    row = sale(*items, order_discount="30.00", tax_type="sales", tax_rate="10", tax_amount="9.00")
    document = Ledger().pushed("pos_invoice", row)
    assert [line["tax_amount"] for line in document["lines"]] == ["6.00", "3.00"]
    items = (item(1, "100.00"), item(2, "-10.00", quantity="-1", unit_price="10"))
    row = sale(*items, order_discount="50.00", tax_type="sales", tax_rate="10", tax_amount="4.00")
    document = Ledger().pushed("pos_invoice", row)
    assert [line["tax_amount"] for line in document["lines"]] == ["5.00", "-1.00"]


def test_a_line_with_a_negative_total_bears_no_discount() -> None:
    items = (item(1, "80.00"), item(2, "-30.00", quantity="-1", unit_price="30"))
    document = Ledger().pushed("pos_invoice", sale(*items, order_discount="10.00"))
    assert [line["discount"] for line in document["lines"]] == ["10.00", "0.00"]
    assert [line["amount"] for line in document["lines"]] == ["70.00", "-30.00"]


def test_units_left_over_go_to_the_largest_remainders_and_ties_to_the_lower_line() -> None:
    """1.00 over 1, 1 and 4: 0.1667, 0.1667 and 0.6667: all have the same remainder but for the size."""
    items = (item(1, "1.00"), item(2, "1.00"), item(3, "4.00"))
    document = Ledger().pushed("pos_invoice", sale(*items, order_discount="1.00"))
    assert [line["discount"] for line in document["lines"]] == ["0.17", "0.17", "0.66"]
    items = (item(1, "1.00"), item(2, "2.00"))
    document = Ledger().pushed("pos_invoice", sale(*items, order_discount="1.00"))
    assert [line["discount"] for line in document["lines"]] == ["0.33", "0.67"]


def test_negative_tax_over_negative_weights_is_shared_too() -> None:
    items = (item(1, "-10.00", quantity="-1"), item(2, "-20.00", quantity="-1"))
    row = sale(*items, tax_type="sales", tax_rate="10", tax_amount="-1.00")
    document = Ledger().pushed("pos_invoice", row)
    assert [line["tax_amount"] for line in document["lines"]] == ["-0.33", "-0.67"]
    assert document["document_type"] == "credit_note"


@pytest.mark.parametrize(
    ("items", "header"),
    [
        ((item(1, "-50.00", quantity="-1"),), {"order_discount": "1.00"}),
        ((item(1, "50.00"),), {"order_discount": "-1.00"}),
        ((item(1, "50.00", tax_type="none"),), {"tax_type": "sales", "tax_rate": "10", "tax_amount": "5.00"}),
        (
            (item(1, "50.00"), item(2, "-50.00", quantity="-1")),
            {"tax_type": "sales", "tax_rate": "10", "tax_amount": "0.01"},
        ),
        ((item(1, "50.00"),), {"tax_type": "sales", "tax_rate": "10", "tax_amount": "-5.00"}),
        (
            (item(1, "50.00"), item(2, "10.00", tax_rate="6")),
            {"tax_type": "sales", "tax_rate": "10", "tax_amount": "5.60"},
        ),
    ],
    ids=[
        "nobody bears the discount",
        "a negative discount",
        "nobody bears the tax",
        "no weight",
        "sign",
        "rates",
    ],
)
def test_what_cannot_be_shared_is_a_mismatch(
    items: tuple[dict[str, object], ...], header: dict[str, str]
) -> None:
    assert Ledger().said("pos_invoice", sale(*items, **header)) == MISMATCH


def test_two_rates_are_no_matter_when_nothing_is_to_be_shared() -> None:
    items = (item(1, "50.00"), item(2, "10.00", tax_rate="6"))
    ledger = Ledger(codes={"tax:service:8": "A", "tax:service:6": "B", "account:sales": "1"})
    assert ledger.said("pos_invoice", sale(*items, tax_type="service", tax_rate="8")) == [f"push {NUMBER}"]


def test_an_items_tax_type_and_rate_win_each_where_given() -> None:
    items = (
        item(1, "10.00", tax_type="service", tax_rate="8", tax_amount="0.80"),
        item(2, "10.00", tax_rate="6", tax_amount="0.60"),
        item(3, "10.00", tax_type="sales", tax_amount="1.00"),
        item(4, "10.00", tax_type="none", tax_rate="6"),
    )
    ledger = Ledger(
        codes={
            "account:sales": "1",
            "tax:service:8": "a",
            "tax:service:6": "b",
            "tax:sales:10": "c",
            "tax:none:0": "d",
        }
    )
    row = sale(*items, tax_type="service", tax_rate="10", tax_amount="2.40")
    assert [line["tax_code"] for line in ledger.pushed("pos_invoice", row)["lines"]] == ["a", "b", "c", "d"]


def test_lines_come_in_line_no_order_numbered_from_one() -> None:
    row = sale(item(30, "30.00"), item(7, "20.00"), service_charge="1.00", tip_amount="2.00")
    lines = Ledger().pushed("pos_invoice", row)["lines"]
    assert [line["line_no"] for line in lines] == [1, 2, 3, 4]
    assert [line["description"] for line in lines[2:]] == ["Service charge", "Tip"]
    assert [line["amount"] for line in lines] == ["20.00", "30.00", "1.00", "2.00"]


def test_a_description_is_cut_at_255_code_points() -> None:
    row = sale(item(1, "50.00", description="衣" * 200 + "👕" * 100))
    assert Ledger().pushed("pos_invoice", row)["lines"][0]["description"] == "衣" * 200 + "👕" * 55


def test_a_negative_total_makes_a_credit_note_and_its_receipt_a_refund() -> None:
    row = sale(item(1, "20.00"), item(2, "-50.00", quantity="-1", unit_price="50"))
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.sent[0].document["document_type"] == "credit_note"
    assert ledger.sent[0].document["original_number"] is None
    receipt = ledger.pushed("pos_receipt", row)
    assert (receipt["document_type"], receipt["amount"]) == ("refund", "-30.00")
    assert receipt["allocations"] == [{"invoice_number": NUMBER, "amount": "-30.00"}]


def test_a_refund_negates_quantities_discounts_amounts_tax_and_rounding_but_no_unit_price() -> None:
    goods = item(1, "18.00", quantity="2.0000", unit_price="10.0000", line_discount="2.00")
    row = refund(
        goods, order_discount="1.00", service_charge="0.50", rounding_adjustment="0.02", tip_amount="0.25"
    )
    row["original"]["refundable"] = "90.00"
    ledger = Ledger().post("pos_invoice", sale(item(1, "90.00"))).as_original()
    document = ledger.pushed("pos_invoice", row)
    line, charge, tip = document["lines"]
    assert (line["quantity"], line["unit_price"], line["discount"]) == ("-2", "10.0000", "-3.00")
    assert (charge["quantity"], charge["unit_price"], charge["amount"]) == ("-1", "0.5000", "-0.50")
    assert tip["amount"] == "-0.25"
    assert document["totals"] == {"net": "-17.75", "tax": "0.00", "rounding": "-0.02", "total": "-17.77"}
    assert document["document_type"] == "credit_note"
    assert "-0.00" not in str(document)


def test_a_refund_waits_until_its_originals_invoice_was_sent() -> None:
    assert Ledger().said("pos_invoice", refund()) == [f"wait {REFUND}"]
    doubtful = Ledger().post("pos_invoice", sale(), "in_doubt").as_original()
    assert doubtful.said("pos_invoice", refund()) == [f"wait {REFUND}"]
    sent = Ledger().post("pos_invoice", sale()).as_original()
    assert sent.said("pos_invoice", refund()) == [f"push {REFUND}"]


def test_a_receipt_of_the_original_is_not_its_invoice() -> None:
    ledger = Ledger().post_all(sale()).as_original()
    ledger.sent = [entry for entry in ledger.sent if entry.endpoint == "pos_receipt"]
    assert ledger.said("pos_invoice", refund()) == [f"wait {REFUND}"]
    assert ledger.said("pos_receipt", refund()) == [f"wait {REFUND}-R1"]


@pytest.mark.parametrize(
    "now",
    [
        {"receipt_no": "POS2026050100009"},
        {"status": "open"},
        {"refundable": "60.00"},
        {"completed_at": "2026-05-03T06:00:00Z"},
    ],
    ids=["renumbered", "reopened", "amended", "moved"],
)
def test_a_refund_waits_while_its_original_is_in_conflict(now: dict[str, object]) -> None:
    ledger = Ledger().post("pos_invoice", sale()).as_original()
    assert ledger.said("pos_invoice", refund(of=original(**now))) == [f"wait {REFUND}"]


def test_a_refund_waits_while_its_original_is_reversed_or_may_be() -> None:
    shop = Ledger().post("pos_invoice", sale()).post("pos_invoice", sale(**VOIDED))
    assert shop.as_original().said("pos_invoice", refund()) == [f"wait {REFUND}"]
    doubtful = shop.doubt(f"{NUMBER}-V1").as_original()
    assert doubtful.said("pos_invoice", refund()) == [f"wait {REFUND}"]


def test_a_refund_is_checked_against_its_original() -> None:
    ledger = Ledger().post("pos_invoice", sale()).as_original()
    for of, code in (
        (original(status="voided"), "ORIGINAL_VOIDED"),
        (original(refunded="50.01"), "REFUND_EXCEEDS_ORIGINAL"),
        (original(txn_type="refund"), "REFUND_OF_REFUND"),
    ):
        assert ledger.said("pos_invoice", refund(of=of)) == [f"block {code} {REFUND}"]
    assert ledger.said("pos_invoice", refund(of=original(refunded="50.00"))) == [f"push {REFUND}"]


def test_a_refund_with_a_negative_total_is_a_mismatch() -> None:
    row = refund(item(1, "-20.00", quantity="-1"), known=False)
    assert Ledger().said("pos_invoice", row) == [f"block SOURCE_TOTAL_MISMATCH {REFUND}"]


def test_a_refund_that_was_sent_is_not_checked_against_its_original_again() -> None:
    ledger = Ledger().post("pos_invoice", sale()).as_original()
    ledger.post("pos_invoice", refund())
    for of in (original(status="voided"), original(refunded="99.00"), original(owned=False)):
        assert ledger.said("pos_invoice", refund(of=of)) == []


def test_refunded_statuses_of_the_original_add_nothing() -> None:
    for status in ("partially_refunded", "refunded"):
        assert Ledger().said("pos_invoice", sale(status=status)) == [f"push {NUMBER}"]
        ledger = Ledger().post_all(sale())
        assert ledger.said("pos_invoice", sale(status=status, refunded="50.00")) == []
        assert ledger.said("pos_receipt", sale(status=status, refunded="50.00")) == []


def test_a_reversal_negates_the_document_as_it_was_sent_with_its_codes_rate_and_contact() -> None:
    goods = item(1, "50.00", line_discount="1.00")
    row = sale(goods, currency="SGD", exchange_rate="3.35", rounding_adjustment="-0.02", customer_id=5)
    ledger = Ledger().post("pos_invoice", row)
    sent = ledger.sent[0].document
    ledger.settings = Ledger(codes={}).settings
    now = sale(item(1, "70.00"), currency="SGD", exchange_rate="4", customer_id=6, **VOIDED)
    document = ledger.pushed("pos_invoice", now)
    assert document["number"] == f"{NUMBER}-V1"
    assert document["original_number"] == NUMBER
    for key in (
        "contact",
        "currency",
        "exchange_rate",
        "rounding_account",
        "tax_inclusive",
        "outlet",
        "source",
    ):
        assert document[key] == sent[key]
    assert document["totals"] == {"net": "-50.00", "tax": "0.00", "rounding": "0.02", "total": "-49.98"}
    assert document["lines"] == [
        {**sent["lines"][0], "quantity": "-1", "discount": "-1.00", "amount": "-50.00", "tax_amount": "0.00"}
    ]


def test_a_voided_sale_with_refunds_is_a_conflict_only_until_its_reversal_was_sent() -> None:
    ledger = Ledger().post_all(sale())
    refunded = sale(refunded="20.00", **VOIDED)
    assert ledger.said("pos_invoice", refunded) == [f"conflict VOIDED_AFTER_REFUND {NUMBER}"]
    ledger.post("pos_invoice", sale(**VOIDED))
    assert ledger.said("pos_invoice", refunded) == []
    assert ledger.said("pos_receipt", refunded) == [f"push {NUMBER}-R1X"]


def test_voided_again_after_it_was_unvoided_is_settled() -> None:
    ledger = Ledger().post_all(sale()).post_all(sale(**VOIDED))
    assert ledger.said("pos_invoice", sale()) == [f"conflict AMENDED_AFTER_PUSH {NUMBER}"]
    assert ledger.said("pos_receipt", sale()) == []
    assert ledger.said("pos_invoice", sale(**VOIDED)) == []
    assert ledger.said("pos_receipt", sale(**VOIDED)) == []


def test_only_a_refund_row_has_an_original() -> None:
    row = sale()
    row["original"] = original(owned=False, status="voided")
    document = Ledger().pushed("pos_invoice", row)
    assert (document["document_type"], document["original_number"]) == ("invoice", None)
