"""When is looked, at what, and what is left alone because it is on its way."""

import json
import re
import threading
from dataclasses import replace
from datetime import date

import psycopg
import pytest

from outbox.beside import IDLE_SECONDS
from outbox.endpoints import Aggregate
from outbox.looks import Reconciliation
from outbox.metrics import RelayMetrics
from outbox.reconcile import Scope, Verdict, by_aggregate, open_reconciliation, read_page
from outbox.statements import statements
from tests.integration.delivery.world import World
from tests.integration.reconcile.looking import HOURLY, Found, alerts, look, looked
from tests.integration.reconcile.test_slips import replica
from tests.waiting import wait_for

POS = Aggregate.POS_TRANSACTION
GRACE = replace(HOURLY, grace=120)
FEW = replace(HOURLY, rows=2)


async def unseen(world: World, sales: int) -> list[int]:
    """Make sales that no event tells of."""
    async with replica(world):
        return [await world.sale(f"POS202605010{number:04}", paid=False) for number in range(sales)]


async def due(world: World) -> list[int]:
    """Return which aggregates have a task that is due."""
    rows = await world.sql(
        "select distinct aggregate_id from aiaccount.tasks where due_at <= clock_timestamp() order by 1"
    )
    return [row["aggregate_id"] for row in rows]


async def alert(world: World, kind: str) -> None:
    """Raise an alert."""
    await world.sql("insert into aiaccount.alerts (kind, detail) values (%s, 'it is a test')", [kind])


async def test_what_was_just_captured_is_on_its_way(world: World) -> None:
    await world.sale()
    assert await look(world, GRACE) == {}
    assert await due(world) == []
    await world.sql("update aiaccount.outbox set created_at = now() - interval '3 minutes'")
    assert await look(world, GRACE) == {"missing": 1}


@pytest.mark.parametrize(
    "at_work",
    [
        "due_at = clock_timestamp()",
        "due_at = clock_timestamp() + interval '5 minutes', leases = 1",
        "due_at = now() + interval '1 min', busy_until = now() + interval '1 min', token = gen_random_uuid()",
    ],
    ids=["due", "handed out", "busy"],
)
async def test_a_task_that_is_being_seen_to_is_left_alone_unless_an_alert_asks(
    world: World, at_work: str
) -> None:
    (sale,) = await unseen(world, 1)
    await world.sql(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, due_at) values"
        " ('pos_invoice', %(sale)s, 1, now()), ('pos_receipt', %(sale)s, 1, now())",
        {"sale": sale},
    )
    await world.sql(f"update aiaccount.tasks set {at_work}")
    before = await world.sql("select * from aiaccount.tasks order by 1, 2")
    assert await look(world) == {}
    assert await world.sql("select * from aiaccount.tasks order by 1, 2") == before
    await alert(world, "topic_recreated")
    assert looked(world.database) == {}
    for task in await world.sql("select *, due_at <= clock_timestamp() as due from aiaccount.tasks"):
        assert task["again"] if task["token"] else task["due"]


@pytest.mark.parametrize(
    "kind", ["truncate", "capture_failed", "capture_restored", "reanchored", "topic_recreated"]
)
async def test_an_alert_asks_for_a_look_at_everything_at_once_and_once(world: World, kind: str) -> None:
    assert await look(world) == {}
    await unseen(world, 3)
    await world.sql(
        "insert into aiaccount.reconciliation_marks select 'pos_transaction', now() - interval '9 days', 99"
    )
    assert looked(world.database) == {}
    await alert(world, kind)
    assert looked(world.database) == {"missing": 3}
    assert await alerts(world) == [kind, "missed_changes"]
    await world.sql("delete from aiaccount.tasks")
    assert looked(world.database) == {}


