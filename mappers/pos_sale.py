"""Read the snapshot of a sale or of a refund row."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter

from mappers.dates import business_date, first_of
from mappers.draft import described
from mappers.fields import (
    Table,
    flag,
    identity,
    instant,
    number,
    one_of,
    optional_number,
    optional_text,
    table_of,
    tables,
    text,
    whole,
    written_text,
)
from mappers.head import Life
from mappers.settings import Settings
from mappers.tenders import Tender, read_tenders

_TABLE = "pos_transaction"
_LIVES = {
    "open": Life.OPEN,
    "completed": Life.LIVE,
    "paid": Life.LIVE,
    "partially_refunded": Life.LIVE,
    "refunded": Life.LIVE,
    "voided": Life.ENDED,
}
_TYPES = {"sale": False, "refund": True}
_TAX_TYPES = {"none": "none", "sales": "sales", "service": "service"}
_SOURCES = frozenset({"pos", "live_pos"})


@dataclass(frozen=True)
class Item:
    """An item as recorded; its tax type and rate are its own or else the header's."""

    line_no: int
    sku: str | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    line_discount: Decimal
    line_total: Decimal
    tax_type: str
    tax_rate: Decimal
    tax_amount: Decimal | None


@dataclass(frozen=True)
class Figures:
    """What a sale's document is made of, as recorded."""

    refund: bool
    day: date
    original_number: str | None
    currency: str
    exchange_rate: Decimal | None
    tax_inclusive: bool
    subtotal: Decimal
    order_discount: Decimal
    service_charge: Decimal
    tax_amount: Decimal
    tip_amount: Decimal
    rounding_adjustment: Decimal
    total_amount: Decimal
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Original:
    """The sale that a refund row refunds, as it is now."""

    receipt_no: str
    refund: bool
    life: Life
    owned: bool
    completed_at: datetime | None
    refundable: Decimal
    refunded: Decimal


@dataclass(frozen=True, slots=True)
class PosSale:
    """A sale or refund row: what decides about its documents. Figures and tenders are read when asked for."""

    snapshot: Table
    row: Table
    number: str
    life: Life
    owned: bool
    refund: bool
    original: Original | None

    @property
    def is_paid(self) -> bool:
        """Say whether the till calls it paid in full."""
        return self.row["status"] == "paid"

    @property
    def currency(self) -> str:
        """Give the sale's currency."""
        return text(self.row, "currency", _TABLE)

    @property
    def total(self) -> Decimal:
        """Give the total as recorded: positive for a refund row too."""
        return number(self.row, "total_amount", _TABLE)

    @property
    def rounding(self) -> Decimal:
        """Give the till's rounding as recorded."""
        return number(self.row, "rounding_adjustment", _TABLE)

    @property
    def gives_money_back(self) -> bool:
        """Say whether its document is a credit note."""
        return self.refund or self.total < 0

    @property
    def exchange_rate(self) -> Decimal | None:
        """Give the exchange rate as recorded."""
        return optional_number(self.row, "exchange_rate", _TABLE)

    @property
    def amount_paid(self) -> Decimal:
        """Give what was paid, as recorded."""
        return number(self.row, "amount_paid", _TABLE)

    @property
    def payment_method(self) -> str | None:
        """Give the shortcut's method."""
        return optional_text(self.row, "payment_method", _TABLE)

    @property
    def has_refunds(self) -> bool:
        """Say whether completed refunds of it stand."""
        return number(self.snapshot, "refunded", "snapshot") != 0

    @property
    def outlet(self) -> str | None:
        """Give the store."""
        return optional_text(self.row, "store_code", _TABLE)

    @property
    def row_id(self) -> str:
        """Give the row's id as text."""
        return identity(self.row, "id", _TABLE)

    def tenders(self) -> tuple[Tender, ...]:
        """Read the tenders, by seq."""
        return read_tenders(self.row, "tenders", _TABLE)

    def day(self, settings: Settings) -> date:
        """Date the invoice."""
        completed_at = instant(self.row, "completed_at", _TABLE)
        return business_date(first_of(completed_at, field=f"{_TABLE}.completed_at"), settings)

    def day_voided(self, settings: Settings) -> date:
        """Date what reverses it."""
        voided_at = instant(self.row, "voided_at", _TABLE)
        return business_date(first_of(voided_at, field=f"{_TABLE}.voided_at"), settings)

    def day_paid(self, tender_paid_at: datetime | None, settings: Settings) -> date:
        """Date a receipt."""
        moment = tender_paid_at or first_of(
            instant(self.row, "paid_at", _TABLE),
            instant(self.row, "completed_at", _TABLE),
            field=f"{_TABLE}.completed_at",
        )
        return business_date(moment, settings)

    def figures(self, settings: Settings, original_number: str | None) -> Figures:
        """Read what the document is made of."""
        row = self.row
        header_type, header_rate = (
            one_of(row, "tax_type", _TAX_TYPES, _TABLE),
            number(row, "tax_rate", _TABLE),
        )
        items = [
            _read_item(item, header_type, header_rate) for item in tables(self.snapshot, "items", "snapshot")
        ]
        items.sort(key=attrgetter("line_no"))
        return Figures(
            refund=self.refund,
            day=self.day(settings),
            original_number=original_number,
            currency=self.currency,
            exchange_rate=self.exchange_rate,
            tax_inclusive=flag(row, "tax_inclusive", _TABLE),
            subtotal=number(row, "subtotal", _TABLE),
            order_discount=number(row, "order_discount", _TABLE),
            service_charge=number(row, "service_charge", _TABLE),
            tax_amount=number(row, "tax_amount", _TABLE),
            tip_amount=number(row, "tip_amount", _TABLE),
            rounding_adjustment=number(row, "rounding_adjustment", _TABLE),
            total_amount=self.total,
            items=tuple(items),
        )


