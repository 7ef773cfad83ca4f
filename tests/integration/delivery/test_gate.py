"""Calls are given out one by one: by each tenant's share, in an outage, for what the books lack."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import create_engine

from consumers.claim import Tools
from consumers.delivery import deliver
from outbox.due import release_passed
from outbox.wake import wake
from tests.integration.delivery.test_protocol import Held
from tests.integration.delivery.world import INVOICE, RECEIPT, TENANT, World

FIRST, SECOND, THIRD, FOURTH = (f"POS202605010000{number}" for number in range(1, 5))


LEFT = 'extract(epoch from probe_at - clock_timestamp()) as "left"'


async def share(world: World, per_minute: int | None, at_once: int | None) -> None:
    """Set the tenant's share of AiAccount."""
    await world.sql(
        "update aiaccount.tenants set calls_per_minute = %s, calls_at_once = %s", [per_minute, at_once]
    )


async def sales(world: World, count: int) -> list[int]:
    """Insert sales that are not paid."""
    return [await world.sale(f"POS202605010000{number}", paid=False) for number in range(1, count + 1)]


async def carry(world: World, sale: int, tools: Tools, lane: str = "live") -> None:
    """Claim a sale's invoice as one process, and deliver it."""
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.sql("update aiaccount.tasks set lane = %s where aggregate_id = %s", [lane, sale])
    await deliver(claim, tools)


async def kept(world: World, number: str) -> tuple[str, str, int]:
    """Return how a document that was not called for stands in the ledger: state, code, attempts."""
    row = await world.document(number)
    return row["state"], row["code"], row["attempts"]


def numbers(world: World) -> list[str]:
    """Return the numbers that were pushed, in order."""
    return [post["body"]["number"] for post in world.posts()]


async def test_what_is_over_a_tenants_share_is_not_called_and_waits_as_a_due_task(world: World) -> None:
    await share(world, 12, None)  # one at once, one every five seconds
    first, second = await sales(world, 2)
    await carry(world, first, world.tools())
    await carry(world, second, world.tools())
    assert world.stored() == [FIRST]
    assert await kept(world, SECOND) == ("retrying", "PACED", 0)
    task = await world.task(INVOICE, second)
    assert 0 < task["due_in"] <= 6 + 1
    assert (task["token"], task["calling_for"]) == (None, None)


async def test_a_share_comes_back_with_time(world: World) -> None:
    await share(world, 12, None)
    first, second = await sales(world, 2)
    await carry(world, first, world.tools())
    await world.sql("update aiaccount.paces set spent_until = spent_until - interval '5 seconds'")
    await carry(world, second, world.tools())
    assert world.stored() == [FIRST, SECOND]


async def test_no_minute_holds_more_calls_than_the_tenant_may_make(world: World) -> None:
    """The gate is asked as fast as it can be, by a clock that is moved on a second each time."""
    await share(world, 60, None)
    await world.sql("insert into aiaccount.paces (tenant_id) values (%s)", [TENANT])
    given: list[float] = []
    asked = "select calls, every, extract(epoch from clock_timestamp())::float as now from aiaccount.shares"
    for second in range(120):
        (row,) = await world.sql(f"{asked} where tenant_id = %s", [TENANT])
        given += [row["now"] + second] * row["calls"]
        await world.sql(
            "update aiaccount.paces set spent_until = greatest(spent_until, clock_timestamp()) + %s * %s"
            " - interval '1 second'",
            [row["every"], row["calls"]],
        )
    assert max(sum(begin <= at < begin + 60 for at in given) for begin in given) <= 60
    assert len(given) > 100, "and most of the share is there to be used"


async def test_a_tenant_is_called_so_often_at_once_by_all_processes_together(world: World) -> None:
    await share(world, None, 1)
    first, second, third = await sales(world, 3)
    held = Held(world)
    calling = asyncio.create_task(world.deliver(INVOICE, first, client=held))
    await held.asked.wait()
    await carry(world, second, world.tools())
    assert await kept(world, SECOND) == ("retrying", "PACED", 0)
    held.let.set()
    await calling
    await carry(world, third, world.tools())
    assert world.stored() == [FIRST, THIRD]


async def test_a_worker_that_dies_in_a_call_gives_its_place_back_when_its_claim_ends(world: World) -> None:
    await share(world, None, 1)
    first, second = await sales(world, 2)
    world.claim_seconds = 0.3
    await world.crash(INVOICE, first, "intended")
    await world.until_due(INVOICE, first)
    world.claim_seconds = 60
    await carry(world, second, world.tools())
    assert world.stored() == [SECOND]


