"""POS sales receipts: tenders, the shortcut without them, mismatches, voided sales."""

import pytest

from tests.unit.mappers.rows import NUMBER, REFUND, VOIDED, Ledger, item, refund, sale, tender

R1, R2, R3 = (f"{NUMBER}-R{seq}" for seq in (1, 2, 3))
AMENDED = "conflict AMENDED_AFTER_PUSH"


def test_tenders_go_by_seq_with_their_reference() -> None:
    row = sale(tenders=[tender(2, "30.00", ref="B"), tender(1, "20.00", ref="A")])
    ledger = Ledger().post("pos_invoice", row)
    documents = [outcome.to_json()["push"] for outcome in ledger.plan("pos_receipt", row)]
    assert [(document["number"], document["reference"]) for document in documents] == [(R1, "A"), (R2, "B")]


def test_the_shortcut_is_taken_for_the_empty_list_too() -> None:
    row = sale(tenders=[])
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.said("pos_receipt", row) == [f"push {R1}"]


def test_a_refund_row_gives_a_refund_allocated_to_its_credit_note() -> None:
    ledger = Ledger().post("pos_invoice", sale()).as_original()
    ledger.post("pos_invoice", refund())
    document = ledger.pushed("pos_receipt", refund())
    assert (document["document_type"], document["amount"]) == ("refund", "-20.00")
    assert document["allocations"] == [{"invoice_number": REFUND, "amount": "-20.00"}]


def test_what_amount_paid_exceeds_the_receipts_sent_or_in_doubt_is_the_next_receipt() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00"))
    assert ledger.said("pos_receipt", sale(status="completed", amount_paid="35.00")) == [f"push {R2}"]
    assert ledger.pushed("pos_receipt", sale(status="completed", amount_paid="35.00"))["amount"] == "15.00"
    ledger.doubt(R1)
    assert ledger.said("pos_receipt", sale(status="completed", amount_paid="35.00")) == [
        f"push {R1}",
        f"wait {R2}",
    ]


def test_a_refund_paid_back_in_parts_by_the_shortcut() -> None:
    part = refund(status="completed", amount_paid="5.00", known=False)
    ledger = Ledger().post_all(part)
    document = ledger.pushed("pos_receipt", refund(known=False))
    assert (document["number"], document["amount"]) == (f"{REFUND}-R2", "-15.00")
    assert ledger.said("pos_receipt", refund(status="completed", amount_paid="4.00", known=False)) == [
        f"{AMENDED} {REFUND}-R1"
    ]


def test_by_the_shortcut_a_method_changed_alone_is_a_conflict_on_the_last() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00"))
    ledger.post_all(sale(amount_paid="50.00"))
    assert ledger.said("pos_receipt", sale(amount_paid="50.00", payment_method="card")) == [f"{AMENDED} {R2}"]


def test_by_the_shortcut_a_method_changed_with_more_paid_is_the_next_receipt() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00"))
    row = sale(amount_paid="50.00", payment_method="card")
    assert ledger.said("pos_receipt", row) == [f"push {R2}"]
    ledger.post_all(row)
    assert ledger.said("pos_receipt", row) == []


def test_by_the_shortcut_less_paid_is_a_conflict_on_the_last() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00"))
    ledger.post_all(sale(status="completed", amount_paid="40.00"))
    assert ledger.said("pos_receipt", sale(status="completed", amount_paid="39.99")) == [f"{AMENDED} {R2}"]
    assert ledger.said("pos_receipt", sale(status="completed", amount_paid="0.00")) == [f"{AMENDED} {R2}"]


def test_by_the_shortcut_dates_of_those_sent_are_not_compared() -> None:
    ledger = Ledger().post_all(sale())
    assert ledger.said("pos_receipt", sale(paid_at="2026-05-09T00:00:00Z")) == []


def test_a_single_tender_written_out_later_is_the_same_receipt() -> None:
    ledger = Ledger().post_all(sale())
    assert ledger.said("pos_receipt", sale(tenders=[tender(1, "50.00")])) == []
    assert ledger.said("pos_receipt", sale(tenders=[tender(1, "50.00", "card")])) == [f"{AMENDED} {R1}"]


def test_tenders_replaced_by_the_shortcut_compare_sum_and_last_method() -> None:
    ledger = Ledger().post_all(sale(tenders=[tender(1, "20.00"), tender(2, "30.00", "card")]))
    assert ledger.said("pos_receipt", sale(payment_method="card")) == []
    assert ledger.said("pos_receipt", sale(payment_method="cash")) == [f"{AMENDED} {R2}"]


