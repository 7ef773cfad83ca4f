"""The proxy on one link, in a thread of its own, and the calls that put toxics on and take them off."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from random import Random
from typing import Self, TypeVar

from deploy.proxy.connection import carry, cut
from deploy.proxy.present import Present
from deploy.proxy.toxics import Direction, Down, Toxic
from deploy.servers.port import LOCALHOST, free_port

CALL_SECONDS = 10.0
BACKLOG = 512
Result = TypeVar("Result")


class Proxy:
    """A proxy before a server on 127.0.0.1; a context manager that runs it.

    Its methods are for any thread but its own, and return when what they ask for is done.

    Args:
        upstream: The server's port.
        port: Where the proxy listens; a free port if none is given.
        seed: Of jitter and of the sizes of slices.
    """

    def __init__(self, upstream: int, *, port: int | None = None, seed: int = 0) -> None:
        self.upstream = upstream
        self.port = port or free_port()
        self._random = Random(seed)  # noqa: S311 - jitter
        self._numbers = count(1)
        self._present = Present()
        self._listener: socket.socket | None = None
        self._open: dict[asyncio.Task[None], socket.socket] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"proxy-{self.port}", daemon=True)
        self._accepted = 0

    @property
    def address(self) -> str:
        """Where clients connect, `host:port`."""
        return f"{LOCALHOST}:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return len(self._open)

    @property
    def accepted(self) -> int:
        """How many connections were taken so far."""
        return self._accepted

    def start(self) -> None:
        """Listen. Raises `OSError` where the port is taken."""
        self._thread.start()
        try:
            self._call(self._listen)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Reset all connections and listen no more; it does not start again."""
        self._call(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_SECONDS)
        self._loop.close()

    def add(self, toxic: Toxic, direction: Direction = Direction.BOTH) -> int:
        """Put a toxic on the link, for open connections too; return the number to take it off by."""
        number = next(self._numbers)

        async def put() -> None:
            self._present.put(number, toxic, direction)
            await self._obey()

        self._call(put)
        return number

    def remove(self, number: int) -> None:
        """Take a toxic off; one that is gone already is no error."""
        self._take(number)

    def clear(self) -> None:
        """Take all toxics off."""
        self._take(None)

    @contextmanager
    def under(self, toxic: Toxic, direction: Direction = Direction.BOTH) -> Iterator[None]:
        """Put a toxic on for the time of a `with`."""
        number = self.add(toxic, direction)
        try:
            yield
        finally:
            self.remove(number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _call(self, work: Callable[[], Awaitable[Result]]) -> Result:
        async def called() -> Result:
            return await work()

        return asyncio.run_coroutine_threadsafe(called(), self._loop).result(CALL_SECONDS)

    def _take(self, number: int | None) -> None:
        async def take() -> None:
            self._present.take(number)
            await self._obey()

        self._call(take)

    async def _obey(self) -> None:
        """Be down or listen, as the toxics say."""
        if any(self._present.numbered(Down)):
            await self._end()
        elif self._listener is None:
            await self._listen()

    async def _listen(self) -> None:
        self._listener = socket.create_server((LOCALHOST, self.port), backlog=BACKLOG)
        self._listener.setblocking(False)  # noqa: FBT003 - Python's own signature
        self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _end(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for task in (doomed := list(self._open)):
            task.cancel()
        await asyncio.gather(*doomed, return_exceptions=True)

    def _accept(self, listener: socket.socket) -> None:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # it went away again
        client.setblocking(False)  # noqa: FBT003 - Python's own signature
        self._accepted += 1
        task = self._loop.create_task(carry(client, self.upstream, self._present, self._random))
        self._open[task] = client
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        client = self._open.pop(task)
        if client.fileno() >= 0:  # it was cancelled before it began
            cut(client)
