"""What a customer buys, as the till has rung it up: a value whose sums are NS16's."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from deploy.till.money import ZERO, cash_rounding, rounded, unit_of

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class TaxRule:
    """A tax type (`none`, `sales`, `service`) with its rate in percent; `inclusive`: prices hold it."""

    kind: str = "none"
    rate: Decimal = Decimal(0)
    inclusive: bool = False

    def on(self, amount: Decimal, currency: str) -> Decimal:
        """Return the tax on an amount, or the tax that it holds where prices are inclusive."""
        base = _HUNDRED + self.rate if self.inclusive else _HUNDRED
        return rounded(amount * self.rate / base, currency)


UNTAXED = TaxRule()


@dataclass(frozen=True)
class Customer:
    """A member; a basket without one is a walk-in's."""

    customer_id: int
    name: str | None
    tin: str | None = None


@dataclass(frozen=True)
class Item:
    """A line. `quantity` is negative for goods that come back in an exchange; `tax` None is the sale's.

    `tax_amount` None is a share of the sale's.
    """

    sku: str
    description: str
    quantity: Decimal
    unit_price: Decimal
    line_total: Decimal
    line_discount: Decimal = ZERO
    kind: str = "product"
    tax: TaxRule | None = None
    tax_amount: Decimal | None = None


@dataclass(frozen=True)
class Tender:
    """Money applied to a sale; negative where the sale's total is."""

    method: str
    amount: Decimal
    ref: str | None = None


def item(  # noqa: PLR0913 - a line has this many columns
    sku: str,
    description: str,
    unit_price: str | Decimal,
    quantity: str | int | Decimal = 1,
    *,
    discount: str | Decimal = ZERO,
    currency: str = "MYR",
    kind: str = "product",
    tax: TaxRule | None = None,
) -> Item:
    """Ring up a line: its total is quantity times price, less the discount, half up."""
    count, each, off = Decimal(quantity), Decimal(unit_price), Decimal(discount)
    total = rounded(count * each - off, currency)
    return Item(sku, description, count, each, total, off, kind, tax)


@dataclass(frozen=True)
class Basket:
    """A sale's figures. `slip` is what the till added to the total by mistake: then it cannot be posted."""

    items: tuple[Item, ...]
    tax: TaxRule = UNTAXED
    currency: str = "MYR"
    exchange_rate: Decimal | None = None
    order_discount: Decimal = ZERO
    service_charge: Decimal = ZERO
    tax_amount: Decimal = ZERO
    tip_amount: Decimal = ZERO
    rounding: Decimal = ZERO
    slip: Decimal = ZERO
    customer: Customer | None = None
    source: str = "pos"
    platform_order_id: int | None = None

    @property
    def subtotal(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.line_total for line in self.items), ZERO)

    @property
    def before_rounding(self) -> Decimal:
        """What is to be paid, before cash is rounded."""
        taxed = ZERO if self.tax.inclusive else self.tax_amount
        return self.subtotal - self.order_discount + self.service_charge + taxed + self.tip_amount + self.slip

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.before_rounding + self.rounding

    def in_cash(self) -> Self:
        """Return it rounded to five sen, as for cash in ringgit; other currencies are not rounded."""
        if self.currency != "MYR":
            return self
        return replace(self, rounding=cash_rounding(self.before_rounding))

    def split(self, *methods: str, first: Decimal | None = None) -> tuple[Tender, ...]:
        """Return tenders that add up to the total, one for each method; the first pays `first` or a share."""
        unit = unit_of(self.currency)
        each = (self.total / len(methods)) // unit * unit
        amounts = [each if first is None else first] + [each] * (len(methods) - 1)
        amounts[-1] = self.total - sum(amounts[:-1], ZERO)
        return tuple(
            Tender(method, amount, None if method == "cash" else f"{method[:2].upper()}-{seq}")
            for seq, (method, amount) in enumerate(zip(methods, amounts, strict=True), 1)
        )


def price(  # noqa: PLR0913 - a sale has this many figures
    items: Iterable[Item],
    tax: TaxRule = UNTAXED,
    *,
    currency: str = "MYR",
    exchange_rate: Decimal | None = None,
    order_discount: str | Decimal = ZERO,
    service_percent: int | Decimal = 0,
    tip: str | Decimal = ZERO,
    customer: Customer | None = None,
    tax_by_line: bool = False,
) -> Basket:
    """Add up a basket as the till does.

    Args:
        items: The lines; one with a rule of its own is taxed by that.
        tax: The sale's rule.
        currency: ISO 4217.
        exchange_rate: Home units for one of `currency`.
        order_discount: Taken off all lines with a positive total, in proportion.
        service_percent: Charged on what the goods cost.
        tip: Given on top.
        customer: A member, or none.
        tax_by_line: Whether each line records its own tax; only without an order discount.
    """
    lines, off = tuple(items), Decimal(order_discount)
    own = [line for line in lines if line.tax is not None]
    if own and {(line.tax.kind, line.tax.rate) for line in own if line.tax} - {("none", Decimal(0))}:
        tax_by_line = True  # two rates: the header's tax cannot be shared
    if tax_by_line:
        if off:
            raise ValueError("tax by line goes without an order discount")
        lines = tuple(
            replace(line, tax_amount=(line.tax or tax).on(line.line_total, currency)) for line in lines
        )
        amount = sum((line.tax_amount for line in lines if line.tax_amount is not None), ZERO)
    else:
        amount = tax.on(_taxable(lines, off), currency)
    goods = sum((line.line_total for line in lines), ZERO) - off
    return Basket(
        items=lines,
        tax=tax,
        currency=currency,
        exchange_rate=exchange_rate,
        order_discount=off,
        service_charge=rounded(goods * Decimal(service_percent) / _HUNDRED, currency),
        tax_amount=amount,
        tip_amount=Decimal(tip),
        customer=customer,
    )


def _taxable(lines: Sequence[Item], discount: Decimal) -> Decimal:
    """Return what the header's tax is on: lines without a rule of their own, less their discount."""
    positive = sum((max(line.line_total, ZERO) for line in lines), ZERO)
    taxed = [line for line in lines if line.tax is None]
    bearing = sum((max(line.line_total, ZERO) for line in taxed), ZERO)
    share = discount * bearing / positive if positive else ZERO
    return sum((line.line_total for line in taxed), ZERO) - share