@pytest.mark.parametrize(
    ("status", "tenders"),
    [
        ("completed", [tender(1, "60.00"), tender(2, "-10.00")]),
        ("completed", [tender(1, "20.00"), tender(1, "30.00")]),
        ("completed", [tender(1, "50.01")]),
        ("refunded", [tender(1, "50.01")]),
        ("paid", [tender(1, "49.99")]),
    ],
    ids=["a sign", "a repeated seq", "more", "more in any status", "less when paid"],
)
def test_tenders_that_contradict_the_total_block_each_receipt_not_sent(
    status: str, tenders: list[dict[str, object]]
) -> None:
    row = sale(status=status, tenders=tenders)
    ledger = Ledger().post("pos_invoice", row)
    numbers = dict.fromkeys(f"{NUMBER}-R{entry['seq']}" for entry in tenders)
    assert ledger.said("pos_receipt", row) == [f"block TENDER_MISMATCH {number}" for number in numbers]


def test_less_than_the_total_is_no_mismatch_unless_it_is_called_paid() -> None:
    for status in ("completed", "partially_refunded", "refunded"):
        row = sale(status=status, tenders=[tender(1, "49.99")])
        assert Ledger().post("pos_invoice", row).said("pos_receipt", row) == [f"push {R1}"]


def test_a_mismatch_blocks_only_what_was_not_sent() -> None:
    ledger = Ledger().post_all(sale(status="completed", tenders=[tender(1, "20.00")]))
    row = sale(tenders=[tender(1, "20.00"), tender(2, "29.00")])
    assert ledger.said("pos_receipt", row) == [f"block TENDER_MISMATCH {R2}"]


def test_a_mismatch_where_all_were_sent_is_a_conflict_on_the_last() -> None:
    tenders = [tender(1, "20.00"), tender(2, "29.00")]
    ledger = Ledger().post_all(sale(status="completed", tenders=tenders))
    assert ledger.said("pos_receipt", sale(status="paid", tenders=tenders)) == [f"{AMENDED} {R2}"]
    shortcut = Ledger().post_all(sale(status="completed", amount_paid="49.00"))
    assert shortcut.said("pos_receipt", sale(status="paid", amount_paid="49.00")) == [f"{AMENDED} {R1}"]


def test_a_mismatch_beside_an_unsent_tender_of_zero_is_a_conflict_on_the_last_sent() -> None:
    ledger = Ledger().post_all(sale(status="completed", tenders=[tender(1, "20.00")]))
    row = sale(tenders=[tender(1, "20.00"), tender(2, "0.00")])
    assert ledger.said("pos_receipt", row) == [f"{AMENDED} {R1}", f"skip ZERO_TOTAL {R2}"]


def test_a_mismatch_beside_a_last_receipt_in_doubt_waits_for_its_fate() -> None:
    tenders = [tender(1, "20.00"), tender(2, "29.00")]
    ledger = Ledger().post_all(sale(status="completed", tenders=tenders)).doubt(R2)
    assert ledger.said("pos_receipt", sale(status="paid", tenders=tenders)) == [f"push {R2}"]


def test_a_repeated_seq_that_was_sent_is_a_conflict() -> None:
    ledger = Ledger().post_all(sale(status="completed", tenders=[tender(1, "20.00")]))
    row = sale(tenders=[tender(1, "20.00"), tender(1, "30.00")])
    assert ledger.said("pos_receipt", row) == [f"{AMENDED} {R1}"]


def test_a_sale_paid_by_nobody_whose_receipt_was_sent_is_one_conflict() -> None:
    ledger = Ledger().post_all(sale())
    row = sale(amount_paid="0.00", payment_method=None)
    assert ledger.said("pos_receipt", row) == [f"{AMENDED} {R1}"]


def test_a_negative_total_wants_negative_tenders() -> None:
    row = sale(item(1, "-30.00", quantity="-1"), tenders=[tender(1, "30.00")])
    ledger = Ledger().post("pos_invoice", row)
    assert ledger.said("pos_receipt", row) == [f"block TENDER_MISMATCH {R1}"]
    row = sale(item(1, "-30.00", quantity="-1"), tenders=[tender(1, "-30.00")])
    assert ledger.said("pos_receipt", row) == [f"push {R1}"]


