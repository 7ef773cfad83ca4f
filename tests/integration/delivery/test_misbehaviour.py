"""Every way in which the sandbox strays, on every endpoint, through the real delivery.

What the ledger then says, how many calls it took, and that all is pushed exactly once when the fault is gone.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from consumers.pushing import Pusher
from deploy.sandbox.fault import Behaviour
from outbox.endpoints import Endpoint
from tests.integration.delivery.world import BILL, INVOICE, PAYMENT, RECEIPT, World
from tests.waiting import wait_for_async

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumers.client import Call
    from consumers.delivery import Tools
    from consumers.reply import Broken, Reply
    from consumers.secret import Secret

SLOW = 0.25
"""Seconds of one attempt, where the sandbox never answers."""
TRUTHFUL = {Behaviour.DELAY, Behaviour.NO_DOCUMENT_ID, Behaviour.WRONG_COMPANY, Behaviour.SILENT_DUPLICATE}
"""What leaves a look-up that finds nothing as it is: it names no document and no company."""
LEADS = {RECEIPT: INVOICE, PAYMENT: BILL}


@dataclass(frozen=True)
class Told:
    """What a fault that stays leaves: the state and code, the calls made, and whether it was stored."""

    state: str
    code: str | None
    calls: int
    stores: bool
    waits: tuple[float, ...] = ()


@dataclass(frozen=True)
class Case:
    """A fault's parameters and what it leaves."""

    given: dict[str, Any]
    told: Told


def doubt(code: str, *, stores: bool, **given: Any) -> Case:
    return Case(given, Told("in doubt", code, 3, stores))


CASES = {
    Behaviour.DELAY: Case({"seconds": 0.05}, Told("pushed", None, 1, stores=True)),
    Behaviour.TIMEOUT_BEFORE_STORING: doubt("TIMEOUT", stores=False),
    Behaviour.TIMEOUT_AFTER_STORING: doubt("TIMEOUT", stores=True),
    Behaviour.LANDS_LATE: doubt("TIMEOUT", stores=True, seconds=0.1),
    Behaviour.RESET_BEFORE_STORING: doubt("CONNECTION_BROKEN", stores=False),
    Behaviour.RESET_AFTER_STORING: doubt("CONNECTION_BROKEN", stores=True),
    Behaviour.HALF_REPLY: doubt("CONNECTION_BROKEN", stores=True),
    Behaviour.STATUS: doubt("HTTP_5XX", stores=False, status=503),
    Behaviour.STATUS_WITH_422_CODE: doubt("TAX_CODE_MISSING", stores=False),
    Behaviour.TEXT_400: Case({}, Told("blocked", "TAX_CODE_MISSING", 1, stores=False)),
    Behaviour.RATE_LIMITED: Case({"retry_after": 5}, Told("retrying", "RATE_LIMITED", 1, stores=False)),
    Behaviour.DRIP: doubt("TIMEOUT", stores=True, seconds=0.1),
    Behaviour.SLOW_HEADERS: doubt("TIMEOUT", stores=True, seconds=0.1),
    Behaviour.HUGE_BODY: doubt("BODY_TOO_LARGE", stores=True),
    Behaviour.HTML: doubt("NO_DOCUMENT_ID", stores=False),
    Behaviour.EMPTY: doubt("NO_DOCUMENT_ID", stores=True),
    Behaviour.INVALID_JSON: doubt("NO_DOCUMENT_ID", stores=True),
    Behaviour.NO_DOCUMENT_ID: doubt("NO_DOCUMENT_ID", stores=True),
    Behaviour.WRONG_COMPANY: Case({}, Told("in doubt", "WRONG_COMPANY", 1, stores=True)),
    Behaviour.REDIRECT: doubt("HTTP_3XX", stores=False),
    Behaviour.CREATED_THEN_500: doubt("HTTP_5XX", stores=True),
    Behaviour.IN_PROGRESS: Case(
        {}, Told("in doubt", "REQUEST_IN_PROGRESS", 3, stores=False, waits=(2.0, 2.0))
    ),
    Behaviour.SILENT_DUPLICATE: Case({}, Told("pushed", None, 1, stores=True)),
}


class Worker:
    """A worker whose pushes or look-ups may be short, and whose pauses are noted and not slept."""

    def __init__(self, world: World, *, pushes: float = 15.0, look_ups: float = 15.0) -> None:
        self.world = world
        self.waits: list[float] = []
        self._pushes, self._look_ups = pushes, look_ups
        self.tools: Tools = replace(
            world.tools(), pusher=Pusher(self, world.clock, Random(7), sleep=self._sleep)
        )

    async def post(self, call: "Call", seconds: float) -> "Reply | Broken":
        """Push a document."""
        return await self.world.client.post(call, min(seconds, self._pushes))

    async def look_up(
        self, endpoint: Endpoint, secret: "Secret", identity: "Mapping[str, str]", seconds: float
    ) -> "Reply | Broken":
        """Look a document up."""
        return await self.world.client.look_up(endpoint, secret, identity, min(seconds, self._look_ups))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def deliver(self, endpoint: Endpoint, aggregate_id: int) -> None:
        """Claim and deliver."""
        claim = await self.world.claim(endpoint, aggregate_id, self.tools)
        assert claim is not None
        await self.world.carry_out(claim, self.tools)


def number_of(endpoint: Endpoint, row: str = "1") -> str:
    """Return the number of the document that a row becomes at an endpoint."""
    sale, settlement = f"POS202605010000{row}", f"KS202604-0000{row}"
    return {INVOICE: sale, RECEIPT: f"{sale}-R1", BILL: settlement, PAYMENT: f"{settlement}-P1"}[endpoint]


