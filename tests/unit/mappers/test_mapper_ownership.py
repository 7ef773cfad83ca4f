"""Whose rows: what is not the tenant's is skipped, and what was sent of it is a conflict."""

import pytest

from tests.unit.mappers.rows import (
    BILL,
    CANCELLED,
    NUMBER,
    REFUND,
    VOIDED,
    Ledger,
    original,
    paid,
    refund,
    sale,
    settlement,
    tender,
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": "pos"}, "push"),
        ({"source": "live_pos"}, "push"),
        ({"source": "ecommerce_pickup"}, "skip NOT_OWNED"),
        ({"source": "live_pos", "platform_order_id": 1}, "skip NOT_OWNED"),
    ],
)
def test_a_sale_is_owned_by_its_source_and_without_a_platform_order(
    changes: dict[str, object], expected: str
) -> None:
    assert Ledger().said("pos_invoice", sale(**changes)) == [f"{expected} {NUMBER}"]


@pytest.mark.parametrize(
    "changes", [{"payer_type": "platform"}, {"payer_id": 2}, {"payer_type": "platform", "payer_id": 0}]
)
def test_a_settlement_is_owned_when_its_blogger_pays(changes: dict[str, object]) -> None:
    assert Ledger().said("kol_bill", settlement(**changes)) == [f"skip NOT_OWNED {BILL}"]
    assert Ledger().said("kol_payment", paid(**changes)) == [f"skip NOT_OWNED {BILL}-P1"]


def test_the_owners_own_commission_is_not_posted() -> None:
    assert Ledger().said("kol_bill", settlement(payee_kol_id=10)) == [f"skip SELF_PAYEE {BILL}"]
    assert Ledger().said("kol_payment", paid(payee_kol_id=10)) == [f"skip SELF_PAYEE {BILL}-P1"]
    assert Ledger(owner_kol_id=None).said("kol_bill", settlement(payee_kol_id=10)) == [f"push {BILL}"]


def test_mode_and_payee_are_asked_only_until_the_bill_was_sent() -> None:
    ledger = Ledger().post("kol_bill", settlement())
    ledger.settings = Ledger(kol_mode="single", owner_kol_id=11).settings
    assert ledger.said("kol_bill", paid()) == []
    assert ledger.said("kol_payment", paid()) == [f"push {BILL}-P1"]


def test_mode_is_not_asked_while_the_bill_is_in_doubt() -> None:
    ledger = Ledger().post("kol_bill", settlement(), "in_doubt")
    ledger.settings = Ledger(kol_mode="single").settings
    assert ledger.said("kol_bill", paid()) == [f"push {BILL}"]
    assert ledger.said("kol_payment", paid()) == [f"wait {BILL}-P1"]


def test_a_row_that_went_to_another_is_a_conflict_for_what_was_sent_and_a_skip_for_the_rest() -> None:
    first, both = [tender(1, "20.00")], [tender(1, "20.00"), tender(2, "30.00")]
    ledger = Ledger().post_all(sale(status="completed", tenders=first))
    gone = sale(tenders=both, platform_order_id=4)
    assert ledger.said("pos_invoice", gone) == [f"conflict SOURCE_GONE {NUMBER}"]
    assert ledger.said("pos_receipt", gone) == [
        f"conflict SOURCE_GONE {NUMBER}-R1",
        f"skip NOT_OWNED {NUMBER}-R2",
    ]


def test_a_settlement_that_is_gone_is_a_conflict_for_bill_and_payments() -> None:
    ledger = Ledger().post_all(paid(), "kol")
    for now in (
        None,
        paid(status="draft"),
        paid(payer_type="platform"),
        paid(payer_type="platform", **CANCELLED),
    ):
        assert ledger.said("kol_bill", now) == [f"conflict SOURCE_GONE {BILL}"]
        assert ledger.said("kol_payment", now) == [f"conflict SOURCE_GONE {BILL}-P1"]


def test_a_voided_sale_that_is_not_owned_any_more_is_gone_not_reversed() -> None:
    ledger = Ledger().post_all(sale())
    gone = sale(status="voided", voided_at="2026-05-02T04:00:00Z", platform_order_id=4)
    assert ledger.said("pos_invoice", gone) == [f"conflict SOURCE_GONE {NUMBER}"]


def test_what_was_reversed_is_not_missed_when_its_row_is_gone() -> None:
    voided = sale(status="voided", voided_at="2026-05-02T04:00:00Z")
    ledger = Ledger().post_all(sale()).post("pos_invoice", voided)
    assert ledger.said("pos_invoice", None) == []
    assert ledger.said("pos_receipt", None) == [f"conflict SOURCE_GONE {NUMBER}-R1"]
    ledger.post("pos_receipt", voided)
    assert ledger.said("pos_receipt", None) == []


def test_an_open_row_whose_documents_were_sent_calls_for_no_new_receipt() -> None:
    ledger = Ledger().post("pos_invoice", sale())
    assert ledger.said("pos_receipt", sale(status="open")) == []


def test_a_refund_of_a_sale_that_is_not_owned_is_skipped_before_any_other_check() -> None:
    row = refund(of=original(owned=False, txn_type="refund", status="voided"))
    assert Ledger().said("pos_invoice", row) == [f"skip NOT_OWNED {REFUND}"]
    assert Ledger().said("pos_receipt", row) == [f"skip NOT_OWNED {REFUND}-R1"]
    voided = refund(of=original(owned=False), **VOIDED)
    assert Ledger().said("pos_invoice", voided) == [f"skip NOT_OWNED {REFUND}"]
    assert Ledger().said("pos_receipt", voided) == [f"skip NOT_OWNED {REFUND}-R1"]


def test_a_cancelled_settlement_in_single_mode_skips_its_payments_for_the_mode() -> None:
    row = settlement(payments=[tender(1, "10.00")], **CANCELLED)
    assert Ledger(kol_mode="single").said("kol_payment", row) == [f"skip KOL_MODE_SINGLE {BILL}-P1"]