async def test_many_documents_of_one_batch_are_given_what_is_left_and_no_more(world: World) -> None:
    await share(world, 36, None)  # three at once
    ids = await sales(world, 5)
    tools = world.tools()
    claims = [await world.claim(INVOICE, sale, tools) for sale in ids]
    documents = [{"number": f"N{at}"} for at in range(5)]
    answers = await asyncio.gather(
        *(
            tools.steps.intents.ask({**world.intent(claim, document["number"], document), "gated": True})
            for claim, document in zip(claims, documents, strict=True)
            if claim is not None
        )
    )
    assert [answer.written for answer in answers].count(True) == 3
    assert {answer.kept for answer in answers if not answer.written} == {"PACED"}


async def test_a_backfill_leaves_the_rest_of_the_share_to_live_sales(world: World) -> None:
    await share(world, 24, None)  # two at once, one of them for live sales only
    first, second, third = await sales(world, 3)
    await carry(world, first, world.tools(), lane="backfill")
    await carry(world, second, world.tools(), lane="backfill")
    assert await kept(world, SECOND) == ("retrying", "PACED", 0)
    await carry(world, third, world.tools())
    assert world.stored() == [FIRST, THIRD]


@pytest.mark.parametrize("looked_at", [False, True], ids=["made by the acceptance", "at rest before"])
async def test_what_hangs_on_a_backfilled_invoice_does_not_come_before_live_sales(
    world: World, *, looked_at: bool
) -> None:
    (sale,) = await sales(world, 1)
    if looked_at:
        await world.deliver(RECEIPT, sale)
        await world.sql("update aiaccount.tasks set due_at = null where endpoint = 'pos_receipt'")
    tools = world.tools()
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.sql("update aiaccount.tasks set lane = 'backfill' where endpoint = 'pos_invoice'")
    await deliver(claim, tools)
    lanes = "select lane from aiaccount.tasks where endpoint = 'pos_receipt' and due_at <= clock_timestamp()"
    assert await world.sql(lanes) == [{"lane": "backfill"}]


async def test_a_tenant_that_was_called_too_often_is_left_alone_by_every_process(world: World) -> None:
    first, second = await sales(world, 2)
    world.fault("rate_limited", times=1, retry_after=40)
    await carry(world, first, world.tools())
    await carry(world, second, world.tools())
    assert numbers(world) == [FIRST]
    assert await kept(world, FIRST) == ("retrying", "RATE_LIMITED", 0)
    assert await kept(world, SECOND) == ("retrying", "RATE_LIMITED", 0)
    assert 39 < (await world.task(INVOICE, second))["due_in"] <= 46


async def down(world: World, tools: Tools) -> list[int]:
    """Let the invoices' endpoint fail until this process takes it for down; return the sales tried."""
    world.fault("status", status=503, match={"endpoint": INVOICE.value})
    ids = await sales(world, 4)
    for sale in ids:
        await carry(world, sale, tools)
    return ids


async def test_an_endpoint_that_is_down_is_called_ten_times_and_then_left_alone_by_every_process(
    world: World,
) -> None:
    ids = await down(world, world.tools())
    assert len(world.posts()) == 10
    (outage,) = await world.sql("select * from aiaccount.outages")
    assert outage["endpoint"] == INVOICE
    later = await world.sale("POS2026050100009", paid=False)
    await carry(world, later, world.tools())
    assert await kept(world, "POS2026050100009") == ("retrying", "ENDPOINT_DOWN", 0)
    assert len(world.posts()) == 10
    assert len(ids) == 4


async def test_one_call_probes_an_endpoint_that_is_down_and_the_next_only_after_half_a_minute(
    world: World,
) -> None:
    await down(world, world.tools())
    await world.sql("update aiaccount.outages set probe_at = clock_timestamp()")
    more = [await world.sale(f"POS20260501001{number:02}", paid=False) for number in range(5)]
    await asyncio.gather(*(carry(world, sale, world.tools()) for sale in more))
    assert len(world.posts()) == 11, "a probe is one call, without quick retries"
    (outage,) = await world.sql(f"select {LEFT} from aiaccount.outages")
    assert 25 < outage["left"] <= 30


async def test_when_a_probe_is_answered_everything_goes_again(world: World) -> None:
    ids = await down(world, world.tools())
    world.sandbox.clear_faults()
    await world.sql("update aiaccount.outages set probe_at = clock_timestamp()")
    probe = await world.sale("POS2026050100009", paid=False)
    await carry(world, probe, world.tools())
    assert await world.sql("select * from aiaccount.outages") == []
    await world.sql("update aiaccount.documents set next_at = null")
    await world.sql("update aiaccount.tasks set due_at = clock_timestamp() where due_at is not null")
    await world.drain()
    assert len(world.stored()) == len(ids) + 1


