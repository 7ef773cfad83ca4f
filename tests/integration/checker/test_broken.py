"""Each way to be wrong is named, alone, for the document that it concerns."""

import json
from collections.abc import Callable

import pytest

from deploy.checker import Kind
from tests.integration.checker.documents import NAMES, invoice, line, payment, receipt
from tests.integration.checker.world import KEYS, World

Break = Callable[[World], None]
LOST, DOUBLED, REORDERED = Kind.LOST, Kind.DOUBLED, Kind.REORDERED
MISDIRECTED, WRONG, SECRET, UNKNOWN = Kind.MISDIRECTED, Kind.WRONG, Kind.SECRET, Kind.UNKNOWN
CASES: list[tuple[str, Kind, str, Break]] = []


def breaks(kind: Kind, number: str) -> Callable[[Break], Break]:
    """Note what the checker must say of a world after the function broke it."""

    def note(break_it: Break) -> Break:
        CASES.append((break_it.__name__, kind, number, break_it))
        return break_it

    return note


# Lost


@breaks(LOST, "POS2026050100001-R1")
def a_receipt_that_nobody_knows(world: World) -> None:
    world.forget("POS2026050200001-R1")
    world.forget("POS2026050200001")
    world.run(
        "delete from pos_transaction_items using pos_transactions p where transaction_id = p.id and txn_type = 'refund'"
    )
    world.run("delete from pos_transactions where txn_type = 'refund'")
    world.run("delete from aiaccount.documents where number = 'POS2026050100001-R1' and company_id = 'c1'")
    gone = {
        e["request_id"]
        for e in world.book
        if e.get("number") == "POS2026050100001-R1" and e["company_id"] == "c1"
    }
    world.book[:] = [e for e in world.book if e.get("request_id") not in gone]


@breaks(LOST, "POS2026050200001-R1")
def a_refund_paid_back_that_nobody_knows(world: World) -> None:
    world.forget("POS2026050200001-R1")


@breaks(LOST, "POS2026050100002-R2")
def accepted_but_not_in_the_books(world: World) -> None:
    world.forget("POS2026050100002-R2", ledger=False)


@breaks(LOST, "KS202604-00001-P1")
def a_payment_that_nobody_knows(world: World) -> None:
    world.forget("KS202604-00001-P1")


@breaks(LOST, "POS2026050100004-R1X")
def a_reversal_that_never_came(world: World) -> None:
    world.forget("POS2026050100004-R1X")


@breaks(LOST, "KS202604-00002-V1")
def a_cancelled_bill_that_was_not_taken_back(world: World) -> None:
    world.forget("KS202604-00002-V1")


@breaks(LOST, "POS2026050100009-R1")
def blocked_by_the_row_and_not_named(world: World) -> None:
    world.forget("POS2026050100009-R1")


@breaks(LOST, "POS2026050100010")
def a_new_sale_that_nobody_saw(world: World) -> None:
    made = world.sale("POS2026050100010", "12.00", amount_paid=0, payment_method=None, status="completed")
    assert made


@breaks(LOST, "POS2026050100011-R1")
def the_balance_was_paid_and_nobody_saw(world: World) -> None:
    made = world.sale("POS2026050100011", "12.00", amount_paid=0, status="completed", paid_at=None)
    world.push("pos_invoice", invoice("POS2026050100011", made, [line("12.00")], "12.00"))
    world.run("update pos_transactions set status = 'paid', amount_paid = 12 where id = %s", made)


# Named with a reason that is not so


@breaks(WRONG, "POS2026050100002-R2")
def skipped_for_a_false_reason(world: World) -> None:
    world.forget("POS2026050100002-R2")
    made = _row(world, "POS2026050100002")
    world.know("pos_receipt", "POS2026050100002-R2", made, verdict="skip", code="BEFORE_CUTOVER")


@breaks(WRONG, "POS2025123100001-R1")
def skipped_rightly_for_another_reason(world: World) -> None:
    world.run("update aiaccount.documents set code = 'ZERO_TOTAL' where number = 'POS2025123100001-R1'")


@breaks(WRONG, "KS202604-00001-P1")
def blocked_for_a_false_reason(world: World) -> None:
    world.forget("KS202604-00001-P1")
    made = _settlement(world, "KS202604-00001")
    world.know("kol_payment", "KS202604-00001-P1", made, verdict="block", code="PAYMENT_METHOD_UNMAPPED")


