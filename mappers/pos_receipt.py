"""Map the tenders of a sale to receipts, those of a refund row to refunds, voided ones to reversals."""

from decimal import Decimal

from mappers.dates import business_date
from mappers.draft import rate_of, source_of
from mappers.fields import number as read_number
from mappers.head import Life, Standing, State
from mappers.history import History, SentPart
from mappers.money import ZERO
from mappers.numbering import part_is_too_long, receipt_number, reversal_of, void_of
from mappers.outcome import Block, Outcome, Push, Wait
from mappers.part import (
    Due,
    Terms,
    amended_parts,
    due_outcome,
    gone_parts,
    has_doubt,
    last_kept,
    skipped,
    standing_parts,
)
from mappers.pos_invoice import VOIDED, invoice_standing
from mappers.pos_sale import PosSale, read_sale
from mappers.reversal import part_reversal
from mappers.settings import Settings
from mappers.tenders import Settled, Tender, by_seq, is_changed, mismatch


def plan_receipts(sale: PosSale | None, settings: Settings, history: History) -> list[Outcome]:
    """Say what is to be done about each receipt of a sale; what is in doubt is not repeated here."""
    if sale is None or not sale.owned or sale.life is Life.OPEN:
        return gone_parts(history) + _not_owned(sale, history)
    invoice = invoice_standing(sale, settings, history)
    if sale.life is Life.ENDED:
        return _voided(sale, settings, history, invoice)
    if history.was_renumbered(sale.number):
        return amended_parts(standing_parts(history), history)
    if invoice.state is State.SETTLED:
        return []
    return _live(sale, settings, history, invoice)


def _not_owned(sale: PosSale | None, history: History) -> list[Outcome]:
    if sale is None or sale.life is Life.OPEN:
        return []
    return skipped(_due(sale, sale.tenders(), history), "NOT_OWNED")


def _voided(sale: PosSale, settings: Settings, history: History, invoice: Standing) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for part in standing_parts(history) if invoice.state is not State.SETTLED else ():
        if invoice.state is State.REVERSED and invoice.sent is not None:
            allocated_to = void_of(invoice.sent.number)
            day = sale.day_voided(settings)
            outcomes.append(Push(part_reversal(part.sent, day, settings, allocated_to)))
        else:
            outcomes.append(Wait(reversal_of(part.sent.number)))
    return outcomes + skipped(_due(sale, sale.tenders(), history), invoice.skip or VOIDED)


def _live(sale: PosSale, settings: Settings, history: History, invoice: Standing) -> list[Outcome]:
    tenders = sale.tenders()
    standing = standing_parts(history)
    due = _due(sale, tenders, history)
    changed = [part for part in standing if _is_changed(part, sale, tenders, history, settings)]
    mismatched = mismatch(tenders or _shortcut(sale), sale.total, paid_in_full=sale.is_paid)
    if mismatched and not any(entry.amount for entry in due):
        if not history.parts and not tenders and invoice.skip is None:
            return [_nothing_tendered(sale)]
        changed += [part for part in last_kept(history) if part not in changed]
    blocking = [] if history.accepted else changed
    rate, rate_is_missing = rate_of(sale.currency, sale.exchange_rate, settings)
    terms = Terms(
        document_type=_type_of(sale),
        head=invoice.sent,
        allocates="invoice_number",
        source=source_of("pos_transactions", sale.row_id),
        currency=sale.currency,
        rate=rate,
        rate_is_missing=rate_is_missing,
        mismatched=mismatched,
        waits=invoice.state is not State.SENT or bool(blocking) or has_doubt(history),
        skip=invoice.skip,
        day_of=lambda tender: sale.day_paid(tender.paid_at, settings),
    )
    return amended_parts(changed, history) + [due_outcome(entry, terms, settings) for entry in due]


def _nothing_tendered(sale: PosSale) -> Block:
    """Block the receipt that a sale paid in full should have."""
    number = receipt_number(sale.number, 1)
    return Block("NUMBER_TOO_LONG" if part_is_too_long(number) else "TENDER_MISMATCH", number)


