"""What a till and a settlement office do to their rows, one change at a time."""

from decimal import Decimal

from outbox.endpoints import Aggregate
from tests.stateful.promises import taint
from tests.stateful.rows import Row, sale_row, settlement_row
from tests.stateful.world import TENANTS, World

SALE, SETTLEMENT = Aggregate.POS_TRANSACTION, Aggregate.KOL_SETTLEMENT
_NOON, _NEXT_DAY = "2026-05-01T06:00:00Z", "2026-05-02T04:00:00Z"
_LIVE = ("completed", "paid", "partially_refunded")
_CASH = {"status": "paid", "payment_method": "cash", "paid_at": _NOON}


class Shop:
    """Change rows; `end` commits (True), rolls back (False) or leaves the transaction open (None)."""

    def __init__(self, world: World) -> None:
        self._world = world

    def sell(self, tenant: int, net: int, kind: str, *, taxed: bool, end: bool | None) -> None:
        """Write a sale: `open`, `unpaid`, `cash`, or to a `customer`."""
        sale_id = self._world.new_id()
        row = sale_row(sale_id, TENANTS[tenant], net, taxed=taxed)
        if kind == "open":
            row |= {"status": "open", "completed_at": None}
        elif kind == "cash":
            row |= {**_CASH, "amount_paid": row["total_amount"]}
        elif kind == "customer":
            row |= {"customer_id": 7, "customer_name": "Tan"}
        self._world.write(SALE, row, sale_id, end=end)

    def change_sale(self, how: str, pick: int, *, end: bool | None) -> bool:
        """Change a sale: `pay`, `amend`, `void`, `reopen`, `delete` or `rename` its customer."""
        row = self._pick(SALE, pick)
        if row is None:
            return False
        changed = _SALE_CHANGES[how](row)
        if changed is None and how != "delete":
            return False
        refunds = self._world.rows.refunds_of(row["id"])
        if how == "delete" and (refunds or self._refunded_in_secret(row["id"])):
            return False
        if how in ("amend", "reopen", "delete") or (
            how == "void" and (refunds or self._refunded_in_secret(row["id"]))
        ):
            taint(self._world, SALE, row["id"])
        self._world.write(SALE, changed, row["id"], end=end)
        return True

    def refund(self, pick: int, *, paid: bool, end: bool | None) -> bool:
        """Write a refund of 10.00 of a sale that has none yet."""
        row = self._pick(SALE, pick)
        if row is None or row["txn_type"] != "sale" or row["status"] not in _LIVE:
            return False
        if self._world.rows.refunds_of(row["id"]) or self._refunded_in_secret(row["id"]):
            return False
        refund_id = self._world.new_id()
        refund = sale_row(
            refund_id,
            row["blogger_id"],
            10,
            txn_type="refund",
            original_txn_id=row["id"],
            completed_at=_NEXT_DAY,
        )
        if paid:
            refund |= {**_CASH, "paid_at": _NEXT_DAY, "amount_paid": "10.00"}
        self._world.write(SALE, refund, refund_id, end=end)
        if (SALE.value, row["id"]) in self._world.tainted:
            self._world.tainted.add((SALE.value, refund_id))
        return True

    def settle(self, tenant: int, *, approved: bool, end: bool | None) -> None:
        """Write a settlement of 100.00."""
        settlement_id = self._world.new_id()
        row = settlement_row(settlement_id, TENANTS[tenant], 100)
        if approved:
            row |= {"status": "approved", "approved_at": _NOON}
        self._world.write(SETTLEMENT, row, settlement_id, end=end)

    def change_settlement(self, how: str, pick: int, *, end: bool | None) -> bool:
        """Change a settlement: `approve`, `pay` half of it, `pay_back`, `cancel`, `amend` or `delete`."""
        row = self._pick(SETTLEMENT, pick)
        if row is None:
            return False
        changed = _SETTLEMENT_CHANGES[how](row)
        if changed is None and how != "delete":
            return False
        if how in ("amend", "delete"):
            taint(self._world, SETTLEMENT, row["id"])
        self._world.write(SETTLEMENT, changed, row["id"], end=end)
        return True

    def _pick(self, aggregate: Aggregate, pick: int) -> Row | None:
        rows = list(self._world.rows.of[aggregate].values())
        if not rows:
            return None
        row = rows[pick % len(rows)]
        return None if self._world.changes.locked(aggregate, row["id"]) else row

    def _refunded_in_secret(self, sale_id: int) -> bool:
        """Whether a transaction that is open refunds the sale."""
        return any(
            row is not None and row.get("original_txn_id") == sale_id
            for each in self._world.changes.open
            for row in each.written.values()
        )


