"""What a blogger owes a KOL for a period: a value whose sums are NS16's."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from deploy.till.money import ZERO, rounded

_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Adjustment:
    """Something added to a commission, or taken off, with its label."""

    label: str
    amount: Decimal


@dataclass(frozen=True)
class Commission:
    """A commission. `rate` and `wht_rate` are percent; `platform`: the platform owes it, not the blogger."""

    payee_kol_id: int
    payee_name: str
    gross_sales: Decimal
    rate: Decimal
    period_start: date
    period_end: date
    adjustments: tuple[Adjustment, ...] = ()
    wht_rate: Decimal = Decimal(0)
    payee_tin: str | None = None
    platform: bool = False
    currency: str = "MYR"

    @property
    def amount(self) -> Decimal:
        """The commission itself."""
        return rounded(self.gross_sales * self.rate / _HUNDRED, self.currency)

    @property
    def net_payable(self) -> Decimal:
        """The commission with its adjustments."""
        return self.amount + sum((adjustment.amount for adjustment in self.adjustments), ZERO)

    @property
    def withheld(self) -> Decimal:
        """The withholding tax kept back."""
        return rounded(self.net_payable * self.wht_rate / _HUNDRED, self.currency)

    @property
    def to_pay(self) -> Decimal:
        """What the KOL gets."""
        return self.net_payable - self.withheld
