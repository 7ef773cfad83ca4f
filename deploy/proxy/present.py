"""The toxics that are on a link now, and the news that they have changed."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

from deploy.proxy.toxics import Direction, Toxic

Kind = TypeVar("Kind", bound=Toxic)


class Present:
    """The toxics of one link, by the number under which they were put on; for one event loop only."""

    def __init__(self) -> None:
        self._toxics: dict[int, tuple[Toxic, Direction]] = {}
        self._changed = asyncio.Event()

    def put(self, number: int, toxic: Toxic, direction: Direction) -> None:
        """Put a toxic on."""
        self._toxics[number] = (toxic, direction)
        self._tell()

    def take(self, number: int | None) -> None:
        """Take a toxic off, or all of them; one that is gone already is no error."""
        if number is None:
            self._toxics.clear()
        else:
            self._toxics.pop(number, None)
        self._tell()

    def numbered(self, kind: type[Kind]) -> Iterator[tuple[int, Kind, Direction]]:
        """Give the toxics of a kind with their numbers, in the order in which they were put on."""
        for number, (toxic, direction) in list(self._toxics.items()):
            if isinstance(toxic, kind):
                yield number, toxic, direction

    def on(self, kind: type[Kind], half: Direction) -> list[Kind]:
        """Return the toxics of a kind that are on this half of the link."""
        return [toxic for _, toxic, direction in self.numbered(kind) if direction.covers(half)]

    async def pause(self, seconds: float | None) -> None:
        """Wait so long (none: for ever), or until the toxics change."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
