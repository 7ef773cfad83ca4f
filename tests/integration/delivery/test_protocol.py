"""Each sentence of the protocol, tried where a promise would break without it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from consumers.client import Call
from consumers.delivery import deliver
from consumers.reply import Broken, Reply
from consumers.secret import Secret
from outbox.endpoints import Endpoint
from tests.integration.delivery.world import INVOICE, RECEIPT, World

NUMBER = "POS2026050100001"
STEPS = ["claimed", "read", "intended", "called", "recorded"]


class Held:
    """A client whose replies are held back until `let` is set; it remembers that it was asked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def post(self, call: Call, seconds: float) -> Reply | Broken:
        """Push at once, answer when let."""
        reply = await self._world.client.post(call, seconds)
        self.asked.set()
        await self.let.wait()
        return reply

    async def look_up(
        self, endpoint: Endpoint, secret: Secret, identity: Mapping[str, str], seconds: float
    ) -> Reply | Broken:
        """Look up."""
        return await self._world.client.look_up(endpoint, secret, identity, seconds)


@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_that_dies_at_a_step_loses_nothing_and_doubles_nothing(
    world: World, step: str
) -> None:
    sale = await world.sale()
    world.claim_seconds = 0.3
    await world.crash(INVOICE, sale, step)
    if step != "recorded":
        task = await world.task(INVOICE, sale)
        assert task["due_at"] == task["busy_until"], "the sweep must find a claim whose holder died"
        await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]
    assert (await world.document(NUMBER))["state"] == "pushed"


async def test_a_row_deleted_after_its_first_worker_died_in_the_call_is_not_forgotten(world: World) -> None:
    """The task does not name its tenant yet and the row does no more: the ledger does."""
    sale = await world.sale()
    world.claim_seconds = 0.3
    await world.crash(INVOICE, sale, "called")
    await world.sql("delete from pos_transactions")
    await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    await world.drain()
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["may_exist"]) == ("conflict", "SOURCE_GONE", False)
    assert world.stored() == [NUMBER]


async def test_the_intent_stands_in_the_ledger_before_the_call(world: World) -> None:
    sale = await world.sale()
    await world.crash(INVOICE, sale, "intended")
    assert world.posts() == []
    row = await world.document(NUMBER)
    assert row["may_exist"]
    assert row["document"]["number"] == NUMBER
    assert row["snapshot"]["pos_transaction"]["receipt_no"] == NUMBER


async def test_a_claim_that_somebody_holds_is_asked_for_another_look(world: World) -> None:
    sale = await world.sale()
    held = Held(world)
    first = asyncio.create_task(world.deliver(INVOICE, sale, client=held))
    await held.asked.wait()
    await world.sql("update pos_transactions set status = 'voided', voided_at = '2026-05-02T04:00:00Z'")
    assert not await world.deliver(INVOICE, sale)
    assert (await world.task(INVOICE, sale))["again"]
    held.let.set()
    await first
    assert (await world.task(INVOICE, sale))["due_in"] <= 0
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-V1"]


async def test_what_changed_between_the_claim_and_the_read_is_seen(world: World) -> None:
    sale = await world.sale()
    tools = world.tools()
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.sql("update pos_transactions set status = 'voided', voided_at = '2026-05-02T04:00:00Z'")
    await deliver(claim, tools)
    assert world.posts() == []
    assert (await world.document(NUMBER))["code"] == "VOIDED_BEFORE_PUSH"


async def test_what_changed_between_the_claim_and_the_read_of_a_known_task_is_seen(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    tools = world.tools()
    claim = await world.claim(INVOICE, sale, tools)
    assert claim is not None
    await world.sql("update pos_transactions set status = 'voided', voided_at = '2026-05-02T04:00:00Z'")
    await deliver(claim, tools)
    assert world.stored() == [NUMBER, f"{NUMBER}-V1"]


async def test_an_expired_claim_is_taken_and_its_late_holder_intends_nothing(world: World) -> None:
    sale = await world.sale()
    world.claim_seconds = 0.2
    tools = world.tools()
    late = await world.claim(INVOICE, sale, tools)
    assert late is not None
    await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    taken = await world.claim(INVOICE, sale)
    assert taken is not None
    world.skew = -60  # the late one was stopped: its own clock has not seen the claim end
    await deliver(late, tools)
    assert world.posts() == []
    assert (await world.task(INVOICE, sale))["token"] == taken.token
    world.skew = 0
    await deliver(taken, world.tools())
    assert world.stored() == [NUMBER]


async def test_no_call_begins_after_the_end_of_the_claim(world: World) -> None:
    sale = await world.sale()

    def reach(name: str) -> None:
        if name == "intended":
            world.skew = 61

    await world.deliver(INVOICE, sale, reach)
    assert world.posts() == []
    world.skew = 0
    assert (await world.task(INVOICE, sale))["due_in"] <= 0
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]


