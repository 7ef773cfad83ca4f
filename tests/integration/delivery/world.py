"""One tenant, one company, one worker in this process: enough to try every step of a delivery."""

import json
import time
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from consumers.accounts import Accounts
from consumers.client import AiAccountClient
from consumers.delivery import Claim, Tools, deliver
from consumers.keyring import parse_key_ring
from consumers.metrics import ConsumerMetrics
from consumers.pushing import Client, Pusher
from consumers.steps import Intended, Steps, open_pool
from consumers.stops import Stops
from consumers.vault import PURPOSE, seal
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import SCOPES, company
from outbox.endpoints import Endpoint
from outbox.failpoints import Reach, inert
from tests.waiting import wait_for_async

TENANT, NAME = 1, "Mei Live Sdn Bhd"
INVOICE, RECEIPT = Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT
BILL, PAYMENT = Endpoint.KOL_BILL, Endpoint.KOL_PAYMENT
CODES = {
    "tax:none:0": "NT",
    "tax:sales:10": "MY-SALES10",
    "payment:cash:MYR": "12100",
    "payment:card:MYR": "12300",
    "payment:bank_transfer:MYR": "12000",
    "account:sales": "40000",
    "account:rounding": "40900",
    "account:expense": "61001",
}


class CrashError(BaseException):
    """The worker died here: nothing after it ran."""


