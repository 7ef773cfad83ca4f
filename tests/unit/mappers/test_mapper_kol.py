"""KOL bills and payments."""

import pytest

from tests.unit.mappers.rows import BILL, CANCELLED, Ledger, paid, settlement, tender

P1, P2 = f"{BILL}-P1", f"{BILL}-P2"
AMENDED = "conflict AMENDED_AFTER_PUSH"
BONUS = {"label": "Bonus", "amount": "200.00"}


def test_net_payable_is_commission_and_adjustments() -> None:
    row = settlement(adjustments=[BONUS], net_payable="1000.00")
    assert Ledger().said("kol_bill", row) == [f"block SOURCE_TOTAL_MISMATCH {BILL}"]


def test_no_adjustments_may_be_null_or_the_empty_list() -> None:
    assert Ledger().pushed("kol_bill", settlement(adjustments=None)) == Ledger().pushed(
        "kol_bill", settlement(adjustments=[])
    )


def test_a_label_is_cut_at_255_code_points() -> None:
    row = settlement(adjustments=[{"label": "好" * 300, "amount": "1.00"}])
    assert Ledger().pushed("kol_bill", row)["lines"][1]["description"] == "好" * 255


def test_a_negative_total_is_a_debit_note_under_the_same_number() -> None:
    row = settlement(commission_amount="100.00", wht_amount="120.00")
    document = Ledger().pushed("kol_bill", row)
    assert (document["document_type"], document["number"]) == ("debit_note", BILL)
    assert document["totals"]["total"] == "-20.00"


def test_a_total_that_only_withholding_makes_zero_is_skipped() -> None:
    row = settlement(commission_amount="100.00", wht_amount="100.00")
    assert Ledger().said("kol_bill", row) == [f"skip ZERO_TOTAL {BILL}"]


def test_a_paid_settlement_of_zero_skips_its_payment_for_the_same_reason() -> None:
    row = paid(commission_amount="0.00")
    assert Ledger().said("kol_payment", row) == [f"skip ZERO_TOTAL {P1}"]


def test_a_bill_waits_for_nothing_when_it_is_paid_already() -> None:
    assert Ledger().said("kol_bill", paid()) == [f"push {BILL}"]


def test_a_cancelled_bill_is_reversed_as_it_was_sent() -> None:
    ledger = Ledger().post("kol_bill", settlement(wht_amount="20.00"))
    sent = ledger.sent[0].document
    document = ledger.pushed("kol_bill", settlement(commission_amount="7.00", payee_kol_id=12, **CANCELLED))
    assert (document["document_type"], document["original_number"]) == ("debit_note", BILL)
    assert [line["amount"] for line in document["lines"]] == ["-1000.00", "20.00"]
    assert (document["contact"], document["period"]) == (sent["contact"], sent["period"])
    assert (document["date"], document["due_date"]) == ("2026-05-03", "2026-05-03")


def test_uncancelled_after_the_reversal_was_sent_is_a_conflict_and_payments_wait() -> None:
    ledger = Ledger().post_all(paid(), "kol").post_all(paid(**CANCELLED), "kol")
    assert [entry.number for entry in ledger.sent] == [BILL, P1, f"{BILL}-V1", f"{P1}X"]
    assert ledger.said("kol_bill", paid()) == [f"{AMENDED} {BILL}"]
    assert ledger.said("kol_payment", paid()) == [f"wait {P1}B"]


def test_cancelled_before_anything_was_sent_is_skipped_with_its_payments() -> None:
    row = settlement(payments=[tender(1, "10.00"), tender(2, "20.00")], **CANCELLED)
    assert Ledger().said("kol_bill", row) == [f"skip CANCELLED_BEFORE_PUSH {BILL}"]
    assert Ledger().said("kol_payment", row) == [
        f"skip CANCELLED_BEFORE_PUSH {P1}",
        f"skip CANCELLED_BEFORE_PUSH {P2}",
    ]


