"""The usual ways of a document, from a row to AiAccount's books."""

from tests.integration.delivery.world import BILL, INVOICE, PAYMENT, RECEIPT, World

NUMBER = "POS2026050100001"


async def test_a_paid_sale_becomes_an_invoice_and_then_its_receipt(world: World) -> None:
    sale = await world.sale()
    await world.deliver(RECEIPT, sale)
    assert (await world.document(f"{NUMBER}-R1"))["state"] == "waiting"

    await world.deliver(INVOICE, sale)
    assert (await world.document(NUMBER))["state"] == "pushed"
    assert (await world.task(RECEIPT, sale))["due_in"] <= 0

    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]
    assert (await world.task(INVOICE, sale))["due_at"] is None
    assert (await world.task(RECEIPT, sale))["due_at"] is None


async def test_a_settlement_becomes_a_bill_and_then_its_payment(world: World) -> None:
    settlement = await world.settlement(
        status="paid",
        paid_at="2026-05-05T03:00:00Z",
        payment_method="bank_transfer",
        payment_reference="FT-1",
    )
    await world.deliver(PAYMENT, settlement)
    await world.deliver(BILL, settlement)
    await world.drain()
    assert world.stored() == ["KS202604-00001", "KS202604-00001-P1"]


async def test_the_same_event_again_calls_nobody(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.drain()
    calls = len(world.posts())
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    assert len(world.posts()) == calls


async def test_what_is_sent_stands_in_the_ledger_to_the_letter(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    (post,) = world.posts()
    (row,) = await world.sql("select document::text as text, document from aiaccount.documents")
    assert post["body"] == row["document"]
    assert list(post["body"]) == list(row["document"])
    assert ": " not in row["text"].replace('": ', "")


async def test_a_sale_of_5000_lines_is_posted_like_any_other(world: World) -> None:
    sale = await world.sale(subtotal="250000.00", total_amount="250000.00", amount_paid="250000.00")
    await world.sql(
        "insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, unit_price,"
        " line_total)"
        " select %s, line, 'TS-01', 'T-shirt', 2, 25, 50 from generate_series(2, 5000) as line",
        [sale],
    )
    await world.deliver(INVOICE, sale)
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]
    assert len((await world.document(NUMBER))["document"]["lines"]) == 5000
