"""One half of a connection: what one end says is told to the other, as the toxics let it."""

import asyncio
import socket
from random import Random

from deploy.proxy.present import Present
from deploy.proxy.toxics import Bandwidth, Direction, Latency, Limit, Slicer, SlowClose, Timeout

CHUNK = 64 * 1024
AHEAD = 16
"""Chunks that are read ahead of what a toxic holds back; then the sender waits, as on a real network."""
A_TENTH = 0.1
Chunk = tuple[float, float, bytes]
"""When it arrived, where in its jitter it lies (-1 to 1), and what it says; nothing is the end."""


class LimitReachedError(Exception):
    """So many bytes as a limit lets through have gone."""


class Pump:
    """Carry bytes from one socket to the other until the end; both are non-blocking."""

    def __init__(
        self,
        source: socket.socket,
        target: socket.socket,
        half: Direction,
        present: Present,
        random: Random,
    ) -> None:
        self._source = source
        self._target = target
        self._half = half
        self._present = present
        self._random = random
        self._ahead: asyncio.Queue[Chunk] = asyncio.Queue(AHEAD)
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self._passed = 0
        self._passed_before: dict[int, int] = {}

    async def read(self) -> None:
        """Take in what one end says.

        Raises:
            OSError: The connection broke.
        """
        data = b"-"
        while data:
            data = await self._loop.sock_recv(self._source, CHUNK)
            await self._ahead.put((self._clock(), self._random.uniform(-1, 1), data))

    async def write(self) -> None:
        """Tell it to the other end.

        Raises:
            LimitReachedError: No more may go through.
            OSError: The connection broke.
        """
        while True:
            arrived, luck, data = await self._ahead.get()
            await self._come_late(arrived, luck)
            await self._hold()
            if not data:
                break
            while data:
                data = await self._pass_some(data)
        await self._close_slowly()
        await self._hold()
        self._target.shutdown(socket.SHUT_WR)

    async def _come_late(self, arrived: float, luck: float) -> None:
        while late := self._present.on(Latency, self._half):
            wait = arrived + sum(it.seconds + it.jitter * luck for it in late) - self._clock()
            if wait <= 0:
                return
            await self._present.pause(wait)

    async def _hold(self) -> None:
        while self._present.on(Timeout, self._half):
            await self._present.pause(None)

    async def _close_slowly(self) -> None:
        ended = self._clock()
        while slow := self._present.on(SlowClose, self._half):
            wait = ended + max(it.seconds for it in slow) - self._clock()
            if wait <= 0:
                return
            await self._present.pause(wait)

    async def _pass_some(self, data: bytes) -> bytes:
        """Pass a piece as large as may go at once; return the rest."""
        size, wait = len(data), 0.0
        for slicer in self._present.on(Slicer, self._half):
            spread = min(slicer.spread, slicer.size - 1)
            size = min(size, slicer.size + self._random.randint(-spread, spread))
            wait += slicer.pause
        for band in self._present.on(Bandwidth, self._half):
            size = max(1, min(size, int(band.bytes_per_second * A_TENTH)))
            wait = max(wait, size / band.bytes_per_second)
        if wait:
            await self._present.pause(wait)
            await self._hold()
        left = self._left()
        if left is not None:
            size = min(size, left)
        await self._loop.sock_sendall(self._target, data[:size])
        self._passed += size
        if left == size:
            raise LimitReachedError
        return data[size:]

    def _left(self) -> int | None:
        """Return how many bytes the limits still let through, each counted from when it was first met."""
        return min(
            (
                max(0, limit.size - (self._passed - self._passed_before.setdefault(number, self._passed)))
                for number, limit, direction in self._present.numbered(Limit)
                if direction.covers(self._half)
            ),
            default=None,
        )
