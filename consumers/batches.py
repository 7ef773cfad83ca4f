"""Group what many deliveries ask of the database into few statements.

Under load a round trip and a commit are shared by all that wait for them; when little is going on a request
goes at once. A batch starts whenever a place is free, with everything that came meanwhile, so no time is
spent waiting for company.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Generic, TypeVar

from outbox.errors import DatabaseError

log = logging.getLogger("aiaccount.database")

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 2.0


class Batches(Generic[Item, Answer]):
    """Run `work` on groups of at most `size` items, at most `places` groups at once.

    `work` returns an answer for each item, in their order. While it raises `DatabaseError` the group is tried
    again, since the database may come back; any other error is told to the item that causes it: a group of
    several is then run one by one.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Answer]]],
        random: Random,
        size: int = 200,
        places: int = 2,
    ) -> None:
        self._work = work
        self._random = random
        self._size = size
        self._free = places
        self._waiting: deque[tuple[Item, asyncio.Future[Answer]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """Add an item to the next group and return its answer."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._drain())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                count = min(self._size, len(self._waiting))
                await self._group([self._waiting.popleft() for _ in range(count)])
        finally:
            self._free += 1

    async def _group(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._until_answered([item for item, _ in group])
            if len(answers) != len(group):
                raise LookupError(f"{len(answers)} answers for {len(group)} items")  # noqa: TRY301 - told below
        except Exception as error:  # noqa: BLE001 - it belongs to one of the items, who is told
            if len(group) == 1:
                _tell(group[0][1], error)
                return
            for one in group:
                await self._group([one])
            return
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)

    async def _until_answered(self, items: Sequence[Item]) -> Sequence[Answer]:
        pause, failures = _FIRST_PAUSE, 0
        while True:
            try:
                return await self._work(items)
            except DatabaseError as error:
                failures += 1
                if failures.bit_count() == 1:  # the first time, and ever more rarely
                    log.warning(
                        "the database gives up, and is asked again",
                        extra={"error": str(error), "failures": failures},
                    )
                await asyncio.sleep(pause * self._random.uniform(0.5, 1.0))
                pause = min(pause * 2, _LONGEST_PAUSE)


def _tell(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
