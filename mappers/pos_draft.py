"""Draft a sale's invoice or credit note from its figures, taken as recorded and checked, never repaired."""

from decimal import Decimal

from mappers.codes import UNTAXED, tax_key
from mappers.draft import Draft, Goods, Line, rate_of
from mappers.failure import CheckFailedError
from mappers.money import ZERO, fits, unit_of
from mappers.pos_sale import Figures, Item
from mappers.settings import Settings
from mappers.shares import shared

_MISMATCH = "SOURCE_TOTAL_MISMATCH"
_ONE = Decimal(1)


def draft_sale(figures: Figures, settings: Settings) -> Draft:
    """Draft the document.

    Raises:
        CheckFailedError: NO_LINES, CURRENCY_PRECISION or SOURCE_TOTAL_MISMATCH, in this order.
    """
    if not figures.items:
        raise CheckFailedError("NO_LINES")
    unit = unit_of(figures.currency)
    _check_precision(figures, unit)
    _check_sums(figures)
    discounts = _discounts(figures, unit)
    taxes = _taxes(figures, discounts, unit)
    lines = [
        _line(item, discount, tax, figures)
        for item, discount, tax in zip(figures.items, discounts, taxes, strict=True)
    ]
    if figures.service_charge:
        lines.append(_extra("Service charge", "account:service_charge", figures.service_charge, figures))
    if figures.tip_amount:
        lines.append(_extra("Tip", "account:tips", figures.tip_amount, figures))
    rate, rate_is_missing = rate_of(figures.currency, figures.exchange_rate, settings)
    credit = figures.refund or figures.total_amount < 0
    return Draft(
        document_type="credit_note" if credit else "invoice",
        day=figures.day,
        original_number=figures.original_number,
        currency=figures.currency,
        unit=unit,
        rate=rate,
        rate_is_missing=rate_is_missing,
        tax_inclusive=figures.tax_inclusive,
        lines=tuple(lines),
        rounding=_signed(figures.rounding_adjustment, figures),
    )


def _check_precision(figures: Figures, unit: Decimal) -> None:
    amounts = [
        figures.subtotal,
        figures.order_discount,
        figures.service_charge,
        figures.tax_amount,
        figures.tip_amount,
        figures.rounding_adjustment,
        figures.total_amount,
    ]
    for item in figures.items:
        amounts += (item.line_discount, item.line_total, item.tax_amount or ZERO)
    if not all(fits(amount, unit) for amount in amounts):
        raise CheckFailedError("CURRENCY_PRECISION")


def _check_sums(figures: Figures) -> None:
    total = (
        figures.subtotal
        - figures.order_discount
        + figures.service_charge
        + (ZERO if figures.tax_inclusive else figures.tax_amount)
        + figures.tip_amount
        + figures.rounding_adjustment
    )
    if total != figures.total_amount or figures.subtotal != sum(item.line_total for item in figures.items):
        raise CheckFailedError(_MISMATCH)


def _discounts(figures: Figures, unit: Decimal) -> list[Decimal]:
    """Share the order discount by line total over the lines with a positive one."""
    return shared(figures.order_discount, [max(item.line_total, ZERO) for item in figures.items], unit)


def _taxes(figures: Figures, discounts: list[Decimal], unit: Decimal) -> list[Decimal]:
    """Give each line's own tax, or its share of what the header's exceeds the lines' own."""
    taxes = [item.tax_amount or ZERO for item in figures.items]
    bearers = [
        line for line, item in enumerate(figures.items) if item.tax_amount is None and item.tax_type != "none"
    ]
    excess = figures.tax_amount - sum(taxes)
    if excess and len({figures.items[line].tax_rate for line in bearers}) > 1:
        raise CheckFailedError(_MISMATCH)
    weights = [figures.items[line].line_total - discounts[line] for line in bearers]
    for line, share in zip(bearers, shared(excess, weights, unit), strict=True):
        taxes[line] = share
    return taxes


def _line(item: Item, discount: Decimal, tax: Decimal, figures: Figures) -> Line:
    amount = item.line_total - discount
    if figures.tax_inclusive:
        amount -= tax
    return Line(
        description=item.description,
        account="account:sales",
        tax=tax_key(item.tax_type, item.tax_rate),
        amount=_signed(amount, figures),
        tax_amount=_signed(tax, figures),
        goods=Goods(
            sku=item.sku,
            quantity=_signed(item.quantity, figures),
            unit_price=item.unit_price,
            discount=_signed(item.line_discount + discount, figures),
        ),
    )


def _extra(description: str, account: str, amount: Decimal, figures: Figures) -> Line:
    return Line(
        description=description,
        account=account,
        tax=UNTAXED,
        amount=_signed(amount, figures),
        tax_amount=ZERO,
        goods=Goods(sku=None, quantity=_signed(_ONE, figures), unit_price=amount, discount=ZERO),
    )


def _signed(amount: Decimal, figures: Figures) -> Decimal:
    """Negate what a refund row records as positive."""
    return -amount if figures.refund else amount
