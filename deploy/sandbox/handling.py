"""Handle calls that came in whole, as a server that does what the contract says."""

import asyncio
from collections.abc import Sequence
from typing import Any

from deploy.sandbox.books import Stored
from deploy.sandbox.call import Call
from deploy.sandbox.company import Company, Key
from deploy.sandbox.content import same_content
from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.misbehaviour import silent
from deploy.sandbox.problem import Code, Problem
from deploy.sandbox.reply import Reply, answer, refuse
from deploy.sandbox.rules import judge
from deploy.sandbox.sandbox import Sandbox

_LONGEST_IDEMPOTENCY_KEY = 128


async def handle(sandbox: Sandbox, call: Call, company: Company, key: Key, wait: float) -> Reply:
    """Handle a call of a company in good faith; `wait` is how long that takes, in seconds."""
    if call.method == "POST":
        return await _handle_post(sandbox, call, company, key, wait)
    if wait:
        await asyncio.sleep(wait)
    return _look_up(sandbox, call, company, key)


def screen(call: Call, company: Company, key: Key) -> Problem | None:
    """Return why a call is refused before its content is looked at, or None."""
    endpoint = call.endpoint()
    malformed = _malformed_push(call) if call.method == "POST" else _malformed_query(call)
    if malformed is not None:
        return Problem(Code.MALFORMED_REQUEST, malformed)
    if not company.subscription_active:
        return Problem(Code.SUBSCRIPTION_INACTIVE, f"The subscription of {company.name} has ended")
    if endpoint is not None and endpoint.scope not in key.scopes:
        return Problem(Code.SCOPE_MISSING, f"The API key lacks the scope {endpoint.scope}")
    name = call.document().get("company_name") if call.method == "POST" else call.query["company"]
    if not isinstance(name, str) or not name:
        return Problem(Code.VALIDATION_FAILED, "company_name is a text", "company_name")
    if name != company.name:
        return Problem(Code.COMPANY_NOT_FOUND, f"Company '{name}' not found", "company_name", name)
    return None


def settle(sandbox: Sandbox, call: Call, company: Company, endpoint: Endpoint) -> Reply:
    """Answer a push that passed the screen: store its document, know it again, or refuse it."""
    identity = call.identity(company.company_id)
    known = None if identity is None else sandbox.books.get(identity)
    if known is not None:
        return _known(call, company, known)
    document = call.document()
    finding = judge(endpoint, document, company, sandbox.books)
    if finding.problems or identity is None:
        return refuse(finding.problems, call.request_id)
    stored = Stored(
        identity=identity,
        document_id=sandbox.next_document_id(),
        document_type=document["document_type"],
        currency=document["currency"],
        date=document["date"],
        total=finding.total,
        total_text=finding.total_text,
        json=call.body.encoded,
    )
    sandbox.books.add(stored, finding.allocations)
    fields = {
        "request_id": call.request_id,
        "company_id": company.company_id,
        "company_name": company.name,
        "endpoint": endpoint.name,
        "number": identity[2],
        "contact_code": identity[3],
        "document_id": stored.document_id,
    }
    sandbox.book.append("stored", fields, document=stored.json)
    payload = {
        "status": "created",
        "duplicate": False,
        "company_name": company.name,
        "document": stored.summary(),
        "request_id": call.request_id,
    }
    return answer(201, payload, "created")


def _known(call: Call, company: Company, known: Stored) -> Reply:
    told = {"company_name": company.name, "document": known.summary()}
    if call.body.encoded == known.json or same_content(call.document(), known.document()):
        payload = {"status": "duplicate", "duplicate": True, "content_match": True, **told}
        reply = answer(200, {**payload, "request_id": call.request_id}, "duplicate")
    else:
        message = f"'{known.identity[2]}' is there already with other content"
        problem = Problem(Code.DOCUMENT_CONFLICT, message, "number", known.identity[2])
        reply = refuse([problem], call.request_id, told)
    return silent(reply) if company.silent else reply


def _malformed_push(call: Call) -> str | None:
    if call.content_type != "application/json":
        return "The content type is application/json"
    if call.body.raw is not None or not isinstance(call.body.parsed, dict):
        return "The body is one JSON object"
    if not call.idempotency_key or len(call.idempotency_key) > _LONGEST_IDEMPOTENCY_KEY:
        return f"Idempotency-Key has 1 to {_LONGEST_IDEMPOTENCY_KEY} characters"
    return None


def _malformed_query(call: Call) -> str | None:
    needed = ("company",) if call.endpoint() is None else ("company", "number", "contact")
    missing = [name for name in needed if not call.query.get(name)]
    return f"The query lacks {', '.join(missing)}" if missing else None


async def _handle_post(sandbox: Sandbox, call: Call, company: Company, key: Key, wait: float) -> Reply:
    endpoint = call.endpoint()
    problem = screen(call, company, key)
    if problem is not None or endpoint is None:
        return refuse([problem or Problem(Code.METHOD_NOT_ALLOWED, "Use GET")], call.request_id)
    marks: set[Any] = {(company.company_id, call.idempotency_key), call.identity(company.company_id)}
    marks.discard(None)
    if not marks.isdisjoint(sandbox.in_progress):
        busy = Problem(Code.REQUEST_IN_PROGRESS, "The same request is being handled", "number", call.number())
        return refuse([busy], call.request_id)
    if wait:
        sandbox.in_progress |= marks
        try:
            await asyncio.sleep(wait)
        finally:
            sandbox.in_progress -= marks
        return land(sandbox, call, company.company_id)
    return settle(sandbox, call, company, endpoint)


def land(sandbox: Sandbox, call: Call, company_id: str) -> Reply:
    """Settle a push some time after it came, by the company as it is now."""
    company, endpoint = sandbox.registry.get(company_id), call.endpoint()
    if company is None or endpoint is None or call.opened_by is None:
        return refuse([Problem(Code.COMPANY_NOT_FOUND, "The company is gone")], call.request_id)
    problem = screen(call, company, call.opened_by)
    if problem is not None:
        return refuse([problem], call.request_id)
    return settle(sandbox, call, company, endpoint)


def _look_up(sandbox: Sandbox, call: Call, company: Company, key: Key) -> Reply:
    problem = screen(call, company, key)
    if problem is not None:
        return refuse([problem], call.request_id)
    if call.place == "company":
        return answer(200, _company(company, key.scopes, call.request_id), "company")
    if call.place == "master-data":
        return answer(200, _master_data(company, call.request_id), "master-data")
    identity = (company.company_id, call.place or "", call.query["number"], call.query["contact"])
    stored = sandbox.books.get(identity)
    if stored is None:
        message = f"No document '{identity[2]}' for this contact"
        missing = Problem(Code.DOCUMENT_NOT_FOUND, message, "number", identity[2])
        return refuse([missing], call.request_id)
    payload = {
        "company_name": company.name,
        "document": stored.summary(),
        "content": stored.document(),
        "request_id": call.request_id,
    }
    return answer(200, payload, "found")


def _company(company: Company, scopes: Sequence[str], request_id: str) -> dict[str, Any]:
    return {
        "company_id": company.company_id,
        "name": company.name,
        "home_currency": company.home_currency,
        "scopes": list(scopes),
        "locked_until": company.locked_until,
        "request_id": request_id,
    }


def _master_data(company: Company, request_id: str) -> dict[str, Any]:
    return {
        "company_name": company.name,
        "tax_codes": list(company.tax_codes),
        "currencies": list(company.currencies),
        "accounts": [account.as_json() for account in company.accounts.values()],
        "request_id": request_id,
    }