@breaks(UNKNOWN, "POS2026050100002-R2")
def in_the_books_and_not_in_the_ledger(world: World) -> None:
    world.forget("POS2026050100002-R2", book=False)


@breaks(UNKNOWN, "POS2026050100002-R2")
def in_the_books_and_refused_says_the_ledger(world: World) -> None:
    world.forget("POS2026050100002-R2", book=False)
    made = _row(world, "POS2026050100002")
    world.know("pos_receipt", "POS2026050100002-R2", made, verdict="block", code="CURRENCY_NOT_ENABLED")


# Doubled


@breaks(DOUBLED, "POS2026050100003")
def stored_twice(world: World) -> None:
    world.store("pos_invoice", world.stored("POS2026050100003")["document"])


@breaks(DOUBLED, "KS202604-00001-P1")
def a_payment_stored_twice(world: World) -> None:
    world.store("kol_payment", world.stored("KS202604-00001-P1")["document"])


@breaks(DOUBLED, "POS2026050100003")
def stored_under_two_contacts(world: World) -> None:
    again = dict(world.stored("POS2026050100003")["document"])
    contact = {"code": "C9", "name": "Tan", "type": "customer", "tin": None}
    request = world.store("pos_invoice", again | {"contact": contact})["request_id"]
    _unask(world, request)


@breaks(DOUBLED, "POS2026050199999")
def two_invoices_for_one_sale(world: World) -> None:
    world.store(
        "pos_invoice", dict(world.stored("POS2026050100003")["document"]) | {"number": "POS2026050199999"}
    )


@breaks(DOUBLED, "POS2026050199999")
def two_invoices_for_one_sale_and_both_in_the_ledger(world: World) -> None:
    again = dict(world.stored("POS2026050100003")["document"]) | {"number": "POS2026050199999"}
    world.push("pos_invoice", again)


@breaks(DOUBLED, "KS202604-00001B")
def two_bills_for_one_settlement(world: World) -> None:
    world.store("kol_bill", dict(world.stored("KS202604-00001")["document"]) | {"number": "KS202604-00001B"})


@breaks(DOUBLED, "POS2026050100003-R2")
def receipts_together_more_than_the_sale(world: World) -> None:
    sold = world.stored("POS2026050100003")["document"]
    world.push("pos_receipt", receipt(sold, "POS2026050100003-R2", "9.99"))


@breaks(DOUBLED, "KS202604-00001-P1B")
def paid_again_without_a_reversal(world: World) -> None:
    billed = world.stored("KS202604-00001")["document"]
    world.store("kol_payment", payment(billed, "KS202604-00001-P1B", "1127.00"))


@breaks(DOUBLED, "POS2026050200001")
def a_credit_note_stored_twice(world: World) -> None:
    world.store("pos_invoice", world.stored("POS2026050200001")["document"])


# Reordered


@breaks(REORDERED, "POS2026050100003-R1")
def a_receipt_before_its_invoice(world: World) -> None:
    _put_first(world, "POS2026050100003-R1")


@breaks(REORDERED, "KS202604-00001-P1")
def a_payment_before_its_bill(world: World) -> None:
    _put_first(world, "KS202604-00001-P1")


@breaks(REORDERED, "POS2026050200001")
def a_credit_note_before_what_it_corrects(world: World) -> None:
    _put_first(world, "POS2026050200001")


@breaks(REORDERED, "POS2026050100004-V1")
def a_reversal_before_what_it_takes_back(world: World) -> None:
    _put_first(world, "POS2026050100004-V1")


@breaks(REORDERED, "KS202604-00002-P1X")
def a_payment_came_back_before_it_went(world: World) -> None:
    _put_first(world, "KS202604-00002-P1X", after="KS202604-00002")


@breaks(REORDERED, "POS2026050100003")
def older_content_after_newer(world: World) -> None:
    newer = world.stored("POS2026050100003")["document"]
    requests = [newer | {"outlet": "S9"}, newer, newer | {"outlet": "S9"}]
    entries = len(world.book)
    for document in requests:
        world.answer(world.ask("pos_invoice", document), 422, "TAX_CODE_MISSING")
    _move(world, entries, 0)


