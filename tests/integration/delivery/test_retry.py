"""The durable retry: its schedule, its end after 72 hours, and that only the database's clock counts."""

import time
from typing import Any

import pytest

from consumers import pushing
from consumers.schedule import DAY, DELAYS, HOUR, PARK_AFTER
from tests.integration.delivery.world import INVOICE, World

NUMBER = "POS2026050100001"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let quick retries follow at once: here the durable ones are looked at."""
    monkeypatch.setattr(pushing, "FIRST_WAIT", 0.0)


async def pass_by(world: World, seconds: float) -> None:
    """Let time go by in the ledger: everything noted there is that much older."""
    await world.sql(
        "update aiaccount.documents set next_at = next_at - d, doubt_at = doubt_at - d, "
        "first_attempt_at = first_attempt_at - d, last_attempt_at = last_attempt_at - d "
        "from (select %s * interval '1 second' as d) as by",
        [seconds],
    )
    await world.sql("update aiaccount.tasks set due_at = due_at - %s * interval '1 second'", [seconds])
    await world.sql(
        "update aiaccount.paces set spent_until = spent_until - d, closed_until = closed_until - d "
        "from (select %s * interval '1 second' as d) as by",
        [seconds],
    )
    await world.sql("update aiaccount.breakers set probe_at = probe_at - %s * interval '1 second'", [seconds])


async def restarted(world: World) -> None:
    """Deliver as a process that has only just begun: it knows what the database holds and no more."""
    await world.deliver(
        INVOICE, (await world.sql("select aggregate_id from aiaccount.tasks"))[0]["aggregate_id"]
    )


async def next_in(world: World) -> float:
    """Return the seconds until the document's next attempt; the task's deadline must be the same."""
    (row,) = await world.sql(
        "select extract(epoch from d.next_at - clock_timestamp())::float as next_in, "
        "extract(epoch from t.due_at - d.next_at)::float as apart "
        "from aiaccount.documents d join aiaccount.tasks t using (aggregate_id, endpoint)"
    )
    assert abs(row["apart"]) < 1
    return float(row["next_in"])


async def test_failures_wait_longer_over_restarts_and_after_72_hours_the_document_is_parked_and_tried_daily(
    world: World,
) -> None:
    sale = await world.sale(paid=False)
    world.fault("status", status=503)
    await world.deliver(INVOICE, sale)
    for attempt, longest in enumerate([*DELAYS, HOUR], 1):
        row = await world.document(NUMBER)
        assert (row["state"], row["attempts"]) == ("in doubt", attempt)
        wait, calls = await next_in(world), len(world.posts())
        assert longest / 2 - 2 < wait <= longest
        await restarted(world)
        assert len(world.posts()) == calls, "before its time it is left alone, by a new process too"
        await pass_by(world, wait + 1)
        await restarted(world)
    await pass_by(world, PARK_AFTER)
    for _ in range(2):
        await restarted(world)
        row, calls = await world.document(NUMBER), len(world.posts())
        assert (row["state"], row["code"], row["may_exist"]) == ("parked", "HTTP_5XX", True)
        assert 0.99 * DAY < await next_in(world) <= DAY
        await pass_by(world, HOUR)
        await restarted(world)
        assert len(world.posts()) == calls
        await pass_by(world, DAY)
    assert len({post["idempotency_key"] for post in world.posts()}) == 1
    world.sandbox.clear_faults()
    await restarted(world)
    assert (await world.document(NUMBER))["state"] == "pushed"
    assert world.stored() == [NUMBER]


@pytest.mark.parametrize(
    ("given", "least", "most"),
    [
        ({"form": "seconds", "retry_after": 77}, 70, 77),
        ({"form": "date", "retry_after": 77}, 70, 79),
        ({"form": "absent"}, 55, 60),
        ({"form": "absurd"}, 55, 60),
        ({"form": "absurd", "value": "soon"}, 55, 60),
        ({"form": "absurd", "value": "9" * 30}, DAY - 5, DAY),
        ({"form": "absurd", "value": "Fri, 31 Dec 9999 23:59:59 GMT"}, DAY - 5, DAY),
        ({"form": "seconds", "retry_after": 0}, 0, 1),
    ],
    ids=str,
)
async def test_too_many_calls_wait_as_told_count_no_attempt_and_survive_a_restart(
    world: World, given: dict[str, Any], least: float, most: float
) -> None:
    sale = await world.sale(paid=False)
    world.fault("rate_limited", times=1, **given)
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["attempts"]) == ("retrying", "RATE_LIMITED", 0)
    wait = await next_in(world)
    assert least < wait <= most
    if wait > 5:
        await restarted(world)
        assert len(world.posts()) == 1
    await pass_by(world, wait + 1)
    await restarted(world)
    row = await world.document(NUMBER)
    assert (row["state"], row["attempts"], world.stored()) == ("pushed", 1, [NUMBER])


async def test_four_days_of_too_many_calls_and_then_a_hiccup_park_nothing(world: World) -> None:
    sale = await world.sale(paid=False)
    world.fault("rate_limited", times=4, retry_after=60)
    await world.deliver(INVOICE, sale)
    for _ in range(3):
        await pass_by(world, DAY)
        await restarted(world)
        assert (await world.document(NUMBER))["attempts"] == 0
    world.fault("status", status=503, times=3)
    await pass_by(world, DAY)
    await restarted(world)
    assert ((await world.document(NUMBER))["state"], (await next_in(world)) <= 10) == ("in doubt", True)


async def test_a_week_of_missing_master_data_and_then_a_hiccup_park_nothing(world: World) -> None:
    sale = await world.sale(paid=False)
    world.sandbox.patch_company(world.company_id, tax_codes=[])
    await world.deliver(INVOICE, sale)
    assert (await world.document(NUMBER))["state"] == "blocked"
    await pass_by(world, 7 * DAY)
    world.sandbox.patch_company(world.company_id, tax_codes=["NT"])
    world.fault("status", status=503, times=3)
    await restarted(world)
    row = await world.document(NUMBER)
    assert (row["state"], row["attempts"]) == ("in doubt", 1)
    assert await next_in(world) <= 10, "the schedule begins anew"
    await pass_by(world, 11)
    await restarted(world)
    assert world.stored() == [NUMBER]


@pytest.mark.parametrize("wrong_by", [-DAY, DAY, 30 * 365 * DAY])
async def test_a_worker_whose_wall_clock_is_wrong_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, wrong_by: float
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + wrong_by)
    world.skew = abs(wrong_by)  # and its monotonic clock began at another time
    sales = [await world.sale(f"POS202605010000{n}", paid=False) for n in range(3)]
    world.fault("rate_limited", times=1, form="date", retry_after=77, match={"number": "POS2026050100002"})
    world.fault("status", times=3, status=503, match={"number": "POS2026050100000"})
    for sale in sales:
        await world.deliver(INVOICE, sale)
    rows = await world.sql(
        "select state, extract(epoch from next_at - clock_timestamp())::float as next_in, "
        "extract(epoch from clock_timestamp() - doubt_at)::float as doubt_age, "
        "extract(epoch from clock_timestamp() - accepted_at)::float as accepted_age "
        "from aiaccount.documents order by number"
    )
    failed, pushed, limited = rows
    assert (limited["state"], 70 < limited["next_in"] <= 79) == ("retrying", True)
    assert (failed["state"], 3 < failed["next_in"] <= 10) == ("in doubt", True)
    assert 0 <= failed["doubt_age"] < 30
    assert (pushed["state"], 0 <= pushed["accepted_age"] < 30) == ("pushed", True)
