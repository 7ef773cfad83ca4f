"""A person settles conflicts with `aiaccount-sync resolve`, and deliveries do what was decided."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from console.entering import person
from tests.commandline import CommandLine
from tests.integration.delivery.world import BILL, INVOICE, PAYMENT, RECEIPT, World

N = "POS2026050100001"
B = "KS202604-00001"


async def run(world: World, *arguments: str, status: int = 0) -> str:
    """Run the command line beside the world, and return what it printed."""
    command = CommandLine(world.database)
    done = await asyncio.to_thread(command.run, *arguments)
    assert done.returncode == status, done
    return done.stdout if status in {0, 1} else done.stderr


class Curt:
    """An AiAccount that shows only the head of what it has, or fails to."""

    def __init__(self, client: Any, *, total: str | None = None, status: int = 200) -> None:
        self._client = client
        self._total = total
        self._status = status

    async def post(self, *arguments: Any) -> Any:
        """Push as ever."""
        return await self._client.post(*arguments)

    async def look_up(self, *arguments: Any) -> Any:
        """Answer a look-up curtly."""
        reply = await self._client.look_up(*arguments)
        body = json.loads(reply.body)
        body.pop("content", None)
        if self._total is not None:
            body["document"]["total"] = self._total
        return replace(reply, status=self._status, body=json.dumps(body).encode())

    async def aclose(self) -> None:
        """Close as ever."""
        await self._client.aclose()


async def posted(world: World) -> int:
    """Sell two T-shirts, paid in cash, and post it."""
    sale = await world.sale()
    await world.deliver(INVOICE, sale)
    await world.drain()
    return sale


async def amend(world: World, sale: int, price: str = "40.00") -> None:
    """Let the till change the price of a sale, and look at it as a captured change would."""
    await world.sql(
        "update pos_transactions set subtotal = %(p)s, total_amount = %(p)s, amount_paid = %(p)s"
        " where id = %(id)s",
        {"p": price, "id": sale},
    )
    await world.sql(
        "update pos_transaction_items set unit_price = %(p)s::numeric / 2, line_total = %(p)s"
        " where transaction_id = %(id)s",
        {"p": price, "id": sale},
    )
    await look(world, sale)


async def look(world: World, sale: int) -> None:
    """Deliver both tasks of a sale, and what hangs on that."""
    for endpoint in (INVOICE, RECEIPT):
        await world.deliver(endpoint, sale)
    await world.drain()


async def states(world: World) -> dict[str, tuple[str, str | None]]:
    """Return every document's state and code."""
    rows = await world.sql("select number, state, code from aiaccount.documents")
    return {row["number"]: (row["state"], row["code"]) for row in rows}


def books(world: World) -> tuple[Decimal, Decimal]:
    """Return what the invoices and the receipts in our company come to."""
    lines = [line["document"] for line in world._lines("stored") if line["company_id"] == world.company_id]  # noqa: SLF001 - the book
    invoiced = sum((Decimal(each["totals"]["total"]) for each in lines if "totals" in each), Decimal(0))
    return invoiced, sum((Decimal(each["amount"]) for each in lines if "amount" in each), Decimal(0))


async def test_an_amended_sale_is_shown_with_what_differs_and_what_each_decision_sends(world: World) -> None:
    sale = await posted(world)
    await amend(world, sale)
    shown = await run(world, "resolve", N, status=1)
    assert "AMENDED_AFTER_PUSH" in shown
    assert "totals.total: 50.00 was sent, the row says 40.00" in shown
    assert "lines[1].unit_price: 25.0000 was sent, the row says 20.0000" in shown
    reissue = shown.partition("--reissue would send:")[2].partition("--accept")[0].split("\n")
    assert [line.split()[0] for line in reissue if line.strip()] == [
        f"{N}-V1", f"{N}-A1", f"{N}-R1X", f"{N}-S1",
    ]  # fmt: skip
    assert "--accept would send nothing." in shown
    assert await world.sql("select 1 from aiaccount.decisions") == []
    receipt = await run(world, "resolve", f"{N}-R1", status=1)
    assert "amount: 50.00 was sent, the row says 40.00" in receipt


async def test_a_reissue_reverses_what_was_sent_and_posts_the_row_as_it_is(world: World) -> None:
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--reissue", "--note", "the price was wrong")
    again = await run(world, "resolve", N, "--accept", status=2)
    assert "was decided about already" in again
    await world.drain()
    assert world.stored() == [N, f"{N}-R1", f"{N}-V1", f"{N}-A1", f"{N}-R1X", f"{N}-S1"]
    assert set((await states(world)).values()) == {("pushed", None)}
    assert books(world) == (40, 40)
    (decision,) = await world.sql("select kind, issue, decided_by, note from aiaccount.decisions")
    assert decision == {"kind": "reissue", "issue": 1, "decided_by": person(), "note": "the price was wrong"}
    audit = await world.sql("select action, subject, tenant_id, succeeded from aiaccount.audit order by id")
    assert [tuple(row.values()) for row in audit] == [
        ("resolve --reissue", N, 1, True),
        ("resolve --accept", N, None, False),
    ]


