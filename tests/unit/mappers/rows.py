"""Build rows, settings and a ledger for the mappers' tests, each a believable default with changes."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from mappers import Decision, Outcome, Push, Sent, Settings, plan

FILE = json.loads(
    (Path(__file__).parents[2] / "vectors" / "mapping.json").read_text(encoding="utf-8"), parse_float=Decimal
)
NUMBER = "POS2026050100001"
BILL = "KS202604-00001"
CODES: dict[str, str] = FILE["settings"]["codes"]
PAIRS = {"pos": ("pos_invoice", "pos_receipt"), "kol": ("kol_bill", "kol_payment")}


def settings(**changes: object) -> Settings:
    return Settings.from_json({**FILE["settings"], **changes})


def codes_without(*keys: str) -> dict[str, str]:
    return {key: code for key, code in CODES.items() if key not in keys}


def _snapshot_of(vector: str) -> dict[str, Any]:
    found = next(case for case in FILE["vectors"] if case["id"] == vector)
    copied: dict[str, Any] = copy.deepcopy(found["snapshot"])
    return copied


def item(line_no: int = 1, total: str = "50.00", **changes: object) -> dict[str, Any]:
    (plain,) = _snapshot_of("A01")["items"]
    return {
        **plain,
        "id": line_no,
        "line_no": line_no,
        "sku": f"SKU-{line_no}",
        "quantity": "1.0000",
        "unit_price": total + "00",
        "line_total": total,
        **changes,
    }


def sale(*items: dict[str, Any], refunded: str = "0.00", **changes: object) -> dict[str, Any]:
    """Give a paid cash sale of one T-shirt at 50.00; totals follow the items unless they are given."""
    snapshot = _snapshot_of("A01")
    row = snapshot["pos_transaction"]
    if items:
        snapshot["items"] = list(items)
        row["subtotal"] = str(sum(Decimal(str(entry["line_total"])) for entry in items))
    row.update(changes)
    amounts = {key: Decimal(str(row[key])) for key in _ADDED}
    total = amounts["subtotal"] - Decimal(str(row["order_discount"])) + amounts["service_charge"]
    total += amounts["tip_amount"] + amounts["rounding_adjustment"]
    total += 0 if row["tax_inclusive"] else amounts["tax_amount"]
    for key in ("total_amount", "amount_paid"):
        if key not in changes:
            row[key] = str(total)
    snapshot["refunded"] = refunded
    return snapshot


_ADDED = ("subtotal", "service_charge", "tax_amount", "tip_amount", "rounding_adjustment")


def tender(seq: int, amount: str, method: str | None = "cash", **changes: object) -> dict[str, Any]:
    paid_at = "2026-05-01T06:00:00Z"
    return {"seq": seq, "method": method, "amount": amount, "ref": None, "paid_at": paid_at, **changes}


def original(**changes: object) -> dict[str, Any]:
    return {
        "receipt_no": NUMBER,
        "txn_type": "sale",
        "status": "partially_refunded",
        "owned": True,
        "completed_at": "2026-05-01T06:00:00Z",
        "refundable": "50.00",
        "refunded": "20.00",
        **changes,
    }


REFUND = "POS2026050200007"


def refund(
    *items: dict[str, Any], of: dict[str, Any] | None = None, known: bool = True, **changes: object
) -> dict[str, Any]:
    """Give a cash refund of 20.00 of the sale `NUMBER`, on the next day."""
    row = {
        "id": 2,
        "receipt_no": REFUND,
        "txn_type": "refund",
        "original_txn_id": 1,
        "completed_at": "2026-05-02T03:00:00Z",
        "paid_at": "2026-05-02T03:00:00Z",
        **changes,
    }
    snapshot = sale(*(items or (item(1, "20.00"),)), **row)
    snapshot["original"] = (of or original()) if known else None
    return snapshot


VOIDED = {"status": "voided", "voided_at": "2026-05-02T04:00:00Z"}


def settlement(**changes: object) -> dict[str, Any]:
    """Give an approved settlement of 1,000.00; net payable follows unless it is given."""
    snapshot = _snapshot_of("D01")
    row = snapshot["kol_settlement"]
    row["commission_amount"] = "1000.00"
    row.update(changes)
    if "net_payable" not in changes:
        adjusted = sum((Decimal(str(entry["amount"])) for entry in row["adjustments"] or []), Decimal(0))
        row["net_payable"] = str(Decimal(str(row["commission_amount"])) + adjusted)
    return snapshot


def paid(**changes: object) -> dict[str, Any]:
    """Give a settlement paid at once by bank transfer."""
    return settlement(
        **{"status": "paid", "payment_method": "bank_transfer", "paid_at": "2026-05-05T03:00:00Z", **changes}
    )


CANCELLED = {"status": "cancelled", "cancelled_at": "2026-05-03T02:00:00Z"}


class Ledger:
    """What was sent, as a delivery would record it."""

    def __init__(self, **changes: object) -> None:
        self.settings = settings(**changes)
        self.sent: list[Sent] = []
        self.decisions: list[Decision] = []

    def plan(self, endpoint: str, snapshot: dict[str, Any] | None) -> list[Outcome]:
        """Plan against what was sent."""
        return plan(endpoint, self.settings, snapshot, self.sent, self.decisions)

    def said(self, endpoint: str, snapshot: dict[str, Any] | None) -> list[str]:
        """Say the outcomes in short: `push N`, `skip CODE N`, `block CODE N KEY`, `wait N`."""
        return [short(outcome) for outcome in self.plan(endpoint, snapshot)]

    def pushed(self, endpoint: str, snapshot: dict[str, Any] | None, number: str = "") -> dict[str, Any]:
        """Give the one document to push, or that of a number."""
        (document,) = [
            outcome.document
            for outcome in self.plan(endpoint, snapshot)
            if isinstance(outcome, Push) and number in {"", outcome.number}
        ]
        return document

    def post(
        self, endpoint: str, snapshot: dict[str, Any] | None, state: Any = "pushed"
    ) -> "Ledger":  # a Literal
        """Send what is to be pushed."""
        for outcome in self.plan(endpoint, snapshot):
            if isinstance(outcome, Push):
                self.record(replace(self.entry(endpoint, outcome, snapshot), state=state))
        return self

    @staticmethod
    def entry(endpoint: str, push: Push, snapshot: dict[str, Any] | None) -> Sent:
        """Give what the ledger holds of an accepted push."""
        return Sent(endpoint, push.number, "pushed", push.document, copy.deepcopy(snapshot))

    def post_all(self, snapshot: dict[str, Any] | None, kind: str = "pos") -> "Ledger":
        """Send on both endpoints until nothing is left to push."""
        for _ in range(3):
            for endpoint in PAIRS[kind]:
                self.post(endpoint, snapshot)
        return self

    def record(self, entry: Sent) -> None:
        """Keep a document, in the place of an earlier state of it."""
        self.sent = [kept for kept in self.sent if kept.number != entry.number] + [entry]

    def doubt(self, number: str) -> "Ledger":
        """Turn a document that was sent into one whose fate is unknown."""
        return self._now(number, "in_doubt")

    def accept(self, number: str) -> "Ledger":
        """Learn that a document in doubt was accepted."""
        return self._now(number, "pushed")

    def _now(self, number: str, state: Any) -> "Ledger":  # a Literal
        assert number in {entry.number for entry in self.sent}
        self.sent = [replace(entry, state=state) if entry.number == number else entry for entry in self.sent]
        return self

    def decide(self, kind: Any, issue: int = 0, *, holds: bool = True) -> "Ledger":
        """Decide about the row, on 10 May 2026."""
        at = datetime(2026, 5, 10, 4, tzinfo=UTC)
        self.decisions = [*self.decisions, Decision(kind, issue, at, holds)]
        return self

    def as_original(self) -> "Ledger":
        """Give the ledger that the refund of this sale sees."""
        seen = Ledger()
        seen.settings = self.settings
        seen.sent = [replace(entry, of_original=True) for entry in self.sent]
        seen.decisions = [replace(decision, of_original=True) for decision in self.decisions]
        return seen


def short(outcome: Outcome) -> str:
    if isinstance(outcome, Push):
        return f"push {outcome.number}"
    return " ".join(
        f"{key} {value}" if key in {"skip", "block", "wait", "conflict", "accepted"} else str(value)
        for key, value in outcome.to_json().items()
    )
