"""Tenants with companies of their own in the sandbox, and companies that only the yardsticks post to."""

import hashlib
import json
from collections.abc import Sequence

import psycopg

from consumers.client import PATHS
from consumers.keyring import parse_key_ring
from consumers.vault import PURPOSE, seal
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company, key_of
from deploy.stack import Installation
from outbox.endpoints import Endpoint
from tests.bench.machines import ENVIRONMENT
from tests.bench.posting import Post

TENANTS = 20
CODES = {
    "tax:none:0": "NT",
    "payment:cash:MYR": "12100",
    "account:sales": "40000",
    "account:rounding": "40900",
    "account:expense": "61001",
}
_ACCEPTED = """
    select aggregate_id, tenant_id, document from aiaccount.documents
    where endpoint = %s and accepted_at is not null and aggregate_id between %s and %s order by aggregate_id
"""


class Books:
    """The companies of one sandbox, and the documents that the yardsticks post there again."""

    def __init__(self, database: str, sandbox: SandboxProcess) -> None:
        self._database = database
        self._sandbox = sandbox

    def enter_tenants(self, installation: Installation) -> None:
        """Enter the tenants 1 to `TENANTS`, each with a company and a sealed key."""
        ring = parse_key_ring(installation.env["AIACCOUNT_SYNC_MASTER_KEYS"], "the benchmark")
        self._open("ours")
        with psycopg.connect(self._database, autocommit=True) as connection:
            for tenant in range(1, TENANTS + 1):
                connection.execute(
                    "insert into aiaccount.tenants"
                    " (tenant_id, company_id, company_name, kol_mode, cutover_date, codes,"
                    " calls_per_minute, calls_at_once)"
                    " values (%s, %s, %s, 'multi', '2026-01-01', %s, null, null)",
                    [tenant, f"ours-{tenant}", _name("ours", tenant), json.dumps(CODES)],
                )
                sealed = seal(ring, ENVIRONMENT, tenant, PURPOSE, 1, key_of(f"ours-{tenant}"))
                connection.execute(
                    "insert into aiaccount.credentials"
                    " (tenant_id, version, key_id, nonce, ciphertext, set_by)"
                    " values (%s, 1, %s, %s, %s, 'bench')",
                    [tenant, sealed.key_id, sealed.nonce, sealed.ciphertext],
                )

    def posts(self, kind: str, ids: range, endpoints: Sequence[Endpoint]) -> list[Post]:
        """Return the accepted documents of these sales as posts to new companies, named after `kind`.

        Where several endpoints are named, a sale's document of the next follows the one before.
        """
        self._open(kind)
        following: dict[int, Post] = {}
        with psycopg.connect(self._database, autocommit=True) as connection:
            for endpoint in reversed(endpoints):
                found = connection.execute(_ACCEPTED, [endpoint, ids.start, ids.stop - 1]).fetchall()
                for sale, tenant, document in found:
                    body = json.dumps({**document, "company_name": _name(kind, tenant)}).encode()
                    following[sale] = Post(
                        self._sandbox.url + PATHS[endpoint],
                        key_of(f"{kind}-{tenant}"),
                        hashlib.sha256(body).hexdigest(),
                        body,
                        following.get(sale),
                    )
        return list(following.values())

    def _open(self, kind: str) -> None:
        for tenant in range(1, TENANTS + 1):
            self._sandbox.put_company(company(f"{kind}-{tenant}", _name(kind, tenant)))


def _name(kind: str, tenant: int) -> str:
    return f"Company {kind} {tenant} Sdn Bhd"
