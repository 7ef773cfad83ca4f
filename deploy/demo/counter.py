"""One shop's counter for a day: a till that plays its deck, and what comes of some sales later."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import assert_never

import psycopg

from deploy.demo.bloggers import Blogger
from deploy.demo.deck import Turn
from deploy.demo.ledger import Ledger
from deploy.demo.trading import Trading
from deploy.till import Basket, Numbers, Sale, Shopper, Till
from deploy.till.codes import UNMAPPED

_TABLE = "pos_transactions"
_ENDPOINT = "pos_invoice"
_SEN = Decimal("0.01")


@dataclass(frozen=True)
class Later:
    """What is to be done to a sale later: some turns on, and with `posted` not before it is in the books."""

    sale: Sale
    turn: int
    do: Callable[[Sale], object]
    posted: bool = False


class Counter:
    """A counter of a blogger; each runs in a thread with a connection and a ledger of its own."""

    def __init__(self, trading: Trading, blogger: Blogger, numbers: Numbers, random: Random) -> None:
        self._trading = trading
        self._blogger = blogger
        self._numbers = numbers
        self._random = random
        self._shopper = Shopper(random)
        self._later: deque[Later] = deque()

    def play(self, turns: Iterable[tuple[float, Turn]]) -> None:
        """Play turns, each at its part of the day from 0 to 1, and then what is left to do."""
        day = self._trading
        with psycopg.connect(day.url, autocommit=True) as connection, day.ledger() as ledger:
            till = Till(connection, self._blogger.blogger_id, self._numbers, clock=day.clock)
            for number, (part, turn) in enumerate(turns):
                if not day.goes_on_at(part):
                    return
                self._take(till, turn, number)
                day.record.did(turn.value)
                self._catch_up(ledger, number)
            while self._later and not day.stop.is_set():
                last = self._later.popleft()
                if last.posted:
                    day.until_posted(ledger, _ENDPOINT, last.sale.id, last.sale.receipt_no)
                last.do(last.sale)

    def _take(self, till: Till, turn: Turn, number: int) -> None:  # noqa: C901, PLR0912 - a branch for each turn
        basket, tenders = self._shopper.purchase(self._blogger.shop)
        match turn:
            case Turn.SELL:
                self._called(till.sell(basket, *tenders))
            case Turn.PARK:
                parked = till.park(basket)
                other = self._other_than(basket)
                self._postpone(
                    parked, number, lambda it: self._called(till.take_up(it, other, *other.split("cash")))
                )
            case Turn.PAY_LATER:
                sale = self._called(till.sell(basket))
                first, second = basket.split("duitnow" if basket.currency == "MYR" else "card", "cash")
                self._postpone(
                    sale, number, lambda it: till.take_payment(till.take_payment(it, first), second)
                )
            case Turn.VOID_AT_ONCE:
                till.void(self._called(till.sell(basket, *tenders)))
            case Turn.VOID_LATER:
                self._postpone(self._called(till.sell(basket, *tenders)), number, till.void, posted=True)
            case Turn.REFUND | Turn.REFUND_PART:
                lines = [0] if turn is Turn.REFUND_PART and len(basket.items) > 1 else None
                if any(line.quantity < 0 for line in basket.items):
                    lines = None
                sale = self._called(till.sell(basket, *tenders))
                self._postpone(
                    sale, number, lambda it: self._called(till.refund(it, lines, tenders[0].method))
                )
            case Turn.EDIT_AT_ONCE:
                other = self._other_than(basket)
                till.amend(self._called(till.sell(basket, *tenders)), other, *other.split("cash"))
            case Turn.EDIT_LATER:
                other = self._other_than(basket)
                sale = self._called(till.sell(basket, *tenders))
                self._postpone(
                    sale, number, lambda it: till.amend(it, other, *other.split("cash")), posted=True
                )
            case Turn.CASHIER:
                self._postpone(
                    self._called(till.sell(basket, *tenders)), number, lambda it: till.change_cashier(it, 2)
                )
            case Turn.HAND_OVER:
                till.hand_over_ecommerce(basket, 80_000 + number)
            case Turn.UNMAPPED:
                self._called(till.sell(basket, *basket.split(UNMAPPED)))
            case Turn.SLIP:
                slipped = replace(basket, slip=_SEN)
                self._called(till.sell(slipped, *slipped.split("card")))
            case _:
                assert_never(turn)

    def _other_than(self, basket: Basket) -> Basket:
        """Return another basket of the same currency and customer, to be paid in cash."""
        other = self._shopper.basket(self._blogger.shop, basket.currency)
        return replace(other, customer=basket.customer).in_cash()

    def _called(self, sale: Sale) -> Sale:
        if self._blogger.subscribed:
            self._trading.record.calls(_TABLE, sale.id, sale.committed_at)
        return sale

    def _postpone(
        self, sale: Sale, number: int, do: Callable[[Sale], object], *, posted: bool = False
    ) -> None:
        self._later.append(Later(sale, number + self._random.randint(1, 6), do, posted))

    def _catch_up(self, ledger: Ledger, number: int) -> None:
        """Do what its turn has come for."""
        for it in [it for it in self._later if it.turn <= number]:
            if not it.posted or ledger.accepted(_ENDPOINT, it.sale.id, it.sale.receipt_no):
                self._later.remove(it)
                it.do(it.sale)
