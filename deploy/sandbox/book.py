"""The book: every request, every document that came to stand, every reply, written as it happens.

It is how a checker knows the truth, and what the sandbox is restored from. JSON Lines, one event a line.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

_HIDDEN = "[API key]"
_SHORTEST_KEY = 8


class Book:
    """An append-only file. Lines of one turn of the event loop are written together.

    `now` gives the time in UTC. `first` is the number of the first line to be written. A line is in the file
    once `flushed` returns, so a reply that waits for it never runs ahead of the book.
    """

    def __init__(self, path: Path, now: Callable[[], datetime], first: int = 1) -> None:
        self._file = path.open("ab", buffering=0)
        self._now = now
        self._next = first
        self._lines: list[str] = []
        self._waiting: list[asyncio.Future[None]] = []

    def append(self, kind: str, fields: dict[str, Any], **encoded: str) -> None:
        """Add a line; `encoded` holds fields that are JSON already."""
        if not self._lines:
            self._schedule()
        head = {"kind": kind, "n": self._next, "at": self._now().isoformat(timespec="microseconds"), **fields}
        self._next += 1
        line = json.dumps(head)
        for name, value in encoded.items():
            line = f'{line[:-1]}, "{name}": {value}}}'
        self._lines.append(line)

    async def flushed(self) -> None:
        """Wait until every line added so far is in the file."""
        if self._lines:
            done = asyncio.get_running_loop().create_future()
            self._waiting.append(done)
            await done

    def close(self) -> None:
        """Write what is left and close the file."""
        self._write()
        self._file.close()

    def _schedule(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # outside the loop lines wait for the loop's first turn, or for close
        loop.call_soon(self._write)

    def _write(self) -> None:
        lines, self._lines = self._lines, []
        waiting, self._waiting = self._waiting, []
        if lines:
            block = memoryview(("\n".join(lines) + "\n").encode())
            while block:
                block = block[self._file.write(block) :]
        for done in waiting:
            if not done.done():
                done.set_result(None)


def without_key(value: Any, key: str | None) -> Any:  # noqa: ANN401 -- any JSON goes in and comes out
    """Return JSON without the API key in it, wherever a client may have put it."""
    if key is None or len(key) < _SHORTEST_KEY:
        return value
    if isinstance(value, str):
        return value.replace(key, _HIDDEN)
    if isinstance(value, list):
        return [without_key(part, key) for part in value]
    if isinstance(value, dict):
        return {without_key(name, key): without_key(part, key) for name, part in value.items()}
    return value
