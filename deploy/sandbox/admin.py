"""The sandbox's own API under /_sandbox/: companies, faults, and a look at what happened."""

import json
from typing import Any

from aiohttp import web

from deploy.sandbox.company import read_company
from deploy.sandbox.sandbox import Sandbox

_MOST_LATENCY = 600_000


class Admin:
    """The admin calls of one sandbox. What they set is in the book before they answer."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/_sandbox/companies", self.companies)
        router.add_put("/_sandbox/companies/{company_id}", self.put_company)
        router.add_patch("/_sandbox/companies/{company_id}", self.patch_company)
        router.add_get("/_sandbox/faults", self.faults)
        router.add_post("/_sandbox/faults", self.add_fault)
        router.add_delete("/_sandbox/faults", self.remove_fault)
        router.add_delete("/_sandbox/faults/{fault_id}", self.remove_fault)
        router.add_get("/_sandbox/documents", self.documents)
        router.add_get("/_sandbox/counts", self.counts)
        router.add_post("/_sandbox/latency", self.set_latency)

    async def companies(self, _: web.Request) -> web.Response:
        """Return every company, keys as SHA-256."""
        return web.json_response({"companies": [company.as_json() for company in self._sandbox.registry]})

    async def put_company(self, request: web.Request) -> web.Response:
        """Set a company; what is not given takes its default, but the keys stay when none are given."""
        return await self._set_company(request, whole=True)

    async def patch_company(self, request: web.Request) -> web.Response:
        """Change a company in the fields that are given."""
        if self._sandbox.registry.get(request.match_info["company_id"]) is None:
            return _refuse("There is no such company", 404)
        return await self._set_company(request, whole=False)

    async def _set_company(self, request: web.Request, *, whole: bool) -> web.Response:
        company_id = request.match_info["company_id"]
        try:
            put_company(self._sandbox, company_id, await _object(request), whole=whole)
        except ValueError as error:
            return _refuse(str(error))
        await self._sandbox.book.flushed()
        company = self._sandbox.registry.get(company_id)
        return web.json_response(company.as_json() if company else {})

    async def faults(self, _: web.Request) -> web.Response:
        """Return the faults that are set."""
        return web.json_response({"faults": [fault.as_json() for fault in self._sandbox.faults]})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Set a fault."""
        try:
            fault = self._sandbox.faults.add(await _object(request))
        except ValueError as error:
            return _refuse(str(error))
        self._sandbox.book.append("admin", {"what": "fault", "detail": fault.as_json()})
        await self._sandbox.book.flushed()
        return web.json_response({"id": fault.fault_id}, status=201)

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Take a fault away, or all of them."""
        fault_id = request.match_info.get("fault_id")
        removed = self._sandbox.faults.remove(fault_id)
        if fault_id is not None and not removed:
            return _refuse("There is no such fault", 404)
        detail = {"id": fault_id, "removed": removed}
        self._sandbox.book.append("admin", {"what": "faults removed", "detail": detail})
        await self._sandbox.book.flushed()
        return web.json_response({"removed": removed})

    async def documents(self, request: web.Request) -> web.Response:
        """Return the stored documents, of one company when it is named."""
        company_id = request.query.get("company_id")
        found = [
            {
                "company_id": stored.identity[0],
                "endpoint": stored.identity[1],
                "number": stored.identity[2],
                "contact_code": stored.identity[3],
                "document_id": stored.document_id,
                "document": stored.document(),
            }
            for stored in self._sandbox.books
            if company_id in (None, stored.identity[0])
        ]
        return web.json_response({"documents": found})

    async def counts(self, _: web.Request) -> web.Response:
        """Return how many calls were answered, by company, endpoint, method and status."""
        names = ("company_id", "endpoint", "method", "status")
        counted = [
            {**dict(zip(names, call, strict=True)), "count": count}
            for call, count in self._sandbox.calls.items()
        ]
        return web.json_response({"counts": counted, "documents": len(self._sandbox.books)})

    async def set_latency(self, request: web.Request) -> web.Response:
        """Set how long every call takes, in milliseconds."""
        try:
            ms = (await _object(request)).get("ms")
        except ValueError as error:
            return _refuse(str(error))
        if not isinstance(ms, int | float) or not 0 <= ms <= _MOST_LATENCY:
            return _refuse("ms is a number from 0 to 600000")
        self._sandbox.latency = ms / 1000
        self._sandbox.book.append("admin", {"what": "latency", "detail": {"ms": ms}})
        await self._sandbox.book.flushed()
        return web.json_response({"ms": ms})


def put_company(sandbox: Sandbox, company_id: str, given: dict[str, Any], *, whole: bool) -> None:
    """Set a company in a sandbox and in its book; raises `CompanyInvalidError`."""
    before = sandbox.registry.get(company_id)
    if whole and before is not None:
        keys = [{"key_sha256": key.sha256, "scopes": list(key.scopes)} for key in before.keys]
        given, before = {"keys": keys, **given}, None
    company = read_company(company_id, given, before)
    sandbox.registry.put(company)
    sandbox.book.append("admin", {"what": "company", "detail": company.as_json()})


async def _object(request: web.Request) -> dict[str, Any]:
    body = json.loads(await request.read())
    if not isinstance(body, dict):
        raise ValueError("The body is one JSON object")  # noqa: TRY004 -- the caller answers ValueError with 400
    return body


def _refuse(message: str, status: int = 400) -> web.Response:
    return web.json_response({"error": message}, status=status)
