"""AiAccount in this process: the sandbox's own handling, rules and faults, without a socket before it.

A call goes on at the server whatever becomes of the worker that made it. What was asked and what came to
stand is kept for the invariants.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from consumers.client import PATHS, Call
from consumers.reply import Broken, Reply
from consumers.secret import Secret
from deploy.sandbox import call as taken
from deploy.sandbox.book import Book
from deploy.sandbox.books import Books
from deploy.sandbox.company import hash_key
from deploy.sandbox.fault import Behaviour, Fault
from deploy.sandbox.handling import handle, land
from deploy.sandbox.limits import Limits
from deploy.sandbox.misbehaviour import disguise
from deploy.sandbox.problem import Code, Problem
from deploy.sandbox.registry import Registry
from deploy.sandbox.reply import Delivery, refuse
from deploy.sandbox.reply import Reply as Said
from deploy.sandbox.sandbox import Sandbox
from outbox.endpoints import Endpoint

Gate = Callable[[str], Awaitable[None]]
LATEST = 40.0
"""Seconds after which a worker that was frozen before a call sends it no more."""


@dataclass
class Asked:
    """A push as it arrived, and the codes of what the server made of it in good faith."""

    key: str
    company_id: str | None
    endpoint: str
    document: dict[str, Any]
    codes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Standing:
    """A document that came to stand in a company's books."""

    company_id: str
    endpoint: str
    number: str
    contact_code: str
    document_id: str
    document: dict[str, Any]


class Kept(Book):
    """A book in memory."""

    def __init__(self) -> None:
        self.stored: list[Standing] = []

    def append(self, kind: str, fields: dict[str, Any], **encoded: str) -> None:
        """Keep what came to stand."""
        if kind != "stored":
            return
        names = ("company_id", "endpoint", "number", "contact_code", "document_id")
        self.stored.append(Standing(*(fields[name] for name in names), json.loads(encoded["document"])))

    async def flushed(self) -> None:
        """There is no file."""

    def close(self) -> None:
        """There is no file."""


class AiAccount:
    """The server."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.book = Kept()
        self.sandbox = Sandbox(Registry(), Books(), self.book, Limits(now, enabled=False))
        self.asked: list[Asked] = []

    async def answer(
        self, method: str, endpoint: Endpoint, key: str, given: bytes, headers: Mapping[str, str]
    ) -> Said:
        """Answer a call; `given` is the body of a push, the query of a look-up as JSON."""
        opened = self.sandbox.registry.open(hash_key(key))
        company = opened[0] if opened else None
        query = {} if method == "POST" else json.loads(given)
        call = taken.Call(
            request_id=self.sandbox.next_request_id(),
            method=method,
            path=PATHS[endpoint],
            place=endpoint.value,
            content_type="application/json",
            idempotency_key=headers.get("Idempotency-Key"),
            query=query,
            body=taken.read_body(given, key) if method == "POST" else taken.Body(),
            key=key,
            key_sha256=hash_key(key),
            company=company,
            opened_by=opened[1] if opened else None,
        )
        asked = Asked(key, company.company_id if company else None, endpoint, call.document())
        if method == "POST":
            self.asked.append(asked)
        return await self._said(call, asked)

    async def _said(self, call: taken.Call, asked: Asked) -> Said:
        company, key, sandbox = call.company, call.opened_by, self.sandbox
        if company is None or key is None:
            return refuse([Problem(Code.API_KEY_INVALID, "The API key is not valid")], call.request_id)
        place = {
            "company_id": company.company_id,
            "endpoint": call.place,
            "number": call.number(),
            "method": call.method,
        }
        fault = sandbox.faults.take(place)
        if fault is None:
            real = await handle(sandbox, call, company, key, sandbox.latency)
            asked.codes.append(real.code)
            return real
        real = None
        if fault.lets_store():
            wait = fault.seconds(1.0) if fault.behaviour is Behaviour.DELAY else 0.0
            real = await handle(sandbox, call, company, key, sandbox.latency + wait)
            asked.codes.append(real.code)
        elif fault.behaviour is Behaviour.LANDS_LATE and call.method == "POST":
            asyncio.get_running_loop().create_task(self._land_late(call, asked, fault))
        return disguise(fault, real, call.request_id)

    async def _land_late(self, call: taken.Call, asked: Asked, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds(1.0))
        asked.codes.append(land(self.sandbox, call, str(asked.company_id)).code)


class Client:
    """A worker's way to AiAccount; it passes the worker's gate before a call and after a reply."""

    def __init__(self, server: AiAccount, gate: Gate, now: Callable[[], float]) -> None:
        self._server = server
        self._gate = gate
        self._now = now

    async def post(self, call: Call, seconds: float) -> Reply | Broken:
        """Push a document."""
        headers = {"Idempotency-Key": call.idempotency_key}
        return await self._attempt("POST", call.endpoint, call.secret, call.body, headers, seconds)

    async def look_up(
        self, endpoint: Endpoint, secret: Secret, identity: Mapping[str, str], seconds: float
    ) -> Reply | Broken:
        """Ask what is stored under an identity."""
        return await self._attempt("GET", endpoint, secret, json.dumps(identity).encode(), {}, seconds)

    async def _attempt(  # noqa: PLR0913, PLR0917 - what one request is made of
        self,
        method: str,
        endpoint: Endpoint,
        secret: Secret,
        given: bytes,
        headers: dict[str, str],
        seconds: float,
    ) -> Reply | Broken:
        if seconds <= 0:
            return Broken("TIMEOUT", "no time was left for a call")
        began = self._now()
        await self._gate("call" if method == "POST" else "look_up")
        if self._now() - began > LATEST:
            return Broken("CONNECTION_BROKEN", "the connection broke while the worker was stopped")
        answering = asyncio.ensure_future(
            self._server.answer(method, endpoint, secret.reveal(), given, headers)
        )
        try:
            async with asyncio.timeout(seconds):
                said = await asyncio.shield(answering)
                if said.delivery in (Delivery.NEVER, Delivery.DRIP, Delivery.SLOW_HEADERS):
                    await asyncio.sleep(seconds)
        except TimeoutError:
            return Broken("TIMEOUT", f"no whole answer within {seconds:.0f} s")
        await self._gate("replied")
        if said.delivery is not Delivery.WHOLE:
            return Broken("CONNECTION_BROKEN", "the connection to AiAccount broke")
        return Reply(said.status, {name.lower(): value for name, value in said.headers.items()}, said.body)