async def test_a_storm_of_alerts_asks_for_one_look_in_every_few_minutes(world: World) -> None:
    await look(world)
    looking = Reconciliation(world.database, lambda: True, Found(), HOURLY)
    began = []
    for _ in range(5):
        await alert(world, "capture_failed")
        while looking.run_once() != IDLE_SECONDS:
            pass
        began += await world.sql("select urgent_at from aiaccount.reconciliation")
    assert len({row["urgent_at"] for row in began}) == 1
    await world.sql("update aiaccount.reconciliation set urgent_at = now() - interval '2 hours'")
    while looking.run_once() != IDLE_SECONDS:
        pass
    looking.close()
    (row,) = await world.sql("select urgent_at from aiaccount.reconciliation")
    assert row["urgent_at"] > began[0]["urgent_at"]


async def test_an_alert_in_the_middle_of_a_usual_look_begins_it_anew(world: World) -> None:
    await look(world)
    sales = await unseen(world, 6)
    await world.sql("update aiaccount.reconciliation set began_at = 'epoch'")
    looking = Reconciliation(world.database, lambda: True, Found(), FEW)
    while not await due(world):
        looking.run_once()
    await world.sql("delete from aiaccount.tasks")
    await alert(world, "truncate")
    while looking.run_once() != IDLE_SECONDS:
        pass
    looking.close()
    assert await due(world) == sales


async def test_a_look_at_everything_goes_on_where_another_process_left_it(world: World) -> None:
    sales = await unseen(world, 7)
    await world.sql(
        "insert into aiaccount.reconciliation_marks select 'pos_transaction', now() - interval '9 days', 99"
    )
    first = Reconciliation(world.database, lambda: True, Found(), FEW)
    while not await due(world):
        first.run_once()
    first.close()
    assert await due(world) == sales[:2]
    await world.sql("delete from aiaccount.tasks")
    assert looked(world.database, FEW) == {"missing": 5}
    assert await due(world) == sales[2:]
    (row,) = await world.sql("select under_way, finished_at from aiaccount.reconciliation")
    assert not row["under_way"]
    assert row["finished_at"]


async def test_recent_rows_are_those_after_the_mark_of_some_days_ago(world: World) -> None:
    assert await look(world) == {}
    sales = await unseen(world, 4)
    await world.sql("delete from aiaccount.reconciliation_marks")
    await world.sql(
        "insert into aiaccount.reconciliation_marks values ('pos_transaction', now() - interval '9 days', 0),"
        " ('pos_transaction', now() - interval '4 days', %s),"
        " ('pos_transaction', now() - interval '2 days', %s)",
        [sales[1], sales[3]],
    )
    assert looked(world.database, FEW) == {"missing": 2}
    assert await due(world) == sales[2:]
    marks = await world.sql(
        "select greatest_id from aiaccount.reconciliation_marks"
        " where aggregate_type = 'pos_transaction' order by marked_at"
    )
    assert [row["greatest_id"] for row in marks] == [sales[1], sales[3], sales[3]]


async def test_nothing_is_looked_at_where_another_process_leads(world: World) -> None:
    await unseen(world, 1)
    looking = Reconciliation(world.database, lambda: False, Found(), HOURLY)
    assert looking.run_once() == IDLE_SECONDS
    looking.close()
    assert await due(world) == []


async def test_a_page_ends_after_so_many_rows_or_tasks_whichever_are_more(world: World) -> None:
    async with replica(world):
        sales = [await world.sale(f"POS20260501{number:05}", paid=False) for number in range(6)]
    await world.sql(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id) select e, a, 1"
        " from unnest(array['pos_invoice', 'pos_receipt']) e, generate_series(1, 6) a"
    )
    await world.sql("delete from pos_transaction_items where transaction_id <= 4")
    await world.sql("delete from pos_transactions where id <= 4")
    with open_reconciliation(world.database) as session:
        ends, seen, after = [], {}, 0
        while True:
            page = read_page(session, POS, after, Scope(grace=0), rows=2)
            seen |= by_aggregate(page.standings)
            if page.ends is None:
                break
            after = page.ends
            ends.append(after)
    assert ends == [2, 4, 6]
    orphaned, changed = Verdict.ORPHANED, Verdict.CHANGED
    assert seen == {sale: orphaned if sale <= 4 else changed for sale in sales}


