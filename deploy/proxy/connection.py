"""One connection through the proxy: two halves, and the ways in which it ends."""

import asyncio
import socket
import struct
from random import Random
from typing import Any

from deploy.proxy.present import Present
from deploy.proxy.pump import LimitReachedError, Pump
from deploy.proxy.toxics import Direction, Reset, Timeout
from deploy.servers.port import LOCALHOST

_AT_ONCE = struct.pack("ii", 1, 0)


async def carry(client: socket.socket, port: int, present: Present, random: Random) -> None:
    """Connect to the server at `port` and carry both halves, until both or a toxic end it.

    Both sockets are closed then: reset where an end broke off or is not there, or where this is cancelled.
    """
    reset: Direction | None = Direction.BOTH
    with socket.socket() as server:
        server.setblocking(False)  # noqa: FBT003 - Python's own signature
        try:
            await asyncio.get_running_loop().sock_connect(server, (LOCALHOST, port))
            reset = await _carried(client, server, present, random)
        except OSError:
            pass
        finally:
            for end, half in ((server, Direction.UPSTREAM), (client, Direction.DOWNSTREAM)):
                if reset is not None and reset.covers(half):
                    cut(end)
                end.close()


def cut(end: socket.socket) -> None:
    """Close a socket so that the other end sees a reset."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
    end.close()


async def _carried(
    client: socket.socket, server: socket.socket, present: Present, random: Random
) -> Direction | None:
    """Carry both halves; return which ends are to be reset, none where they are to be closed."""
    pumps = (
        Pump(client, server, Direction.UPSTREAM, present, random),
        Pump(server, client, Direction.DOWNSTREAM, present, random),
    )
    works = [asyncio.ensure_future(work()) for pump in pumps for work in (pump.read, pump.write)]
    watch = asyncio.ensure_future(_watch(present))
    both = asyncio.gather(*works)
    over: list[asyncio.Future[Any]] = [both, watch]
    try:
        await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)
        return watch.result() if watch.done() else _broken(both)
    finally:
        for task in (*works, watch):
            task.cancel()
        await asyncio.gather(*works, watch, both, return_exceptions=True)


def _broken(both: "asyncio.Future[list[None]]") -> Direction | None:
    """Say which ends are reset after the halves have ended; raises what broke them off."""
    error = both.exception()
    if error is None or isinstance(error, LimitReachedError):
        return None
    raise error


async def _watch(present: Present) -> Direction | None:
    """Wait for a toxic that ends the connection; return which ends it resets, none where it only closes."""
    clock = asyncio.get_running_loop().time
    met: dict[int, float] = {}
    while True:
        now = clock()
        ends: list[tuple[float, Direction | None]] = [
            (met.setdefault(number, now) + reset.seconds, direction)
            for number, reset, direction in present.numbered(Reset)
        ]
        ends += [
            (met.setdefault(number, now) + timeout.seconds, None)
            for number, timeout, _ in present.numbered(Timeout)
            if timeout.seconds is not None
        ]
        at, direction = min(ends, key=lambda end: end[0], default=(None, None))
        if at is not None and at <= now:
            return direction
        await present.pause(None if at is None else at - now)