def test_an_unsent_receipt_waits_beside_one_in_conflict() -> None:
    ledger = Ledger().post_all(sale(status="completed", tenders=[tender(1, "20.00")]))
    row = sale(tenders=[tender(1, "20.00", "card"), tender(2, "30.00")])
    assert ledger.said("pos_receipt", row) == [f"{AMENDED} {R1}", f"wait {R2}"]


def test_a_tender_removed_after_its_receipt_was_sent_leaves_the_others_alone() -> None:
    both = [tender(1, "20.00"), tender(2, "10.00")]
    ledger = Ledger().post_all(sale(status="completed", tenders=both))
    assert ledger.said("pos_receipt", sale(status="completed", tenders=both[:1])) == [f"{AMENDED} {R2}"]


def test_a_voided_sale_reverses_each_receipt_sent_and_skips_each_that_was_not() -> None:
    tenders = [tender(1, "20.00", ref="A"), tender(2, "30.00", "grabpay")]
    row = sale(tenders=tenders)
    voided = sale(tenders=tenders, **VOIDED)
    ledger = Ledger().post_all(row)
    assert ledger.said("pos_receipt", voided) == [f"wait {R1}X", f"skip VOIDED_BEFORE_PUSH {R2}"]
    ledger.post("pos_invoice", voided)
    document = ledger.pushed("pos_receipt", voided)
    sent = next(entry.document for entry in ledger.sent if entry.number == R1)
    assert document == {
        **sent,
        "document_type": "refund",
        "number": f"{R1}X",
        "date": "2026-05-02",
        "amount": "-20.00",
        "allocations": [{"invoice_number": f"{NUMBER}-V1", "amount": "-20.00"}],
    }


def test_a_voided_refund_takes_its_refunds_back_as_receipts() -> None:
    voided = refund(known=False, **VOIDED)
    ledger = Ledger().post_all(refund(known=False)).post("pos_invoice", voided)
    document = ledger.pushed("pos_receipt", voided)
    assert (document["document_type"], document["amount"]) == ("receipt", "20.00")
    assert document["allocations"] == [{"invoice_number": f"{REFUND}-V1", "amount": "20.00"}]


def test_a_reversal_waits_while_the_invoices_reversal_is_in_doubt() -> None:
    voided = sale(**VOIDED)
    ledger = Ledger().post_all(sale()).post("pos_invoice", voided).doubt(f"{NUMBER}-V1")
    assert ledger.said("pos_receipt", voided) == [f"wait {R1}X"]


def test_a_receipt_in_doubt_goes_first_when_the_sale_is_voided() -> None:
    voided = sale(**VOIDED)
    ledger = Ledger().post_all(sale()).post("pos_invoice", voided).doubt(R1)
    assert ledger.said("pos_receipt", voided) == [f"push {R1}"]


def test_a_reversal_of_a_receipt_in_doubt_is_pushed_again_and_no_more() -> None:
    voided = sale(**VOIDED)
    ledger = Ledger().post_all(sale()).post_all(voided).doubt(f"{R1}X")
    for now in (voided, sale(), None):
        assert ledger.said("pos_receipt", now) == [f"push {R1}X"]


def test_unsent_receipts_wait_while_the_invoices_reversal_is_in_doubt() -> None:
    ledger = Ledger().post("pos_invoice", sale()).post("pos_invoice", sale(**VOIDED)).doubt(f"{NUMBER}-V1")
    assert ledger.said("pos_receipt", sale()) == [f"wait {R1}"]


def test_a_part_paid_sale_that_is_voided_skips_the_rest_of_the_shortcut() -> None:
    ledger = Ledger().post_all(sale(status="completed", amount_paid="20.00"))
    voided = sale(amount_paid="50.00", **VOIDED)
    assert ledger.said("pos_receipt", voided) == [f"wait {R1}X", f"skip VOIDED_BEFORE_PUSH {R2}"]


def test_the_order_in_which_the_ledger_lists_what_was_sent_does_not_matter() -> None:
    ledger = Ledger()
    for amount in ("10.00", "20.00", "30.00"):
        ledger.post_all(sale(status="completed", amount_paid=amount))
    ledger.sent.reverse()
    assert ledger.said("pos_receipt", sale()) == [f"push {NUMBER}-R4"]
    assert ledger.said("pos_receipt", sale(status="completed", amount_paid="25.00")) == [f"{AMENDED} {R3}"]
    assert ledger.said("pos_receipt", None) == [f"conflict SOURCE_GONE {number}" for number in (R1, R2, R3)]
    seen = Ledger().post_all(sale()).as_original()
    seen.sent.reverse()
    assert seen.said("pos_invoice", refund()) == [f"push {REFUND}"]
