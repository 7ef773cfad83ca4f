"""What came too early, stands in the wrong books or tells a secret is named, alone."""

import pytest

from deploy.checker import Kind
from tests.integration.checker.breaks import Break, Breaks, assert_named, move, put_first, row, settlement
from tests.integration.checker.documents import NAMES, invoice, line
from tests.integration.checker.world import KEYS, World

breaks = Breaks()


@breaks(Kind.REORDERED, "POS2026050100003-R1")
def a_receipt_before_its_invoice(world: World) -> None:
    put_first(world, "POS2026050100003-R1")


@breaks(Kind.REORDERED, "KS202604-00001-P1")
def a_payment_before_its_bill(world: World) -> None:
    put_first(world, "KS202604-00001-P1")


@breaks(Kind.REORDERED, "POS2026050200001")
def a_credit_note_before_what_it_corrects(world: World) -> None:
    put_first(world, "POS2026050200001")


@breaks(Kind.REORDERED, "POS2026050100004-V1")
def a_reversal_before_what_it_takes_back(world: World) -> None:
    put_first(world, "POS2026050100004-V1")


@breaks(Kind.REORDERED, "KS202604-00002-P1X")
def a_payment_came_back_before_it_went(world: World) -> None:
    put_first(world, "KS202604-00002-P1X", after="KS202604-00002")


@breaks(Kind.REORDERED, "POS2026050100003")
def older_content_after_newer(world: World) -> None:
    newer = world.stored("POS2026050100003")["document"]
    requests = [newer | {"outlet": "S9"}, newer, newer | {"outlet": "S9"}]
    entries = len(world.book)
    for document in requests:
        world.answer(world.ask("pos_invoice", document), 422, "TAX_CODE_MISSING")
    move(world, entries, 0)


@breaks(Kind.REORDERED, "POS2026050100003-R1")
def other_content_once_it_was_stored(world: World) -> None:
    stored = world.stored("POS2026050100003-R1")["document"]
    world.answer(world.ask("pos_receipt", stored | {"amount": "9.98"}), 409, "DOCUMENT_CONFLICT")


@breaks(Kind.MISDIRECTED, "POS2026050100003-R1")
def in_the_books_of_another_company(world: World) -> None:
    document = world.stored("POS2026050100003-R1")["document"]
    world.forget("POS2026050100003-R1", ledger=False)
    world.store("pos_receipt", document, "c2")


@breaks(Kind.MISDIRECTED, "POS2026050100005")
def a_hand_over_of_an_order_was_posted(world: World) -> None:
    made = row(world, "POS2026050100005")
    world.push("pos_invoice", invoice("POS2026050100005", made, [line("70.00")], "70.00"))


@breaks(Kind.MISDIRECTED, "KS202604-00003")
def what_the_platform_owes_was_posted(world: World) -> None:
    made = settlement(world, "KS202604-00003")
    posted = world.stored("KS202604-00002")["document"]
    source = {"system": "NS16", "table": "kol_settlements", "id": str(made)}
    world.push("kol_bill", posted | {"number": "KS202604-00003", "source": source})


@breaks(Kind.MISDIRECTED, "POS2026050100007")
def a_sale_of_a_tenant_that_is_not_active(world: World) -> None:
    made = row(world, "POS2026050100007")
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


@breaks(Kind.MISDIRECTED, "POS2026050100008")
def a_sale_of_nobody_who_subscribed(world: World) -> None:
    world.store(
        "pos_invoice", invoice("POS2026050100008", row(world, "POS2026050100008"), [line("70.00")], "70.00")
    )


@breaks(Kind.MISDIRECTED, "POS2026050100003")
def a_key_used_for_a_company_it_is_not_bound_to(world: World) -> None:
    stored = world.stored("POS2026050100003")["document"]
    entries = len(world.book)
    world.answer(world.ask("pos_invoice", stored | {"company_name": NAMES["c2"]}), 404, "COMPANY_NOT_FOUND")
    move(world, entries, 0)


@breaks(Kind.MISDIRECTED, "POS2026050100003")
def a_row_in_the_request_of_another_tenant(world: World) -> None:
    stored = world.stored("POS2026050100003")["document"]
    world.answer(
        world.ask("pos_invoice", stored | {"company_name": NAMES["c2"]}, "c2"), 422, "TAX_CODE_MISSING"
    )


@breaks(Kind.MISDIRECTED, "/api/v1/company")
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


@breaks(Kind.SECRET, "aiaccount.documents")
def a_key_in_the_ledger(world: World) -> None:
    world.run(
        "update aiaccount.documents set reason = %s where number = 'POS2026050100009-R1'",
        f"refused: {KEYS['c1']}",
    )


@breaks(Kind.SECRET, "aiaccount.credentials")
def a_key_that_was_not_sealed(world: World) -> None:
    world.run(
        """insert into aiaccount.credentials (tenant_id, version, key_id, nonce, ciphertext, set_by)
           values (2, 1, 'k', %s, %s, 'a')""",
        b"0" * 12,
        KEYS["c2"].encode(),
    )


@breaks(Kind.SECRET, "the book")
def a_key_in_the_book(world: World) -> None:
    world.write("admin", what="company", detail={"key": KEYS["c2"]})


@pytest.mark.parametrize(("kind", "number", "break_it"), breaks.cases)
def test_the_checker_names_exactly(world: World, kind: Kind, number: str, break_it: Break) -> None:
    break_it(world)
    assert_named(world, kind, number)