@breaks(REORDERED, "POS2026050100003-R1")
def other_content_once_it_was_stored(world: World) -> None:
    stored = world.stored("POS2026050100003-R1")["document"]
    world.answer(world.ask("pos_receipt", stored | {"amount": "9.98"}), 409, "DOCUMENT_CONFLICT")


# Misdirected


@breaks(MISDIRECTED, "POS2026050100003-R1")
def in_the_books_of_another_company(world: World) -> None:
    document = world.stored("POS2026050100003-R1")["document"]
    world.forget("POS2026050100003-R1", ledger=False)
    world.store("pos_receipt", document, "c2")


@breaks(MISDIRECTED, "POS2026050100005")
def a_hand_over_of_an_order_was_posted(world: World) -> None:
    made = _row(world, "POS2026050100005")
    world.push("pos_invoice", invoice("POS2026050100005", made, [line("70.00")], "70.00"))


@breaks(MISDIRECTED, "KS202604-00003")
def what_the_platform_owes_was_posted(world: World) -> None:
    made = _settlement(world, "KS202604-00003")
    posted = world.stored("KS202604-00002")["document"]
    source = {"system": "NS16", "table": "kol_settlements", "id": str(made)}
    world.push("kol_bill", posted | {"number": "KS202604-00003", "source": source})


@breaks(MISDIRECTED, "POS2026050100007")
def a_sale_of_a_tenant_that_is_not_active(world: World) -> None:
    made = _row(world, "POS2026050100007")
    sold = invoice("POS2026050100007", made, [line("70.00")], "70.00", company_name="Not yet")
    request = world.ask("pos_invoice", sold, key_company="c3")
    world.write(
        "stored",
        request_id=request,
        company_id="c3",
        company_name="Not yet",
        endpoint="pos_invoice",
        number=sold["number"],
        contact_code="POS-WALKIN",
        document_id="d",
        document=sold,
    )


@breaks(MISDIRECTED, "POS2026050100008")
def a_sale_of_nobody_who_subscribed(world: World) -> None:
    world.store(
        "pos_invoice", invoice("POS2026050100008", _row(world, "POS2026050100008"), [line("70.00")], "70.00")
    )


@breaks(MISDIRECTED, "POS2026050100003")
def a_key_used_for_a_company_it_is_not_bound_to(world: World) -> None:
    stored = world.stored("POS2026050100003")["document"]
    entries = len(world.book)
    world.answer(world.ask("pos_invoice", stored | {"company_name": NAMES["c2"]}), 404, "COMPANY_NOT_FOUND")
    _move(world, entries, 0)


@breaks(MISDIRECTED, "POS2026050100003")
def a_row_in_the_request_of_another_tenant(world: World) -> None:
    stored = world.stored("POS2026050100003")["document"]
    world.answer(
        world.ask("pos_invoice", stored | {"company_name": NAMES["c2"]}, "c2"), 422, "TAX_CODE_MISSING"
    )


@breaks(MISDIRECTED, "/api/v1/company")
def asked_about_another_company(world: World) -> None:
    world.write(
        "request",
        request_id="q",
        method="GET",
        path="/api/v1/company",
        endpoint="company",
        key_sha256="0" * 64,
        key_company="c1",
        idempotency_key=None,
        body=None,
        raw=None,
        query={"company": NAMES["c2"]},
    )


# Wrong


@breaks(WRONG, "POS2026050100002")
def the_total_is_off_by_a_sen(world: World) -> None:
    document = world.stored("POS2026050100002")["document"]
    world.change("POS2026050100002", totals=document["totals"] | {"total": "108.81"})


@breaks(WRONG, "POS2026050100002")
def the_rounding_is_not_the_till_s(world: World) -> None:
    document = world.stored("POS2026050100002")["document"]
    world.change("POS2026050100002", totals=document["totals"] | {"rounding": "-0.02"})


@breaks(WRONG, "POS2026050100003")
def the_odd_sen_of_tax_is_on_another_line(world: World) -> None:
    lines = world.stored("POS2026050100003")["document"]["lines"]
    taxes = ["0.25", "0.24", "0.25"]
    amounts = ["3.08", "3.09", "3.08"]
    mixed = [
        part | {"tax_amount": tax, "amount": amount}
        for part, tax, amount in zip(lines, taxes, amounts, strict=True)
    ]
    world.change("POS2026050100003", lines=mixed)


