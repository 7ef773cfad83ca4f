"""What a person decided about a conflict: issue the row anew, or accept what AiAccount has."""

from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from mappers import Push
from tests.unit.mappers.rows import (
    BILL,
    CANCELLED,
    NUMBER,
    PAIRS,
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

WAS = sale(tenders=[tender(1, "50.00")])
NOW = sale(item(1, "40.00"), tenders=[tender(1, "40.00")])
N = NUMBER
AMENDED = "AMENDED_AFTER_PUSH"


def amended() -> Ledger:
    """Give a paid sale that was posted, of which the row says something else now."""
    return Ledger().post_all(WAS)


def both(ledger: Ledger, now: dict[str, Any] | None, kind: str = "pos") -> list[str]:
    """Say the outcomes at both endpoints."""
    return [said for endpoint in PAIRS[kind] for said in ledger.said(endpoint, now)]


def balance(ledger: Ledger, endpoint: str) -> Decimal:
    """Add up what was sent."""
    documents = [entry.document for entry in ledger.sent if entry.endpoint == endpoint]
    return sum(
        (Decimal(each["amount"] if "amount" in each else each["totals"]["total"]) for each in documents),
        Decimal(0),
    )


def test_a_reissue_reverses_first_and_then_issues_under_new_numbers() -> None:
    ledger = amended().decide("reissue", 1)
    assert both(ledger, NOW) == [
        f"push {N}-V1", f"wait {N}-A1", f"wait {N}-R1X", f"wait {N}-S1",
    ]  # fmt: skip
    ledger.post("pos_invoice", NOW)
    assert both(ledger, NOW) == [f"push {N}-A1", f"push {N}-R1X", f"wait {N}-S1"]
    ledger.post("pos_invoice", NOW)
    assert both(ledger, NOW) == [f"push {N}-R1X", f"wait {N}-S1"]
    ledger.post("pos_receipt", NOW)
    assert both(ledger, NOW) == [f"push {N}-S1"]
    ledger.post("pos_receipt", NOW)
    assert both(ledger, NOW) == []
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 40


def test_the_documents_of_a_reissue_name_each_other_by_their_own_numbers() -> None:
    ledger = amended().decide("reissue", 1).post_all(NOW)
    sent = {entry.number: entry.document for entry in ledger.sent}
    assert sent[f"{N}-V1"]["original_number"] == N
    assert sent[f"{N}-V1"]["date"] == sent[f"{N}-R1X"]["date"] == "2026-05-10"
    assert sent[f"{N}-R1X"]["allocations"] == [{"invoice_number": f"{N}-V1", "amount": "-50.00"}]
    assert (sent[f"{N}-A1"]["original_number"], sent[f"{N}-A1"]["totals"]["total"]) == (None, "40.00")
    assert sent[f"{N}-A1"]["date"] == "2026-05-01"
    assert sent[f"{N}-S1"]["allocations"] == [{"invoice_number": f"{N}-A1", "amount": "40.00"}]


def test_a_reissued_sale_that_is_amended_again_is_a_conflict_and_can_be_issued_a_second_time() -> None:
    ledger = amended().decide("reissue", 1).post_all(NOW)
    later = sale(item(1, "30.00"), tenders=[tender(1, "30.00")])
    assert both(ledger, later) == [f"conflict {AMENDED} {N}-A1", f"conflict {AMENDED} {N}-S1"]
    ledger.decide("reissue", 2).post_all(later)
    assert both(ledger, later) == []
    sent = {entry.number: entry.document for entry in ledger.sent}
    ends = ("", "-V1", "-R1", "-R1X", "-A1", "-A1X", "-S1", "-S1X", "-A2", "-T1")
    assert set(sent) == {N + end for end in ends}
    assert sent[f"{N}-A1X"]["original_number"] == f"{N}-A1"
    assert sent[f"{N}-S1X"]["allocations"][0]["invoice_number"] == f"{N}-A1X"
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 30
    assert max(map(len, sent)) <= 20


def test_a_reissued_sale_that_is_voided_is_reversed_under_its_own_numbers() -> None:
    ledger = amended().decide("reissue", 1).post_all(NOW)
    ledger.post_all({**NOW, "pos_transaction": {**NOW["pos_transaction"], **VOIDED}})
    assert {f"{N}-A1X", f"{N}-S1X"} <= {entry.number for entry in ledger.sent}
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 0


@pytest.mark.parametrize("order", list(permutations(("pos_invoice", "pos_receipt", "doubt"))))
def test_whatever_the_order_and_whatever_is_in_doubt_meanwhile_it_comes_to_the_same(
    order: tuple[str, ...],
) -> None:
    ledger = amended().decide("reissue", 1)
    for _ in range(8):
        for step in order:
            if step != "doubt":
                ledger.post(step, NOW)
                continue
            for entry in list(ledger.sent):  # a worker dies in the call, and it is sent again
                ledger.doubt(entry.number)
                endpoint = entry.endpoint
                again = [each for each in ledger.plan(endpoint, NOW) if isinstance(each, Push)]
                assert [each.document for each in again if each.number == entry.number] == [entry.document]
                assert not [each.number for each in again if hangs_on(each.document, entry.number)]
                ledger.accept(entry.number)
    assert both(ledger, NOW) == []
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 40
    assert len(ledger.sent) == 6


def hangs_on(document: dict[str, Any], number: str) -> bool:
    """Say whether a document names another that it hangs on."""
    allocated = [entry.get("invoice_number") for entry in document.get("allocations", ())]
    return number in {document.get("original_number"), *allocated}


def test_a_new_issue_waits_while_the_reversal_is_in_doubt() -> None:
    ledger = amended().decide("reissue", 1).post("pos_invoice", NOW, "in_doubt")
    assert ledger.said("pos_invoice", NOW) == [f"push {N}-V1", f"wait {N}-A1"]
    ledger.accept(f"{N}-V1")
    assert ledger.said("pos_invoice", NOW) == [f"push {N}-A1"]


def test_an_invoice_that_was_never_accepted_is_issued_anew_without_a_reversal() -> None:
    ledger = Ledger().decide("reissue", 1)
    assert both(ledger, NOW) == [f"push {N}-A1", f"wait {N}-S1"]
    ledger.post_all(NOW)
    assert [entry.number for entry in ledger.sent] == [f"{N}-A1", f"{N}-S1"]


def test_a_row_that_is_gone_is_reversed_and_nothing_more() -> None:
    ledger = amended()
    assert both(ledger, None) == [f"conflict SOURCE_GONE {N}", f"conflict SOURCE_GONE {N}-R1"]
    ledger.decide("reverse", 1).post_all(None)
    assert both(ledger, None) == []
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 0
    assert both(ledger, NOW) == [f"push {N}-A1", f"wait {N}-S1"]


def test_a_sale_that_came_back_after_its_reversal_is_issued_anew() -> None:
    voided = {**WAS, "pos_transaction": {**WAS["pos_transaction"], **VOIDED}}
    ledger = amended().post_all(voided)
    assert f"conflict {AMENDED} {N}" in both(ledger, WAS)
    ledger.decide("reissue", 1).post_all(WAS)
    assert both(ledger, WAS) == []
    assert balance(ledger, "pos_invoice") == balance(ledger, "pos_receipt") == 50


def test_a_renumbered_sale_is_issued_under_its_new_number() -> None:
    moved = {**WAS, "pos_transaction": {**WAS["pos_transaction"], "receipt_no": "POS2026050100009"}}
    ledger = amended().decide("reissue", 1).post_all(moved)
    assert both(ledger, moved) == []
    numbers = {entry.number for entry in ledger.sent}
    assert {"POS2026050100009-A1", "POS2026050100009-S1", f"{N}-V1", f"{N}-R1X"} <= numbers


def test_a_number_without_room_for_the_new_ones_is_blocked() -> None:
    long = sale(receipt_no="POS20260501000012", tenders=[])
    ledger = Ledger().post("pos_invoice", long).decide("reissue", 1)
    now = {**long, "items": [{**long["items"][0], "description": "Hat"}]}
    ledger.post("pos_invoice", now)
    assert ledger.said("pos_invoice", now) == ["block NUMBER_TOO_LONG POS20260501000012-A1"]


def test_a_refund_of_a_reissued_sale_names_its_new_number_and_waits_for_it() -> None:
    ledger = amended().decide("reissue", 1)
    row = refund(of=original(refundable="40.00"))
    assert ledger.as_original().said("pos_invoice", row) == [f"wait {REFUND}"]
    ledger.post("pos_invoice", NOW)
    assert ledger.as_original().said("pos_invoice", row) == [f"wait {REFUND}"]
    ledger.post("pos_invoice", NOW)
    assert ledger.as_original().pushed("pos_invoice", row)["original_number"] == f"{N}-A1"


def test_a_refund_goes_on_once_what_was_sent_of_its_sale_is_accepted() -> None:
    ledger = amended()
    row = refund(of=original(refundable="40.00"))
    assert ledger.as_original().said("pos_invoice", row) == [f"wait {REFUND}"]
    ledger.decide("accept")
    assert ledger.as_original().pushed("pos_invoice", row)["original_number"] == N


def test_what_is_accepted_stands_and_is_named_and_what_waited_goes_on() -> None:
    ledger = Ledger().post("pos_invoice", WAS)
    assert both(ledger, NOW) == [f"conflict {AMENDED} {N}", f"wait {N}-R1"]
    ledger.decide("accept")
    assert both(ledger, NOW) == [f"accepted {AMENDED} {N}", f"push {N}-R1"]


def test_an_acceptance_ends_when_the_row_changes_again() -> None:
    ledger = amended().decide("accept")
    assert both(ledger, NOW) == [f"accepted {AMENDED} {N}", f"accepted {AMENDED} {N}-R1"]
    ledger.decisions.clear()
    ledger.decide("accept", holds=False)
    assert both(ledger, NOW) == [f"conflict {AMENDED} {N}", f"conflict {AMENDED} {N}-R1"]


def test_what_outlived_its_row_is_accepted_as_it_stands() -> None:
    ledger = amended().decide("accept")
    assert both(ledger, None) == [f"accepted SOURCE_GONE {N}", f"accepted SOURCE_GONE {N}-R1"]


def test_a_sale_voided_after_a_refund_is_accepted_as_it_stands() -> None:
    voided = sale(refunded="20.00", tenders=[tender(1, "50.00")], **VOIDED)
    ledger = amended()
    assert both(ledger, voided) == [f"conflict VOIDED_AFTER_REFUND {N}", f"wait {N}-R1X"]
    ledger.decide("accept")
    assert both(ledger, voided) == [f"accepted VOIDED_AFTER_REFUND {N}"]


def test_a_bill_and_its_payments_are_issued_anew() -> None:
    was, now = paid(), paid(commission_amount="900.00")
    ledger = Ledger().post_all(was, "kol")
    assert both(ledger, now, "kol") == [f"conflict {AMENDED} {BILL}", f"conflict {AMENDED} {BILL}-P1"]
    ledger.decide("reissue", 1).post_all(now, "kol")
    assert both(ledger, now, "kol") == []
    sent = {entry.number: entry.document for entry in ledger.sent}
    assert set(sent) == {BILL, f"{BILL}-V1", f"{BILL}-P1", f"{BILL}-P1X", f"{BILL}-A1", f"{BILL}-Q1"}
    assert sent[f"{BILL}-P1X"]["allocations"][0]["bill_number"] == BILL
    assert sent[f"{BILL}-Q1"]["allocations"][0]["bill_number"] == f"{BILL}-A1"
    assert balance(ledger, "kol_bill") == balance(ledger, "kol_payment") == 900


def test_a_payment_taken_back_after_a_reissue_keeps_the_letter_of_its_issue() -> None:
    now = paid(commission_amount="900.00")
    ledger = Ledger().post_all(paid(), "kol").decide("reissue", 1).post_all(now, "kol")
    back = settlement(commission_amount="900.00")
    ledger.post_all(back, "kol").post_all(now, "kol")
    assert {f"{BILL}-Q1X", f"{BILL}-Q1B"} <= {entry.number for entry in ledger.sent}
    ledger.post_all(settlement(commission_amount="900.00", **CANCELLED), "kol")
    assert balance(ledger, "kol_bill") == balance(ledger, "kol_payment") == 0
