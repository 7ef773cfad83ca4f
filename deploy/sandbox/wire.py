"""Put a reply on the wire, whole or as badly as a fault asks for."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from deploy.sandbox.reply import Delivery, Reply

_LOOK_AGAIN = 0.05


async def send(
    request: web.Request, reply: Reply, headers: Mapping[str, str], stopping: asyncio.Event
) -> web.StreamResponse:
    """Send a reply with `headers` besides its own; a reply that never comes waits for the client to go."""
    headers = {"Content-Type": reply.content_type, **headers, **reply.headers}
    if reply.delivery is Delivery.WHOLE:
        return web.Response(status=reply.status, body=reply.body, headers=headers)
    transport = request.transport
    if transport is not None:
        await _stray(transport, reply, headers, stopping)
        transport.abort()
    return web.Response()  # it goes nowhere: the connection is closed


async def _stray(
    transport: asyncio.Transport, reply: Reply, headers: Mapping[str, str], stopping: asyncio.Event
) -> None:
    head = _head(reply, headers)
    if reply.delivery is Delivery.BROKEN:
        _reset_on_close(transport)
    elif reply.delivery is Delivery.HALF:
        transport.write(b"".join(head) + reply.body[: len(reply.body) // 2])
        await _drained(transport, stopping)
    elif reply.delivery is Delivery.DRIP:
        transport.write(b"".join(head))
        await _slowly(transport, [bytes([byte]) for byte in reply.body], reply.pace, stopping)
    elif reply.delivery is Delivery.SLOW_HEADERS:
        await _slowly(transport, [*head, reply.body], reply.pace, stopping)
    else:
        while not transport.is_closing() and not stopping.is_set():
            await _pause(_LOOK_AGAIN, stopping)


def _head(reply: Reply, headers: Mapping[str, str]) -> list[bytes]:
    phrase = HTTPStatus(reply.status).phrase if reply.status else ""
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    lines += [f"Content-Length: {len(reply.body)}", "Connection: close"]
    return [f"{line}\r\n".encode("latin-1") for line in lines] + [b"\r\n"]


async def _slowly(
    transport: asyncio.Transport, parts: list[bytes], pace: float, stopping: asyncio.Event
) -> None:
    for part in parts:
        if transport.is_closing() or stopping.is_set():
            return
        transport.write(part)
        await _pause(pace, stopping)
    await _drained(transport, stopping)


async def _drained(transport: asyncio.Transport, stopping: asyncio.Event) -> None:
    """Wait until all that was written has gone out."""
    while transport.get_write_buffer_size() and not transport.is_closing() and not stopping.is_set():
        await _pause(_LOOK_AGAIN, stopping)


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), seconds)


def _reset_on_close(transport: asyncio.Transport) -> None:
    """Have the connection end with a TCP reset instead of an orderly close."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
