"""Three bloggers who subscribed: each with a shop, a company in the sandbox and an API key."""

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company
from deploy.sandbox.endpoint import SCOPES
from deploy.stack import Installation
from deploy.till import CODES, SHOPS, Shop


@dataclass(frozen=True)
class Subscriber:
    """A blogger; the key looks like no secret, so that no pattern hides it where it should not be."""

    tenant_id: int
    shop: Shop
    key: str = field(default_factory=lambda: f"canary{secrets.token_hex(12)}", repr=False)

    @property
    def company_id(self) -> str:
        """The company's id in the sandbox."""
        return f"C{self.tenant_id}"


def some_subscribers() -> tuple[Subscriber, ...]:
    """Return three, with keys that nobody has seen before."""
    return tuple(Subscriber(number, shop) for number, shop in enumerate(SHOPS[:3], 1))


def open_companies(sandbox: SandboxProcess, subscribers: tuple[Subscriber, ...]) -> None:
    """Give each a company in the sandbox."""
    for one in subscribers:
        keys = [{"key": one.key, "scopes": list(SCOPES)}]
        sandbox.put_company(company(one.company_id, one.shop.name, keys=keys))


def subscribe(installation: Installation, subscribers: tuple[Subscriber, ...]) -> None:
    """Enter them and their keys through the command line, side by side."""

    def enter(one: Subscriber) -> None:
        installation.run(
            *("tenants", "add", str(one.tenant_id), "--company-name", one.shop.name),
            *("--cutover-date", "2026-01-01", "--kol-mode", "multi"),
            *("--calls-per-minute", "60000", "--calls-at-once", "1000"),  # what a fault left comes at once
            *(part for code in CODES.items() for part in ("--code", "=".join(code))),
        )
        installation.run("credentials", "set", str(one.tenant_id), given=f"{one.key}\n")

    with ThreadPoolExecutor(max_workers=len(subscribers)) as at_once:
        list(at_once.map(enter, subscribers))
