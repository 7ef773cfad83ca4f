"""Grouping what deliveries ask of the database: order, company, failures and those who no longer wait."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from consumers.batches import Batches
from outbox.errors import DatabaseError
from tests.waiting import wait_for_async

MOMENT = 5.0


class Still(Random):
    """Jitter that is none."""

    def uniform(self, a: float, b: float) -> float:
        """Return nothing at all."""
        del a, b
        return 0.0


class Database:
    """A database that answers ten times each number; it may be gone, slow, or choke on one item."""

    def __init__(self, size: int = 200, places: int = 2) -> None:
        self.groups: list[list[int]] = []
        self.gone = 0
        self.poison: int | None = None
        self.short = False
        self.under_way = self.most_under_way = 0
        self.open = asyncio.Event()
        self.open.set()
        self.batches: Batches[int, int] = Batches(self.work, Still(), size=size, places=places)

    async def work(self, items: Sequence[int]) -> Sequence[int]:
        """Answer, in order."""
        self.groups.append(list(items))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.open.wait()
            if self.gone:
                self.gone -= 1
                raise DatabaseError("it is gone")
            if self.poison in items:
                raise ValueError(f"{self.poison} is poison")
            answers = [item * 10 for item in items]
            return answers[:-1] if self.short else answers
        finally:
            self.under_way -= 1

    async def ask(self, *items: int) -> list[int | BaseException]:
        """Ask for all at once, for at most a moment."""
        async with asyncio.timeout(MOMENT):
            return await asyncio.gather(*map(self.batches.ask, items), return_exceptions=True)

    async def begun(self, groups: int) -> None:
        """Wait until so many groups were begun."""

        async def there() -> bool:
            return len(self.groups) >= groups

        await wait_for_async(there, MOMENT, f"{groups} groups")


async def test_one_item_goes_at_once_and_alone() -> None:
    database = Database()
    assert await database.ask(4) == [40]
    assert database.groups == [[4]]


async def test_each_is_given_its_own_answer_whatever_the_groups() -> None:
    database = Database(size=7)
    assert await database.ask(*range(50)) == [item * 10 for item in range(50)]
    assert sorted(item for group in database.groups for item in group) == list(range(50))
    assert max(map(len, database.groups)) == 7


async def test_what_comes_while_all_places_are_taken_goes_together_in_its_order() -> None:
    database = Database(places=1)
    database.open.clear()
    first = asyncio.create_task(database.ask(0))
    await database.begun(1)
    rest = asyncio.create_task(database.ask(3, 1, 2))
    await asyncio.sleep(0)
    database.open.set()
    assert (await first, await rest) == ([0], [30, 10, 20])
    assert database.groups == [[0], [3, 1, 2]]


@pytest.mark.parametrize("places", [1, 2, 3])
async def test_no_more_groups_run_at_once_than_there_are_places(places: int) -> None:
    database = Database(size=1, places=places)
    database.open.clear()
    asking = asyncio.create_task(database.ask(*range(20)))
    await database.begun(places)
    database.open.set()
    assert await asking == [item * 10 for item in range(20)]
    assert database.most_under_way == places
    assert await database.ask(99) == [990], "the places were given back"


async def test_a_database_that_is_gone_is_asked_the_same_again_until_it_is_back() -> None:
    database = Database()
    database.gone = 6
    assert await database.ask(1, 2) == [10, 20]
    assert database.groups == [[1, 2]] * 7


async def test_a_poisonous_item_fails_alone() -> None:
    database = Database(places=1)
    database.poison = 3
    one, two, three, four = await database.ask(1, 2, 3, 4)
    assert (one, two, four) == (10, 20, 40)
    assert isinstance(three, ValueError)
    assert database.groups == [[1, 2, 3, 4], [1], [2], [3], [4]]
    assert await database.ask(5) == [50]


async def test_a_database_that_goes_while_the_poison_is_looked_for_is_waited_for() -> None:
    database = Database(places=1)
    database.poison = 2
    database.open.clear()
    asking = asyncio.create_task(database.ask(1, 2, 3))
    await database.begun(1)
    database.open.set()
    await database.begun(2)
    database.gone = 2
    one, two, three = await asking
    assert (one, three) == (10, 30)
    assert isinstance(two, ValueError)


@pytest.mark.parametrize("asked", [1, 3])
async def test_a_wrong_number_of_answers_fails_and_leaves_nobody_waiting(asked: int) -> None:
    database = Database()
    database.short = True
    answers = await database.ask(*range(asked))
    assert all(isinstance(answer, LookupError) for answer in answers)
    database.short = False
    assert await database.ask(7) == [70]


@pytest.mark.parametrize("poison", [None, 1, 2])
async def test_a_waiter_that_is_gone_hinders_nobody(poison: int | None) -> None:
    database = Database(places=1)
    database.open.clear()
    database.poison = poison
    gone = asyncio.create_task(database.batches.ask(1))
    stays = asyncio.create_task(database.ask(2, 3))
    await database.begun(1)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    database.open.set()
    two, three = await stays
    assert three == 30
    assert isinstance(two, ValueError) if poison == 2 else two == 20
    database.poison = None
    assert await database.ask(9) == [90]


async def test_a_waiter_that_is_gone_before_its_group_begins_hinders_nobody() -> None:
    database = Database(places=1)
    database.open.clear()
    first = asyncio.create_task(database.ask(0))
    await database.begun(1)
    gone = asyncio.create_task(database.batches.ask(1))
    stays = asyncio.create_task(database.ask(2))
    await asyncio.sleep(0)
    gone.cancel()
    database.open.set()
    assert (await first, await stays) == ([0], [20])
