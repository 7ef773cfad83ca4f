"""Hold an invoice or bill before its codes are looked up: what common rule 12 compares when a row changes."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from mappers.codes import account_code, tax_code
from mappers.money import ZERO, money, plain, price
from mappers.settings import Settings

_LONGEST_DESCRIPTION = 255


@dataclass(frozen=True)
class Goods:
    """What only a line of a sale has."""

    sku: str | None
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal


@dataclass(frozen=True)
class Line:
    """A line; `account` and `tax` are keys, amounts are without tax."""

    description: str
    account: str
    tax: str
    amount: Decimal
    tax_amount: Decimal
    goods: Goods | None = None


@dataclass(frozen=True)
class Draft:
    """An invoice, credit note, bill or debit note of one snapshot under today's rules.

    `rate` is None in home currency, and where it is missing. `payee` is a settlement's only.
    """

    document_type: str
    day: date
    original_number: str | None
    currency: str
    unit: Decimal
    rate: Decimal | None
    rate_is_missing: bool
    tax_inclusive: bool
    lines: tuple[Line, ...]
    rounding: Decimal
    payee: str | None = None
    period: tuple[date, date] | None = None

    @cached_property
    def net(self) -> Decimal:
        """Add up the lines without tax."""
        return sum((line.amount for line in self.lines), ZERO)

    @cached_property
    def tax(self) -> Decimal:
        """Add up the lines' tax."""
        return sum((line.tax_amount for line in self.lines), ZERO)

    @property
    def total(self) -> Decimal:
        """Give the document's total."""
        return self.net + self.tax + self.rounding

    def is_zero(self, settings: Settings) -> bool:
        """Say whether total, amounts and tax are zero for every tax code (common rule 8)."""
        if self.total:
            return False
        sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        for line in self.lines:
            of_code = sums[settings.codes.get(line.tax, line.tax)]
            of_code[0] += line.amount
            of_code[1] += line.tax_amount
        return not any(amount or tax for amount, tax in sums.values())

    def render_lines(self, settings: Settings) -> list[dict[str, Any]]:
        """Write the lines, numbered from 1, or fail on the first missing code: tax before account."""
        return [self._render(number, line, settings) for number, line in enumerate(self.lines, 1)]

    def _render(self, number: int, line: Line, settings: Settings) -> dict[str, Any]:
        tax = tax_code(line.tax, settings)
        account = account_code(line.account, settings)
        written: dict[str, Any] = {"line_no": number}
        goods = line.goods
        if goods is not None:
            written["sku"] = goods.sku
        written["description"] = line.description
        if goods is not None:
            written["quantity"] = plain(goods.quantity)
            written["unit_price"] = price(goods.unit_price)
            written["discount"] = money(goods.discount, self.unit)
        written["account_code"] = account
        written["tax_code"] = tax
        written["amount"] = money(line.amount, self.unit)
        written["tax_amount"] = money(line.tax_amount, self.unit)
        return written

    def render_totals(self) -> dict[str, str]:
        """Write the totals."""
        unit = self.unit
        return {
            "net": money(self.net, unit),
            "tax": money(self.tax, unit),
            "rounding": money(self.rounding, unit),
            "total": money(self.total, unit),
        }

    def render_rate(self) -> str | None:
        """Write the exchange rate, null in home currency."""
        return None if self.rate is None else plain(self.rate)


def described(text: str) -> str:
    """Cut a description at what AiAccount takes, in code points."""
    return text[:_LONGEST_DESCRIPTION]


def rate_of(currency: str, recorded: Decimal | None, settings: Settings) -> tuple[Decimal | None, bool]:
    """Give the exchange rate, and whether it is missing: only foreign currency has one (common rule 10)."""
    if currency == settings.home_currency:
        return None, False
    return recorded, recorded is None


def source_of(table: str, row_id: str) -> dict[str, str]:
    """Name the row that a document was made from."""
    return {"system": "NS16", "table": table, "id": row_id}
