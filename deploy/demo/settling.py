"""A blogger's settlements of the day: each is led through its life, some not to the end."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import psycopg

from deploy.demo.bloggers import OWN_KOL, Blogger
from deploy.demo.ledger import Ledger
from deploy.demo.trading import Trading
from deploy.till import Numbers, Payroll, Settlement, Shopper
from deploy.till.shopper import last_month

Life = tuple[str, Callable[[Payroll, Ledger], object]]


class Settling:
    """A blogger's settlements of last month; runs in a thread with connections of its own."""

    def __init__(self, trading: Trading, blogger: Blogger, random: Random) -> None:
        self._trading = trading
        self._blogger = blogger
        self._month = last_month(trading.clock.day)
        self._random = random
        self._shopper = Shopper(random)

    def play(self) -> None:
        """Play every life once, over the day."""
        day = self._trading
        with psycopg.connect(day.url, autocommit=True) as connection, day.ledger() as ledger:
            payroll = Payroll(connection, self._blogger.blogger_id, Numbers(), clock=day.clock)
            lives: list[Life] = [
                ("settlements drafted", lambda it, _: it.draft(self._shopper.commission(self._month))),
                ("settlements approved", lambda it, _: self._approved(it)),
                ("settlements paid", lambda it, _: it.pay(self._approved(it))),
                ("settlements paid in two sums", self._paid_in_two),
                ("settlements cancelled after they were posted", self._cancelled_later),
                (
                    "settlements cancelled before approval",
                    lambda it, _: it.cancel(it.draft(self._shopper.commission(self._month))),
                ),
                ("settlements of the blogger's own KOL", lambda it, _: self._own(it)),
                (
                    "settlements that the platform owes",
                    lambda it, _: it.settle(self._shopper.commission(self._month, platform=True)),
                ),
            ]
            self._random.shuffle(lives)
            for place, (what, life) in enumerate(lives):
                if not day.goes_on_at((place + 0.5) / len(lives)):
                    return
                life(payroll, ledger)
                day.record.did(what)

    def _approved(self, payroll: Payroll) -> Settlement:
        return self._called(payroll.settle(self._shopper.commission(self._month)))

    def _paid_in_two(self, payroll: Payroll, _: Ledger) -> None:
        half = payroll.pay(self._approved(payroll), 1, of=2)
        payroll.pay(half, 2)

    def _cancelled_later(self, payroll: Payroll, ledger: Ledger) -> None:
        paid = payroll.pay(self._approved(payroll))
        if self._posts:
            self._trading.until_posted(ledger, "kol_payment", paid.id, f"{paid.settlement_no}-P1")
        payroll.cancel(paid)

    def _own(self, payroll: Payroll) -> None:
        own = replace(
            self._shopper.commission(self._month), payee_kol_id=OWN_KOL, payee_name=self._blogger.name
        )
        payroll.settle(own)

    def _called(self, settlement: Settlement) -> Settlement:
        if self._posts:
            self._trading.record.calls("kol_settlements", settlement.id, settlement.committed_at)
        return settlement

    @property
    def _posts(self) -> bool:
        return self._blogger.subscribed and self._blogger.kol_mode == "multi"
