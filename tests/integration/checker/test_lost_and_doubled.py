"""What is missing, falsely named, unknown or there twice is named, alone."""

import pytest

from deploy.checker import Kind
from tests.integration.checker.breaks import Break, Breaks, assert_named, row, settlement, unask
from tests.integration.checker.documents import invoice, line, payment, receipt
from tests.integration.checker.world import World

breaks = Breaks()


@breaks(Kind.LOST, "POS2026050100001-R1")
def a_receipt_that_nobody_knows(world: World) -> None:
    world.forget("POS2026050200001-R1")
    world.forget("POS2026050200001")
    world.run(
        """delete from pos_transaction_items using pos_transactions p
           where transaction_id = p.id and txn_type = 'refund'"""
    )
    world.run("delete from pos_transactions where txn_type = 'refund'")
    world.run("delete from aiaccount.documents where number = 'POS2026050100001-R1' and company_id = 'c1'")
    gone = {
        e["request_id"]
        for e in world.book
        if e.get("number") == "POS2026050100001-R1" and e["company_id"] == "c1"
    }
    world.book[:] = [e for e in world.book if e.get("request_id") not in gone]


@breaks(Kind.LOST, "POS2026050200001-R1")
def a_refund_paid_back_that_nobody_knows(world: World) -> None:
    world.forget("POS2026050200001-R1")


@breaks(Kind.LOST, "POS2026050100002-R2")
def accepted_but_not_in_the_books(world: World) -> None:
    world.forget("POS2026050100002-R2", ledger=False)


@breaks(Kind.LOST, "KS202604-00001-P1")
def a_payment_that_nobody_knows(world: World) -> None:
    world.forget("KS202604-00001-P1")


@breaks(Kind.LOST, "POS2026050100004-R1X")
def a_reversal_that_never_came(world: World) -> None:
    world.forget("POS2026050100004-R1X")


@breaks(Kind.LOST, "KS202604-00002-V1")
def a_cancelled_bill_that_was_not_taken_back(world: World) -> None:
    world.forget("KS202604-00002-V1")


@breaks(Kind.LOST, "POS2026050100009-R1")
def blocked_by_the_row_and_not_named(world: World) -> None:
    world.forget("POS2026050100009-R1")


@breaks(Kind.LOST, "POS2026050100010")
def a_new_sale_that_nobody_saw(world: World) -> None:
    made = world.sale("POS2026050100010", "12.00", amount_paid=0, payment_method=None, status="completed")
    assert made


@breaks(Kind.LOST, "POS2026050100011-R1")
def the_balance_was_paid_and_nobody_saw(world: World) -> None:
    made = world.sale("POS2026050100011", "12.00", amount_paid=0, status="completed", paid_at=None)
    world.push("pos_invoice", invoice("POS2026050100011", made, [line("12.00")], "12.00"))
    world.run("update pos_transactions set status = 'paid', amount_paid = 12 where id = %s", made)


@breaks(Kind.WRONG, "POS2026050100002-R2")
def skipped_for_a_false_reason(world: World) -> None:
    world.forget("POS2026050100002-R2")
    made = row(world, "POS2026050100002")
    world.know("pos_receipt", "POS2026050100002-R2", made, verdict="skip", code="BEFORE_CUTOVER")


@breaks(Kind.WRONG, "POS2025123100001-R1")
def skipped_rightly_for_another_reason(world: World) -> None:
    world.run("update aiaccount.documents set code = 'ZERO_TOTAL' where number = 'POS2025123100001-R1'")


@breaks(Kind.WRONG, "KS202604-00001-P1")
def blocked_for_a_false_reason(world: World) -> None:
    world.forget("KS202604-00001-P1")
    made = settlement(world, "KS202604-00001")
    world.know("kol_payment", "KS202604-00001-P1", made, verdict="block", code="PAYMENT_METHOD_UNMAPPED")


@breaks(Kind.UNKNOWN, "POS2026050100002-R2")
def in_the_books_and_not_in_the_ledger(world: World) -> None:
    world.forget("POS2026050100002-R2", book=False)


@breaks(Kind.UNKNOWN, "POS2026050100002-R2")
def in_the_books_and_refused_says_the_ledger(world: World) -> None:
    world.forget("POS2026050100002-R2", book=False)
    made = row(world, "POS2026050100002")
    world.know("pos_receipt", "POS2026050100002-R2", made, verdict="block", code="CURRENCY_NOT_ENABLED")


@breaks(Kind.DOUBLED, "POS2026050100003")
def stored_twice(world: World) -> None:
    world.store("pos_invoice", world.stored("POS2026050100003")["document"])


@breaks(Kind.DOUBLED, "KS202604-00001-P1")
def a_payment_stored_twice(world: World) -> None:
    world.store("kol_payment", world.stored("KS202604-00001-P1")["document"])


@breaks(Kind.DOUBLED, "POS2026050100003")
def stored_under_two_contacts(world: World) -> None:
    again = dict(world.stored("POS2026050100003")["document"])
    contact = {"code": "C9", "name": "Tan", "type": "customer", "tin": None}
    request = world.store("pos_invoice", again | {"contact": contact})["request_id"]
    unask(world, request)


@breaks(Kind.DOUBLED, "POS2026050199999")
def two_invoices_for_one_sale(world: World) -> None:
    world.store(
        "pos_invoice", dict(world.stored("POS2026050100003")["document"]) | {"number": "POS2026050199999"}
    )


@breaks(Kind.DOUBLED, "POS2026050199999")
def two_invoices_for_one_sale_and_both_in_the_ledger(world: World) -> None:
    again = dict(world.stored("POS2026050100003")["document"]) | {"number": "POS2026050199999"}
    world.push("pos_invoice", again)


@breaks(Kind.DOUBLED, "KS202604-00001B")
def two_bills_for_one_settlement(world: World) -> None:
    world.store("kol_bill", dict(world.stored("KS202604-00001")["document"]) | {"number": "KS202604-00001B"})


@breaks(Kind.DOUBLED, "POS2026050100003-R2")
def receipts_together_more_than_the_sale(world: World) -> None:
    sold = world.stored("POS2026050100003")["document"]
    world.push("pos_receipt", receipt(sold, "POS2026050100003-R2", "9.99"))


@breaks(Kind.DOUBLED, "KS202604-00001-P1B")
def paid_again_without_a_reversal(world: World) -> None:
    billed = world.stored("KS202604-00001")["document"]
    world.store("kol_payment", payment(billed, "KS202604-00001-P1B", "1127.00"))


@breaks(Kind.DOUBLED, "POS2026050200001")
def a_credit_note_stored_twice(world: World) -> None:
    world.store("pos_invoice", world.stored("POS2026050200001")["document"])


@pytest.mark.parametrize(("kind", "number", "break_it"), breaks.cases)
def test_the_checker_names_exactly(world: World, kind: Kind, number: str, break_it: Break) -> None:
    break_it(world)
    assert_named(world, kind, number)