async def test_a_reissue_can_be_issued_anew_after_another_change(world: World) -> None:
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--reissue")
    await world.drain()
    await amend(world, sale, "30.00")
    assert (await states(world))[f"{N}-A1"] == ("conflict", "AMENDED_AFTER_PUSH")
    await run(world, "resolve", f"{N}-A1", "--reissue")
    await world.drain()
    assert books(world) == (30, 30)
    assert world.stored()[-4:] == [f"{N}-A1X", f"{N}-A2", f"{N}-S1X", f"{N}-T1"]


@pytest.mark.parametrize("at", ["read", "intended", "called", "recorded"])
async def test_a_worker_that_dies_in_a_reissue_doubles_nothing(world: World, at: str) -> None:
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--reissue")
    await world.crash(INVOICE, sale, at)
    await world.sql("update aiaccount.tasks set busy_until = now(), due_at = now() where token is not null")
    await world.drain()
    assert world.stored() == [N, f"{N}-R1", f"{N}-V1", f"{N}-A1", f"{N}-R1X", f"{N}-S1"]
    assert books(world) == (40, 40)


async def test_what_is_accepted_is_named_and_a_later_change_is_a_conflict_again(world: World) -> None:
    sale = await posted(world)
    await amend(world, sale)
    await run(world, "resolve", N, "--accept")
    await world.drain()
    accepted = ("pushed", "DIFFERENCE_ACCEPTED")
    assert await states(world) == {N: accepted, f"{N}-R1": accepted}
    assert world.stored() == [N, f"{N}-R1"]
    assert (await world.document(N))["reason"] == "AMENDED_AFTER_PUSH"
    await look(world, sale)
    assert await states(world) == {N: accepted, f"{N}-R1": accepted}
    await amend(world, sale, "30.00")
    assert (await states(world))[N] == ("conflict", "AMENDED_AFTER_PUSH")


async def test_a_receipt_that_waited_for_the_decision_goes_on(world: World) -> None:
    sale = await world.sale(paid=False)
    await look(world, sale)
    await world.sql(
        "update pos_transactions set status = 'paid', paid_at = completed_at, payment_method = 'cash'"
        " where id = %s",
        [sale],
    )
    await amend(world, sale)
    assert (await states(world))[f"{N}-R1"][0] == "waiting"
    await run(world, "resolve", N, "--accept")
    await world.drain()
    assert books(world) == (50, 40)


async def test_what_outlived_its_row_is_reversed(world: World) -> None:
    sale = await posted(world)
    await world.sql("delete from pos_transactions where id = %s", [sale])
    await look(world, sale)
    assert "use --reverse" in await run(world, "resolve", N, "--reissue", status=2)
    await run(world, "resolve", N, "--reverse")
    await world.drain()
    assert world.stored() == [N, f"{N}-R1", f"{N}-V1", f"{N}-R1X"]
    assert books(world) == (0, 0)
    assert set((await states(world)).values()) == {("pushed", None)}


async def test_a_number_that_aiaccount_has_otherwise_is_issued_under_another(world: World) -> None:
    other = await world.sale()
    world.fault("status", status=409, code="DOCUMENT_CONFLICT", times=1)
    await world.deliver(INVOICE, other)
    assert (await states(world))[N] == ("conflict", "DOCUMENT_CONFLICT")
    await run(world, "resolve", N, "--reissue")
    await world.drain()
    assert world.stored() == [f"{N}-A1", f"{N}-S1"]
    assert (await states(world))[N] == ("skipped", "SUPERSEDED")


async def forgotten(world: World) -> int:
    """Post a sale, forget that it was, and let the till say something else: AiAccount has other content."""
    sale = await posted(world)
    await world.sql("delete from aiaccount.documents")
    await world.sql("delete from aiaccount.tasks")
    await amend(world, sale)
    assert (await states(world))[N] == ("conflict", "DOCUMENT_CONFLICT")
    return sale


async def accept(world: World, number: str) -> None:
    """Accept what AiAccount has under this number."""
    await run(world, "resolve", number, "--accept")
    await world.drain()


