"""Play a trading day: every blogger's counters and settlements at the same time, each in a thread."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from random import Random

from deploy.demo.bloggers import BLOGGERS, Blogger
from deploy.demo.counter import Counter
from deploy.demo.deck import Turn, deal
from deploy.demo.settling import Settling
from deploy.demo.trading import Trading
from deploy.till import Numbers

COUNTERS = 2
_TICK_SECONDS = 0.2
Job = Callable[[], None]


def play(trading: Trading, sales: int, seed: int, watch: Callable[[], None]) -> None:
    """Play the day to its end.

    Args:
        trading: The day.
        sales: About how many sales there are in all; every kind of turn is played once or more.
        seed: The same seed plays the same day.
        watch: Called a few times a second meanwhile; where it raises, the day is broken off.
    """
    jobs: list[Job] = []
    for blogger in BLOGGERS:
        jobs += _counters(trading, blogger, sales * blogger.share // 100, seed)
        jobs.append(Settling(trading, blogger, _random(seed, blogger, "settlements")).play)
    with ThreadPoolExecutor(len(jobs), thread_name_prefix="till") as pool:
        try:
            _until_done([pool.submit(job) for job in jobs], watch)
        finally:
            trading.stop.set()


def _counters(trading: Trading, blogger: Blogger, sales: int, seed: int) -> list[Job]:
    dealt = deal(blogger, sales, _random(seed, blogger, "deck"))
    numbers = Numbers()
    jobs: list[Job] = []
    for place in range(COUNTERS):
        random = _random(seed, blogger, f"counter {place}")
        turns = _spread(dealt[place::COUNTERS], random)
        jobs.append(partial(Counter(trading, blogger, numbers, random).play, turns))
    return jobs


def _random(seed: int, blogger: Blogger, whose: str) -> Random:
    return Random(f"{seed} {blogger.blogger_id} {whose}")  # noqa: S311 - a game


def _spread(turns: list[Turn], random: Random) -> list[tuple[float, Turn]]:
    """Give each turn its part of the day, in order and not evenly."""
    return list(zip(sorted(random.random() for _ in turns), turns, strict=True))


def _until_done(futures: list[Future[None]], watch: Callable[[], None]) -> None:
    waiting = set(futures)
    while waiting:
        done, waiting = wait(waiting, timeout=_TICK_SECONDS)
        for future in done:
            future.result()
        watch()
