"""A company in a running sandbox, as its blogger's sync would talk to it."""

import http.client
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company, key_of
from tests.sandbox.documents import COMPANY, Document

TIMEOUT = 20.0


@dataclass(frozen=True)
class Answer:
    """What came back: `body` is parsed where it is JSON."""

    status: int
    headers: dict[str, str]
    raw: bytes
    cookies: list[str] = field(default_factory=list)

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON body."""
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def code(self) -> str:
        """Return the error code."""
        code: str = self.body["error"]["code"]
        return code

    @property
    def codes(self) -> list[str]:
        """Return the codes of all errors."""
        return [error["code"] for error in self.body["errors"]]


class Shop:
    """Calls the sandbox as one company."""

    def __init__(self, sandbox: SandboxProcess, company_id: str, **overrides: object) -> None:
        self.sandbox = sandbox
        self.company_id = company_id
        self.key = key_of(company_id)
        sandbox.put_company(company(company_id, COMPANY, **{"rate_per_minute": None, **overrides}))

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Answer:
        """Make one call on a connection of its own."""
        connection = http.client.HTTPConnection(urlsplit(self.sandbox.url).netloc, timeout=timeout)
        given = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        try:
            connection.request(method, path, body, {name: value for name, value in given.items() if value})
            reply = connection.getresponse()
            cookies = reply.headers.get_all("Set-Cookie") or []
            return Answer(reply.status, dict(reply.headers), reply.read(), cookies)
        finally:
            connection.close()

    def post(
        self,
        scope: str,
        document: Document,
        headers: dict[str, str] | None = None,
        timeout: float = TIMEOUT,
    ) -> Answer:
        """Push a document."""
        given = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": f"{scope}/{document.get('number')}",
            **(headers or {}),
        }
        return self.call("POST", f"/api/v1/{scope}", json.dumps(document).encode(), given, timeout)

    def get(self, what: str, **query: str) -> Answer:
        """Ask for something of the company."""
        return self.call("GET", f"/api/v1/{what}?{urlencode({'company': COMPANY, **query})}")

    def look_up(self, number: str, scope: str = "sales-invoices", contact: str = "POS-WALKIN") -> Answer:
        """Look a document up."""
        return self.get(scope, number=number, contact=contact)

    def fault(self, behaviour: str, *, times: int | None = 1, **given: object) -> str:
        """Set a fault for this company alone, once unless said otherwise."""
        match = {"company_id": self.company_id}
        return self.sandbox.add_fault(behaviour, match=match, times=times, **given)

    def stored(self) -> list[str]:
        """Return the numbers of the documents that stand in the books."""
        return [found["number"] for found in self.sandbox.documents(self.company_id)]

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what the book has of this company's calls, or of one kind of event."""
        found = read_book(self.sandbox.book)
        mine = {event["request_id"] for event in found if event.get("key_company") == self.company_id}
        return [
            event
            for event in found
            if event.get("request_id") in mine and (kind is None or event["kind"] == kind)
        ]


def read_book(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as book:
        return [json.loads(line) for line in book]
