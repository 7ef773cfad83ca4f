"""Negate a document as it was sent (mapping: Voided, Cancelled, payment reversals)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from mappers.money import negated
from mappers.numbering import reversal_of, void_of
from mappers.sent import Sent
from mappers.settings import Settings

_COUNTERPART = {
    "invoice": "credit_note",
    "credit_note": "invoice",
    "bill": "debit_note",
    "debit_note": "bill",
    "receipt": "refund",
    "refund": "receipt",
    "payment": "payment_reversal",
}
_NEGATED_IN_LINE = ("quantity", "discount", "amount", "tax_amount")


def head_reversal(sent: Sent, day: date, settings: Settings) -> dict[str, Any]:
    """Give the `-V1` of an invoice or bill: same contact, codes and rate, everything negated."""
    return {
        **sent.document,
        "company_name": settings.company_name,
        "document_type": _counterpart(sent),
        "number": void_of(sent.number),
        "original_number": sent.number,
        "date": day.isoformat(),
        "due_date": day.isoformat(),
        "lines": [_negated_line(line) for line in sent.field("lines")],
        "totals": {key: negated(amount) for key, amount in sent.field("totals").items()},
    }


def part_reversal(
    sent: Sent, day: date, settings: Settings, allocated_to: str | None = None
) -> dict[str, Any]:
    """Give the `X` of a receipt or payment, allocated as that was or to one other document."""
    return {
        **sent.document,
        "company_name": settings.company_name,
        "document_type": _counterpart(sent),
        "number": reversal_of(sent.number),
        "date": day.isoformat(),
        "amount": negated(sent.field("amount")),
        "allocations": [_negated_allocation(entry, allocated_to) for entry in sent.field("allocations")],
    }


def _counterpart(sent: Sent) -> str:
    found = _COUNTERPART.get(sent.field("document_type"))
    if found is None:
        raise ValueError(f"the sent document {sent.number} is of a type that has no reversal")
    return found


def _negated_line(line: Mapping[str, Any]) -> dict[str, Any]:
    return {key: negated(value) if key in _NEGATED_IN_LINE else value for key, value in line.items()}


def _negated_allocation(entry: Mapping[str, Any], allocated_to: str | None) -> dict[str, Any]:
    moved = {**entry, "amount": negated(entry["amount"])}
    if allocated_to is not None:
        moved["invoice_number"] = allocated_to
    return moved