async def prepare(world: World, endpoint: Endpoint, row: str = "1") -> int:
    """Insert a paid row whose document at `endpoint` is the next to be sent, and return its id."""
    if endpoint in (INVOICE, RECEIPT):
        inserted = await world.sale(number_of(INVOICE, row))
    else:
        paid = {"status": "paid", "paid_at": "2026-05-05T03:00:00Z", "payment_method": "bank_transfer"}
        inserted = await world.settlement(number_of(BILL, row), **paid, payment_reference="FT-1")
    if endpoint in LEADS:
        await world.deliver(LEADS[endpoint], inserted)
        assert (await world.document(number_of(LEADS[endpoint], row)))["state"] == "pushed"
    return inserted


def calls(world: World, endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return the pushes of the endpoint's document."""
    return [post for post in world.posts() if post["body"]["number"] == number_of(endpoint)]


async def let_time_pass(world: World) -> None:
    """Let every deadline come, and every attempt of unknown outcome be two minutes old."""
    await world.sql(
        "update aiaccount.documents set next_at = clock_timestamp() where next_at is not null; "
        "update aiaccount.documents set doubt_at = doubt_at - interval '121 seconds'; "
        "update aiaccount.tasks set due_at = clock_timestamp() where due_at is not null; "
        "update aiaccount.paces set spent_until = default, closed_until = default; "
        "update aiaccount.breakers set probe_at = clock_timestamp()"
    )


async def heal(world: World, *faults: str) -> None:
    """Take the faults away and set the key again, for where they stopped the tenant."""
    for fault in faults:
        world.sandbox.clear_faults(fault)
    await world.set_key(world.key, 2)
    await let_time_pass(world)
    await world.drain()


async def until_stored(world: World, number: str) -> None:
    """Wait until the sandbox has stored what it was sent."""

    async def stored() -> bool:
        return number in world.stored()

    await wait_for_async(stored, 10, f"{number} to be stored")


def test_every_behaviour_has_its_case() -> None:
    assert set(CASES) == set(Behaviour)


@pytest.mark.parametrize("endpoint", Endpoint)
@pytest.mark.parametrize("behaviour", Behaviour)
async def test_a_server_that_strays_leaves_a_known_state_and_doubles_nothing(
    world: World, behaviour: Behaviour, endpoint: Endpoint
) -> None:
    case, number = CASES[behaviour], number_of(endpoint)
    told = case.told
    row = await prepare(world, endpoint)
    worker = Worker(world, pushes=SLOW if told.code == "TIMEOUT" else 15.0)
    match = {"company_id": world.company_id, "endpoint": endpoint.value, "method": "POST"}
    fault = world.sandbox.add_fault(behaviour, match=match, **case.given)
    await worker.deliver(endpoint, row)

    document, posts = await world.document(number), calls(world, endpoint)
    assert (document["state"], document["code"], len(posts)) == (told.state, told.code, told.calls)
    assert document["may_exist"] is (told.state == "in doubt")
    assert (await world.task(endpoint, row))["due_at"] is None or told.state != "pushed"
    assert told.waits in ((), tuple(worker.waits))
    if told.stores:
        await until_stored(world, number)
    else:
        assert number not in world.stored()

    await heal(world, fault)
    assert (await world.document(number))["state"] == "pushed"
    assert {row["state"] for row in await world.sql("select state from aiaccount.documents")} == {"pushed"}
    assert sorted(world.stored()) == sorted(set(world.stored())), "nothing is doubled"
    assert number in world.stored()
    assert len({post["idempotency_key"] for post in calls(world, endpoint)}) == 1, "one content, one key"
    assert {post["path"] for post in calls(world, endpoint)} == {posts[0]["path"]}, "no redirect is followed"


@pytest.mark.parametrize("behaviour", Behaviour)
async def test_a_look_up_that_strays_ends_no_doubt_at_any_endpoint(
    world: World, behaviour: Behaviour
) -> None:
    worker = Worker(world, look_ups=SLOW if CASES[behaviour].told.code == "TIMEOUT" else 15.0)
    match = {"company_id": world.company_id}
    rows = {endpoint: await prepare(world, endpoint, str(n)) for n, endpoint in enumerate(Endpoint)}
    numbers = {endpoint: number_of(endpoint, str(n)) for n, endpoint in enumerate(Endpoint)}

    async def deliver() -> set[tuple[object, ...]]:
        await let_time_pass(world)
        for endpoint, row in rows.items():
            await worker.deliver(endpoint, row)
        documents = [await world.document(number) for number in numbers.values()]
        return {(row["state"], row["code"], row["may_exist"]) for row in documents}

    reset = world.sandbox.add_fault(Behaviour.RESET_BEFORE_STORING, match=match)
    assert await deliver() == {("in doubt", "CONNECTION_BROKEN", True)}
    world.sandbox.clear_faults(reset)
    refusal = world.sandbox.add_fault(
        Behaviour.STATUS, match={**match, "method": "POST"}, status=422, code="PERIOD_LOCKED"
    )
    fault = world.sandbox.add_fault(behaviour, match={**match, "method": "GET"}, **CASES[behaviour].given)
    certain = behaviour in TRUTHFUL
    assert await deliver() == {("blocked" if certain else "in doubt", "PERIOD_LOCKED", not certain)}
    world.sandbox.clear_faults(fault)
    assert await deliver() == {("blocked", "PERIOD_LOCKED", False)}
    await heal(world, refusal)
    assert {row["state"] for row in await world.sql("select state from aiaccount.documents")} == {"pushed"}
    assert sorted(world.stored()) == sorted(set(world.stored()))
    assert set(numbers.values()) <= set(world.stored())