async def test_only_the_tenants_and_the_dates_asked_for_are_compared(world: World) -> None:
    await world.tenant(2, "Kedai Dua")
    async with replica(world):
        mine = await world.sale("POS2026050100001")
        late = await world.sale(
            "POS2026050200001", completed_at="2026-05-01T16:30:00Z"
        )  # past midnight there
        await world.sale("POS2026050100002", status="open", completed_at=None, paid=False)
        theirs = await world.sale("POS2026050100001", blogger_id=2)
    day, next_day = date(2026, 5, 1), date(2026, 5, 2)
    with open_reconciliation(world.database) as session:
        for scope, expected in (
            (Scope(tenants=(1,), dates=(day, day)), {mine}),
            (Scope(tenants=(2,)), {theirs}),
            (Scope(dates=(next_day, next_day)), {late}),
            (Scope(dates=(day, next_day)), {mine, late, theirs}),
        ):
            assert {one.aggregate_id for one in read_page(session, POS, scope=scope).standings} == expected


async def test_the_tasks_of_an_inactive_tenant_are_left_alone(world: World) -> None:
    await unseen(world, 1)
    await world.sql("update aiaccount.tenants set active = false")
    assert await look(world) == {}


async def test_a_row_that_breaks_the_view_is_passed_over_and_named_once(world: World) -> None:
    sales = await unseen(world, 5)
    await world.sql(
        "create or replace view aiaccount.pos_transaction_digest as select id, tenant_id, business_date,"
        f" decode(case when id = {sales[2]} then 'x' else '00' end, 'hex') as digest, original_id"
        " from aiaccount.pos_transaction_snapshot"
    )
    found = Found()
    looking = Reconciliation(world.database, lambda: True, found, HOURLY)
    for _ in range(2):
        while looking.run_once() != IDLE_SECONDS:
            pass
        await world.sql("update aiaccount.reconciliation set began_at = 'epoch'")
    looking.close()
    assert await due(world) == sales[:2] + sales[3:]
    assert found["unreadable"] == 1


async def test_reconciliation_goes_on_when_its_session_is_cut(world: World) -> None:
    metrics, stop = RelayMetrics(), threading.Event()
    looking = Reconciliation(world.database, lambda: True, metrics, replace(HOURLY, seconds=0))
    thread = threading.Thread(target=looking.run, args=[stop])
    thread.start()
    named = "from pg_stat_activity where application_name = 'aiaccount-sync reconcile'"
    with psycopg.connect(world.database, autocommit=True) as other:
        wait_for(lambda: other.execute(f"select 1 {named}").fetchall(), 10, "its session")
        other.execute(f"select pg_terminate_backend(pid, 5000) {named}")
        metrics.survey(other)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    await unseen(world, 1)
    assert await look(world) == {"missing": 1}
    age = metrics.registry.get_sample_value("aiaccount_sync_reconcile_age_seconds")
    assert age is not None
    assert age >= 0


async def test_the_metrics_count_what_was_found_by_kind(world: World) -> None:
    await unseen(world, 2)
    metrics = RelayMetrics()
    looking = Reconciliation(world.database, lambda: True, metrics, HOURLY)
    while looking.run_once() != IDLE_SECONDS:
        pass
    looking.close()
    sample = metrics.registry.get_sample_value
    assert sample("aiaccount_sync_reconcile_found_total", {"kind": "missing"}) == 2


async def test_a_page_is_read_by_indexes_alone_whatever_the_statistics_say(world: World) -> None:
    asked = {"aggregate": POS, "after": 0, "last": 1000, "rows": 100, "upto": 100, "from": None, "to": None}
    asked |= {"tenants": None, "grace": 120.0, "differing": True}
    with open_reconciliation(world.database) as session:
        for name in ("page_end", "compare"):
            plan = session.execute(
                "explain (format json) " + statements("outbox", "reconcile.sql")[name], asked
            )
            read_whole = re.findall(
                r'"Seq Scan".*?"Relation Name": "(\w+)"', json.dumps(plan.fetchall()[0][0])
            )
            assert set(read_whole) <= {"kol_settlements"}, "only what a false filter keeps from being read"