def _pay(row: Row) -> Row | None:
    """Take half by card, then the rest in cash; a customer's sale all at once."""
    if row["status"] not in ("completed", "partially_refunded") or row["amount_paid"] == row["total_amount"]:
        return None
    if row["customer_id"]:
        return {**row, **_CASH, "amount_paid": row["total_amount"]}
    half = Decimal(row["total_amount"]) / 2
    first = {"seq": 1, "method": "card", "amount": f"{half:.2f}", "ref": None, "paid_at": _NOON}
    if not row["tenders"]:
        return {**row, "tenders": [first], "amount_paid": f"{half:.2f}"}
    rest = Decimal(row["total_amount"]) - half.quantize(Decimal("0.01"))
    second = {"seq": 2, "method": "cash", "amount": f"{rest:.2f}", "ref": None, "paid_at": _NEXT_DAY}
    paid = {"status": "paid", "paid_at": _NEXT_DAY, "amount_paid": row["total_amount"]}
    return {**row, **paid, "tenders": [*row["tenders"], second]}


def _amend(row: Row) -> Row | None:
    """Sell it for ten more, and unpaid."""
    if row["status"] not in _LIVE:
        return None
    net = int(Decimal(row["subtotal"])) + 10
    kept = ("txn_type", "original_txn_id", "customer_id", "customer_name", "completed_at")
    taxed = row["tax_type"] == "sales"
    return sale_row(row["id"], row["blogger_id"], net, taxed=taxed, **{name: row[name] for name in kept})


def _void(row: Row) -> Row | None:
    if row["status"] not in _LIVE:
        return None
    return {**row, "status": "voided", "voided_at": _NEXT_DAY, "void_reason": "mistake"}


def _reopen(row: Row) -> Row | None:
    """Take a void back, or open a sale that was complete; complete one that was open."""
    if row["status"] == "voided":
        return {**row, "status": "completed", "voided_at": None}
    if row["status"] == "open":
        return {**row, "status": "completed", "completed_at": _NOON}
    return {**row, "status": "open"}


def _rename(row: Row) -> Row | None:
    if row["customer_id"] is None:
        return None
    return {**row, "customer_name": row["customer_name"] + "!"}


def _approve(row: Row) -> Row | None:
    return {**row, "status": "approved", "approved_at": _NOON} if row["status"] == "draft" else None


def _pay_kol(row: Row) -> Row | None:
    if row["status"] != "approved":
        return None
    payments = row["payments"] or []
    entry = {
        "seq": _next_seq(row),
        "method": "bank_transfer",
        "amount": "50.00",
        "ref": None,
        "paid_at": _NOON,
    }
    paid = {"status": "paid", "paid_at": _NOON} if len(payments) == 1 else {}
    return {**row, **paid, "payments": [*payments, entry]}


def _next_seq(row: Row) -> int:
    """Give a new payment a new number, also after others were paid back."""
    used = [each["seq"] for each in row["payments"] or []]
    return max([*used, int(row["payment_reference"] or 0)]) + 1


def _pay_back(row: Row) -> Row | None:
    """Take all payments back; their last number is kept where it harms nobody."""
    if not row["payments"]:
        return None
    last = str(max(each["seq"] for each in row["payments"]))
    return {**row, "status": "approved", "paid_at": None, "payments": None, "payment_reference": last}


def _cancel(row: Row) -> Row | None:
    if row["status"] == "cancelled":
        return None
    return {**row, "status": "cancelled", "cancelled_at": _NEXT_DAY}


def _amend_kol(row: Row) -> Row | None:
    if row["status"] not in ("approved", "paid"):
        return None
    return {
        **row,
        "commission_amount": "110.00",
        "net_payable": "110.00",
        "status": "approved",
        "paid_at": None,
    }


def _delete(row: Row) -> Row | None:
    del row
    return None


_SALE_CHANGES = {
    "pay": _pay,
    "amend": _amend,
    "void": _void,
    "reopen": _reopen,
    "delete": _delete,
    "rename": _rename,
}
_SETTLEMENT_CHANGES = {
    "approve": _approve,
    "pay": _pay_kol,
    "pay_back": _pay_back,
    "cancel": _cancel,
    "amend": _amend_kol,
    "delete": _delete,
}
SALE_CHANGES = tuple(_SALE_CHANGES)
SETTLEMENT_CHANGES = tuple(_SETTLEMENT_CHANGES)