def test_cancelled_after_the_bill_skips_payments_never_sent_and_reverses_the_others() -> None:
    one = [tender(1, "400.00", "bank_transfer")]
    both = [*one, tender(2, "600.00", "bank_transfer")]
    ledger = Ledger().post_all(settlement(payments=one), "kol")
    assert ledger.said("kol_payment", settlement(payments=both, **CANCELLED)) == [
        f"push {P1}X",
        f"skip CANCELLED_BEFORE_PUSH {P2}",
    ]


def test_an_approved_settlement_pays_its_entries() -> None:
    row = settlement(payments=[tender(1, "400.00", "bank_transfer", ref="A")])
    ledger = Ledger().post("kol_bill", row)
    document = ledger.pushed("kol_payment", row)
    assert (document["amount"], document["reference"]) == ("400.00", "A")


def test_what_is_paid_at_once_is_net_of_withholding() -> None:
    ledger = Ledger().post("kol_bill", paid(wht_amount="20.00"))
    assert ledger.pushed("kol_payment", paid(wht_amount="20.00"))["amount"] == "980.00"


def test_a_negative_total_is_no_payment() -> None:
    row = paid(commission_amount="-50.00")
    ledger = Ledger().post("kol_bill", row)
    assert ledger.said("kol_payment", row) == [f"skip ZERO_TOTAL {P1}"]
    entries = paid(commission_amount="-50.00", payments=[tender(1, "10.00"), tender(2, "20.00")])
    assert ledger.said("kol_payment", entries) == [f"skip ZERO_TOTAL {P1}", f"skip ZERO_TOTAL {P2}"]


@pytest.mark.parametrize(
    ("status", "entries"),
    [
        ("approved", [tender(1, "980.01")]),
        ("approved", [tender(1, "-1.00")]),
        ("approved", [tender(1, "1.00"), tender(1, "1.00")]),
        ("paid", [tender(1, "979.99")]),
    ],
    ids=["more", "a sign", "a repeated seq", "less when paid"],
)
def test_payments_that_contradict_what_is_owed_are_blocked(
    status: str, entries: list[dict[str, object]]
) -> None:
    row = paid(status=status, wht_amount="20.00", payments=entries)
    ledger = Ledger().post("kol_bill", row)
    assert ledger.said("kol_payment", row) == [f"block TENDER_MISMATCH {P1}"]


def test_payments_that_contradict_what_is_owed_when_all_were_sent_are_a_conflict_on_the_last() -> None:
    entries = [tender(1, "400.00", "bank_transfer"), tender(2, "100.00", "bank_transfer")]
    ledger = Ledger().post_all(settlement(payments=entries), "kol")
    assert ledger.said("kol_payment", paid(payments=entries)) == [f"{AMENDED} {P2}"]
    assert ledger.said("kol_payment", paid(payments=entries[:1])) == [f"push {P2}X", f"{AMENDED} {P1}"]


@pytest.mark.parametrize(
    "changes",
    [{"amount": "999.00"}, {"method": "cash"}, {"paid_at": "2026-05-02T06:00:00Z"}],
    ids=["amount", "method", "date"],
)
def test_an_entry_replaced_under_the_same_seq_is_a_conflict(changes: dict[str, object]) -> None:
    entry = tender(1, "900.00", "bank_transfer")
    ledger = Ledger().post_all(settlement(payments=[entry]), "kol")
    now = settlement(payments=[{**entry, **changes}, tender(2, "1.00")])
    assert ledger.said("kol_payment", now) == [f"{AMENDED} {P1}", f"wait {P2}"]


def test_another_reference_of_a_payment_is_nothing() -> None:
    entry = tender(1, "900.00", "bank_transfer")
    ledger = Ledger().post_all(settlement(payments=[entry]), "kol")
    assert ledger.said("kol_payment", settlement(payments=[{**entry, "ref": "other"}])) == []


def test_a_payment_taken_out_is_reversed_as_it_was_sent_whatever_becomes_of_the_bill() -> None:
    ledger = Ledger().post_all(paid(payment_reference="FT-1"), "kol")
    sent = ledger.sent[1].document
    now = settlement(commission_amount="1200.00", updated_at="2026-05-08T02:00:00Z")
    assert ledger.said("kol_bill", now) == [f"{AMENDED} {BILL}"]
    assert ledger.pushed("kol_payment", now) == {
        **sent,
        "document_type": "payment_reversal",
        "number": f"{P1}X",
        "date": "2026-05-08",
        "amount": "-1000.00",
        "allocations": [{"bill_number": BILL, "amount": "-1000.00"}],
    }


