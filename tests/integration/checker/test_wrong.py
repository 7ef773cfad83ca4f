"""What differs from what its row calls for is named, alone."""

import pytest

from deploy.checker import Kind
from tests.integration.checker.breaks import Break, Breaks, assert_named, row
from tests.integration.checker.documents import invoice, line
from tests.integration.checker.world import World

breaks = Breaks()


@breaks(Kind.WRONG, "POS2026050100002")
def the_total_is_off_by_a_sen(world: World) -> None:
    document = world.stored("POS2026050100002")["document"]
    world.change("POS2026050100002", totals=document["totals"] | {"total": "108.81"})


@breaks(Kind.WRONG, "POS2026050100002")
def the_rounding_is_not_the_till_s(world: World) -> None:
    document = world.stored("POS2026050100002")["document"]
    world.change("POS2026050100002", totals=document["totals"] | {"rounding": "-0.02"})


@breaks(Kind.WRONG, "POS2026050100003")
def the_odd_sen_of_tax_is_on_another_line(world: World) -> None:
    lines = world.stored("POS2026050100003")["document"]["lines"]
    taxes = ["0.25", "0.24", "0.25"]
    amounts = ["3.08", "3.09", "3.08"]
    mixed = [
        part | {"tax_amount": tax, "amount": amount}
        for part, tax, amount in zip(lines, taxes, amounts, strict=True)
    ]
    world.change("POS2026050100003", lines=mixed)


@breaks(Kind.WRONG, "POS2026050100002")
def a_line_is_missing(world: World) -> None:
    world.change("POS2026050100002", lines=world.stored("POS2026050100002")["document"]["lines"][:3])


@breaks(Kind.WRONG, "POS2026050100003")
def dated_after_midnight_when_it_was_before(world: World) -> None:
    world.change("POS2026050100003", date="2026-05-02", due_date="2026-05-02")


@breaks(Kind.WRONG, "POS2026050100002-R2")
def dated_in_utc_when_it_was_after_midnight_in_kuala_lumpur(world: World) -> None:
    world.change("POS2026050100002-R2", date="2026-05-01")


@breaks(Kind.WRONG, "POS2026050100003")
def due_another_day(world: World) -> None:
    world.change("POS2026050100003", due_date="2026-05-31")


@breaks(Kind.WRONG, "POS2026050200001-R1")
def the_contact_is_another_s(world: World) -> None:
    world.change(
        "POS2026050200001-R1", contact={"code": "C7", "name": "Lim", "type": "customer", "tin": None}
    )


@breaks(Kind.WRONG, "KS202604-00001-P1")
def the_payment_is_to_another_kol(world: World) -> None:
    world.change(
        "KS202604-00001-P1", contact={"code": "K12", "name": "Aisyah", "type": "supplier", "tin": None}
    )


@breaks(Kind.WRONG, "POS2026050200001")
def the_credit_note_names_no_original(world: World) -> None:
    world.change("POS2026050200001", original_number=None)


@breaks(Kind.WRONG, "POS2026050200001")
def a_refund_goes_as_an_invoice(world: World) -> None:
    world.change("POS2026050200001", document_type="invoice")


@breaks(Kind.WRONG, "POS2026050100002-R1")
def the_amount_of_a_receipt(world: World) -> None:
    world.change("POS2026050100002-R1", amount="40.01")


@breaks(Kind.WRONG, "POS2026050100002-R1")
def the_allocation_of_a_receipt(world: World) -> None:
    allocations = [{"invoice_number": "POS2026050100003", "amount": "40.00"}]
    entry = world.stored("POS2026050100003")
    assert entry["document"]["number"] == "POS2026050100003"
    world.change("POS2026050100002-R1", allocations=allocations)


@breaks(Kind.WRONG, "POS2026050100002-R2")
def the_bank_account(world: World) -> None:
    world.change("POS2026050100002-R2", bank_account_code="12100")