async def lacking(world: World, count: int) -> list[int]:
    """Try sales whose tax code the company's books lack; return them."""
    world.sandbox.patch_company(world.company_id, tax_codes=["MY-SALES10"])
    ids = await sales(world, count)
    for sale in ids:
        await carry(world, sale, world.tools())
    return ids


async def test_three_equal_refusals_keep_what_needs_the_same_and_nothing_else(world: World) -> None:
    *_, fourth = await lacking(world, 4)
    assert numbers(world) == [FIRST, SECOND, THIRD]
    assert await kept(world, FOURTH) == ("blocked", "TAX_CODE_MISSING", 0)
    assert (await world.task(INVOICE, fourth))["due_in"] > 0.8 * 3600
    assert "NT" in (await world.document(FOURTH))["reason"]
    other = await world.sale(
        "POS2026050100009",
        paid=False,
        tax_type="sales",
        tax_rate="10",
        tax_amount="5.00",
        total_amount="55.00",
    )
    await carry(world, other, world.tools())
    assert world.stored() == ["POS2026050100009"]


async def test_one_document_in_a_while_probes_what_the_books_lack(world: World) -> None:
    ids = await lacking(world, 4)
    await world.sql("update aiaccount.breakers set probe_at = clock_timestamp()")
    await world.sql("update aiaccount.documents set next_at = null")
    await asyncio.gather(*(carry(world, sale, world.tools()) for sale in ids))
    assert len(world.posts()) == 3 + 1
    (breaker,) = await world.sql(f"select {LEFT} from aiaccount.breakers")
    assert 890 < breaker["left"] <= 900


async def test_when_a_probe_passes_all_that_was_blocked_for_that_goes(world: World) -> None:
    first, *_ = await lacking(world, 4)
    world.sandbox.patch_company(world.company_id, tax_codes=["MY-SALES10", "NT"])
    await world.sql("update aiaccount.breakers set probe_at = clock_timestamp()")
    await world.sql("update aiaccount.documents set next_at = null where number = %s", [FIRST])
    await carry(world, first, world.tools())
    assert world.stored() == [FIRST]
    with psycopg.connect(world.database, autocommit=True) as relay:
        assert release_passed(relay, 2) == 2
        assert release_passed(relay, 2) == 1
        assert release_passed(relay, 2) == 0
    assert await world.sql("select * from aiaccount.breakers") == []
    await world.drain()
    assert sorted(world.stored()) == [FIRST, SECOND, THIRD, FOURTH]
    assert len(world.posts()) == 3 + 4


async def test_other_settings_forget_what_the_books_lacked(world: World) -> None:
    await lacking(world, 3)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(world.database))
    with engine.begin() as connection:
        wake(connection, TENANT)
    engine.dispose()
    assert await world.sql("select * from aiaccount.breakers") == []


async def test_what_happened_long_ago_is_not_counted_with_what_happens_now(world: World) -> None:
    await lacking(world, 2)
    await world.sql("update aiaccount.breakers set probe_at = probe_at - interval '2 days'")
    third = await world.sale(THIRD, paid=False)
    await carry(world, third, world.tools())
    (breaker,) = await world.sql("select refusals, opened_at from aiaccount.breakers")
    assert breaker == {"refusals": 1, "opened_at": None}


async def test_every_attempt_is_logged(world: World) -> None:
    sale = await world.sale()
    world.fault("status", status=500, times=1)
    await world.deliver(INVOICE, sale)
    await world.drain()
    rows: list[dict[str, Any]] = await world.sql(
        "select number, calls, treatment, code, seconds >= 0 as took, began_at <= clock_timestamp() as past"
        " from aiaccount.attempts order by id"
    )
    same = {"treatment": "accepted", "code": "created", "took": True, "past": True}
    assert rows == [{"number": FIRST, "calls": 2, **same}, {"number": f"{FIRST}-R1", "calls": 1, **same}]


@pytest.mark.parametrize("endpoint", [INVOICE, RECEIPT])
async def test_nothing_is_given_out_to_a_claim_that_was_taken(world: World, endpoint: Any) -> None:
    await share(world, 60, 1)
    sale = await world.sale()
    world.claim_seconds = 0.2
    old = await world.claim(endpoint, sale)
    await world.until_due(endpoint, sale)
    world.claim_seconds = 60
    assert await world.claim(endpoint, sale) is not None
    assert old is not None
    answer = await world.tools().steps.intents.ask({**world.intent(old, "N1", {}), "gated": True})
    assert (answer.written, answer.held, answer.kept) == (False, False, None)
    assert await world.sql("select calling_for from aiaccount.tasks where calling_for is not null") == []
    assert await world.sql("select spent_until > 'epoch' as spent from aiaccount.paces") == [{"spent": False}]
