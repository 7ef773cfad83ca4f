"""A seeded load: tills of several tenants that sell, void and refund; KOLs that are paid.

Nothing in it needs a person: a sale that is changed after it was posted, which would, does not occur.

It goes on as a shop does whatever fails behind it: where PostgreSQL is gone, it tries again until that is
back. What became of a sale whose commit was cut off it does not know; the rows do.
"""

import threading
from random import Random
from typing import TypeVar

import psycopg
from psycopg.rows import TupleRow

from deploy.till import Numbers, Payroll, Sale, Settlement, Shopper, Till
from deploy.till.rows import now
from deploy.till.shopper import last_month
from tests.faults.subscribers import Subscriber
from tests.waiting import wait_for

Connection = psycopg.Connection[TupleRow]
Thing = TypeVar("Thing")
RATE = 25.0
USUAL = 0.6
BACK_SECONDS = 60.0


class Desk:
    """One tenant's till and payroll, and what may still be changed there."""

    def __init__(self, subscriber: Subscriber, random: Random) -> None:
        self._tenant = subscriber.tenant_id
        self._shop = subscriber.shop
        self._shopper = Shopper(random)
        self._random = random
        self._numbers = Numbers(), Numbers()
        self._paid: list[Sale] = []
        self._unpaid: list[Sale] = []
        self._parked: list[Sale] = []
        self._owed: list[Settlement] = []
        self._usual = (self._sell, self._sell, self._sell, self._sell_on_account, self._park, self._settle)
        self._first = iter((self._settle, self._sell, self._pay, self._refund, self._sell_on_account))
        self._later = (self._collect, self._void, self._refund, self._take_up, self._change, self._pay)

    def act(self, connection: Connection) -> None:
        """Do one thing: first something for each endpoint, then mostly sell, else change what stands."""
        till = Till(connection, self._tenant, self._numbers[0])
        payroll = Payroll(connection, self._tenant, self._numbers[1])
        acts = self._usual if self._random.random() < USUAL else self._later
        act = next(self._first, None) or self._random.choice(acts)
        act(till, payroll)

    def sell(self, connection: Connection) -> None:
        """Sell something that is paid at once, so that an invoice is called for."""
        self._sell(Till(connection, self._tenant, self._numbers[0]), None)

    def _sell(self, till: Till, _: Payroll | None) -> None:
        basket, tenders = self._shopper.purchase(self._shop)
        self._paid.append(till.sell(basket, *tenders))

    def _sell_on_account(self, till: Till, _: Payroll) -> None:
        self._unpaid.append(till.sell(self._shopper.basket(self._shop)))

    def _collect(self, till: Till, _: Payroll) -> None:
        if self._unpaid:
            sale = self._drawn(self._unpaid)
            self._paid.append(till.take_payment(sale, *sale.basket.split("card")))

    def _void(self, till: Till, _: Payroll) -> None:
        if self._paid:
            till.void(self._drawn(self._paid))

    def _refund(self, till: Till, _: Payroll) -> None:
        if self._paid:
            till.refund(self._drawn(self._paid), method="card")

    def _park(self, till: Till, _: Payroll) -> None:
        self._parked.append(till.park(self._shopper.basket(self._shop)))

    def _take_up(self, till: Till, _: Payroll) -> None:
        if self._parked:
            basket, tenders = self._shopper.purchase(self._shop)
            self._paid.append(till.take_up(self._drawn(self._parked), basket, *tenders))

    def _change(self, till: Till, _: Payroll) -> None:
        if self._unpaid:
            self._unpaid.append(till.change_cashier(self._drawn(self._unpaid), 9))

    def _settle(self, _: Till, payroll: Payroll) -> None:
        self._owed.append(payroll.settle(self._shopper.commission(last_month(now().date()))))

    def _pay(self, _: Till, payroll: Payroll) -> None:
        if self._owed:
            payroll.pay(self._drawn(self._owed))

    def _drawn(self, things: list[Thing]) -> Thing:
        return things.pop(self._random.randrange(len(things)))


class Trade:
    """The load on one database; `seed` decides all of it but what a fault cuts off."""

    def __init__(
        self,
        database_url: str,
        subscribers: tuple[Subscriber, ...],
        seed: int,
        *,
        desk: type[Desk] = Desk,
        rate: float = RATE,
    ) -> None:
        self._url = database_url
        self._rate = rate
        self._random = Random(seed)
        self._desks = [desk(one, self._random) for one in subscribers]
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self.acts = 0
        self.interrupted = 0

    def play(self, acts: int) -> None:
        """Do so many things, at once and one after the other."""
        with self._connect() as connection:
            for _ in range(acts):
                self._act(connection)

    def sell(self, sales: int) -> None:
        """Sell so many times, at once."""
        with self._connect() as connection:
            for _ in range(sales):
                self._random.choice(self._desks).sell(connection)

    def sell_on(self, connection: Connection) -> None:
        """Sell once over this connection, in the transaction that it is in."""
        self._random.choice(self._desks).sell(connection)

    def open(self) -> None:
        """Trade in a thread, at a steady pace, until `close`."""
        self._closed.clear()
        self._thread = threading.Thread(target=self._run, name="trade")
        self._thread.start()

    def close(self) -> None:
        """Stop trading; raises what stopped it before."""
        self._closed.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(BACK_SECONDS)
        if self._error is not None:
            raise self._error

    def go_on(self, acts: int, seconds: float = BACK_SECONDS) -> None:
        """Wait until so many more things were done in the thread."""
        goal = self.acts + acts
        wait_for(lambda: self.acts >= goal or self._error, seconds, f"{acts} acts of trade")
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._closed.is_set():
                self._trade_until_cut_off()
        except BaseException as error:  # noqa: BLE001 - told to whoever closes
            self._error = error

    def _trade_until_cut_off(self) -> None:
        try:
            with self._connect() as connection:
                while not self._closed.wait(1 / self._rate):
                    self._act(connection)
        except psycopg.OperationalError:
            self.interrupted += 1

    def _act(self, connection: Connection) -> None:
        self._random.choice(self._desks).act(connection)
        self.acts += 1

    def _connect(self) -> Connection:
        connection = wait_for(self._try_to_connect, BACK_SECONDS, "PostgreSQL to take connections")
        assert connection is not None
        return connection

    def _try_to_connect(self) -> Connection | None:
        try:
            return psycopg.connect(self._url, autocommit=True)
        except psycopg.OperationalError:
            return None
