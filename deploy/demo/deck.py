"""What a till does in a day: a shuffled deck with every kind of turn in it."""

from collections.abc import Mapping
from enum import Enum
from random import Random

from deploy.demo.bloggers import Blogger
from deploy.till.shops import GROCER


class Turn(Enum):
    """A kind of turn at the till."""

    SELL = "sales"
    PARK = "sales parked and taken up with other goods"
    PAY_LATER = "sales paid later, in two sums"
    VOID_AT_ONCE = "sales voided at once"
    VOID_LATER = "sales voided after they were posted"
    REFUND = "sales refunded"
    REFUND_PART = "sales refunded in part"
    EDIT_AT_ONCE = "sales edited at once"
    EDIT_LATER = "sales edited after they were posted"
    CASHIER = "sales with another cashier noted"
    HAND_OVER = "hand-overs of e-commerce orders"
    UNMAPPED = "sales paid by a method that nobody mapped"
    SLIP = "sales that do not add up"


_PERCENT: Mapping[Turn, int] = {
    Turn.PARK: 4,
    Turn.PAY_LATER: 5,
    Turn.VOID_AT_ONCE: 2,
    Turn.VOID_LATER: 4,
    Turn.REFUND: 4,
    Turn.REFUND_PART: 5,
    Turn.EDIT_AT_ONCE: 2,
    Turn.EDIT_LATER: 1,
    Turn.CASHIER: 2,
    Turn.HAND_OVER: 4,
}
_AFTER_PUSH = (Turn.VOID_LATER, Turn.EDIT_LATER)


def deal(blogger: Blogger, sales: int, random: Random) -> list[Turn]:
    """Return a day's turns of a blogger: each kind at least once, the rest plain sales, shuffled."""
    deck = [
        turn
        for turn, percent in _PERCENT.items()
        if blogger.posts or turn not in _AFTER_PUSH
        for _ in range(max(1, sales * percent // 100))
    ]
    if blogger.posts and blogger.shop is GROCER:
        deck += [Turn.UNMAPPED] * max(2, sales // 20) + [Turn.SLIP]
    deck += [Turn.SELL] * (sales - len(deck))
    random.shuffle(deck)
    return deck
