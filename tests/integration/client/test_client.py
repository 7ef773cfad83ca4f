"""The HTTP client against servers that misbehave: nothing raises, nothing leaks, nothing is followed."""

import asyncio
import copy
import json
import logging
import pickle
import socket
import time
import traceback
from typing import Any
from urllib.parse import parse_qsl

import pytest

from consumers.client import MAX_BODY, PATHS, AiAccountClient, Call, Company, Refused
from consumers.reply import Broken, Reply
from consumers.secret import HIDDEN, Secret
from outbox.endpoints import Endpoint
from tests.integration.client.conftest import Clients
from tests.integration.client.server import Answer, http, serving

KEY = "canary-9f8e7d6c5b4a"
SECONDS = 5.0
IDENTITY = {"company": "小美 Sdn Bhd & Co + 1 = #2?", "number": "N/1%2F;", "contact": "POS WALKIN"}


def call(key: str = KEY, body: bytes = b'{"number": "N1"}') -> Call:
    return Call(Endpoint.POS_INVOICE, Secret(key), body, "idem-1", "request-1")


async def both(client: AiAccountClient, seconds: float = SECONDS) -> list[Reply | Broken]:
    """Push and look up."""
    return [
        await client.post(call(), seconds),
        await client.look_up(Endpoint.KOL_BILL, Secret(KEY), IDENTITY, seconds),
    ]