class World:
    """A database, the sandbox and a worker; `clock` may be moved on."""

    def __init__(self, database: str, sandbox: SandboxProcess) -> None:
        self.database = database
        self.sandbox = sandbox
        self.bill, self.payment = BILL, PAYMENT
        self.ring = parse_key_ring("k1:" + "A" * 43 + "=", "the test")
        self.company_id = (
            f"C-{uuid4().hex[:12]}"  # the sandbox is shared: each world has a company of its own
        )
        self.key = ""
        self.skew = 0.0
        self.claim_seconds = 60.0

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        try:
            await self._begin()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def _begin(self) -> None:
        self._connection = await psycopg.AsyncConnection.connect(
            self.database, autocommit=True, row_factory=dict_row
        )
        self._stack.push_async_callback(self._connection.close)
        self.pool = await self._stack.enter_async_context(open_pool(self.database, 4))
        self.client = AiAccountClient(self.sandbox.url)
        self._stack.push_async_callback(self.client.aclose)
        self.company_id = await self.tenant(TENANT, NAME)

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def clock(self) -> float:
        """Return the worker's monotonic clock."""
        return time.monotonic() + self.skew

    async def sql(self, query: str, params: Any = None) -> list[dict[str, Any]]:
        """Run a statement and return its rows."""
        cursor = await self._connection.execute(query, params)
        return await cursor.fetchall() if cursor.description else []

    async def tenant(self, tenant_id: int, name: str) -> str:
        """Make another tenant with a company and a key of its own; return the company's id."""
        company_id, key = f"C-{uuid4().hex[:12]}", f"canary-{uuid4().hex}"
        self.sandbox.put_company(company(company_id, name, keys=keys(key)))
        await self.sql(
            "insert into aiaccount.tenants (tenant_id, company_id, company_name, kol_mode, owner_kol_id, "
            "cutover_date, codes, calls_per_minute, calls_at_once) "
            "values (%s, %s, %s, 'multi', 10, '2026-01-01', %s, 60000, 1000)",
            [tenant_id, company_id, name, json.dumps(CODES)],
        )
        self.key = key
        await self.set_key(key, 1, tenant_id)
        return company_id

    async def set_key(self, key: str, version: int, tenant_id: int = TENANT) -> None:
        """Seal a key for a tenant, as `credentials set` would."""
        sealed = seal(self.ring, "test", tenant_id, PURPOSE, version, key)
        await self.sql("delete from aiaccount.credentials where tenant_id = %s", [tenant_id])
        await self.sql(
            "insert into aiaccount.credentials (tenant_id, version, key_id, nonce, ciphertext, set_by) "
            "values (%s, %s, %s, %s, %s, 'test')",
            [tenant_id, version, sealed.key_id, sealed.nonce, sealed.ciphertext],
        )

    async def sale(self, receipt_no: str = "POS2026050100001", *, paid: bool = True, **changes: Any) -> int:
        """Insert a plain sale of two T-shirts for 50.00 in cash, and return its id."""
        row: dict[str, Any] = {
            "blogger_id": TENANT,
            "store_code": "S1",
            "receipt_no": receipt_no,
            "status": "paid" if paid else "completed",
            "subtotal": "50.00",
            "total_amount": "50.00",
            "amount_paid": "50.00" if paid else "0.00",
            "payment_method": "cash" if paid else None,
            "completed_at": "2026-05-01T06:00:00Z",
            "paid_at": "2026-05-01T06:00:00Z" if paid else None,
            **changes,
        }
        names = ", ".join(row)
        marks = ", ".join(f"%({name})s" for name in row)
        (found,) = await self.sql(
            f"insert into pos_transactions ({names}) values ({marks}) returning id", row
        )
        await self.sql(
            "insert into pos_transaction_items (transaction_id, line_no, sku, description, quantity, "
            "unit_price, line_total) values (%s, 1, 'TS-01', 'T-shirt', 2, 25, 50)",
            [found["id"]],
        )
        return int(found["id"])

    async def settlement(self, settlement_no: str = "KS202604-00001", **changes: Any) -> int:
        """Insert an approved settlement of 1851.85, and return its id."""
        row: dict[str, Any] = {
            "blogger_id": TENANT,
            "settlement_no": settlement_no,
            "payer_type": "blogger",
            "payer_id": TENANT,
            "payee_kol_id": 11,
            "payee_name": "Aisyah",
            "period_start": "2026-04-01",
            "period_end": "2026-04-30",
            "gross_sales": "12345.67",
            "commission_amount": "1851.85",
            "net_payable": "1851.85",
            "status": "approved",
            "approved_at": "2026-05-01T02:00:00Z",
            **changes,
        }
        names = ", ".join(row)
        marks = ", ".join(f"%({name})s" for name in row)
        (found,) = await self.sql(f"insert into kol_settlements ({names}) values ({marks}) returning id", row)
        return int(found["id"])

    def tools(self, reach: Reach = inert, client: Client | None = None) -> Tools:
        """Make a worker of its own: its clock is ours, its failpoints and its client may be given."""
        random = Random(7)
        steps = Steps(self.pool, random, self.claim_seconds)
        return Tools(
            steps=steps,
            accounts=Accounts(steps, self.ring, "test"),
            pusher=Pusher(client or self.client, self.clock, random),
            stops=Stops(),
            clock=self.clock,
            random=random,
            reach=reach,
            metrics=ConsumerMetrics(),
        )

    async def claim(self, endpoint: Endpoint, aggregate_id: int, tools: Tools | None = None) -> Claim | None:
        """Claim a task; None where somebody is at it."""
        asked = self.clock()
        row = {"endpoint": endpoint, "aggregate_id": aggregate_id, "lane": "live", "token": str(uuid4())}
        token = await (tools or self.tools()).steps.claims.ask(row)
        return token and Claim(endpoint, aggregate_id, UUID(row["token"]), asked + self.claim_seconds)

    async def deliver(
        self, endpoint: Endpoint, aggregate_id: int, reach: Reach = inert, client: Client | None = None
    ) -> bool:
        """Claim and deliver; False where somebody is at it."""
        tools = self.tools(reach, client)
        claim = await self.claim(endpoint, aggregate_id, tools)
        if claim is not None:
            await deliver(claim, tools)
        return claim is not None

    async def carry_out(self, claim: Claim, tools: Tools) -> None:
        """Deliver a claim."""
        await deliver(claim, tools)

    async def crash(self, endpoint: Endpoint, aggregate_id: int, at: str) -> None:
        """Deliver with a worker that dies at the step `at`."""

        def reach(name: str) -> None:
            if name == at:
                raise CrashError(name)

        try:
            await self.deliver(endpoint, aggregate_id, reach)
        except CrashError:
            return
        raise AssertionError(f"the worker never came to {at}")

    async def intend(self, claim: Claim, number: str, document: dict[str, Any]) -> Intended:
        """Write an intent under a claim, with any document."""
        return await self.tools().steps.intents.ask(self.intent(claim, number, document))

    def intent(self, claim: Claim, number: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return the row of an intent."""
        return {
            "endpoint": claim.endpoint,
            "aggregate_id": claim.aggregate_id,
            "token": str(claim.token),
            "company_id": self.company_id,
            "tenant_id": TENANT,
            "number": number,
            "document": document,
            "snapshot": "{}",
            "key_version": 1,
            "settings_version": 1,
        }

    async def until_due(self, endpoint: Endpoint, aggregate_id: int) -> None:
        """Wait until a task is due."""

        async def due() -> bool:
            return bool((await self.task(endpoint, aggregate_id))["due_in"] <= 0)

        await wait_for_async(due, 10, f"{endpoint} of {aggregate_id} to be due")

    async def drain(self, limit: int = 50) -> None:
        """Deliver what is due until nothing is, as the relay's sweep and the consumers would."""
        for _ in range(limit):
            due = await self.sql(
                "select endpoint, aggregate_id from aiaccount.tasks "
                "where due_at <= clock_timestamp() order by due_at"
            )
            if not due:
                return
            for task in due:
                await self.deliver(Endpoint(task["endpoint"]), task["aggregate_id"])
        raise AssertionError(f"still due after {limit} rounds: {due}")

    async def document(self, number: str, endpoint: Endpoint | None = None) -> dict[str, Any]:
        """Return the ledger's row of a number."""
        rows = await self.sql(
            "select * from aiaccount.documents where number = %s and (%s::text is null or endpoint = %s)",
            [number, endpoint, endpoint],
        )
        assert len(rows) == 1, f"{number}: {len(rows)} rows"
        return rows[0]

    async def task(self, endpoint: Endpoint, aggregate_id: int) -> dict[str, Any]:
        """Return a task's row, with `due_in` in seconds, endless where nothing is due."""
        (row,) = await self.sql(
            "select *, coalesce(extract(epoch from due_at - clock_timestamp())::float, 'infinity') as due_in "
            "from aiaccount.tasks "
            "where endpoint = %s and aggregate_id = %s",
            [endpoint, aggregate_id],
        )
        return row

    def fault(self, behaviour: str, **given: Any) -> None:
        """Make the sandbox misbehave towards our company."""
        match = {"company_id": self.company_id, **given.pop("match", {})}
        self.sandbox.add_fault(behaviour, match=match, **given)

    def stored(self, company_id: str | None = None) -> list[str]:
        """Return the numbers that stand in a company, ours if none is named, in the order of their coming."""
        wanted = company_id or self.company_id
        return [line["number"] for line in self._lines("stored") if line["company_id"] == wanted]

    def posts(self) -> list[dict[str, Any]]:
        """Return the pushes that were made with a key of our company, in order."""
        lines = self._lines("request")
        return [line for line in lines if line["method"] == "POST" and line["key_company"] == self.company_id]

    def _lines(self, kind: str) -> list[dict[str, Any]]:
        with self.sandbox.book.open(encoding="utf-8") as book:
            return [line for line in map(json.loads, book) if line["kind"] == kind]


def keys(*texts: str) -> list[dict[str, Any]]:
    """Return keys as the sandbox takes them, with every scope."""
    return [{"key": text, "scopes": list(SCOPES)} for text in texts]
