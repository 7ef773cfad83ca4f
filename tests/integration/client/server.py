"""A tiny server that answers with whatever bytes a test gives it, and remembers what it was sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answer each request with the next of `answers`, the last again and again; `requests` hold the bytes.

    The connection is kept after an answer that is whole.
    """

    def __init__(self, *answers: bytes | Answer) -> None:
        self._answers = list(answers)
        self._writers: list[asyncio.StreamWriter] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until the other side has enough."""
        self.connections += 1
        self._writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                body = await reader.readexactly(_length(head))
                self.requests.append(head + body)
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                if not isinstance(answer, bytes):
                    await answer(reader, writer)
                    break
                writer.write(answer)
                await writer.drain()
                if not _whole(answer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def cut(self) -> None:
        """Cut every connection."""
        for writer in self._writers:
            writer.transport.abort()
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()

    @property
    def headers(self) -> list[dict[str, str]]:
        """Give the headers of each request, by lower-case name."""
        heads = (request.partition(b"\r\n\r\n")[0].decode("latin-1") for request in self.requests)
        return [
            {name.lower(): value for name, value in (line.split(": ", 1) for line in head.split("\r\n")[1:])}
            for head in heads
        ]


@asynccontextmanager
async def serving(*answers: bytes | Answer) -> AsyncIterator[Server]:
    """Run a server on a free port of this machine."""
    it = Server(*answers)
    server = await asyncio.start_server(it.handle, "127.0.0.1", 0)
    it.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield it
    finally:
        server.close()
        await it.cut()


def http(status: str, body: bytes = b"", *headers: bytes) -> bytes:
    """Write an answer."""
    lines = [b"HTTP/1.1 " + status.encode(), b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _whole(answer: bytes) -> bool:
    head, _, body = answer.partition(b"\r\n\r\n")
    return body.endswith(b"\r\n0\r\n\r\n") or b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
