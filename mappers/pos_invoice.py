"""Map a sale to its invoice, a refund row to its credit note, and a voided one to its reversal."""

from typing import Any

from mappers.codes import account_code
from mappers.contact import customer_of
from mappers.dates import is_before_cutover
from mappers.draft import Draft, source_of
from mappers.endpoints import POS_INVOICE
from mappers.failure import CheckFailedError
from mappers.fields import Table
from mappers.head import Life, Standing, State, is_amended, standing_of_sent
from mappers.history import History
from mappers.numbering import head_is_too_long
from mappers.original import check_refund, original_number_of, original_stands
from mappers.outcome import Block, Outcome, Push, Skip, Wait
from mappers.pos_draft import draft_sale
from mappers.pos_sale import Figures, PosSale, read_sale
from mappers.reversal import head_reversal
from mappers.sent import Sent
from mappers.settings import Settings

VOIDED = "VOIDED_BEFORE_PUSH"


def plan_invoice(sale: PosSale | None, settings: Settings, history: History) -> list[Outcome]:
    """Say what is to be done about a sale's invoice; what is in doubt is not repeated here."""
    outcome = invoice_standing(sale, settings, history).outcome
    return [] if outcome is None else [outcome]


def invoice_standing(sale: PosSale | None, settings: Settings, history: History) -> Standing:
    """Say how a sale's invoice stands."""
    life = Life.GONE if sale is None or not sale.owned else sale.life
    if history.head is not None:
        return _sent(history.head, sale, life, settings, history)
    if sale is None or sale.life is Life.OPEN or history.was_renumbered(sale.number):
        return Standing(State.UNSENT)
    return _unsent(sale, settings, history)


def _sent(head: Sent, sale: PosSale | None, life: Life, settings: Settings, history: History) -> Standing:
    def figures(snapshot: Table) -> Figures:
        row = read_sale(snapshot)
        return row.figures(settings, original_number_of(row, settings, history))

    def draft(snapshot: Table) -> Draft:
        return draft_sale(figures(snapshot), settings)

    def amended(sent: Sent) -> bool:
        if sale is None or sale.number != sent.number:
            return True
        return is_amended(sent, sale.snapshot, draft, figures)

    def reverse(sent: Sent) -> dict[str, Any] | None:
        if sale is None or sale.has_refunds:
            return None
        return head_reversal(sent, sale.day_voided(settings), settings)

    return standing_of_sent(head, history, life, amended=amended, reverse=reverse)


def _unsent(sale: PosSale, settings: Settings, history: History) -> Standing:
    skip = _skip(sale, settings)
    if skip is not None:
        return _skipped(sale, skip)
    original_number = original_number_of(sale, settings, history)
    drafted = _drafted(sale, original_number, settings)
    if isinstance(drafted, Draft) and drafted.is_zero(settings):
        return _skipped(sale, "ZERO_TOTAL")
    try:
        document = _document(sale, drafted, settings, history)
    except CheckFailedError as failed:
        return Standing(State.UNSENT, Block(failed.code, sale.number, failed.key))
    if original_number is None or sale.original is None or original_stands(sale.original, settings, history):
        return Standing(State.UNSENT, Push(document))
    return Standing(State.UNSENT, Wait(sale.number))


def _skipped(sale: PosSale, code: str) -> Standing:
    return Standing(State.UNSENT, Skip(code, sale.number), skip=code)


def _skip(sale: PosSale, settings: Settings) -> str | None:
    if not sale.owned or (sale.original is not None and not sale.original.owned):
        return "NOT_OWNED"
    if sale.life is Life.ENDED:
        return VOIDED
    if is_before_cutover(sale.day(settings), POS_INVOICE, settings):
        return "BEFORE_CUTOVER"
    return None


def _drafted(sale: PosSale, original_number: str | None, settings: Settings) -> Draft | CheckFailedError:
    try:
        return draft_sale(sale.figures(settings, original_number), settings)
    except CheckFailedError as failed:
        return failed


def _document(
    sale: PosSale, drafted: Draft | CheckFailedError, settings: Settings, history: History
) -> dict[str, Any]:
    """Check in the order of the rules, then look the codes up and write the document."""
    if head_is_too_long(sale.number):
        raise CheckFailedError("NUMBER_TOO_LONG")
    if isinstance(drafted, CheckFailedError):
        raise drafted
    check_refund(sale)
    if drafted.rate_is_missing:
        raise CheckFailedError("EXCHANGE_RATE_MISSING")
    lines = drafted.render_lines(settings)
    rounding_account = account_code("account:rounding", settings) if drafted.rounding else None
    if drafted.original_number is None or history.original is None:
        contact = customer_of(sale.row)
    else:
        contact = history.original.field("contact")
    return {
        "company_name": settings.company_name,
        "document_type": drafted.document_type,
        "number": sale.number,
        "original_number": drafted.original_number,
        "date": drafted.day.isoformat(),
        "due_date": drafted.day.isoformat(),
        "contact": contact,
        "currency": drafted.currency,
        "exchange_rate": drafted.render_rate(),
        "tax_inclusive": drafted.tax_inclusive,
        "lines": lines,
        "totals": drafted.render_totals(),
        "rounding_account": rounding_account,
        "outlet": sale.outlet,
        "memo": None,
        "source": source_of("pos_transactions", sale.row_id),
    }
