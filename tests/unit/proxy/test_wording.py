"""Toxics in words: read, told, refused."""

import pytest

from deploy.proxy import Bandwidth, Direction, Down, Latency, Limit, Reset, Slicer, SlowClose, Timeout, Toxic
from deploy.proxy.wording import TOXICS, ToxicInvalidError, read_toxic, tell_toxic

WORDS: list[tuple[str, Toxic, Direction]] = [
    ("latency seconds=0.2 jitter=0.1 upstream", Latency(0.2, 0.1), Direction.UPSTREAM),
    ("latency seconds=2", Latency(2), Direction.BOTH),
    ("down", Down(), Direction.BOTH),
    ("timeout downstream", Timeout(), Direction.DOWNSTREAM),
    ("timeout seconds=5", Timeout(5), Direction.BOTH),
    ("reset", Reset(), Direction.BOTH),
    ("slow-close seconds=1", SlowClose(1), Direction.BOTH),
    ("bandwidth bytes_per_second=1000", Bandwidth(1000), Direction.BOTH),
    ("slicer size=10 spread=3 pause=0.01", Slicer(10, 3, 0.01), Direction.BOTH),
    ("limit size=100 upstream", Limit(100), Direction.UPSTREAM),
]


@pytest.mark.parametrize(("words", "toxic", "direction"), WORDS, ids=[words for words, _, _ in WORDS])
def test_a_toxic_is_read_from_words_and_told_in_the_same(
    words: str, toxic: Toxic, direction: Direction
) -> None:
    assert read_toxic(words) == (toxic, direction)
    assert tell_toxic(toxic, direction) == words


def test_every_toxic_has_its_words() -> None:
    assert {type(toxic) for _, toxic, _ in WORDS} == set(TOXICS.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "'' is no toxic: there are latency, down,"),
        ("rain", "'rain' is no toxic"),
        ("latency", "latency needs seconds=NUMBER"),
        ("latency seconds=soon", "seconds=soon is not a number"),
        ("latency seconds=-1", "seconds=-1 is too small"),
        ("latency seconds=nan", "seconds=nan is too small"),
        ("limit size=0", "size=0 is too small"),
        ("limit size=1.5", "size=1.5 is not a whole number"),
        ("down seconds=1", "down has no seconds: it has nothing to set"),
        ("reset sideways", "'sideways' is neither upstream, downstream or both nor name=number"),
    ],
)
def test_what_is_no_toxic_is_refused_with_a_reason(words: str, said: str) -> None:
    with pytest.raises(ToxicInvalidError) as refused:
        read_toxic(words)
    assert str(refused.value).startswith(said)
