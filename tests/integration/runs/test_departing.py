"""A tenant that goes away during a run: what is not sent is blocked, and the run comes to its end."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from outbox.runs import Standing
from outbox.tenants import change, connect
from tests.integration.delivery.world import INVOICE, TENANT, World
from tests.integration.runs.asking import MAY, ask, before_the_cutover, cancel, carry, counted, told, totals

AWAY = ("TENANT_INACTIVE", "COMPANY_LEFT")


def gone(engine: Engine, code: str) -> None:
    """Let the tenant go away."""
    with engine.begin() as connection:
        if code == "COMPANY_LEFT":
            connect(connection, TENANT, "C-NEW", "MYR", MAY[1])
        else:
            change(connection, TENANT, lambda tenant: replace(tenant, active=False))


async def sold_before(world: World, number: int) -> list[int]:
    """Sell so often before the cut-over."""
    await before_the_cutover(world)
    return [await world.sale(f"POS202605010{nth:04}") for nth in range(number)]


@pytest.mark.parametrize("code", AWAY)
async def test_what_was_not_sent_when_the_tenant_went_away_is_blocked_and_says_why(
    world: World, engine: Engine, code: str
) -> None:
    sent, *_ = await sold_before(world, 3)
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    await world.deliver(INVOICE, sent)
    gone(engine, code)
    await world.drain()
    carry(world)
    assert totals(engine, run) == {"sent": 1, "blocked": 2}
    assert counted(engine, run).reasons[TENANT, INVOICE] == {(Standing.BLOCKED, code): 2}
    assert told(engine, run).over
    assert len(world.posts()) == 1


@pytest.mark.parametrize("code", AWAY)
async def test_what_was_to_be_tried_again_does_not_keep_the_run_of_a_tenant_that_went_away(
    world: World, engine: Engine, code: str
) -> None:
    await sold_before(world, 1)
    world.fault("status", status=503)
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    await world.drain()
    assert totals(engine, run) == {"left": 1}
    gone(engine, code)
    carry(world)
    assert told(engine, run).over
    assert totals(engine, run) == {"blocked": 1}


async def test_a_tenant_that_goes_to_another_company_takes_no_wanted_dates_along(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 2)
    old = ask(engine)
    gone(engine, "COMPANY_LEFT")
    assert await world.sql("select 1 as n from aiaccount.wanted_ranges") == []
    carry(world, turns=3)
    await world.drain()
    assert world.posts() == [], "it starts anew there, from the new cut-over date"
    new = ask(engine, endpoints=(INVOICE,))
    cancel(engine, old)
    assert await world.sql("select count(*) as n from aiaccount.wanted_ranges") == [{"n": 1}]
    cancel(engine, new)
    assert await world.sql("select 1 as n from aiaccount.wanted_ranges") == []
