"""A worker that stands still within a transaction loses it, holds up nobody, and goes on when it wakes."""

import asyncio
import threading
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from consumers import steps
from consumers.client import AiAccountClient
from outbox.session import STANDSTILL
from outbox.statements import statements
from tests.integration.delivery.world import INVOICE, World
from tests.waiting import wait_for_async

NUMBER = "POS2026050100001"
SECONDS = 20
SQL = statements("consumers", "steps.sql")
OF_THE_INTENT = ("gate_lock", "intend")
OF_THE_RECORD = ("record_lock", "record_accepted", "release", "wake")


@dataclass
class Standstill:
    """A thread that stands still, until it is woken."""

    stands: threading.Event = field(default_factory=threading.Event)
    woken: threading.Event = field(default_factory=threading.Event)


def standing_still_at(name: str, monkeypatch: pytest.MonkeyPatch) -> Standstill:
    """Let the first thread stand still that has sent this statement within a transaction."""
    standstill = Standstill()
    execute: Any = psycopg.AsyncConnection.execute

    async def executed(connection: psycopg.AsyncConnection[Any], query: Any, *given: Any) -> Any:
        cursor = await execute(connection, query, *given)
        within = connection.info.transaction_status is not TransactionStatus.IDLE
        if query == SQL[name] and within and not standstill.stands.is_set():
            standstill.stands.set()
            assert standstill.woken.wait(SECONDS), "nobody woke the worker"
        return cursor

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", executed)
    return standstill


async def deliver_over_its_own(world: World, sale: int) -> None:
    """Deliver over connections of this thread's."""
    twin = copy(world)
    twin.client = AiAccountClient(world.sandbox.url)
    try:
        async with steps.open_pool(world.database, 2) as twin.pool:
            assert await twin.deliver(INVOICE, sale)
    finally:
        await twin.client.aclose()


@pytest.mark.parametrize("name", [*OF_THE_INTENT, *OF_THE_RECORD])
async def test_a_worker_that_stands_still_within_a_transaction_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sale = await world.sale(NUMBER, paid=False)
    await world.sql("insert into aiaccount.paces select tenant_id from aiaccount.tenants")
    monkeypatch.setattr("consumers.steps._SETTINGS", dict.fromkeys(STANDSTILL, "200ms"))
    standstill = standing_still_at(name, monkeypatch)
    worker = asyncio.create_task(asyncio.to_thread(asyncio.run, deliver_over_its_own(world, sale)))

    async def stands() -> bool:
        return standstill.stands.is_set()

    try:
        await wait_for_async(stands, SECONDS, f"{name} to be sent")
        await world.sql(f"set lock_timeout = '{SECONDS // 2}s'")
        for table in ("paces", "tasks", "documents"):
            await world.sql(f"select from aiaccount.{table} for update")
        assert not worker.done()
    finally:
        standstill.woken.set()
    await worker
    assert world.stored() == [NUMBER]
    assert (await world.document(NUMBER))["accepted_at"] is not None
    assert (await world.task(INVOICE, sale))["token"] is None
