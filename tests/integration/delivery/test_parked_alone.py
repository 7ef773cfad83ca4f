"""One row that breaks the view or the mapper is parked alone, though it was read together with others."""

import asyncio
import logging

import pytest

from tests.integration.delivery.world import INVOICE, TENANT, World
from tests.waiting import wait_for_async

BREAK_VIEW = """
    alter view aiaccount.pos_transaction_snapshot rename to snapshot_before;
    create view aiaccount.pos_transaction_snapshot as
    select id, tenant_id, business_date, original_id,
           case when id = {0} then to_jsonb(1 / (id - {0})) else snapshot end as snapshot
    from aiaccount.snapshot_before
"""


async def test_a_row_that_breaks_the_view_and_one_that_breaks_the_mapper_hold_up_no_other(
    world: World,
) -> None:
    healthy, unreadable, odd, other = [await world.sale(f"POS202605010000{n}") for n in range(1, 5)]
    await world.sql("update pos_transaction_items set tax_type = 'carbon' where transaction_id = %s", [odd])
    await world.sql(BREAK_VIEW.format(unreadable))
    tools = world.tools()
    claims = [await world.claim(INVOICE, row, tools) for row in (healthy, unreadable, odd, other)]
    await asyncio.gather(*(world.carry_out(claim, tools) for claim in claims if claim is not None))
    trouble = {
        row: (await world.task(INVOICE, row))["trouble_code"] for row in (healthy, unreadable, odd, other)
    }
    assert trouble == {healthy: None, unreadable: "READ_FAILED", odd: "MAPPING_FAILED", other: None}
    assert sorted(world.stored()) == ["POS2026050100001", "POS2026050100004"]
    known = {row: (await world.task(INVOICE, row))["tenant_id"] for row in (unreadable, odd)}
    assert known == {unreadable: TENANT, odd: TENANT}, "the tenant's pill tells of it"


HIDE = "alter view aiaccount.pos_transaction_snapshot rename column snapshot to moved"
SHOW = "alter view aiaccount.pos_transaction_snapshot rename column moved to snapshot"


async def test_what_a_deployment_in_the_wrong_order_lacks_parks_no_row_and_is_waited_for(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "aiaccount.database")
    sale = await world.sale()
    await world.sql(HIDE)
    delivering = asyncio.create_task(world.deliver(INVOICE, sale))

    async def complained() -> bool:
        return "column" in " ".join(str(vars(record).get("error")) for record in caplog.records)

    await wait_for_async(complained, 20, "a complaint about the column")
    await world.sql(SHOW)
    await delivering
    assert (await world.task(INVOICE, sale))["trouble_code"] is None
    assert world.stored() == ["POS2026050100001"]
