"""What a row calls for in money, and what the ledger says was accepted: the two sides of a reconciliation.

Deliberately simpler than the mappers, which it is held against: a row's own totals, with a sign.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from mappers import SnapshotError
from outbox.endpoints import Endpoint
from outbox.reconcile import Verdict

DEFINITION = (
    "Money, for each kind of document, by the row's own business date:",
    "  called for   invoices: the total; receipts: what was paid; bills: the net",
    "               payable less withholding tax; payments: what was paid out.",
    "               Refunds are negative; voided, cancelled, open and draft rows 0",
    "  accepted     the documents that AiAccount accepted, credit notes and",
    "               reversals negative: a voided sale comes to 0",
    "  difference   called for less accepted, each with one reason",
    "Currencies are never added together.",
)
ZERO = Decimal(0)
_BILLED = ("completed", "paid", "partially_refunded", "refunded")
_OWED = ("approved", "paid")
_STATES = ("conflict", "parked", "blocked", "in doubt", "retrying", "waiting", "skipped")
_STANDINGS = {
    Verdict.MISSING: "missing: never looked at",
    Verdict.CHANGED: "changed since it was looked at",
    Verdict.ORPHANED: "the row is gone, nobody noticed",
    Verdict.UNDERWAY: "under way",
    Verdict.REFUND: "under way",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A document in the ledger; `amount` and `currency` are none where nothing was ever sent."""

    tenant_id: int
    number: str
    state: str
    code: str | None
    accepted: bool
    currency: str | None
    amount: str | None
    date: str | None


def called_for(endpoint: Endpoint, row: Mapping[str, object]) -> tuple[str, Decimal]:
    """Return the currency and the amount that a row calls for at an endpoint.

    Args:
        endpoint: Which kind of document.
        row: The snapshot's `pos_transaction` or `kol_settlement`.

    Raises:
        SnapshotError: An amount cannot be read.
    """
    return str(row.get("currency")), _CALLED_FOR[endpoint](row)


def accepted(entries: Sequence[Entry]) -> dict[str, Decimal]:
    """Return what was accepted, by currency."""
    sums: dict[str, Decimal] = {}
    for entry in entries:
        if entry.accepted and entry.currency is not None:
            sums[entry.currency] = sums.get(entry.currency, ZERO) + _amount(entry.amount)
    return sums


def reason(verdict: Verdict, entries: Sequence[Entry], trouble: str | None) -> str | None:
    """Say why what is called for and what was accepted differ; None where nothing says it."""
    if verdict in _STANDINGS:
        return _STANDINGS[verdict]
    if trouble is not None:
        return f"trouble {trouble}"
    open_ones = [entry for entry in entries if entry.state in _STATES]
    if not open_ones:
        return None
    worst = min(open_ones, key=lambda entry: _STATES.index(entry.state))
    return f"{worst.state} {worst.code or ''}".rstrip()


def _invoice(row: Mapping[str, object]) -> Decimal:
    return _sign(row) * _amount(row.get("total_amount")) if row.get("status") in _BILLED else ZERO


def _receipt(row: Mapping[str, object]) -> Decimal:
    if row.get("status") not in _BILLED:
        return ZERO
    parts = _parts(row.get("tenders"))
    return _sign(row) * (sum(parts, ZERO) if parts else _amount(row.get("amount_paid")))


def _bill(row: Mapping[str, object]) -> Decimal:
    return _net(row) if row.get("status") in _OWED else ZERO


def _payment(row: Mapping[str, object]) -> Decimal:
    if row.get("status") not in _OWED:
        return ZERO
    if parts := _parts(row.get("payments")):
        return sum(parts, ZERO)
    return max(_net(row), ZERO) if row.get("status") == "paid" else ZERO


_CALLED_FOR = {
    Endpoint.POS_INVOICE: _invoice,
    Endpoint.POS_RECEIPT: _receipt,
    Endpoint.KOL_BILL: _bill,
    Endpoint.KOL_PAYMENT: _payment,
}


def _sign(row: Mapping[str, object]) -> int:
    return -1 if row.get("txn_type") == "refund" else 1


def _net(row: Mapping[str, object]) -> Decimal:
    return _amount(row.get("net_payable")) - _amount(row.get("wht_amount"))


def _parts(entries: object) -> list[Decimal]:
    if not entries:
        return []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SnapshotError(f"tenders or payments are no list of objects: {json.dumps(entries, default=str)}")
    return [_amount(entry.get("amount")) for entry in entries]


def _amount(value: object) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        raise SnapshotError(f"{value!r} is no amount") from None
    if not amount.is_finite():
        raise SnapshotError(f"{value!r} is no amount")
    return amount
