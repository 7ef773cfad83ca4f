"""The deck of a day has every kind of turn, however short the day."""

from random import Random

import pytest

from deploy.demo.bloggers import BLOGGERS
from deploy.demo.deck import Turn, deal


@pytest.mark.parametrize("sales", [0, 10, 200])
def test_every_kind_of_turn_is_played_by_somebody(sales: int) -> None:
    decks = [deal(blogger, sales, Random(1)) for blogger in BLOGGERS]
    dealt = {turn for deck in decks for turn in deck}
    assert dealt | {Turn.SELL} == set(Turn)
    assert all(len(deck) >= sales for deck in decks)


def test_nobody_waits_for_books_that_refuse_everything() -> None:
    for blogger in BLOGGERS:
        deck = deal(blogger, 100, Random(1))
        assert (Turn.VOID_LATER in deck) == blogger.posts


def test_the_same_seed_deals_the_same_deck() -> None:
    assert deal(BLOGGERS[0], 50, Random(3)) == deal(BLOGGERS[0], 50, Random(3))
    assert deal(BLOGGERS[0], 50, Random(3)) != deal(BLOGGERS[0], 50, Random(4))