def test_a_payment_cancelled_with_its_settlement_is_reversed_on_that_day() -> None:
    ledger = Ledger().post_all(paid(), "kol")
    now = paid(updated_at="2026-05-08T02:00:00Z", **CANCELLED)
    assert ledger.pushed("kol_payment", now)["date"] == "2026-05-03"


def test_until_a_payment_is_reversed_no_other_goes() -> None:
    ledger = Ledger().post_all(settlement(payments=[tender(1, "400.00", "cash")]), "kol")
    now = settlement(payments=[tender(2, "400.00", "cash")])
    assert ledger.said("kol_payment", now) == [f"push {P1}X", f"wait {P2}"]
    ledger.post("kol_payment", now)
    doubtful = ledger.sent
    ledger.doubt(f"{P1}X")
    assert ledger.said("kol_payment", now) == [f"push {P1}X", f"wait {P2}"]
    ledger.sent = doubtful
    assert ledger.said("kol_payment", now) == [f"push {P2}"]


def test_a_payment_that_returns_again_and_again_gets_the_next_letter() -> None:
    ledger, there, back = Ledger(), paid(), settlement()
    for _ in range(24):
        ledger.post_all(there, "kol").post_all(back, "kol")
    numbers = [entry.number for entry in ledger.sent if entry.endpoint == "kol_payment"]
    letters = ["", *"BCDEFGHIJKLMNOPQRSTUVWY"]
    assert numbers == [f"{P1}{letter}{x}" for letter in letters for x in ("", "X")]
    ledger.post_all(there, "kol").post_all(back, "kol")
    assert ledger.said("kol_payment", there) == [f"push {P1}ZB"]


def test_a_returning_payment_waits_while_the_reversal_is_in_doubt() -> None:
    ledger = Ledger().post_all(paid(), "kol").post_all(settlement(), "kol").doubt(f"{P1}X")
    assert ledger.said("kol_payment", paid()) == [f"push {P1}X", f"wait {P1}B"]


def test_payments_wait_while_the_bill_is_in_conflict_in_doubt_or_being_reversed() -> None:
    ledger = Ledger().post("kol_bill", settlement())
    assert ledger.said("kol_payment", paid(commission_amount="1200.00")) == [f"wait {P1}"]
    ledger.doubt(BILL)
    assert ledger.said("kol_payment", paid()) == [f"wait {P1}"]
    ledger = (
        Ledger().post("kol_bill", settlement()).post("kol_bill", settlement(**CANCELLED)).doubt(f"{BILL}-V1")
    )
    assert ledger.said("kol_payment", paid()) == [f"wait {P1}"]


def test_a_payment_in_doubt_goes_first_when_the_settlement_is_cancelled() -> None:
    ledger = Ledger().post_all(paid(), "kol").doubt(P1)
    assert ledger.said("kol_payment", paid(**CANCELLED)) == [f"push {P1}"]


def test_a_payment_waits_beside_one_in_doubt() -> None:
    one = tender(1, "400.00", "cash")
    ledger = Ledger().post_all(settlement(payments=[one]), "kol").doubt(P1)
    assert ledger.said("kol_payment", settlement(payments=[one, tender(2, "100.00")])) == [
        f"push {P1}",
        f"wait {P2}",
    ]


def test_payments_of_a_total_that_turned_negative_are_a_conflict_on_the_last_and_new_ones_are_skipped() -> (
    None
):
    one = tender(1, "400.00", "bank_transfer")
    ledger = Ledger().post_all(settlement(payments=[one]), "kol")
    now = settlement(commission_amount="-10.00", payments=[one, tender(2, "5.00")])
    assert ledger.said("kol_payment", now) == [f"{AMENDED} {P1}", f"skip ZERO_TOTAL {P2}"]
