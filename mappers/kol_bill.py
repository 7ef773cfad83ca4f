"""Map a KOL settlement to its bill or debit note, and a cancelled one to the reversal of what was sent."""

from decimal import Decimal
from typing import Any

from mappers.codes import UNTAXED
from mappers.contact import supplier_of
from mappers.dates import is_before_cutover
from mappers.draft import Draft, Line, rate_of, source_of
from mappers.endpoints import KOL_BILL
from mappers.failure import CheckFailedError
from mappers.fields import Table
from mappers.head import Life, Standing, State, is_amended, standing_of_sent
from mappers.history import History
from mappers.kol_settlement import Figures, KolSettlement, read_settlement
from mappers.money import ZERO, fits, unit_of
from mappers.numbering import head_is_too_long
from mappers.outcome import Block, Outcome, Push, Skip
from mappers.reversal import head_reversal
from mappers.sent import Sent
from mappers.settings import Settings

CANCELLED = "CANCELLED_BEFORE_PUSH"


def plan_bill(settlement: KolSettlement | None, settings: Settings, history: History) -> list[Outcome]:
    """Say what is to be done about a settlement's bill; what is in doubt is not repeated here."""
    outcome = bill_standing(settlement, settings, history).outcome
    return [] if outcome is None else [outcome]


def bill_standing(settlement: KolSettlement | None, settings: Settings, history: History) -> Standing:
    """Say how a settlement's bill stands."""
    life = Life.GONE if settlement is None or not settlement.owned else settlement.life
    if history.head is not None:
        return _sent(history.head, settlement, life, settings, history)
    if settlement is None or settlement.life is Life.OPEN or history.was_renumbered(settlement.number):
        return Standing(State.UNSENT)
    return _unsent(settlement, settings)


def _sent(
    head: Sent, settlement: KolSettlement | None, life: Life, settings: Settings, history: History
) -> Standing:
    def figures(snapshot: Table) -> Figures:
        return read_settlement(snapshot).figures()

    def draft(snapshot: Table) -> Draft:
        return _draft(figures(snapshot), settings)

    def amended(sent: Sent) -> bool:
        if settlement is None or settlement.number != sent.number:
            return True
        return is_amended(sent, settlement.snapshot, draft, figures)

    def reverse(sent: Sent) -> dict[str, Any] | None:
        if settlement is None:
            return None
        return head_reversal(sent, settlement.day_reversed(settings), settings)

    return standing_of_sent(head, history, life, amended=amended, reverse=reverse)


def _unsent(settlement: KolSettlement, settings: Settings) -> Standing:
    number = settlement.number
    skip = _skip(settlement, settings)
    if skip is not None:
        return Standing(State.UNSENT, Skip(skip, number), skip=skip)
    figures = settlement.figures()
    if is_before_cutover(figures.period[1], KOL_BILL, settings):
        return Standing(State.UNSENT, Skip("BEFORE_CUTOVER", number), skip="BEFORE_CUTOVER")
    drafted = _drafted(figures, settings)
    if isinstance(drafted, Draft) and drafted.is_zero(settings):
        return Standing(State.UNSENT, Skip("ZERO_TOTAL", number), skip="ZERO_TOTAL")
    try:
        return Standing(State.UNSENT, Push(_document(settlement, drafted, settings)))
    except CheckFailedError as failed:
        return Standing(State.UNSENT, Block(failed.code, number, failed.key))


def _skip(settlement: KolSettlement, settings: Settings) -> str | None:
    if not settlement.owned:
        return "NOT_OWNED"
    if settings.kol_mode != "multi":
        return "KOL_MODE_SINGLE"
    if settings.owner_kol_id is not None and settlement.payee == str(settings.owner_kol_id):
        return "SELF_PAYEE"
    return CANCELLED if settlement.life is Life.ENDED else None


def _drafted(figures: Figures, settings: Settings) -> Draft | CheckFailedError:
    try:
        return _draft(figures, settings)
    except CheckFailedError as failed:
        return failed


def _draft(figures: Figures, settings: Settings) -> Draft:
    unit = unit_of(figures.currency)
    adjusted = [entry.amount for entry in figures.adjustments]
    amounts = [figures.commission, *adjusted, figures.net_payable, figures.withheld]
    if not all(fits(amount, unit) for amount in amounts):
        raise CheckFailedError("CURRENCY_PRECISION")
    if figures.net_payable != figures.commission + sum(adjusted, ZERO):
        raise CheckFailedError("SOURCE_TOTAL_MISMATCH")
    start, end = figures.period
    title = f"KOL commission {start.isoformat()} to {end.isoformat()}"
    lines = [_line(title, "account:expense", figures.commission)]
    lines += [_line(entry.label, "account:expense", entry.amount) for entry in figures.adjustments]
    if figures.withheld:
        lines.append(_line("Withholding tax", "account:wht_payable", -figures.withheld))
    rate, rate_is_missing = rate_of(figures.currency, figures.exchange_rate, settings)
    return Draft(
        document_type="debit_note" if figures.net_payable < figures.withheld else "bill",
        day=end,
        original_number=None,
        currency=figures.currency,
        unit=unit,
        rate=rate,
        rate_is_missing=rate_is_missing,
        tax_inclusive=False,
        lines=tuple(lines),
        rounding=ZERO,
        payee=figures.payee,
        period=figures.period,
    )


def _line(description: str, account: str, amount: Decimal) -> Line:
    return Line(description=description, account=account, tax=UNTAXED, amount=amount, tax_amount=ZERO)


def _document(
    settlement: KolSettlement, drafted: Draft | CheckFailedError, settings: Settings
) -> dict[str, Any]:
    """Check in the order of the rules, then look the codes up and write the document."""
    if head_is_too_long(settlement.number):
        raise CheckFailedError("NUMBER_TOO_LONG")
    if isinstance(drafted, CheckFailedError):
        raise drafted
    if drafted.rate_is_missing:
        raise CheckFailedError("EXCHANGE_RATE_MISSING")
    start, end = settlement.figures().period
    return {
        "company_name": settings.company_name,
        "document_type": drafted.document_type,
        "number": settlement.number,
        "original_number": None,
        "date": drafted.day.isoformat(),
        "due_date": drafted.day.isoformat(),
        "contact": supplier_of(settlement.row),
        "currency": drafted.currency,
        "exchange_rate": drafted.render_rate(),
        "tax_inclusive": False,
        "lines": drafted.render_lines(settings),
        "totals": drafted.render_totals(),
        "period": {"from": start.isoformat(), "to": end.isoformat()},
        "memo": None,
        "source": source_of("kol_settlements", settlement.row_id),
    }
