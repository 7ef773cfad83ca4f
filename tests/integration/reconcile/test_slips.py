"""Whatever slips past the triggers, or is lost with Kafka, is found by comparing and goes the usual way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.integration.delivery.world import BILL, INVOICE, RECEIPT, TENANT, World
from tests.integration.reconcile.looking import alerts, look, looked

SOURCES = ("pos_transactions", "pos_transaction_items", "kol_settlements")
NUMBER = "POS2026050100001"
Slip = Callable[[World], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def disabled(world: World) -> AsyncIterator[None]:
    """Switch our triggers off, as somebody does before a bulk change."""
    for table in SOURCES:
        await world.sql(f"alter table {table} disable trigger user")
    yield
    for table in SOURCES:
        await world.sql(f"alter table {table} enable trigger user")


@asynccontextmanager
async def replica(world: World) -> AsyncIterator[None]:
    """Write as a replica does: no trigger fires."""
    await world.sql("set session_replication_role = replica")
    yield
    await world.sql("reset session_replication_role")


@asynccontextmanager
async def failing(world: World) -> AsyncIterator[None]:
    """Let every capture fail: the sale stands, with a warning."""
    await world.sql("alter table aiaccount.outbox add constraint never check (false) not valid")
    yield
    await world.sql("alter table aiaccount.outbox drop constraint never")


@asynccontextmanager
async def lost(world: World) -> AsyncIterator[None]:
    """Let the events be captured and published, and Kafka forget them."""
    yield
    await world.sql("update aiaccount.outbox set created_at = now() - interval '10 minutes'")


SLIPS = pytest.mark.parametrize("slip", [disabled, replica, failing, lost], ids=lambda slip: slip.__name__)


@SLIPS
async def test_a_sale_and_a_settlement_that_no_event_told_of_are_found_and_posted(
    world: World, slip: Slip
) -> None:
    async with slip(world):
        await world.sale()
        await world.settlement()
    assert await look(world) == {"missing": 2}
    await world.drain()
    assert sorted(world.stored()) == ["KS202604-00001", NUMBER, f"{NUMBER}-R1"]
    assert await look(world) == {}
    assert "missed_changes" in await alerts(world)


@SLIPS
async def test_a_change_that_no_event_told_of_is_found_and_posted(world: World, slip: Slip) -> None:
    sale = await world.sale()
    bill = await world.settlement()
    for endpoint, aggregate in ((INVOICE, sale), (RECEIPT, sale), (BILL, bill), (world.payment, bill)):
        await world.deliver(endpoint, aggregate)
    await world.drain()
    await world.sql("update aiaccount.outbox set created_at = now() - interval '10 minutes'")
    async with slip(world):
        await world.sql(
            "update pos_transactions set status = 'voided', voided_at = '2026-05-02T06:00:00Z' where id = %s",
            [sale],
        )
        await world.sql(
            "update kol_settlements set status = 'cancelled', cancelled_at = '2026-05-02T06:00:00Z'"
        )
    assert await look(world) == {"changed": 2}
    await world.drain()
    assert {f"{NUMBER}-V1", f"{NUMBER}-R1X", "KS202604-00001-V1"} <= set(world.stored())
    assert await look(world) == {}


@SLIPS
async def test_items_that_changed_alone_are_found(world: World, slip: Slip) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.drain()
    async with slip(world):
        await world.sql("update pos_transaction_items set quantity = 1, unit_price = 50")
    assert await look(world) == {"changed": 1}
    await world.drain()
    assert (await world.document(NUMBER))["code"] == "AMENDED_AFTER_PUSH"


@SLIPS
async def test_a_row_that_was_deleted_without_an_event_is_found_and_named(world: World, slip: Slip) -> None:
    sale = await world.sale(paid=False)
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.drain()
    async with slip(world):
        await world.sql("delete from pos_transaction_items")
        await world.sql("delete from pos_transactions")
    assert await look(world) == {"orphaned": 1}
    await world.drain()
    assert (await world.document(NUMBER))["code"] == "SOURCE_GONE"
    assert await look(world) == {}


async def test_a_truncated_table_is_found_at_once_by_its_alert(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.drain()
    assert await look(world) == {}
    await world.sql("truncate pos_transactions, pos_transaction_items")
    assert looked(world.database) == {"orphaned": 1}
    await world.drain()
    assert (await world.document(NUMBER))["code"] == "SOURCE_GONE"


async def test_a_row_that_became_a_platforms_order_is_found_to_have_left(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.drain()
    async with disabled(world):
        await world.sql("update pos_transactions set platform_order_id = 9")
    assert await look(world) == {"orphaned": 1}
    await world.drain()
    assert (await world.document(NUMBER))["code"] == "SOURCE_GONE"


async def test_a_row_that_moved_to_another_owner_goes_into_that_ones_books(world: World) -> None:
    other = await world.tenant(2, "Kedai Dua")
    sale = await world.sale()
    async with disabled(world):
        await world.deliver(INVOICE, sale)
        await world.deliver(RECEIPT, sale)
        await world.drain()
        await world.sql("update pos_transactions set blogger_id = 2")
    assert await look(world) == {"changed": 1}
    await world.drain()
    assert NUMBER in world.stored(other)


async def test_a_row_that_moved_to_somebody_who_has_not_subscribed_is_looked_at_once(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    await world.drain()
    async with disabled(world):
        await world.sql("update pos_transactions set blogger_id = 99")
    assert await look(world) == {"changed": 1}
    await world.drain()
    assert await look(world) == {}


async def test_the_rows_of_a_tenant_that_was_added_later_are_found_from_its_cut_over_on(world: World) -> None:
    async with replica(world):
        await world.sale("POS2025123100001", blogger_id=2, completed_at="2025-12-31T06:00:00Z")
        await world.sale("POS2026050100002", blogger_id=2)
        await world.sale("POS2026050100003", blogger_id=3)
    assert await look(world) == {}
    company = await world.tenant(2, "Kedai Dua")
    assert await look(world) == {"missing": 1}
    await world.drain()
    assert world.stored(company) == ["POS2026050100002", "POS2026050100002-R1"]


async def test_what_a_backfill_wants_of_before_the_cut_over_is_found(world: World) -> None:
    async with replica(world):
        await world.sale("POS2025123100001", completed_at="2025-12-31T06:00:00Z", paid=False)
        await world.sale("POS2025123000001", completed_at="2025-12-30T06:00:00Z", paid=False)
    assert await look(world) == {}
    await world.sql(
        "insert into aiaccount.wanted_ranges values (%s, 'pos_invoice', '2025-12-31', '2025-12-31')", [TENANT]
    )
    assert await look(world) == {"missing": 1}


async def test_a_refund_whose_sale_changed_is_looked_at_again_and_is_no_missed_change(world: World) -> None:
    sale = await world.sale()
    refund = await world.sale("POS2026050100002", txn_type="refund", original_txn_id=sale, paid=False)
    for aggregate in (sale, refund):
        await world.deliver(INVOICE, aggregate)
        await world.deliver(RECEIPT, aggregate)
    await world.drain()
    assert await look(world) == {}
    await world.sql("update pos_transactions set status = 'refunded' where id = %s", [sale])
    await world.deliver(INVOICE, sale)
    await world.deliver(RECEIPT, sale)
    assert await look(world) == {"refund": 1}
    assert await alerts(world) == []
    await world.drain()
    assert await look(world) == {}


async def test_what_two_processes_find_at_once_is_due_once(world: World) -> None:
    async with replica(world):
        for number in range(5):
            await world.sale(f"POS202605010000{number}")
    await look(world)
    await asyncio.gather(*(asyncio.to_thread(looked, world.database) for _ in range(2)))
    await world.drain()
    assert len(world.stored()) == len(set(world.stored())) == 10
