"""A run's rows become due page by page, whoever dies, and its counts are those of tasks and documents."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial

import pytest
from sqlalchemy import Engine

from outbox import runs
from outbox.carrying import forget
from outbox.errors import UsageError
from outbox.runs import Asked, Motion
from outbox.session import open_session
from tests.integration.delivery.world import INVOICE, RECEIPT, TENANT, World
from tests.integration.reconcile.looking import alerts, look
from tests.integration.runs.asking import (
    MAY,
    ask,
    before_the_cutover,
    cancel,
    carry,
    counted,
    moving,
    task_of,
    told,
    totals,
)

JUNE = date(2026, 6, 1), date(2026, 6, 30)
FAR = "clock_timestamp() + interval '1 hour'"


class DiedError(BaseException):
    """Whoever carried a run died here."""


async def sales(world: World, number: int) -> list[int]:
    """Sell so often on the first of May."""
    return [await world.sale(f"POS202605010{nth:04}") for nth in range(number)]


async def sold_before(world: World, number: int) -> list[int]:
    """Sell so often before the cut-over."""
    await before_the_cutover(world)
    return await sales(world, number)


def die_at(page: int) -> "partial[None]":
    """Return a place that is fatal the so manieth time."""
    left = [page]

    def reach(name: str) -> None:
        assert name == "runs.page"
        left[0] -= 1
        if not left[0]:
            raise DiedError

    return partial(reach)


async def test_rows_of_before_the_cutover_are_found_queued_sent_and_counted(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 5)
    await world.drain()
    run = ask(engine)
    assert totals(engine, run) == {"found": 10}
    carry(world)
    assert totals(engine, run) == {"left": 10}
    assert told(engine, run).state == "sending"
    await world.drain()
    assert totals(engine, run) == {"sent": 10}
    carry(world)
    assert told(engine, run).state == "done"
    assert len(world.stored()) == 10


async def test_a_run_goes_on_where_the_last_page_ended_whoever_died(world: World, engine: Engine) -> None:
    await sold_before(world, 6)
    run = ask(engine)
    with pytest.raises(DiedError):
        carry(world, rows=5, reach=die_at(2))
    assert totals(engine, run) == {"left": 5, "found": 7}
    await world.drain()
    assert totals(engine, run) == {"sent": 5, "found": 7}
    carry(world, rows=5)
    await world.drain()
    assert totals(engine, run) == {"sent": 12}
    assert len(world.posts()) == 12


async def test_a_sale_that_was_left_out_while_the_run_was_recorded_is_found_too(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 1)
    with engine.begin() as connection:
        run = runs.record(connection, Asked((TENANT,), (INVOICE,), *MAY), "Mei")
        late = await world.sale("POS2026050109999")
        await world.deliver(INVOICE, late)
        assert world.posts() == [], "its date is not wanted yet"
    assert run is not None
    carry(world)
    await world.drain()
    assert totals(engine, run) == {"sent": 2}


async def test_two_that_carry_at_once_do_each_page_once(world: World, engine: Engine) -> None:
    await sold_before(world, 30)
    asked = [ask(engine) for _ in range(3)]
    with ThreadPoolExecutor(max_workers=3) as at_once:
        await asyncio.gather(
            *(
                asyncio.get_running_loop().run_in_executor(at_once, partial(carry, world, turns=60, rows=7))
                for _ in range(3)
            )
        )
    for run in asked:
        assert told(engine, run).queued_at is not None
        assert totals(engine, run) == {"left": 60}
    created = await world.sql("select count(*) filter (where created) as n from aiaccount.run_tasks")
    assert created == [{"n": 60}]


async def test_only_beside_the_relay_that_leads_a_run_is_carried(world: World, engine: Engine) -> None:
    await sold_before(world, 1)
    run = ask(engine)
    carry(world, leads=False)
    assert totals(engine, run) == {"found": 2}
    carry(world)
    assert totals(engine, run) == {"left": 2}


async def test_two_runs_over_each_other_both_say_what_became_of_every_row(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 4)
    first = ask(engine)
    carry(world)
    second = ask(engine, (date(2026, 4, 30), date(2026, 5, 1)))
    await world.drain()
    carry(world)
    await world.drain()
    third = ask(engine)
    carry(world)
    await world.drain()
    carry(world)
    assert totals(engine, first) == totals(engine, second) == {"sent": 8}
    assert totals(engine, third) == {"there": 8}
    assert len(world.posts()) == 8


async def test_what_calls_for_nothing_waits_is_blocked_or_in_conflict_is_counted_so(
    world: World, engine: Engine
) -> None:
    sent, nothing, blocked, conflict = await sales(world, 4)
    await world.deliver(INVOICE, conflict)
    await world.sql(
        "update pos_transactions set status = 'voided', voided_at = now() where id = %s", [nothing]
    )
    await world.sql("update pos_transactions set payment_method = 'cheque' where id = %s", [blocked])
    for change, sale in (
        ("status = 'voided', voided_at = now()", nothing),
        ("payment_method = 'cheque'", blocked),
        ("subtotal = 60, total_amount = 60, amount_paid = 60", conflict),
    ):
        await world.sql(f"update pos_transactions set {change} where id = %s", [sale])
    for change, sale in (("tax_type = 'sales', tax_rate = 6", blocked), ("line_total = 60", conflict)):
        await world.sql(f"update pos_transaction_items set {change} where transaction_id = %s", [sale])
    run = ask(engine)
    carry(world)
    await world.drain()
    carry(world)
    counts = counted(engine, run)
    by_part = {
        endpoint: {str(s): n for s, n in states.items()} for (_, endpoint), states in counts.parts.items()
    }
    assert by_part[INVOICE] == {"sent": 1, "nothing": 1, "blocked": 1, "failed": 1}
    assert by_part[RECEIPT] == {"sent": 1, "nothing": 1, "blocked": 1, "waiting": 1}
    reasons = {(str(state), code) for part in counts.reasons.values() for state, code in part}
    assert reasons == {
        ("blocked", "TAX_CODE_UNMAPPED"),
        ("blocked", "PAYMENT_METHOD_UNMAPPED"),
        ("failed", "AMENDED_AFTER_PUSH"),
    }
    assert told(engine, run).over
    assert sent


async def test_what_failed_for_a_moment_is_left_until_it_has_failed_four_times(
    world: World, engine: Engine
) -> None:
    (sale,) = await sold_before(world, 1)
    world.fault("status", status=503)
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    await world.drain()
    carry(world)
    assert totals(engine, run) == {"left": 1}
    await world.sql("update aiaccount.documents set attempts = 4")
    assert totals(engine, run) == {"failed": 1}
    carry(world)
    assert told(engine, run).over
    world.sandbox.clear_faults()
    await world.sql("update aiaccount.documents set next_at = null")
    await world.deliver(INVOICE, sale)
    assert totals(engine, run) == {"sent": 1}, "counts of a run that is over are as true as any"


@pytest.mark.parametrize(
    ("given", "after"),
    [
        ("due_at = 'epoch'", ("live", "kept", "once")),
        ("due_at = null", ("backfill", "now", "once")),
        (f"due_at = {FAR}", ("backfill", "now", "once")),
        (f"due_at = {FAR}, leases = 1", ("live", "kept", "once")),
        (f"due_at = {FAR}, busy_until = {FAR}, token = gen_random_uuid()", ("live", "kept", "again")),
    ],
    ids=["pending", "at rest", "tried again later", "handed out", "busy"],
)
async def test_what_is_under_way_keeps_its_lane_and_its_time_and_the_rest_comes_behind_live_sales(
    world: World, engine: Engine, given: str, after: tuple[str, str, str]
) -> None:
    (sale,) = await sales(world, 1)
    await world.deliver(INVOICE, sale)
    await world.sql(f"update aiaccount.tasks set lane = 'live', {given} where endpoint = 'pos_invoice'")
    before = await world.task(INVOICE, sale)
    ask(engine, endpoints=(INVOICE,))
    carry(world)
    task = await world.task(INVOICE, sale)
    due = "kept" if task["due_at"] == before["due_at"] else "now"
    assert (task["lane"], due, "again" if task["again"] else "once") == after
    assert task["due_in"] <= 0 or due == "kept"
    assert task["token"] == before["token"]
    if task["token"] is None:
        await world.deliver(INVOICE, sale)
        assert (await world.task(INVOICE, sale))["lane"] == "live", "a live change brings it back"


async def test_a_busy_task_is_looked_at_once_more_and_only_then_counted(world: World, engine: Engine) -> None:
    (sale,) = await sold_before(world, 1)
    tools = world.tools()
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    await world.carry_out(claim, tools)
    carry(world)
    assert totals(engine, run) == {"left": 1}
    assert not told(engine, run).over
    await world.drain()
    assert totals(engine, run) == {"sent": 1}


async def test_what_a_dead_consumer_held_is_handed_out_and_not_being_sent(
    world: World, engine: Engine
) -> None:
    (sale,) = await sold_before(world, 1)
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    assert await world.claim(INVOICE, sale, world.tools()) is not None
    assert moving(engine, run) == Motion(due=0, handed_out=0, busy=1)
    ended = "busy_until = clock_timestamp() - interval '1 minute', leases = 1"
    await world.sql(f"update aiaccount.tasks set {ended}, due_at = {FAR}")
    assert moving(engine, run) == Motion(due=0, handed_out=1, busy=0)


async def test_a_live_change_takes_its_row_out_of_the_backfill_lane(world: World, engine: Engine) -> None:
    (sale,) = await sold_before(world, 1)
    ask(engine, endpoints=(INVOICE,))
    carry(world)
    assert (await world.task(INVOICE, sale))["lane"] == "backfill"
    await world.deliver(INVOICE, sale)
    assert (await world.task(INVOICE, sale))["lane"] == "live"


async def test_reconciliation_is_not_alarmed_by_rows_that_wait_to_be_queued(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 5)
    await world.sql("update aiaccount.outbox set created_at = now() - interval '1 day'")
    ask(engine)
    carry(world, turns=3, rows=4)
    assert await look(world) == {}
    assert await alerts(world) == []
    carry(world)
    await world.drain()
    assert await look(world) == {}


async def test_a_range_without_rows_records_nothing(world: World, engine: Engine) -> None:
    await sales(world, 1)
    with pytest.raises(AssertionError):
        ask(engine, JUNE)
    for table in ("runs", "wanted_ranges"):
        assert await world.sql(f"select 1 as n from aiaccount.{table}") == []
    (tenant,) = await world.sql("select settings_version from aiaccount.tenants")
    assert tenant["settings_version"] == 1


async def test_a_tenant_that_was_stopped_stays_stopped(world: World, engine: Engine) -> None:
    await sales(world, 1)
    await world.sql(
        "insert into aiaccount.stops (tenant_id, endpoint, code, reason, key_version, settings_version)"
        " values (1, '*', 'API_KEY_INVALID', 'refused', 1, 1)"
    )
    run = ask(engine)
    carry(world)
    await world.drain()
    assert totals(engine, run) == {"blocked": 1, "waiting": 1}
    assert world.posts() == []


async def test_cancelled_it_takes_back_what_nobody_has_looked_at_and_leaves_the_rest(
    world: World, engine: Engine
) -> None:
    looked_at, busy, *others = await sold_before(world, 6)
    run = ask(engine)
    carry(world)
    await world.deliver(INVOICE, looked_at)
    tools = world.tools()
    claim = await world.claim(INVOICE, busy, tools)
    assert claim is not None
    cancel(engine, run)
    assert told(engine, run).state == "cancelling"
    carry(world, rows=5)
    await world.carry_out(claim, tools)
    await world.drain()
    carry(world)
    assert told(engine, run).state == "cancelled"
    counts = totals(engine, run)
    assert counts["sent"] == 2, "the one looked at, and the receipt that hangs on it"
    assert counts["cancelled"] == 2 * len(others) + 1
    assert counts["nothing"] == 1, "its dates are wanted no more"
    for sale in others:
        assert await task_of(world, INVOICE, sale) is None
    assert await world.sql("select 1 as n from aiaccount.wanted_ranges") == []
    await world.sql("update aiaccount.outbox set created_at = now() - interval '1 day'")
    assert await look(world) == {}, "nobody misses what was cancelled"
    assert len(world.stored()) == 2


async def test_cancelled_in_the_middle_it_queues_no_more(world: World, engine: Engine) -> None:
    await sold_before(world, 6)
    run = ask(engine)
    carry(world, turns=3, rows=5)
    cancel(engine, run)
    carry(world)
    await world.drain()
    carry(world)
    assert totals(engine, run) == {"cancelled": 12}
    assert await world.sql("select 1 as n from aiaccount.tasks") == []


async def test_what_another_run_wants_is_not_taken_back(world: World, engine: Engine) -> None:
    await sold_before(world, 3)
    first, second = ask(engine), ask(engine)
    carry(world)
    cancel(engine, first)
    carry(world)
    await world.drain()
    assert totals(engine, second) == {"sent": 6}
    assert await world.sql("select count(*) as n from aiaccount.wanted_ranges") == [{"n": 4}]


async def test_a_sale_that_came_live_meanwhile_is_not_taken_back(world: World, engine: Engine) -> None:
    await sales(world, 1)
    run = ask(engine, endpoints=(INVOICE,))
    carry(world)
    await world.sql("update aiaccount.tasks set lane = 'live'")
    cancel(engine, run)
    carry(world)
    await world.drain()
    assert len(world.stored()) == 2


async def test_what_is_done_cancelled_or_unknown_cannot_be_cancelled(world: World, engine: Engine) -> None:
    await sales(world, 1)
    run, other = ask(engine), ask(engine)
    cancel(engine, other)
    carry(world)
    await world.drain()
    carry(world)
    for number, said in (
        (run, "is done"),
        (other, "was cancelled already, by Mei"),
        (99, "there is no run 99"),
    ):
        with pytest.raises(UsageError, match=said):
            cancel(engine, number)


async def test_a_run_is_forgotten_long_after_its_end_and_its_dates_stay_wanted(
    world: World, engine: Engine
) -> None:
    await sold_before(world, 2)
    old, new = ask(engine), ask(engine)
    carry(world)
    await world.drain()
    carry(world)
    await world.sql("update aiaccount.runs set finished_at = now() - interval '91 days' where id = %s", [old])
    with open_session(world.database, "test") as session:
        assert forget(session) == 5
        assert forget(session) == 0
    assert [row["id"] for row in await world.sql("select id from aiaccount.runs")] == [new]
    assert len(await world.sql("select 1 as n from aiaccount.wanted_ranges")) == 4