async def test_an_acceptance_is_recorded_though_the_token_is_lost(world: World) -> None:
    sale = await world.sale()
    held = Held(world)
    world.claim_seconds = 0.5
    late = asyncio.create_task(world.deliver(INVOICE, sale, client=held))
    await held.asked.wait()
    await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    taken = await world.claim(INVOICE, sale)
    assert taken is not None
    held.let.set()
    await late
    row = await world.document(NUMBER)
    assert row["state"] == "pushed"
    assert row["remote_id"]
    task = await world.task(INVOICE, sale)
    assert task["token"] == taken.token, "the release needs the token"
    assert task["again"], "whoever has the task now must look again"
    assert (await world.task(RECEIPT, sale))["due_in"] <= 0, "what hangs on it is due"


async def test_a_refusal_under_a_lost_token_changes_nothing(world: World) -> None:
    sale = await world.sale()
    world.fault("status", status=422, code="TAX_CODE_MISSING", times=1)
    held = Held(world)
    world.claim_seconds = 0.5
    late = asyncio.create_task(world.deliver(INVOICE, sale, client=held))
    await held.asked.wait()
    await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    taken = await world.claim(INVOICE, sale)
    assert taken is not None
    held.let.set()
    await late
    row = await world.document(NUMBER)
    assert row["state"] == "in doubt"
    await deliver(taken, world.tools())
    assert world.stored() == [NUMBER]


async def test_an_accepted_document_is_never_overwritten(world: World) -> None:
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    before = await world.document(NUMBER)
    claim = await world.claim(INVOICE, sale)
    assert claim is not None
    (intended,) = [await world.intend(claim, NUMBER, {"number": NUMBER, "changed": True})]
    assert not intended.written
    assert intended.held
    assert await world.document(NUMBER) == before


async def test_a_number_belongs_to_the_aggregate_that_first_claimed_it(world: World) -> None:
    first = await world.sale()
    await world.deliver(INVOICE, first)
    await world.sql("update pos_transactions set receipt_no = 'POS2026050100099' where id = %s", [first])
    second = await world.sale()
    await world.deliver(INVOICE, second)
    rows = await world.sql(
        "select * from aiaccount.documents where number = %s order by aggregate_id", [NUMBER]
    )
    assert [(row["aggregate_id"], row["state"], row["code"]) for row in rows] == [
        (first, "pushed", None),
        (second, "conflict", "NUMBER_TAKEN"),
    ]
    assert world.stored() == [NUMBER]


async def test_two_that_claim_a_number_at_once_leave_it_to_one(world: World) -> None:
    first = await world.sale(paid=False)
    await world.sql("update pos_transactions set blogger_id = %s where id = %s", [1, first])
    second = await world.sale("POS2026050100002", paid=False)
    claims = [await world.claim(INVOICE, sale) for sale in (first, second)]
    intents = await asyncio.gather(
        *(world.intend(claim, NUMBER, {"number": NUMBER}) for claim in claims if claim is not None)
    )
    assert sorted(intent.written for intent in intents) == [False, True]
    assert sorted(intent.taken for intent in intents) == [False, True]


async def test_a_receipt_that_looks_while_its_invoice_is_under_way_is_not_forgotten(world: World) -> None:
    sale = await world.sale()
    receipt_tools = world.tools()
    receipt = await world.claim(RECEIPT, sale, receipt_tools)
    assert receipt is not None
    reading = asyncio.Event()
    accepted = asyncio.Event()
    held = receipt_tools.steps.reads.ask

    async def ask(row: Any) -> Any:
        found = await held(row)
        reading.set()
        await accepted.wait()
        return found

    receipt_tools.steps.reads.ask = ask  # type: ignore[method-assign]
    waiting = asyncio.create_task(deliver(receipt, receipt_tools))
    await reading.wait()
    await world.deliver(INVOICE, sale)
    accepted.set()
    await waiting
    assert (await world.task(RECEIPT, sale))["due_in"] <= 0
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-R1"]


