"""The only module that speaks HTTP to AiAccount, so that the real API or an upload can replace it.

httpx's transport is called directly: the client layer above it would follow redirects and keep a cookie jar,
and either would carry one tenant's secrets to another. It is aiohttp's transport, since httpx's own pool is
several times slower with many calls in flight.
"""

import asyncio
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from consumers.reply import Broken, Reply, code_of, fit, identity, json_object, reason_of
from consumers.secret import HIDDEN, Secret
from outbox.endpoints import Endpoint

MAX_BODY = 1_000_000
PATHS: Mapping[Endpoint, str] = MappingProxyType(
    {
        Endpoint.POS_INVOICE: "/api/v1/sales-invoices",
        Endpoint.POS_RECEIPT: "/api/v1/sales-receipts",
        Endpoint.KOL_BILL: "/api/v1/expense-bills",
        Endpoint.KOL_PAYMENT: "/api/v1/expense-payments",
    }
)
_OK = 200
_READ = ("date", "retry-after")
_SHORTEST_KEY = 8  # bytes: a shorter one stands in any text by chance, and keeps nothing secret
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}").fullmatch  # what a person reads as a code


@dataclass(frozen=True, slots=True)
class Call:
    """One push: where, with which key, and the document's bytes."""

    endpoint: Endpoint
    secret: Secret
    body: bytes
    idempotency_key: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Company:
    """What the connection test says of the company that a key belongs to."""

    company_id: str
    name: str
    home_currency: str
    scopes: tuple[str, ...]
    locked_until: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a connection test failed: a code, and a sentence for people."""

    code: str
    reason: str


class AiAccountClient:
    """Call AiAccount at `api_url` with at most `connections` open connections."""

    def __init__(self, api_url: str, connections: int = 256) -> None:
        self._urls = {endpoint: httpx.URL(api_url + path) for endpoint, path in PATHS.items()}
        self._base = api_url
        self._connections = connections
        self._transport: AiohttpTransport | None = None

    async def post(self, call: Call, seconds: float) -> Reply | Broken:
        """Push a document; the whole attempt takes at most `seconds`. Never raises for what a server does."""
        headers = {
            "Authorization": f"Bearer {call.secret.reveal()}",
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": call.idempotency_key,
            "X-Request-Id": call.request_id,
        }
        url = self._urls[call.endpoint]
        return await self._attempt("POST", url, headers, call.body, call.secret, seconds)

    async def look_up(
        self, endpoint: Endpoint, secret: Secret, identity: Mapping[str, str], seconds: float
    ) -> Reply | Broken:
        """Ask what is stored under `identity` (company, number, contact): 200 with the document, or 404."""
        return await self._get(f"{PATHS[endpoint]}?{urlencode(identity)}", secret, seconds)

    async def company(self, secret: Secret, company_name: str, seconds: float = 15.0) -> Company | Refused:
        """Test the connection: whether the key opens the company of that name."""
        path = f"/api/v1/company?{urlencode({'company': company_name})}"
        return read_company(await self._get(path, secret, seconds), company_name)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._transport is not None:
            await self._transport.aclose()
            self._transport = None

    async def _get(self, path: str, secret: Secret, seconds: float) -> Reply | Broken:
        headers = {"Authorization": f"Bearer {secret.reveal()}", "Accept": "application/json"}
        return await self._attempt("GET", httpx.URL(self._base + path), headers, b"", secret, seconds)

    async def _attempt(  # noqa: PLR0913, PLR0917 - what one request is made of
        self,
        method: str,
        url: httpx.URL,
        headers: Mapping[str, str],
        content: bytes,
        secret: Secret,
        seconds: float,
    ) -> Reply | Broken:
        if seconds <= 0:
            return Broken("TIMEOUT", "no time was left for a call")
        if self._transport is None:
            self._transport = _transport(self._connections)
        try:
            request = httpx.Request(method, url, headers=headers, content=content)
            async with asyncio.timeout(seconds):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Broken("TIMEOUT", f"no whole answer within {seconds:.0f} s")
        except Exception as error:  # noqa: BLE001 - libraries raise more kinds for bad bytes than they say
            return _broken(error)
        if body is None:
            return Broken("BODY_TOO_LARGE", f"HTTP {response.status_code} with a body over {MAX_BODY} bytes")
        read = {name: value for name in _READ if (value := response.headers.get(name)) is not None}
        return Reply(response.status_code, read, _masked(body, secret))


def read_company(reply: Reply | Broken, company_name: str) -> Company | Refused:
    """Say what an answer to a connection test means; its texts are short and such as the database holds."""
    if isinstance(reply, Broken):
        return Refused(reply.code, reply.reason)
    body = json_object(reply.body)
    if reply.status != _OK:
        code = code_of(body)
        return Refused(code if _CODE(code) else f"HTTP_{reply.status}", reason_of(reply, body))
    company_id, name = identity(body.get("company_id")), body.get("name")
    if company_id is None or not isinstance(name, str):
        return Refused("UNREADABLE", "AiAccount's answer names no company")
    if name != company_name:
        return Refused("WRONG_COMPANY", fit(f"the key belongs to {name!r} and not to {company_name!r}"))
    scopes, locked = body.get("scopes"), body.get("locked_until")
    return Company(
        company_id=company_id,
        name=name,
        home_currency=fit(str(body.get("home_currency") or "")),
        scopes=tuple(fit(str(scope)) for scope in scopes) if isinstance(scopes, list) else (),
        locked_until=fit(locked) if isinstance(locked, str) else None,
    )


def _transport(connections: int) -> AiohttpTransport:
    """Make a transport without cookies, proxies, redirects or retries of its own."""
    connector = aiohttp.TCPConnector(
        limit=connections, keepalive_timeout=30, ssl=ssl.create_default_context()
    )
    session = aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    )
    return AiohttpTransport(client=session)


async def _read(response: httpx.Response) -> bytes | None:
    """Read a body of at most 1 MB; None where it is longer."""
    parts, length = [], 0
    async for part in response.stream:  # type: ignore[union-attr]
        length += len(part)
        if length > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _masked(body: bytes, secret: Secret) -> bytes:
    """Take the key out of a body: a server may quote it in a message, which is stored and logged.

    Also where JSON escapes some of it, as some servers write a `/` or a `<`.
    """
    key = secret.reveal()
    if len(key) < _SHORTEST_KEY:
        return body
    body = body.replace(key.encode("utf-8", "replace"), HIDDEN.encode())
    if b"\\" not in body:
        return body
    try:
        plain = json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
    quoted = json.dumps(key, ensure_ascii=False)[1:-1]
    return plain.replace(quoted, HIDDEN).encode("utf-8", "replace") if quoted in plain else body


def _broken(error: Exception) -> Broken:
    """Name what broke by its kind; the text of a library's error may quote a header, so it is left out."""
    cause = error.__cause__ or error  # the transport calls every broken connection a time-out of connecting
    code = "CONNECT_FAILED" if isinstance(cause, aiohttp.ClientConnectorError) else "CONNECTION_BROKEN"
    return Broken(code, f"the connection to AiAccount broke ({type(cause).__name__})")
