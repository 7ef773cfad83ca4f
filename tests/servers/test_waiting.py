import pytest

from tests.waiting import wait_for, wait_for_async


def test_waiting_gives_what_the_condition_gave() -> None:
    answers = iter([None, "", "here"])
    assert wait_for(lambda: next(answers), 5, "an answer") == "here"


def test_waiting_in_vain_names_what_and_the_last_value() -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for the moon; last seen: 0"):
        wait_for(lambda: 0, 0.05, "the moon")


async def test_waiting_works_in_asyncio_too() -> None:
    answers = iter([0, 0, 7])

    async def answer() -> int:
        return next(answers)

    assert await wait_for_async(answer, 5, "an answer") == 7
