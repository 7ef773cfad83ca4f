"""Read the snapshot of a KOL settlement."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from mappers.dates import business_date, first_of
from mappers.draft import described
from mappers.fields import (
    Table,
    day,
    identity,
    instant,
    number,
    one_of,
    optional_number,
    optional_text,
    table_of,
    tables,
    text,
    written_text,
)
from mappers.head import Life
from mappers.settings import Settings
from mappers.tenders import Tender, read_tenders

_TABLE = "kol_settlement"
_LIVES = {"draft": Life.OPEN, "approved": Life.LIVE, "paid": Life.LIVE, "cancelled": Life.ENDED}
_PAYERS = {"blogger": True, "platform": False}


@dataclass(frozen=True)
class Adjustment:
    """A bonus or a deduction."""

    label: str
    amount: Decimal


@dataclass(frozen=True)
class Figures:
    """What a settlement's bill is made of, as recorded."""

    period: tuple[date, date]
    payee: str
    currency: str
    exchange_rate: Decimal | None
    commission: Decimal
    adjustments: tuple[Adjustment, ...]
    net_payable: Decimal
    withheld: Decimal


@dataclass(frozen=True, slots=True)
class KolSettlement:
    """A settlement: what decides about its documents. Figures and payments are read when asked for."""

    snapshot: Table
    row: Table
    number: str
    life: Life
    owned: bool

    @property
    def row_id(self) -> str:
        """Give the row's id as text."""
        return identity(self.row, "id", _TABLE)

    @property
    def payee(self) -> str:
        """Give the id of the KOL that is paid."""
        return identity(self.row, "payee_kol_id", _TABLE)

    @property
    def is_paid(self) -> bool:
        """Say whether it is called paid in full."""
        return self.row["status"] == "paid"

    @property
    def currency(self) -> str:
        """Give the settlement's currency."""
        return text(self.row, "currency", _TABLE)

    @property
    def exchange_rate(self) -> Decimal | None:
        """Give the exchange rate as recorded."""
        return optional_number(self.row, "exchange_rate", _TABLE)

    @property
    def total(self) -> Decimal:
        """Give what the KOL gets: net payable less the tax kept back."""
        return number(self.row, "net_payable", _TABLE) - number(self.row, "wht_amount", _TABLE)

    def payments(self) -> tuple[Tender, ...]:
        """Read the payments by seq; without entries, a paid settlement was paid at once."""
        entries = read_tenders(self.row, "payments", _TABLE)
        if entries or not self.is_paid:
            return entries
        method = optional_text(self.row, "payment_method", _TABLE)
        reference = optional_text(self.row, "payment_reference", _TABLE)
        return (Tender(1, method, self.total, reference, None),)

    def day_paid(self, entry_paid_at: datetime | None, settings: Settings) -> date:
        """Date a payment."""
        moment = entry_paid_at or first_of(
            instant(self.row, "paid_at", _TABLE),
            instant(self.row, "updated_at", _TABLE),
            field=f"{_TABLE}.updated_at",
        )
        return business_date(moment, settings)

    def day_reversed(self, settings: Settings) -> date:
        """Date what reverses the bill or a payment: when it was cancelled, else when it was last changed."""
        field = "cancelled_at" if self.life is Life.ENDED else "updated_at"
        return business_date(first_of(instant(self.row, field, _TABLE), field=f"{_TABLE}.{field}"), settings)

    def figures(self) -> Figures:
        """Read what the bill is made of."""
        row = self.row
        return Figures(
            period=(day(row, "period_start", _TABLE), day(row, "period_end", _TABLE)),
            payee=self.payee,
            currency=self.currency,
            exchange_rate=self.exchange_rate,
            commission=number(row, "commission_amount", _TABLE),
            adjustments=tuple(
                Adjustment(
                    described(written_text(entry, "label", "adjustments")),
                    number(entry, "amount", "adjustments"),
                )
                for entry in tables(row, "adjustments", _TABLE)
            ),
            net_payable=number(row, "net_payable", _TABLE),
            withheld=number(row, "wht_amount", _TABLE),
        )


def read_settlement(snapshot: Table) -> KolSettlement:
    """Read a snapshot.

    Raises:
        SnapshotError: a field is missing or wrong; the message names it.
    """
    row = table_of(snapshot.get(_TABLE), _TABLE)
    of_blogger = one_of(row, "payer_type", _PAYERS, _TABLE)
    return KolSettlement(
        snapshot=snapshot,
        row=row,
        number=text(row, "settlement_no", _TABLE),
        life=one_of(row, "status", _LIVES, _TABLE),
        owned=of_blogger and identity(row, "payer_id", _TABLE) == identity(row, "blogger_id", _TABLE),
    )