async def test_what_aiaccount_has_instead_is_adopted_and_reversed_as_it_stands_there(world: World) -> None:
    sale = await forgotten(world)
    shown = await run(world, "resolve", N, status=1)
    told = "--accept would take what AiAccount has for the row's own and send:\n"
    assert shown.partition(told)[2].split() == [f"{N}-R1", "receipt", "40.00", "MYR"]
    await run(world, "resolve", N, "--accept")
    await world.drain()
    alone = {N: ("pushed", "ADOPTED"), f"{N}-R1": ("conflict", "DOCUMENT_CONFLICT")}
    assert await states(world) == alone, "only what was shown is adopted"
    await accept(world, f"{N}-R1")
    both = {N: ("pushed", "ADOPTED"), f"{N}-R1": ("pushed", "ADOPTED")}
    assert await states(world) == both
    adopted = await world.document(N)
    assert adopted["document"]["totals"]["total"] == "50.00", "what stands there, not what the row says"
    assert "total 50.00 instead of 40.00" in adopted["reason"]
    await look(world, sale)
    assert await states(world) == both
    await world.sql("update pos_transactions set status = 'voided', voided_at = now() where id = %s", [sale])
    await look(world, sale)
    assert books(world) == (0, 0)


async def test_what_was_adopted_is_in_conflict_once_its_row_says_something_else(world: World) -> None:
    sale = await forgotten(world)
    await accept(world, N)
    await accept(world, f"{N}-R1")
    await amend(world, sale, "30.00")
    assert (await states(world))[N] == ("conflict", "AMENDED_AFTER_PUSH")
    await run(world, "resolve", N, "--reissue")
    await world.drain()
    assert books(world) == (30, 30)


async def test_what_is_not_shown_whole_is_adopted_only_where_its_head_is_the_rows(world: World) -> None:
    await forgotten(world)
    world.client = cast("Any", Curt(world.client))
    await run(world, "resolve", N, "--accept")
    await world.drain()
    assert (await states(world))[N] == ("conflict", "NOT_ADOPTABLE")
    assert "could not be reversed later" in (await world.document(N))["reason"]
    assert "could not be reversed later" in await run(world, "resolve", N, status=1)
    world.client = cast("Any", Curt(world.client, total="40.00"))
    await run(world, "resolve", N, "--accept")
    await world.drain()
    assert (await states(world))[N] == ("pushed", "ADOPTED")
    assert (await world.document(N))["document"]["totals"]["total"] == "40.00"


async def test_a_look_that_gives_no_answer_is_tried_again(world: World) -> None:
    await forgotten(world)
    whole, world.client = world.client, cast("Any", Curt(world.client, status=503))
    await run(world, "resolve", N, "--accept")
    await world.drain()
    assert (await states(world))[N] == ("retrying", "LOOK_UP_FAILED")
    world.client = whole
    await world.sql("update aiaccount.documents set next_at = now() where code = 'LOOK_UP_FAILED'")
    await world.sql("update aiaccount.tasks set due_at = now() where due_at is not null")
    await world.drain()
    assert (await states(world))[N] == ("pushed", "ADOPTED")


@pytest.mark.parametrize("at", ["read", "intended", "called", "recorded"])
async def test_a_worker_that_dies_in_an_adoption_doubles_nothing(world: World, at: str) -> None:
    sale = await forgotten(world)
    await run(world, "resolve", N, "--accept")
    await world.crash(INVOICE, sale, at)
    await world.sql("update aiaccount.tasks set busy_until = now(), due_at = now() where token is not null")
    await world.drain()
    assert (await states(world))[N] == ("pushed", "ADOPTED")
    assert world.stored() == [N, f"{N}-R1"]


async def test_a_settlement_is_issued_anew_with_its_payments(world: World) -> None:
    paid: dict[str, Any] = {
        "status": "paid",
        "paid_at": "2026-05-05T03:00:00Z",
        "payment_method": "bank_transfer",
        "payment_reference": "FT-1",
    }
    settlement = await world.settlement(**paid)
    await world.deliver(BILL, settlement)
    await world.drain()
    await world.sql("update kol_settlements set commission_amount = 900, net_payable = 900")
    for endpoint in (BILL, PAYMENT):
        await world.deliver(endpoint, settlement)
    await run(world, "resolve", B, "--reissue")
    await world.drain()
    assert set(world.stored()) == {B, f"{B}-V1", f"{B}-P1", f"{B}-P1X", f"{B}-A1", f"{B}-Q1"}
    assert books(world) == (900, 900)


async def test_what_is_not_in_conflict_has_nothing_to_decide(world: World) -> None:
    await posted(world)
    assert "is not in conflict: it is pushed" in await run(world, "resolve", N, status=2)
    assert "there is no document N9" in await run(world, "resolve", "N9", status=2)
    assert "give one of" in await run(world, "resolve", N, "--accept", "--reissue", status=2)