async def test_a_receipt_whose_claim_has_ended_is_woken_all_the_same(world: World) -> None:
    """Busy means claimed and not released: its holder may still release, and must then look again."""
    sale = await world.sale()
    world.claim_seconds = 0.2
    tools = world.tools()
    claim = await world.claim(RECEIPT, sale, tools)
    assert claim is not None
    record = tools.steps.records.ask

    async def ask(row: Any) -> Any:
        await world.until_due(RECEIPT, sale)
        world.claim_seconds = 60
        await world.deliver(INVOICE, sale)
        return await record(row)

    tools.steps.records.ask = ask  # type: ignore[method-assign]
    await deliver(claim, tools)
    task = await world.task(RECEIPT, sale)
    assert task["token"] is None
    assert task["due_in"] <= 0


async def test_a_refund_that_looks_while_its_original_is_under_way_is_not_forgotten(world: World) -> None:
    sale = await world.sale()
    held = Held(world)
    original = asyncio.create_task(world.deliver(INVOICE, sale, client=held))
    await held.asked.wait()
    refund = await world.sale("POS2026050200001", txn_type="refund", original_txn_id=sale)
    await world.deliver(INVOICE, refund)
    assert (await world.document("POS2026050200001"))["state"] == "waiting"
    held.let.set()
    await original
    assert (await world.task(INVOICE, refund))["due_in"] <= 0
    await world.drain()
    assert world.stored().index(NUMBER) < world.stored().index("POS2026050200001")


async def test_a_refund_released_while_its_original_is_recorded_looks_again(world: World) -> None:
    """The wake may miss a refund that was written after it looked: the release then sees the acceptance."""
    sale = await world.sale()
    refund = await world.sale("POS2026050200001", txn_type="refund", original_txn_id=sale)
    tools = world.tools()
    claim = await world.claim(INVOICE, refund, tools)
    assert claim is not None
    record = tools.steps.records.ask

    async def ask(row: Any) -> Any:
        await world.deliver(INVOICE, sale)
        await world.sql(
            "update aiaccount.tasks set again = false where aggregate_id = %s", [refund]
        )  # as missed
        return await record(row)

    tools.steps.records.ask = ask  # type: ignore[method-assign]
    await deliver(claim, tools)
    assert (await world.task(INVOICE, refund))["due_in"] <= 0


async def test_a_void_while_the_invoice_is_in_doubt_sends_the_invoice_first(world: World) -> None:
    sale = await world.sale()
    world.fault("reset_after_storing", times=3)
    await world.deliver(INVOICE, sale)
    assert (await world.document(NUMBER))["state"] == "in doubt"
    await world.sql("update pos_transactions set status = 'voided', voided_at = '2026-05-02T04:00:00Z'")
    await world.deliver(INVOICE, sale)
    await world.drain()
    assert world.stored() == [NUMBER, f"{NUMBER}-V1"]
    bodies = [post["body"] for post in world.posts() if post["body"]["number"] == NUMBER]
    assert all(body == bodies[0] for body in bodies)


async def test_a_row_amended_while_in_doubt_is_resent_as_it_was_and_then_a_conflict(world: World) -> None:
    sale = await world.sale()
    world.fault("reset_after_storing", times=3)
    await world.deliver(INVOICE, sale)
    await world.sql("update pos_transactions set subtotal = 60, total_amount = 60, amount_paid = 60")
    await world.sql("update pos_transaction_items set unit_price = 30, line_total = 60")
    await world.deliver(INVOICE, sale)
    row = await world.document(NUMBER)
    assert (row["state"], row["code"], row["accepted_at"] is not None) == (
        "conflict",
        "AMENDED_AFTER_PUSH",
        True,
    )
    assert row["snapshot"]["pos_transaction"]["total_amount"] == "50.00", "the snapshot that it was made from"
    assert world.stored() == [NUMBER]


async def test_an_old_and_a_new_claim_in_one_batch_of_intents_write_one(world: World) -> None:
    sale = await world.sale()
    world.claim_seconds = 0.2
    old = await world.claim(INVOICE, sale)
    await world.until_due(INVOICE, sale)
    world.claim_seconds = 60
    new = await world.claim(INVOICE, sale)
    assert old is not None
    assert new is not None
    tools = world.tools()
    rows = [world.intent(claim, f"{NUMBER}-{name}", {}) for claim, name in ((old, "OLD"), (new, "NEW"))]
    of_old, of_new = await asyncio.gather(*(tools.steps.intents.ask(row) for row in rows))
    assert (of_old.written, of_old.held) == (False, False)
    assert (of_new.written, of_new.held) == (True, True)
    assert [row["number"] for row in await world.sql("select number from aiaccount.documents")] == [
        f"{NUMBER}-NEW"
    ]