BAD_BYTES = {
    "nothing": b"",
    "garbage": b"\x00\x01\x02 garbage\r\n\r\n",
    "no http": b"SSH-2.0-OpenSSH_9.9\r\n",
    "status of five digits": b"HTTP/1.1 99999 OK\r\n\r\n",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "a head without end": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 100_000 + b"\r\n\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
    "a length below zero": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "half the chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
    "a reason of wild bytes": b"HTTP/1.1 200 \xe4\xb8\xff\r\nContent-Length: 2\r\n\r\n{}",
    "a header with a zero": b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", BAD_BYTES.values(), ids=BAD_BYTES)
async def test_bytes_that_are_no_answer_are_a_broken_connection(clients: Clients, answer: bytes) -> None:
    async with serving(answer) as server:
        for told in await both(clients(server.url)):
            assert isinstance(told, Broken)
            assert told.code == "CONNECTION_BROKEN"
            assert KEY not in repr(told)


@pytest.mark.parametrize(
    "header",
    [
        b"X-A: \xe4\xb8\xad\xff",
        b"Set-Cookie: a=\xff\xfe; Max-Age=999",
        b"Content-Type: \xff;;;=",
        b"Content-Encoding: gzip",
        b"Content-Encoding: rot13",
        b"Location: http://[::bad",
        b"Retry-After: \xff\xfe",
    ],
)
async def test_a_header_however_wild_leaves_the_answer_readable(clients: Clients, header: bytes) -> None:
    async with serving(http("200 OK", b"{}", header)) as server:
        for told in await both(clients(server.url)):
            assert isinstance(told, Reply)
            assert (told.status, told.body) == (200, b"{}")


async def test_the_wait_that_is_told_is_read_and_no_other_header(clients: Clients) -> None:
    async with serving(http("429 No", b"{}", b"Retry-After: 7", b"Date: now", b"X-A: b")) as server:
        told = await clients(server.url).post(call(), SECONDS)
    assert told == Reply(429, {"retry-after": "7", "date": "now"}, b"{}")


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_is_cut_is_broken(clients: Clients, *, reset: bool) -> None:
    async def cut(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reset:
            linger = (1).to_bytes(4, "little") + bytes(4)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with serving(cut) as server:
        for told in await both(clients(server.url)):
            assert isinstance(told, Broken)
            assert told.code == "CONNECTION_BROKEN"


async def test_a_server_that_is_not_there_is_told_apart(clients: Clients) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for told in await both(clients(url)):
            assert isinstance(told, Broken)
            assert told.code == "CONNECT_FAILED"


async def test_a_server_without_tls_is_no_server_where_tls_is_asked_for(clients: Clients) -> None:
    heard: list[bytes] = []

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.write(http("400 Speak plainly"))
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for told in await both(clients(url)):
            assert isinstance(told, Broken)
    assert len(heard) == 2
    assert KEY.encode() not in b"".join(heard)


async def test_a_key_that_no_header_can_hold_is_not_sent_and_not_shown(clients: Clients) -> None:
    async with serving(http("200 OK", b"{}")) as server:
        for key in (f"{KEY}\r\nX-Evil: 1", f"{KEY}中", f"{KEY}\n"):
            told = await clients(server.url).post(call(key), SECONDS)
            assert isinstance(told, Broken)
            assert KEY not in repr(told)
        assert server.requests == []


def silent() -> tuple[Answer, asyncio.Event]:
    gone = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    return say_nothing, gone


async def drip_head(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
    while not writer.is_closing():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_continue(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("drip", [drip_head, drip_body, drip_continue])
async def test_one_deadline_holds_for_the_whole_attempt_however_the_server_drips(
    clients: Clients, drip: Answer
) -> None:
    async with serving(drip) as server:
        client = clients(server.url)
        began = time.monotonic()
        for told in await both(client, 0.3):
            assert isinstance(told, Broken)
            assert told.code == "TIMEOUT"
        assert 0.5 < time.monotonic() - began < 3.0


async def test_a_server_that_says_nothing_is_left_at_the_deadline(clients: Clients) -> None:
    answer, gone = silent()
    async with serving(answer) as server:
        told = await clients(server.url).post(call(), 0.2)
        assert isinstance(told, Broken)
        assert told.code == "TIMEOUT"
        await asyncio.wait_for(gone.wait(), SECONDS)


@pytest.mark.parametrize("seconds", [0.0, -1.0])
async def test_an_attempt_without_time_sends_nothing(clients: Clients, seconds: float) -> None:
    async with serving(http("200 OK", b"{}")) as server:
        told = await clients(server.url).post(call(), seconds)
        assert isinstance(told, Broken)
        assert told.code == "TIMEOUT"
        assert server.connections == 0


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("over", [0, 1, 3_000_000])
async def test_a_body_is_read_up_to_1_mb(clients: Clients, over: int, *, chunked: bool) -> None:
    body = b"x" * (MAX_BODY + over)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    async with serving(chunks if chunked else http("200 OK", body), http("200 OK", b"{}")) as server:
        client = clients(server.url)
        told = await client.post(call(), SECONDS)
        if over:
            assert isinstance(told, Broken)
            assert told.code == "BODY_TOO_LARGE"
        else:
            assert told == Reply(200, {}, body)
        assert await client.post(call(), SECONDS) == Reply(200, {}, b"{}"), "the next call is its own"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(clients: Clients, status: int) -> None:
    async with serving(http("200 OK", b"{}")) as target:
        moved = http(f"{status} Moved", b"", b"Location: " + target.url.encode())
        async with serving(moved) as server:
            for told in await both(clients(server.url)):
                assert told == Reply(status, {}, b"")
            assert len(server.requests) == 2
        assert (target.requests, target.connections) == ([], 0)


async def test_a_cookie_is_never_sent_back(clients: Clients) -> None:
    async with serving(http("200 OK", b"{}", b"Set-Cookie: session=of-another; Path=/")) as server:
        client = clients(server.url)
        for _ in range(2):
            await both(client)
        assert len(server.requests) == 4
        assert all("cookie" not in headers for headers in server.headers)


async def test_a_push_carries_its_key_its_idempotency_and_its_bytes(clients: Clients) -> None:
    body = '{"company_name": "小美"}'.encode()
    async with serving(http("200 OK", b"{}")) as server:
        client = clients(server.url)
        for endpoint in Endpoint:
            await client.post(Call(endpoint, Secret(KEY), body, "idem-1", "request-1"), SECONDS)
    for request, headers, path in zip(server.requests, server.headers, PATHS.values(), strict=True):
        assert request.startswith(f"POST {path} HTTP/1.1\r\n".encode())
        assert request.endswith(b"\r\n\r\n" + body)
        assert headers["authorization"] == f"Bearer {KEY}"
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert (headers["idempotency-key"], headers["x-request-id"]) == ("idem-1", "request-1")
    assert server.connections == 1, "connections are kept"


async def test_a_look_up_escapes_what_it_asks_for(clients: Clients) -> None:
    async with serving(http("404 No", b"{}")) as server:
        await clients(server.url).look_up(Endpoint.KOL_BILL, Secret(KEY), IDENTITY, SECONDS)
    method, target, _ = server.requests[0].split(b"\r\n")[0].decode().split(" ")
    path, _, query = target.partition("?")
    assert (method, path) == ("GET", PATHS[Endpoint.KOL_BILL])
    assert dict(parse_qsl(query, strict_parsing=True)) == IDENTITY


async def test_one_tenants_key_is_not_another_calls(clients: Clients) -> None:
    async with serving(http("200 OK", b"{}")) as server:
        client = clients(server.url)
        for key in ("canary-of-the-first", "canary-of-the-second"):
            await client.post(call(key), SECONDS)
    assert [headers["authorization"][7:] for headers in server.headers] == [
        "canary-of-the-first",
        "canary-of-the-second",
    ]


async def test_a_key_that_the_server_quotes_is_masked_before_anyone_reads_it(clients: Clients) -> None:
    body = json.dumps({"error": {"code": "API_KEY_INVALID", "message": f"The key {KEY} is unknown"}}).encode()
    async with serving(http("401 No", body)) as server:
        client = clients(server.url)
        for told in await both(client):
            assert isinstance(told, Reply)
            assert KEY.encode() not in told.body
            assert HIDDEN.encode() in told.body
        refused = await client.company(Secret(KEY), "Mei")
        assert refused == Refused("API_KEY_INVALID", f"The key {HIDDEN} is unknown")


@pytest.mark.parametrize("slash", ["/", r"\/", r"\u002F"])
async def test_a_key_that_the_server_quotes_as_json_escapes_it_is_masked_too(
    clients: Clients, slash: str
) -> None:
    key = "sk/a+b/c<d>e&f-0123456789"
    told = f'The \\"key\\" {key.replace("/", slash)} is unknown'
    body = f'{{"error": {{"code": "API_KEY_INVALID", "message": "{told}"}}}}'
    async with serving(http("401 No", body.encode())) as server:
        refused = await clients(server.url).company(Secret(key), "Mei")
    assert refused == Refused("API_KEY_INVALID", f'The "key" {HIDDEN} is unknown')


def fail(it: Call) -> None:
    secret, body = it.secret, it.body
    raise ValueError(it, secret, body)


def test_a_call_shows_its_key_nowhere() -> None:
    it = call()
    with pytest.raises(TypeError):
        pickle.dumps(it)
    with pytest.raises(ValueError, match="N1") as caught:
        fail(it)
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(told.format())
    for text in (repr(it), str(it), f"{it}", f"{it.secret:>40}", repr(copy.deepcopy(it)), shown):
        assert KEY not in text
    assert it.secret.reveal() == KEY


async def test_no_library_logs_the_key_however_loud(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serving(http("401 No", KEY.encode()), b"garbage\r\n\r\n", b"") as server:
        client = clients(server.url)
        for _ in range(3):
            await both(client)
    assert KEY not in caplog.text


async def test_a_closed_client_opens_again(clients: Clients) -> None:
    async with serving(http("200 OK", b"{}")) as server:
        client = clients(server.url)
        await client.post(call(), SECONDS)
        await client.aclose()
        await client.aclose()
        assert await client.post(call(), SECONDS) == Reply(200, {}, b"{}")


def company_body(**changes: Any) -> bytes:
    return json.dumps({"company_id": "C1", "name": "Mei", "home_currency": "MYR", **changes}).encode()


async def test_the_connection_test_tells_the_company(clients: Clients) -> None:
    body = company_body(scopes=["pos_invoice"], locked_until="2026-04-30")
    async with serving(http("200 OK", body)) as server:
        told = await clients(server.url).company(Secret(KEY), "Mei")
    assert told == Company("C1", "Mei", "MYR", ("pos_invoice",), "2026-04-30")


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, company_body(name="Another"), "WRONG_COMPANY"),
        (200, company_body(company_id=None), "UNREADABLE"),
        (200, company_body(company_id=True), "UNREADABLE"),
        (200, company_body(company_id=""), "UNREADABLE"),
        (200, company_body(name=7), "UNREADABLE"),
        (200, b"<html>", "UNREADABLE"),
        (200, b"[" * 100_000, "UNREADABLE"),
        (200, company_body(name="x" * 9000), "WRONG_COMPANY"),
        (403, b'{"error": {"code": "a code of no list", "message": "No\\u0000"}}', "HTTP_403"),
        (403, json.dumps({"error": {"code": "X" * 900, "message": "No"}}).encode(), "HTTP_403"),
        (302, b"", "HTTP_302"),
        (401, b'{"error": {"code": "API_KEY_INVALID"}}', "API_KEY_INVALID"),
        (401, b'{"error": {"code": {"a": 1}, "message": ["b"]}}', "HTTP_401"),
        (500, b'{"error": "no"}', "HTTP_500"),
        (500, json.dumps({"error": {"message": "x" * 9000}}).encode(), "HTTP_500"),
    ],
)
async def test_a_connection_test_that_fails_says_why_in_a_sentence(
    clients: Clients, status: int, body: bytes, code: str
) -> None:
    async with serving(http(f"{status} Told", body)) as server:
        told = await clients(server.url).company(Secret(KEY), "Mei")
    assert isinstance(told, Refused)
    assert told.code == code
    assert 0 < len(told.reason) <= 500
    assert "\0" not in told.reason


async def test_a_connection_test_that_breaks_says_so(clients: Clients) -> None:
    async with serving(b"") as server:
        told = await clients(server.url).company(Secret(KEY), "Mei")
    assert isinstance(told, Refused)
    assert told.code == "CONNECTION_BROKEN"
