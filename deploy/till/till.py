"""A till: it writes sales as NS16 does, each in one transaction of the usual statements."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from deploy.till.basket import Basket, Tender
from deploy.till.money import ZERO
from deploy.till.numbers import Numbers
from deploy.till.part import part_of
from deploy.till.rows import Clock, Connection, insert, now, run

ZONE = ZoneInfo("Asia/Kuala_Lumpur")


@dataclass(frozen=True)
class Sale:
    """A sale as it was last written; `committed_at` is the wall clock right after that commit."""

    id: int
    receipt_no: str
    basket: Basket
    tenders: tuple[Tender, ...]
    committed_at: datetime

    @property
    def total(self) -> Decimal:
        """What was to be paid, or for a refund what was given back."""
        return self.basket.total


class Till:
    """A till of one blogger on a connection of its own; not for several threads.

    Args:
        connection: To NS16's database.
        blogger_id: Whose sales it writes.
        numbers: The blogger's receipt numbers, shared by all of the blogger's tills.
        store_code: The store it stands in.
        clock: The time that it writes into rows; what it returns is the wall clock's.
    """

    def __init__(
        self,
        connection: Connection,
        blogger_id: int,
        numbers: Numbers | None = None,
        *,
        store_code: str = "S1",
        clock: Clock = now,
    ) -> None:
        self._connection = connection
        self._blogger_id = blogger_id
        self._numbers = numbers or Numbers()
        self._store_code = store_code
        self._clock = clock

    def sell(self, basket: Basket, *tenders: Tender) -> Sale:
        """Sell a basket: rung up, completed and, with tenders, paid.

        Without tenders it is to be paid later. A sale of three lines with one tender is seven statements
        between its begin and commit.
        """
        sale = self._new(basket)
        return self._commit(
            replace(sale, tenders=tenders),
            lambda: self._opened(sale),
            self._complete,
            *([self._take] if tenders else []),
        )

    def park(self, basket: Basket) -> Sale:
        """Ring up a basket and leave it open."""
        sale = self._new(basket)
        return self._commit(sale, lambda: self._opened(sale))

    def take_up(self, parked: Sale, basket: Basket, *tenders: Tender) -> Sale:
        """Complete a parked sale, perhaps with other goods."""
        sale = replace(parked, basket=basket, tenders=tenders)
        return self._commit(sale, None, self._rewrite, self._complete, *([self._take] if tenders else []))

    def take_payment(self, sale: Sale, *tenders: Tender) -> Sale:
        """Take tenders for a sale that was not paid, or not in full; it is paid when they add up."""
        return self._commit(replace(sale, tenders=(*sale.tenders, *tenders)), None, self._take)

    def amend(self, sale: Sale, basket: Basket, *tenders: Tender) -> Sale:
        """Rewrite a sale that stands already: other goods, and other tenders where it was paid."""
        steps = [self._rewrite, *([self._take] if tenders else [])]
        return self._commit(replace(sale, basket=basket, tenders=tenders), None, *steps)

    def change_cashier(self, sale: Sale, cashier_id: int) -> Sale:
        """Change what no document shows."""
        return self._commit(sale, None, lambda it: self._run("change_cashier", it, cashier_id=cashier_id))

    def void(self, sale: Sale, reason: str = "Wrong item") -> Sale:
        """Void a sale or a refund row."""
        return self._commit(sale, None, lambda it: self._run("void_sale", it, reason=reason))

    def refund(self, sale: Sale, lines: Sequence[int] | None = None, method: str = "cash") -> Sale:
        """Refund all of a sale, or the lines with these places (the first is 0); return the refund row.

        Raises:
            ValueError: There is nothing to give back, or more than the whole sale (after an exchange).
        """
        basket = sale.basket if lines is None else part_of(sale.basket, lines, in_cash=method == "cash")
        if basket.total <= 0:
            raise ValueError(f"{sale.receipt_no}: nothing to give back")
        if basket.before_rounding > sale.basket.before_rounding:
            raise ValueError(f"{sale.receipt_no}: more than the sale")
        back = self._new(basket)
        return self._commit(
            replace(back, tenders=basket.split(method)),
            lambda: self._opened(back, original=sale.id),
            self._complete,
            self._take,
            lambda _: self._run(
                "mark_refunded", sale, status="refunded" if lines is None else "partially_refunded"
            ),
        )

    def hand_over_ecommerce(self, basket: Basket, order_id: int) -> Sale:
        """Hand over goods of a platform's e-commerce order: the money is not the blogger's till's."""
        picked_up = replace(basket, source="ecommerce_pickup", platform_order_id=order_id)
        return self.sell(picked_up, *picked_up.split("card"))

    def _new(self, basket: Basket) -> Sale:
        day = self._clock().astimezone(ZONE).date()
        return Sale(0, self._numbers.receipt(day), basket, (), now())

    def _commit(self, sale: Sale, opened: Callable[[], int] | None, *steps: Callable[[Sale], None]) -> Sale:
        with self._connection.transaction():
            if opened is not None:
                sale = replace(sale, id=opened())
            for step in steps:
                step(sale)
        return replace(sale, committed_at=now())

    def _opened(self, sale: Sale, original: int | None = None) -> int:
        basket, customer = sale.basket, sale.basket.customer
        values = {
            "blogger_id": self._blogger_id,
            "store_code": self._store_code,
            "receipt_no": sale.receipt_no,
            "txn_type": "sale" if original is None else "refund",
            "original_txn_id": original,
            "source": basket.source,
            "platform_order_id": basket.platform_order_id,
            "customer_id": customer and customer.customer_id,
            "customer_name": customer and customer.name,
            "customer_tin": customer and customer.tin,
            "currency": basket.currency,
            "exchange_rate": basket.exchange_rate,
            "tax_inclusive": basket.tax.inclusive,
            "tax_type": basket.tax.kind,
            "tax_rate": basket.tax.rate,
            "cashier_id": 1,
            "now": self._clock(),
        }
        written = replace(sale, id=insert(self._connection, "open_sale", values))
        self._write_goods(written)
        return written.id

    def _rewrite(self, sale: Sale) -> None:
        self._run("remove_items", sale)
        self._write_goods(sale)

    def _write_goods(self, sale: Sale) -> None:
        basket = sale.basket
        for line_no, line in enumerate(basket.items, 1):
            self._run(
                "add_item",
                sale,
                line_no=line_no,
                item_kind=line.kind,
                sku=line.sku,
                description=line.description,
                quantity=line.quantity,
                unit_price=line.unit_price,
                line_discount=line.line_discount,
                line_total=line.line_total,
                tax_type=line.tax and line.tax.kind,
                tax_rate=line.tax and line.tax.rate,
                tax_amount=line.tax_amount,
            )
        self._run(
            "total_sale",
            sale,
            subtotal=basket.subtotal,
            order_discount=basket.order_discount,
            service_charge=basket.service_charge,
            tax_amount=basket.tax_amount,
            tip_amount=basket.tip_amount,
            rounding=basket.rounding,
            total=basket.total,
        )

    def _complete(self, sale: Sale) -> None:
        self._run("complete_sale", sale)

    def _take(self, sale: Sale) -> None:
        tenders, paid_at = sale.tenders, self._clock().isoformat()
        paid = sum((tender.amount for tender in tenders), ZERO)
        listed = [
            {"seq": seq, "method": it.method, "amount": str(it.amount), "ref": it.ref, "paid_at": paid_at}
            for seq, it in enumerate(tenders, 1)
        ]
        self._run(
            "take_payment",
            sale,
            status="paid" if paid == sale.total else "completed",
            amount_paid=paid,
            payment_method=tenders[0].method if len(tenders) == 1 else None,
            tenders=Jsonb(listed) if len(tenders) > 1 else None,
        )

    def _run(self, name: str, sale: Sale, **values: object) -> None:
        run(self._connection, name, {"id": sale.id, "now": self._clock(), **values})