def _type_of(sale: PosSale) -> str:
    return "refund" if sale.gives_money_back else "receipt"


def _shortcut(sale: PosSale) -> tuple[Tender, ...]:
    """Read `amount_paid` as one tender, for the checks."""
    if not sale.amount_paid:
        return ()
    return (Tender(1, sale.payment_method, sale.amount_paid, None, None),)


def _due(sale: PosSale, tenders: tuple[Tender, ...], history: History) -> list[Due]:
    """Give the receipts that the row calls for and that were not sent."""
    if history.was_renumbered(sale.number):
        return []
    if not tenders:
        return _due_by_shortcut(sale, history)
    sent = {entry.part.seq for entry in history.parts}
    return [
        Due(receipt_number(sale.number, seq), tender, _signed(tender.amount, sale))
        for seq, tender in by_seq(tenders).items()
        if seq not in sent
    ]


def _due_by_shortcut(sale: PosSale, history: History) -> list[Due]:
    excess = _signed(sale.amount_paid, sale) - _sum_sent(history)
    if not excess or not _is_more(excess, history):
        return []
    seq = history.parts[-1].part.seq + 1 if history.parts else 1
    tender = Tender(seq, sale.payment_method, excess, None, None)
    return [Due(receipt_number(sale.number, seq), tender, excess)]


def _is_more(excess: Decimal, history: History) -> bool:
    """Say whether more was paid than was sent, in the direction of what was sent."""
    return not history.parts or (excess > 0) is (_sum_sent(history) > 0)


def _sum_sent(history: History) -> Decimal:
    return sum((_sent_amount(entry) for entry in history.parts), ZERO)


def _sent_amount(entry: SentPart) -> Decimal:
    return read_number(entry.sent.document, "amount", f"the sent document {entry.sent.number}")


def _signed(amount: Decimal, sale: PosSale) -> Decimal:
    """Negate what a refund row records as positive."""
    return -amount if sale.refund else amount


def _is_changed(
    entry: SentPart, sale: PosSale, tenders: tuple[Tender, ...], history: History, settings: Settings
) -> bool:
    """Say whether a receipt is another one than the row calls for now, or not called for at all."""
    then = sale if entry.sent.snapshot is None else read_sale(entry.sent.snapshot)
    before = _settled(then, _tender_of(then, then.tenders(), entry), settings)
    if not tenders:
        return _is_changed_by_shortcut(entry, sale, before, history, settings)
    tender = by_seq(tenders).get(entry.part.seq)
    return tender is None or is_changed(before, _settled(sale, tender, settings))


def _is_changed_by_shortcut(
    entry: SentPart, sale: PosSale, before: Settled, history: History, settings: Settings
) -> bool:
    """Compare currency, rate and kind of each receipt, and sum and method on the last."""
    excess = _signed(sale.amount_paid, sale) - _sum_sent(history)
    method = before.method
    if entry is history.parts[-1]:
        if excess and not _is_more(excess, history):
            return True
        if not excess:
            method = sale.payment_method
    now = _settled(sale, Tender(entry.part.seq, method, _signed(before.amount, sale), None, None), settings)
    return is_changed(before, now)


def _tender_of(sale: PosSale, tenders: tuple[Tender, ...], entry: SentPart) -> Tender:
    """Give the tender that a receipt was made from; by the shortcut, its amount is the one that was sent."""
    tender = by_seq(tenders).get(entry.part.seq)
    if tender is not None:
        return tender
    return Tender(entry.part.seq, sale.payment_method, _signed(_sent_amount(entry), sale), None, None)


def _settled(sale: PosSale, tender: Tender, settings: Settings) -> Settled:
    rate, rate_is_missing = rate_of(sale.currency, sale.exchange_rate, settings)
    return Settled(
        document_type=_type_of(sale),
        currency=sale.currency,
        rate=rate,
        rate_is_missing=rate_is_missing,
        method=tender.method,
        amount=_signed(tender.amount, sale),
        own_day=None if tender.paid_at is None else business_date(tender.paid_at, settings),
    )
