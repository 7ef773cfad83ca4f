"""NS16's rows in memory, and what the snapshot views make of them, to the last blank.

A text is written as PostgreSQL writes a `jsonb`, so that its digest is the database's too.
"""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
TABLES = {"pos_transaction": "pos_transactions", "kol_settlement": "kol_settlements"}
_REFUNDS_COUNT = ("completed", "paid", "partially_refunded", "refunded")
_SALE: Row = {
    "store_code": "S1",
    "txn_type": "sale",
    "original_txn_id": None,
    "source": "pos",
    "platform_order_id": None,
    "status": "completed",
    "customer_id": None,
    "customer_name": None,
    "customer_tin": None,
    "currency": "MYR",
    "exchange_rate": None,
    "tax_inclusive": False,
    "tax_type": "none",
    "tax_rate": "0.0000",
    "order_discount": "0.00",
    "service_charge": "0.00",
    "tax_amount": "0.00",
    "tip_amount": "0.00",
    "rounding_adjustment": "0.00",
    "amount_paid": "0.00",
    "payment_method": None,
    "tenders": None,
    "cashier_id": None,
    "completed_at": "2026-05-01T06:00:00Z",
    "paid_at": None,
    "voided_at": None,
    "void_reason": None,
    "created_at": "2026-05-01T06:00:00Z",
    "updated_at": "2026-05-01T06:00:00Z",
}
_SETTLEMENT: Row = {
    "payer_type": "blogger",
    "payee_kol_id": 11,
    "payee_name": "Aisyah",
    "payee_tin": None,
    "period_start": "2026-04-01",
    "period_end": "2026-04-30",
    "gross_sales": "12345.67",
    "commission_rate": None,
    "adjustments": [],
    "wht_amount": "0.00",
    "currency": "MYR",
    "exchange_rate": None,
    "status": "draft",
    "payment_method": None,
    "payment_reference": None,
    "payments": None,
    "approved_at": None,
    "paid_at": None,
    "cancelled_at": None,
    "created_at": "2026-05-01T02:00:00Z",
    "updated_at": "2026-05-01T02:00:00Z",
}
_ITEM: Row = {
    "line_no": 1,
    "item_kind": "product",
    "sku": "TS-01",
    "description": "T-shirt",
    "quantity": "1.0000",
    "line_discount": "0.00",
    "tax_type": None,
    "tax_rate": None,
    "tax_amount": None,
}


def sale_row(sale_id: int, tenant_id: int, net: int, **changes: Any) -> Row:
    """Return a completed sale of one thing at `net`, its items under `items`; `taxed` adds 10 %."""
    taxed = changes.pop("taxed", False)
    amount = f"{net}.00"
    tax = Decimal(amount) / 10 if taxed else Decimal(0)
    return {
        **_SALE,
        "id": sale_id,
        "blogger_id": tenant_id,
        "receipt_no": f"POS20260501{sale_id:05d}",
        "tax_type": "sales" if taxed else "none",
        "tax_rate": "10.0000" if taxed else "0.0000",
        "subtotal": amount,
        "tax_amount": f"{tax:.2f}",
        "total_amount": f"{Decimal(amount) + tax:.2f}",
        "items": [
            {
                **_ITEM,
                "id": sale_id,
                "transaction_id": sale_id,
                "unit_price": f"{net}.0000",
                "line_total": amount,
            }
        ],
        **changes,
    }


def settlement_row(settlement_id: int, tenant_id: int, amount: int, **changes: Any) -> Row:
    """Return a draft settlement of `amount`."""
    return {
        **_SETTLEMENT,
        "id": settlement_id,
        "blogger_id": tenant_id,
        "payer_id": tenant_id,
        "settlement_no": f"KS202604-{settlement_id:05d}",
        "commission_amount": f"{amount}.00",
        "net_payable": f"{amount}.00",
        **changes,
    }


class Rows:
    """The committed rows of both tables, by id, and the snapshot views over them."""

    def __init__(self) -> None:
        self.of: dict[str, dict[int, Row]] = {"pos_transaction": {}, "kol_settlement": {}}
        self._texts: dict[tuple[str, int], str | None] = {}

    def put(self, aggregate: str, aggregate_id: int, row: Row | None) -> None:
        """Write a committed row, or delete it."""
        self._texts.clear()  # another row's snapshot may tell of it
        if row is None:
            self.of[aggregate].pop(aggregate_id, None)
        else:
            self.of[aggregate][aggregate_id] = row

    def owned(self, aggregate: str, aggregate_id: int) -> Row | None:
        """Return a row that the view shows."""
        row = self.of[aggregate].get(aggregate_id)
        if row is None:
            return None
        if aggregate == "pos_transaction":
            return row if row["source"] in ("pos", "live_pos") and row["platform_order_id"] is None else None
        return row if row["payer_type"] == "blogger" and row["payer_id"] == row["blogger_id"] else None

    def text(self, aggregate: str, aggregate_id: int) -> str | None:
        """Return the snapshot as the database writes it; None where there is none."""
        key = (aggregate, aggregate_id)
        if key not in self._texts:
            self._texts[key] = self._text(*key)
        return self._texts[key]

    def digest(self, aggregate: str, aggregate_id: int) -> str:
        """Return the snapshot's SHA-256; that of null where there is none."""
        return hashlib.sha256((self.text(aggregate, aggregate_id) or "null").encode()).hexdigest()

    def refunds_of(self, sale_id: int) -> list[Row]:
        """Return the rows in the view that name this sale as their original."""
        rows = self.of["pos_transaction"].values()
        return [
            row
            for row in rows
            if row["original_txn_id"] == sale_id and self.owned("pos_transaction", row["id"])
        ]

    def _text(self, aggregate: str, aggregate_id: int) -> str | None:
        row = self.owned(aggregate, aggregate_id)
        if row is None:
            return None
        if aggregate == "kol_settlement":
            return jsonb({"kol_settlement": row})
        return jsonb(
            {
                "pos_transaction": {name: value for name, value in row.items() if name != "items"},
                "items": row["items"],
                "refunded": self._refunded(row),
                "original": self._original(row),
            }
        )

    def _refunded(self, row: Row) -> str:
        amounts = [
            Decimal(each["total_amount"]) - Decimal(each["rounding_adjustment"])
            for each in self.of["pos_transaction"].values()
            if each["original_txn_id"] == row["id"]
            and each["txn_type"] == "refund"
            and each["blogger_id"] == row["blogger_id"]
            and each["status"] in _REFUNDS_COUNT
        ]
        return f"{sum(amounts, Decimal('0.00')):.2f}"

    def _original(self, row: Row) -> Row | None:
        original = self.of["pos_transaction"].get(row["original_txn_id"])
        if original is None or row["txn_type"] != "refund":
            return None
        refundable = Decimal(original["total_amount"]) - Decimal(original["rounding_adjustment"])
        return {
            "receipt_no": original["receipt_no"],
            "txn_type": original["txn_type"],
            "status": original["status"],
            "owned": original["blogger_id"] == row["blogger_id"]
            and self.owned("pos_transaction", original["id"]) is not None,
            "completed_at": original["completed_at"],
            "refundable": f"{refundable:.2f}",
            "refunded": self._refunded(original),
        }


def jsonb(value: object) -> str:
    """Write a value as PostgreSQL writes a `jsonb`: keys by length, then by bytes."""
    return json.dumps(_ordered(value), ensure_ascii=False)


def _ordered(value: object) -> object:
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (len(name.encode()), name.encode()))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [_ordered(each) for each in value]
    return value
