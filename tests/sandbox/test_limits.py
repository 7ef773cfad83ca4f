"""Sixty calls a minute and five at once, for each company."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from deploy.sandbox.admin import put_company
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.company import Company, read_company
from deploy.sandbox.defaults import company, key_of
from deploy.sandbox.limits import Limits
from deploy.sandbox.sandbox import open_sandbox
from deploy.sandbox.server import build_app
from tests.sandbox.documents import COMPANY, invoice
from tests.sandbox.shop import Answer, Shop
from tests.waiting import wait_for


@dataclass
class Clock:
    """A clock that the test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def limited(**overrides: object) -> Company:
    given = company("c1", COMPANY, **overrides)
    return read_company("c1", given, None)


def test_the_sixty_first_call_of_a_minute_waits_for_its_end() -> None:
    clock = Clock()
    limits, one = Limits(clock), limited()
    for left in range(59, -1, -1):
        verdict = limits.enter(one)
        assert (verdict.allowed, verdict.limit, verdict.remaining) == (True, 60, left)
        limits.leave(one)
    clock.now += 12.5
    refused = limits.enter(one)
    assert (refused.allowed, refused.retry_after, refused.reset) == (False, 48, 48)
    clock.now += 47.5
    assert limits.enter(one).remaining == 59


def test_the_sixth_call_at_once_waits_until_one_is_done() -> None:
    limits, one = Limits(Clock()), limited()
    assert all(limits.enter(one).allowed for _ in range(5))
    refused = limits.enter(one)
    assert (refused.allowed, refused.retry_after, refused.remaining) == (False, 1, 55)
    limits.leave(one)
    assert limits.enter(one).allowed


def test_limits_can_be_lifted_for_a_company_or_for_all() -> None:
    free = limited(rate_per_minute=None, concurrency=None)
    limits = Limits(Clock())
    assert all(limits.enter(free).allowed for _ in range(100))
    off = Limits(Clock(), enabled=False)
    assert all(off.enter(limited()).allowed for _ in range(100))
    assert off.enter(limited()).limit is None


@pytest.fixture
async def clock() -> Clock:
    return Clock()


@pytest.fixture
async def served(own_book: Path, clock: Clock) -> AsyncIterator[TestClient[Request, Application]]:
    sandbox = open_sandbox(own_book, rate_limit=True, latency=0, payload_limit=1_000_000)
    sandbox.limits = Limits(clock)
    for company_id in ("c1", "c2"):
        put_company(sandbox, company_id, company(company_id, COMPANY, rate_per_minute=2), whole=True)
    async with TestClient(TestServer(build_app(sandbox))) as client:
        yield client


async def ask(session: TestClient[Request, Application], company_id: str) -> tuple[int, dict[str, str]]:
    headers = {"Authorization": f"Bearer {key_of(company_id)}"}
    async with session.get("/api/v1/company", params={"company": COMPANY}, headers=headers) as reply:
        return reply.status, {name: reply.headers[name] for name in reply.headers}


async def test_a_company_over_its_limit_is_told_so_and_the_others_go_on(
    served: TestClient[Request, Application], clock: Clock
) -> None:
    status, headers = await ask(served, "c1")
    told = [headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
    assert (status, told) == (200, ["2", "1", "60"])
    clock.now += 20
    assert (await ask(served, "c1"))[0] == 200
    status, headers = await ask(served, "c1")
    assert (status, headers["Retry-After"], headers["X-RateLimit-Remaining"]) == (429, "40", "0")
    assert (await ask(served, "c2"))[0] == 200
    clock.now += 40
    assert (await ask(served, "c1"))[0] == 200


def test_calls_at_once_are_limited_over_the_wire(open_shop: Callable[..., Shop]) -> None:
    shop = open_shop(concurrency=1)
    shop.fault("delay", seconds=1.0)
    first: list[Answer] = []
    thread = Thread(target=lambda: first.append(shop.post("sales-invoices", invoice())))
    thread.start()
    wait_for(lambda: len(shop.events("request")) == 1, 10, "the first call to be under way")
    refused = shop.post("sales-invoices", invoice("S2"))
    thread.join()
    assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "RATE_LIMITED", "1")
    assert first[0].status == 201
    assert shop.post("sales-invoices", invoice("S2")).status == 201


def test_a_sandbox_without_limits_refuses_nobody(own_book: Path) -> None:
    with SandboxProcess(own_book, "--no-rate-limit") as sandbox:
        shop = Shop(sandbox, "c1", rate_per_minute=1, concurrency=1)
        answers = [shop.post("sales-invoices", invoice(f"S{number}")) for number in range(5)]
    assert [answer.status for answer in answers] == [201] * 5
    assert "X-RateLimit-Limit" not in answers[0].headers
