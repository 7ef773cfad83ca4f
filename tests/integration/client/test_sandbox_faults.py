"""The client and the classification together against every way in which the sandbox strays."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from consumers.client import Call
from consumers.outcomes import Outcome, Treatment, classify, found
from consumers.reply import Broken
from consumers.secret import Secret
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import SCOPES, company
from deploy.sandbox.fault import Behaviour
from outbox.endpoints import Endpoint
from tests.integration.client.conftest import Clients

UNKNOWN, BLOCK = Treatment.UNKNOWN, Treatment.BLOCK
FAULTS: dict[Behaviour, tuple[dict[str, Any], Treatment, str]] = {
    Behaviour.DELAY: ({"seconds": 0.01}, Treatment.ACCEPTED, "created"),
    Behaviour.TIMEOUT_BEFORE_STORING: ({}, UNKNOWN, "TIMEOUT"),
    Behaviour.TIMEOUT_AFTER_STORING: ({}, UNKNOWN, "TIMEOUT"),
    Behaviour.LANDS_LATE: ({"seconds": 0.01}, UNKNOWN, "TIMEOUT"),
    Behaviour.RESET_BEFORE_STORING: ({}, UNKNOWN, "CONNECTION_BROKEN"),
    Behaviour.RESET_AFTER_STORING: ({}, UNKNOWN, "CONNECTION_BROKEN"),
    Behaviour.HALF_REPLY: ({}, UNKNOWN, "CONNECTION_BROKEN"),
    Behaviour.STATUS: ({"status": 503}, UNKNOWN, "HTTP_5XX"),
    Behaviour.STATUS_WITH_422_CODE: ({}, BLOCK, "TAX_CODE_MISSING"),
    Behaviour.TEXT_400: ({}, BLOCK, "TAX_CODE_MISSING"),
    Behaviour.RATE_LIMITED: ({"retry_after": 3}, Treatment.LIMITED, "RATE_LIMITED"),
    Behaviour.DRIP: ({"seconds": 0.1}, UNKNOWN, "TIMEOUT"),
    Behaviour.SLOW_HEADERS: ({"seconds": 0.1}, UNKNOWN, "TIMEOUT"),
    Behaviour.HUGE_BODY: ({}, UNKNOWN, "BODY_TOO_LARGE"),
    Behaviour.HTML: ({}, UNKNOWN, "NO_DOCUMENT_ID"),
    Behaviour.EMPTY: ({}, UNKNOWN, "NO_DOCUMENT_ID"),
    Behaviour.INVALID_JSON: ({}, UNKNOWN, "NO_DOCUMENT_ID"),
    Behaviour.NO_DOCUMENT_ID: ({}, UNKNOWN, "NO_DOCUMENT_ID"),
    Behaviour.WRONG_COMPANY: ({}, Treatment.STOP_TENANT, "WRONG_COMPANY"),
    Behaviour.REDIRECT: ({}, UNKNOWN, "HTTP_3XX"),
    Behaviour.CREATED_THEN_500: ({}, UNKNOWN, "HTTP_5XX"),
    Behaviour.IN_PROGRESS: ({}, Treatment.BUSY, "REQUEST_IN_PROGRESS"),
    Behaviour.SILENT_DUPLICATE: ({}, Treatment.ACCEPTED, "created"),
}
SLOW = 0.6


class Shop:
    """A company of its own in the sandbox, and a receipt-less sale to push there."""

    def __init__(self, sandbox: SandboxProcess, clients: Clients) -> None:
        self.sandbox = sandbox
        self.client = clients(sandbox.url)
        self.company_id = f"C-{uuid4().hex[:12]}"
        self.key = f"canary-{uuid4().hex}"
        self.name = f"Mei {self.company_id}"
        sandbox.put_company(
            company(self.company_id, self.name, keys=[{"key": self.key, "scopes": list(SCOPES)}])
        )
        self.document: dict[str, Any] = {
            "company_name": self.name,
            "document_type": "invoice",
            "number": "N1",
            "original_number": None,
            "date": "2026-05-01",
            "due_date": "2026-05-01",
            "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
            "currency": "MYR",
            "exchange_rate": None,
            "tax_inclusive": False,
            "lines": [
                {
                    "line_no": 1,
                    "sku": "TS-01",
                    "description": "T-shirt",
                    "quantity": "2",
                    "unit_price": "45.0000",
                    "discount": "0.00",
                    "account_code": "40000",
                    "tax_code": "NT",
                    "amount": "90.00",
                    "tax_amount": "0.00",
                }
            ],
            "totals": {"net": "90.00", "tax": "0.00", "rounding": "0.00", "total": "90.00"},
            "rounding_account": None,
            "outlet": "S1",
            "memo": None,
            "source": {"system": "NS16", "table": "pos_transactions", "id": "1"},
        }

    async def push(self, seconds: float = 5.0, **changes: Any) -> Outcome:
        """Push the sale once."""
        document = {**self.document, **changes}
        body = json.dumps(document, ensure_ascii=False).encode()
        call = Call(Endpoint.POS_INVOICE, Secret(self.key), body, f"idem-{hash(body)}", str(uuid4()))
        return classify(await self.client.post(call, seconds), document)

    async def look_up(self) -> Outcome | None:
        """Look the sale up."""
        identity = {"company": self.name, "number": "N1", "contact": "POS-WALKIN"}
        reply = await self.client.look_up(Endpoint.POS_INVOICE, Secret(self.key), identity, 5.0)
        return found(reply, self.document)


@pytest.fixture
def shop(sandbox: SandboxProcess, clients: Clients) -> Shop:
    return Shop(sandbox, clients)


@pytest.mark.parametrize("behaviour", Behaviour)
async def test_each_way_of_straying_has_its_outcome_and_the_same_again_heals_it(
    shop: Shop, behaviour: Behaviour
) -> None:
    given, treatment, code = FAULTS[behaviour]
    shop.sandbox.add_fault(behaviour, match={"company_id": shop.company_id}, times=1, **given)
    told = await shop.push(SLOW if code == "TIMEOUT" else 5.0)
    assert (told.treatment, told.code) == (treatment, code)
    assert shop.key not in told.reason
    if told.certain and treatment is not Treatment.ACCEPTED:
        assert shop.sandbox.documents(shop.company_id) == [], "certain means that nothing was stored"
    healed = await shop.push()
    while healed.treatment is Treatment.BUSY:  # what lands late is still at work there
        await asyncio.sleep(0.05)
        healed = await shop.push()
    assert healed.treatment is Treatment.ACCEPTED
    assert len(shop.sandbox.documents(shop.company_id)) == 1


async def test_a_look_up_finds_what_was_stored_and_only_that(shop: Shop) -> None:
    assert await shop.look_up() is None
    pushed = await shop.push()
    looked = await shop.look_up()
    assert looked is not None
    assert (looked.treatment, looked.remote_id) == (Treatment.ACCEPTED, pushed.remote_id)


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour.STATUS,
        Behaviour.RATE_LIMITED,
        Behaviour.HTML,
        Behaviour.EMPTY,
        Behaviour.INVALID_JSON,
        Behaviour.NO_DOCUMENT_ID,
        Behaviour.WRONG_COMPANY,
        Behaviour.REDIRECT,
        Behaviour.HUGE_BODY,
        Behaviour.HALF_REPLY,
        Behaviour.RESET_AFTER_STORING,
    ],
)
async def test_a_look_up_that_strays_proves_nothing(shop: Shop, behaviour: Behaviour) -> None:
    await shop.push()
    match = {"company_id": shop.company_id, "method": "GET"}
    fault = shop.sandbox.add_fault(behaviour, match=match)
    with pytest.raises(LookupError):
        await shop.look_up()
    shop.sandbox.clear_faults(fault)
    assert await shop.look_up() is not None


async def test_other_content_under_the_same_number_is_a_conflict_even_where_the_server_is_silent(
    shop: Shop,
) -> None:
    await shop.push()
    other = await shop.push(date="2026-05-02")
    shop.sandbox.add_fault("silent_duplicate", match={"company_id": shop.company_id}, times=1)
    silent = await shop.push(date="2026-05-02")
    for told in (other, silent):
        assert (told.treatment, told.code) == (Treatment.CONFLICT, "DOCUMENT_CONFLICT")


async def test_a_key_that_is_not_the_companys_stops_the_tenant_and_is_not_repeated(shop: Shop) -> None:
    shop.key = "canary-of-nobody-at-all"
    told = await shop.push()
    assert (told.treatment, told.code, told.certain) == (Treatment.STOP_TENANT, "API_KEY_INVALID", True)
    assert shop.key not in told.reason


async def test_a_sandbox_that_is_gone_is_a_broken_connection(shop: Shop, clients: Clients) -> None:
    client = clients("http://127.0.0.1:9")
    told = await client.look_up(Endpoint.POS_INVOICE, Secret(shop.key), {}, 1.0)
    assert isinstance(told, Broken)