@breaks(Kind.WRONG, "POS2026050100002")
def the_tax_code(world: World) -> None:
    lines = world.stored("POS2026050100002")["document"]["lines"]
    world.change("POS2026050100002", lines=[lines[0] | {"tax_code": "NT"}, *lines[1:]])


@breaks(Kind.WRONG, "POS2026050100003")
def the_currency(world: World) -> None:
    world.change("POS2026050100003", currency="SGD")
    world.change("POS2026050100003-R1", currency="MYR")


@breaks(Kind.WRONG, "KS202604-00001")
def no_tax_withheld_on_the_bill(world: World) -> None:
    document = world.stored("KS202604-00001")["document"]
    totals = document["totals"] | {"net": "1150.00", "total": "1150.00"}
    world.change("KS202604-00001", lines=document["lines"][:3], totals=totals)


@breaks(Kind.WRONG, "POS2026050100004-V1")
def a_reversal_of_another_amount(world: World) -> None:
    document = world.stored("POS2026050100004-V1")["document"]
    world.change("POS2026050100004-V1", totals=document["totals"] | {"net": "-29.00", "total": "-29.00"})


@breaks(Kind.WRONG, "POS2026050100004-V1")
def a_reversal_of_another_day(world: World) -> None:
    world.change("POS2026050100004-V1", date="2026-05-01")


@breaks(Kind.WRONG, "POS2026050100003-V1")
def a_reversal_that_nothing_calls_for(world: World) -> None:
    document = world.stored("POS2026050100003")["document"]
    world.store("pos_invoice", document | {"number": "POS2026050100003-V1", "document_type": "credit_note"})


@breaks(Kind.WRONG, "POS2026050100003")
def the_ledger_holds_another_content(world: World) -> None:
    world.run(
        """update aiaccount.documents set document = jsonb_set(document::jsonb, '{memo}', '1')::json
           where number = %s""",
        "POS2026050100003",
    )


@breaks(Kind.WRONG, "POS2026050100003")
def amended_and_the_ledger_does_not_say_so(world: World) -> None:
    made = row(world, "POS2026050100003")
    world.run(
        "update pos_transaction_items set description = 'Mug' where transaction_id = %s and line_no = 2", made
    )


@breaks(Kind.WRONG, "KS202604-00001")
def the_payee_changed_and_the_ledger_does_not_say_so(world: World) -> None:
    world.run("update kol_settlements set payee_kol_id = 12 where settlement_no = 'KS202604-00001'")


@breaks(Kind.WRONG, "POS2026050100009")
def the_row_is_gone_and_the_ledger_does_not_say_so(world: World) -> None:
    world.run("delete from pos_transactions where receipt_no = 'POS2026050100009'")


@breaks(Kind.WRONG, "POS2025123100001")
def posted_though_from_before_the_cutover(world: World) -> None:
    made = row(world, "POS2025123100001")
    world.run("delete from aiaccount.documents where number = 'POS2025123100001'")
    sold = invoice(
        "POS2025123100001", made, [line("70.00")], "70.00", date="2025-12-31", due_date="2025-12-31"
    )
    world.push("pos_invoice", sold)


@breaks(Kind.WRONG, "POS2026050100012")
def posted_though_its_amounts_do_not_add_up(world: World) -> None:
    made = world.sale(
        "POS2026050100012", "10.00", total_amount="11.00", amount_paid=0, status="completed", paid_at=None
    )
    world.push("pos_invoice", invoice("POS2026050100012", made, [line("10.00")], "10.00"))


@breaks(Kind.WRONG, "POS2026050109999")
def a_document_with_no_row_behind_it(world: World) -> None:
    world.store("pos_invoice", invoice("POS2026050109999", 987654, [line("5.00")], "5.00"))


@pytest.mark.parametrize(("kind", "number", "break_it"), breaks.cases)
def test_the_checker_names_exactly(world: World, kind: Kind, number: str, break_it: Break) -> None:
    break_it(world)
    assert_named(world, kind, number)