@breaks(WRONG, "POS2026050100002")
def a_line_is_missing(world: World) -> None:
    world.change("POS2026050100002", lines=world.stored("POS2026050100002")["document"]["lines"][:3])


@breaks(WRONG, "POS2026050100003")
def dated_after_midnight_when_it_was_before(world: World) -> None:
    world.change("POS2026050100003", date="2026-05-02", due_date="2026-05-02")


@breaks(WRONG, "POS2026050100002-R2")
def dated_in_utc_when_it_was_after_midnight_in_kuala_lumpur(world: World) -> None:
    world.change("POS2026050100002-R2", date="2026-05-01")


@breaks(WRONG, "POS2026050100003")
def due_another_day(world: World) -> None:
    world.change("POS2026050100003", due_date="2026-05-31")


@breaks(WRONG, "POS2026050200001-R1")
def the_contact_is_another_s(world: World) -> None:
    world.change(
        "POS2026050200001-R1", contact={"code": "C7", "name": "Lim", "type": "customer", "tin": None}
    )


@breaks(WRONG, "KS202604-00001-P1")
def the_payment_is_to_another_kol(world: World) -> None:
    world.change(
        "KS202604-00001-P1", contact={"code": "K12", "name": "Aisyah", "type": "supplier", "tin": None}
    )


@breaks(WRONG, "POS2026050200001")
def the_credit_note_names_no_original(world: World) -> None:
    world.change("POS2026050200001", original_number=None)


@breaks(WRONG, "POS2026050200001")
def a_refund_goes_as_an_invoice(world: World) -> None:
    world.change("POS2026050200001", document_type="invoice")


@breaks(WRONG, "POS2026050100002-R1")
def the_amount_of_a_receipt(world: World) -> None:
    world.change("POS2026050100002-R1", amount="40.01")


@breaks(WRONG, "POS2026050100002-R1")
def the_allocation_of_a_receipt(world: World) -> None:
    allocations = [{"invoice_number": "POS2026050100003", "amount": "40.00"}]
    entry = world.stored("POS2026050100003")
    assert entry["document"]["number"] == "POS2026050100003"
    world.change("POS2026050100002-R1", allocations=allocations)


@breaks(WRONG, "POS2026050100002-R2")
def the_bank_account(world: World) -> None:
    world.change("POS2026050100002-R2", bank_account_code="12100")


@breaks(WRONG, "POS2026050100002")
def the_tax_code(world: World) -> None:
    lines = world.stored("POS2026050100002")["document"]["lines"]
    world.change("POS2026050100002", lines=[lines[0] | {"tax_code": "NT"}, *lines[1:]])


@breaks(WRONG, "POS2026050100003")
def the_currency(world: World) -> None:
    world.change("POS2026050100003", currency="SGD")
    world.change("POS2026050100003-R1", currency="MYR")


@breaks(WRONG, "KS202604-00001")
def no_tax_withheld_on_the_bill(world: World) -> None:
    document = world.stored("KS202604-00001")["document"]
    totals = document["totals"] | {"net": "1150.00", "total": "1150.00"}
    world.change("KS202604-00001", lines=document["lines"][:3], totals=totals)


@breaks(WRONG, "POS2026050100004-V1")
def a_reversal_of_another_amount(world: World) -> None:
    document = world.stored("POS2026050100004-V1")["document"]
    world.change("POS2026050100004-V1", totals=document["totals"] | {"net": "-29.00", "total": "-29.00"})


@breaks(WRONG, "POS2026050100004-V1")
def a_reversal_of_another_day(world: World) -> None:
    world.change("POS2026050100004-V1", date="2026-05-01")


@breaks(WRONG, "POS2026050100003-V1")
def a_reversal_that_nothing_calls_for(world: World) -> None:
    document = world.stored("POS2026050100003")["document"]
    world.store("pos_invoice", document | {"number": "POS2026050100003-V1", "document_type": "credit_note"})


@breaks(WRONG, "POS2026050100003")
def the_ledger_holds_another_content(world: World) -> None:
    world.run(
        "update aiaccount.documents set document = jsonb_set(document::jsonb, '{memo}', '\"x\"')::json where number = %s",
        "POS2026050100003",
    )


