"""One call to the public API, taken apart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.sandbox.book import without_key
from deploy.sandbox.books import Identity
from deploy.sandbox.company import Company, Key
from deploy.sandbox.endpoint import ENDPOINTS, Endpoint

API = "/api/v1/"
PATHS: dict[str, str] = {API + endpoint.scope: endpoint.name for endpoint in ENDPOINTS.values()} | {
    API + "company": "company",
    API + "master-data": "master-data",
}
_RAW_KEPT = 2000


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: `parsed` JSON and the same as text in one line, or, when it is no JSON, `raw`."""

    parsed: object = None
    encoded: str = "null"
    raw: str | None = None
    too_large: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `place` is one of the four endpoints, "company", "master-data" or None; `key` is a secret."""

    request_id: str
    method: str
    path: str
    place: str | None
    content_type: str
    idempotency_key: str | None
    query: Mapping[str, str]
    body: Body
    key: str | None
    key_sha256: str | None
    company: Company | None
    opened_by: Key | None

    def endpoint(self) -> Endpoint | None:
        """Return the kind of document that the call is about."""
        return ENDPOINTS.get(self.place or "")

    def document(self) -> dict[str, Any]:
        """Return the document that was sent; an empty one if none was."""
        return self.body.parsed if isinstance(self.body.parsed, dict) else {}

    def number(self) -> str | None:
        """Return the number of the document that the call is about."""
        number = self.query.get("number") if self.method == "GET" else self.document().get("number")
        return number if isinstance(number, str) else None

    def identity(self, company_id: str) -> Identity | None:
        """Return what the sent document is known by, if it says so."""
        contact = self.document().get("contact")
        code = contact.get("code") if isinstance(contact, dict) else None
        number = self.number()
        if not isinstance(code, str) or number is None:
            return None
        return (company_id, self.place or "", number, code)


def read_body(raw: bytes, key: str | None) -> Body:
    """Parse a body. The API key is taken out of it, should it stand there."""
    if not raw:
        return Body()
    try:
        parsed = json.loads(raw.decode(), parse_constant=_refuse_constant)
        encoded = json.dumps(parsed)
        if key is not None and json.dumps(key)[1:-1] in encoded:
            parsed = without_key(parsed, key)
            encoded = json.dumps(parsed)
    except (ValueError, RecursionError):
        text = without_key(raw.decode(errors="replace"), key)
        return Body(raw=text[:_RAW_KEPT])
    return Body(parsed, encoded)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
