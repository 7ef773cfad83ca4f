"""The part of a sale that comes back: its lines with their share of the discount and the tax."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from deploy.till.basket import Basket, Item
from deploy.till.money import ZERO, rounded


def part_of(basket: Basket, places: Sequence[int], *, in_cash: bool) -> Basket:
    """Return the figures of the lines at these places; tip and service charge stay with the shop."""
    lines = tuple(basket.items[place] for place in places)
    discount = _share(basket.order_discount, _positive(lines), _positive(basket.items), basket.currency)
    by_line = [line.tax_amount for line in lines if line.tax_amount is not None]
    if len(by_line) == len(lines):
        tax = sum(by_line, ZERO)
    else:
        tax = _share(basket.tax_amount, _taxed(lines), _taxed(basket.items), basket.currency)
    part = replace(
        basket,
        items=lines,
        order_discount=discount,
        service_charge=ZERO,
        tax_amount=tax,
        tip_amount=ZERO,
        rounding=ZERO,
        slip=ZERO,
    )
    return part.in_cash() if in_cash else part


def _share(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    return rounded(amount * part / whole, currency) if amount and whole else ZERO


def _positive(lines: Sequence[Item]) -> Decimal:
    return sum((max(line.line_total, ZERO) for line in lines), ZERO)


def _taxed(lines: Sequence[Item]) -> Decimal:
    return sum((line.line_total for line in lines if line.tax is None), ZERO)