@breaks(WRONG, "POS2026050100003")
def amended_and_the_ledger_does_not_say_so(world: World) -> None:
    made = _row(world, "POS2026050100003")
    world.run(
        "update pos_transaction_items set description = 'Mug' where transaction_id = %s and line_no = 2", made
    )


@breaks(WRONG, "KS202604-00001")
def the_payee_changed_and_the_ledger_does_not_say_so(world: World) -> None:
    world.run("update kol_settlements set payee_kol_id = 12 where settlement_no = 'KS202604-00001'")


@breaks(WRONG, "POS2026050100009")
def the_row_is_gone_and_the_ledger_does_not_say_so(world: World) -> None:
    world.run("delete from pos_transactions where receipt_no = 'POS2026050100009'")


@breaks(WRONG, "POS2025123100001")
def posted_though_from_before_the_cutover(world: World) -> None:
    made = _row(world, "POS2025123100001")
    world.run("delete from aiaccount.documents where number = 'POS2025123100001'")
    sold = invoice(
        "POS2025123100001", made, [line("70.00")], "70.00", date="2025-12-31", due_date="2025-12-31"
    )
    world.push("pos_invoice", sold)


@breaks(WRONG, "POS2026050100012")
def posted_though_its_amounts_do_not_add_up(world: World) -> None:
    made = world.sale(
        "POS2026050100012", "10.00", total_amount="11.00", amount_paid=0, status="completed", paid_at=None
    )
    world.push("pos_invoice", invoice("POS2026050100012", made, [line("10.00")], "10.00"))


@breaks(WRONG, "POS2026050109999")
def a_document_with_no_row_behind_it(world: World) -> None:
    world.store("pos_invoice", invoice("POS2026050109999", 987654, [line("5.00")], "5.00"))


# Secrets


@breaks(SECRET, "aiaccount.documents")
def a_key_in_the_ledger(world: World) -> None:
    world.run(
        "update aiaccount.documents set reason = %s where number = 'POS2026050100009-R1'",
        f"refused: {KEYS['c1']}",
    )


@breaks(SECRET, "aiaccount.credentials")
def a_key_that_was_not_sealed(world: World) -> None:
    world.run(
        "insert into aiaccount.credentials (tenant_id, version, key_id, nonce, ciphertext, set_by) values (2, 1, 'k', %s, %s, 'a')",
        b"0" * 12,
        KEYS["c2"].encode(),
    )


@breaks(SECRET, "the book")
def a_key_in_the_book(world: World) -> None:
    world.write("admin", what="company", detail={"key": KEYS["c2"]})


@pytest.mark.parametrize(("kind", "number", "break_it"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_the_checker_names_exactly(world: World, kind: Kind, number: str, break_it: Break) -> None:
    break_it(world)
    verdict = world.verdict()
    assert [(finding.kind, finding.number) for finding in verdict.findings] == [(kind, number)], (
        verdict.findings
    )
    assert not verdict.clean
    assert verdict.counts[kind.value] == 1
    assert not any(key in json.dumps([f.detail for f in verdict.findings]) for key in KEYS.values())


def _row(world: World, number: str) -> int:
    found = world.connection.execute(
        "select id from pos_transactions where receipt_no = %s order by blogger_id", [number]
    ).fetchone()
    assert found
    return int(found[0])


def _settlement(world: World, number: str) -> int:
    found = world.connection.execute(
        "select id from kol_settlements where settlement_no = %s", [number]
    ).fetchone()
    assert found
    return int(found[0])


def _put_first(world: World, number: str, after: str | None = None) -> None:
    """Move what concerns a document to the front of the book, or behind another document."""
    stored = world.stored(number)
    own = [entry for entry in world.book if entry.get("request_id") == stored["request_id"]]
    rest = [entry for entry in world.book if entry not in own]
    place = 1 + rest.index(world.stored(after)) if after else 0
    world.book[:] = [*rest[:place], *own, *rest[place:]]


def _move(world: World, start: int, place: int) -> None:
    """Move the entries from `start` on to `place`."""
    moved, rest = world.book[start:], world.book[:start]
    world.book[:] = [*rest[:place], *moved, *rest[place:]]


def _unask(world: World, request_id: str) -> None:
    """Let a document have landed from a request that the book does not show."""
    world.book[:] = [e for e in world.book if e.get("request_id") != request_id or e["kind"] == "stored"]
