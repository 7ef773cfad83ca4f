"""The public API: take a call in, write it down, answer it, and write down what was answered."""

import asyncio
import logging

from aiohttp import web

from deploy.sandbox.book import without_key
from deploy.sandbox.call import PATHS, Body, Call, read_body
from deploy.sandbox.company import hash_key
from deploy.sandbox.fault import Behaviour, Fault
from deploy.sandbox.handling import handle, land
from deploy.sandbox.limits import Verdict
from deploy.sandbox.misbehaviour import disguise
from deploy.sandbox.problem import Code, Problem
from deploy.sandbox.reply import Reply, refuse
from deploy.sandbox.sandbox import Sandbox
from deploy.sandbox.wire import send

_BEARER = "Bearer "
_log = logging.getLogger(__name__)


class Api:
    """Answers every path that is not the sandbox's own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def answer_call(self, request: web.Request) -> web.StreamResponse:
        """Answer one call."""
        sandbox = self._sandbox
        try:
            call = await self._take(request)
        except ConnectionResetError:
            return web.Response()  # it goes nowhere: the call broke off before it was in whole
        self._book_request(call)
        verdict = None
        if call.company is not None:
            verdict = sandbox.limits.enter(call.company)
        try:
            reply = await self._answer(call, verdict)
            self._book_reply(call, reply)
            await sandbox.book.flushed()
            return await send(request, reply, _headers(call, verdict), sandbox.stopping)
        finally:
            if call.company is not None and verdict is not None and verdict.allowed:
                sandbox.limits.leave(call.company)

    async def _take(self, request: web.Request) -> Call:
        headers = request.headers
        authorization = headers.get("Authorization", "")
        key = authorization.removeprefix(_BEARER) if authorization.startswith(_BEARER) else None
        key_sha256 = hash_key(key) if key else None
        opened = self._sandbox.registry.open(key_sha256) if key_sha256 else None
        try:
            body = read_body(await request.read(), key)
        except web.HTTPRequestEntityTooLarge:
            body = Body(raw="", too_large=True)
        path = request.path
        return Call(
            request_id=self._sandbox.next_request_id(),
            method=request.method,
            path=path,
            place=PATHS.get(path),
            content_type=request.content_type,
            idempotency_key=headers.get("Idempotency-Key"),
            query=without_key(dict(request.query), key) if request.query_string else {},
            body=body,
            key=key,
            key_sha256=key_sha256,
            company=opened[0] if opened else None,
            opened_by=opened[1] if opened else None,
        )

    def _book_request(self, call: Call) -> None:
        fields = {
            "request_id": call.request_id,
            "method": call.method,
            "path": without_key(call.path, call.key),
            "endpoint": call.place,
            "key_sha256": call.key_sha256,
            "key_company": call.company.company_id if call.company else None,
            "idempotency_key": without_key(call.idempotency_key, call.key),
            "raw": call.body.raw,
            "query": call.query,
        }
        self._sandbox.book.append("request", fields, body=call.body.encoded)

    def _book_reply(self, call: Call, reply: Reply) -> None:
        status = reply.booked_status()
        fields = {"request_id": call.request_id, "status": status, "code": reply.code, "fault": reply.fault}
        self._sandbox.book.append("reply", fields)
        company_id = call.company.company_id if call.company else None
        self._sandbox.calls[company_id, call.place, call.method, status] += 1

    async def _answer(self, call: Call, verdict: Verdict | None) -> Reply:
        try:
            refused = _refused(call, verdict)
            if refused is not None:
                return refuse([refused], call.request_id)
            return await self._handle(call)
        except Exception:  # noqa: BLE001 -- a bug in here must still be answered and booked
            _log.exception("call %s failed", call.request_id)
            return refuse([Problem(Code.SERVER_ERROR, "The sandbox failed")], call.request_id)

    async def _handle(self, call: Call) -> Reply:
        sandbox, company, key = self._sandbox, call.company, call.opened_by
        if company is None or key is None:
            return refuse([Problem(Code.API_KEY_INVALID, "The API key is not valid")], call.request_id)
        fault = sandbox.faults.take(
            {
                "company_id": company.company_id,
                "endpoint": call.place,
                "number": call.number(),
                "method": call.method,
            }
        )
        if fault is None:
            return await handle(sandbox, call, company, key, sandbox.latency)
        real = None
        if fault.lets_store():
            wait = fault.seconds(1.0) if fault.behaviour is Behaviour.DELAY else 0.0
            real = await handle(sandbox, call, company, key, sandbox.latency + wait)
        elif fault.behaviour is Behaviour.LANDS_LATE and call.method == "POST":
            task = asyncio.create_task(self._land_late(call, company.company_id, fault))
            sandbox.late.add(task)
            task.add_done_callback(sandbox.late.discard)
        return disguise(fault, real, call.request_id)

    async def _land_late(self, call: Call, company_id: str, fault: Fault) -> None:
        await asyncio.sleep(fault.seconds(1.0))
        land(self._sandbox, call, company_id)


def _refused(call: Call, verdict: Verdict | None) -> Problem | None:
    if call.place is None:
        return Problem(Code.NOT_FOUND, "There is no such path")
    if call.method != "GET" and (call.method != "POST" or call.endpoint() is None):
        return Problem(Code.METHOD_NOT_ALLOWED, "This path does not take that method")
    if verdict is None:
        return Problem(Code.API_KEY_INVALID, "The API key is not valid")
    if not verdict.allowed:
        return Problem(Code.RATE_LIMITED, f"Too many calls; wait {verdict.retry_after} s")
    if call.body.too_large:
        return Problem(Code.PAYLOAD_TOO_LARGE, "The body is too large")
    return None


def _headers(call: Call, verdict: Verdict | None) -> dict[str, str]:
    session = f"{call.company.company_id if call.company else 'guest'}-{call.request_id}"
    headers = {
        "X-Request-Id": call.request_id,
        "Set-Cookie": f"aiaccount_session={session}; Path=/; HttpOnly; SameSite=Lax",
    }
    if verdict is not None and verdict.limit is not None:
        headers["X-RateLimit-Limit"] = str(verdict.limit)
        headers["X-RateLimit-Remaining"] = str(verdict.remaining)
        headers["X-RateLimit-Reset"] = str(verdict.reset)
    if verdict is not None and not verdict.allowed:
        headers["Retry-After"] = str(verdict.retry_after)
    if call.place is not None and call.method not in ("GET", "POST"):
        headers["Allow"] = "GET, POST" if call.endpoint() is not None else "GET"
    return headers