def read_sale(snapshot: Table) -> PosSale:
    """Read a snapshot.

    Raises:
        SnapshotError: a field is missing or wrong; the message names it.
    """
    row = table_of(snapshot.get(_TABLE), _TABLE)
    refund = one_of(row, "txn_type", _TYPES, _TABLE)
    original = snapshot.get("original")
    return PosSale(
        snapshot=snapshot,
        row=row,
        number=text(row, "receipt_no", _TABLE),
        life=one_of(row, "status", _LIVES, _TABLE),
        owned=text(row, "source", _TABLE) in _SOURCES and row.get("platform_order_id") is None,
        refund=refund,
        original=None if original is None or not refund else _read_original(table_of(original, "original")),
    )


def _read_original(row: Table) -> Original:
    return Original(
        receipt_no=text(row, "receipt_no", "original"),
        refund=one_of(row, "txn_type", _TYPES, "original"),
        life=one_of(row, "status", _LIVES, "original"),
        owned=flag(row, "owned", "original"),
        completed_at=instant(row, "completed_at", "original"),
        refundable=number(row, "refundable", "original"),
        refunded=number(row, "refunded", "original"),
    )


def _read_item(item: Table, header_type: str, header_rate: Decimal) -> Item:
    own_rate = optional_number(item, "tax_rate", "items")
    return Item(
        line_no=whole(item, "line_no", "items"),
        sku=optional_text(item, "sku", "items"),
        description=described(written_text(item, "description", "items")),
        quantity=number(item, "quantity", "items"),
        unit_price=number(item, "unit_price", "items"),
        line_discount=number(item, "line_discount", "items"),
        line_total=number(item, "line_total", "items"),
        tax_type=header_type
        if item.get("tax_type") is None
        else one_of(item, "tax_type", _TAX_TYPES, "items"),
        tax_rate=header_rate if own_rate is None else own_rate,
        tax_amount=optional_number(item, "tax_amount", "items"),
    )
