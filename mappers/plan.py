"""Plan one endpoint's documents for one aggregate."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import localcontext
from typing import assert_never, cast

from mappers.decision import Decision
from mappers.endpoints import ENDPOINTS, KOL_BILL, KOL_PAYMENT, POS_INVOICE, POS_RECEIPT, Endpoint
from mappers.fields import SnapshotError, refuse_floats
from mappers.history import History, history_of
from mappers.issues import plan_issues
from mappers.kol_bill import plan_bill
from mappers.kol_payment import plan_payments
from mappers.kol_settlement import read_settlement
from mappers.money import CONTEXT
from mappers.outcome import Outcome, Push
from mappers.pos_invoice import plan_invoice
from mappers.pos_receipt import plan_receipts
from mappers.pos_sale import read_sale
from mappers.sent import Sent
from mappers.settings import Settings

_FAMILIES: dict[Endpoint, tuple[str, str]] = {
    POS_INVOICE: (POS_INVOICE, POS_RECEIPT),
    POS_RECEIPT: (POS_INVOICE, POS_RECEIPT),
    KOL_BILL: (KOL_BILL, KOL_PAYMENT),
    KOL_PAYMENT: (KOL_BILL, KOL_PAYMENT),
}


def plan(
    endpoint: str,
    settings: Settings,
    snapshot: Mapping[str, object] | None,
    sent: Sequence[Sent],
    decisions: Sequence[Decision] = (),
) -> list[Outcome]:
    """Say what is to be done about each document that a row calls for or that was sent for it.

    Pure: the same arguments give the same outcomes, whatever the process's time zone, locale or decimal
    context. What is in doubt is pushed exactly as it was sent, but for the company's name, even where the
    snapshot cannot be read.

    Args:
        endpoint: One of `ENDPOINTS`.
        settings: The tenant's settings.
        snapshot: The aggregate as the snapshot view gives it, or None when its row is gone. Numbers are
            Decimal, int or str.
        sent: What was sent, or may have been, for the aggregate (for both of its endpoints) and, for a refund
            row, for its original (marked `of_original`).
        decisions: What people decided about the row and, for a refund row, about its original.

    Raises:
        SnapshotError: The snapshot holds data that no rule names; the message names the field.
        TypeError: A number is a float.
        ValueError: The endpoint is unknown, or a sent number was not given by a mapper.
    """
    if endpoint not in ENDPOINTS:
        raise ValueError(f"endpoint must be one of {', '.join(ENDPOINTS)}, not {endpoint!r}")
    refuse_floats(snapshot)
    resent = [_resend(entry, settings) for entry in sent if _is_in_doubt(entry, endpoint)]
    try:
        with localcontext(CONTEXT):
            return [*resent, *_planned(cast("Endpoint", endpoint), settings, snapshot, sent, decisions)]
    except SnapshotError:
        if resent:
            return [*resent]
        raise


def _planned(
    endpoint: Endpoint,
    settings: Settings,
    snapshot: Mapping[str, object] | None,
    sent: Sequence[Sent],
    decisions: Sequence[Decision],
) -> list[Outcome]:
    def plan_one(
        row: Mapping[str, object] | None,
        sent: Sequence[Sent],
        *,
        accepted: bool = False,
        original_accepted: bool = False,
    ) -> list[Outcome]:
        heads, parts = _FAMILIES[endpoint]
        history = history_of(sent, heads, parts)
        history = replace(history, accepted=accepted, original_accepted=original_accepted)
        return _plan(endpoint, settings, row, history)

    if not decisions:
        return plan_one(snapshot, sent)
    return plan_issues(endpoint, snapshot, sent, decisions, plan_one)


def _plan(
    endpoint: Endpoint, settings: Settings, snapshot: Mapping[str, object] | None, history: History
) -> list[Outcome]:
    match endpoint:
        case "pos_invoice" | "pos_receipt":
            sale = None if snapshot is None else read_sale(snapshot)
            plan_sale = plan_invoice if endpoint == POS_INVOICE else plan_receipts
            return plan_sale(sale, settings, history)
        case "kol_bill" | "kol_payment":
            settlement = None if snapshot is None else read_settlement(snapshot)
            plan_settlement = plan_bill if endpoint == KOL_BILL else plan_payments
            return plan_settlement(settlement, settings, history)
        case _:
            assert_never(endpoint)


def _is_in_doubt(entry: Sent, endpoint: str) -> bool:
    return entry.in_doubt and entry.endpoint == endpoint and not entry.of_original


def _resend(entry: Sent, settings: Settings) -> Push:
    """Push a document exactly as it was sent; only the company's name is today's (common rule 7)."""
    refuse_floats(entry.document)
    return Push({**entry.document, "company_name": settings.company_name})
