"""Map the payments of a KOL settlement, and those no longer in it to their reversals."""

from decimal import Decimal

from mappers.dates import business_date
from mappers.draft import rate_of, source_of
from mappers.fields import number as read_number
from mappers.head import Life, Standing, State
from mappers.history import History, SentPart
from mappers.kol_bill import CANCELLED, bill_standing
from mappers.kol_settlement import KolSettlement, read_settlement
from mappers.numbering import next_generation, payment_number
from mappers.outcome import Outcome, Push
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
from mappers.reversal import part_reversal
from mappers.settings import Settings
from mappers.tenders import Settled, Tender, by_seq, is_changed, mismatch


def plan_payments(settlement: KolSettlement | None, settings: Settings, history: History) -> list[Outcome]:
    """Say what is to be done about each payment; what is in doubt is not repeated here."""
    if settlement is None or settlement.life is Life.OPEN:
        return gone_parts(history)
    if not settlement.owned:
        return gone_parts(history) + skipped(_never_sent(settlement, history), "NOT_OWNED")
    bill = bill_standing(settlement, settings, history)
    if settlement.life is Life.ENDED:
        reversals = _reversals(standing_parts(history), settlement, settings)
        return reversals + skipped(_never_sent(settlement, history), bill.skip or CANCELLED)
    if history.was_renumbered(settlement.number):
        return amended_parts(standing_parts(history), history)
    if bill.state is State.SETTLED:
        return []
    return _live(settlement, settings, history, bill)


def _live(settlement: KolSettlement, settings: Settings, history: History, bill: Standing) -> list[Outcome]:
    entries = settlement.payments()
    called = by_seq(entries)
    standing = standing_parts(history)
    returned = [part for part in standing if part.part.seq not in called]
    kept = [part for part in standing if part.part.seq in called]
    changed = [part for part in kept if _is_changed(part, settlement, called[part.part.seq], settings)]
    due = _due(settlement, entries, history)
    negative = settlement.total < 0
    mismatched = mismatch(entries, settlement.total, paid_in_full=settlement.is_paid)
    if mismatched and (negative or not any(entry.amount for entry in due)):
        changed += [part for part in last_kept(history, returned) if part not in changed]
    blocking = [] if history.accepted else changed
    rate, rate_is_missing = rate_of(settlement.currency, settlement.exchange_rate, settings)
    terms = Terms(
        document_type="payment",
        head=bill.sent,
        allocates="bill_number",
        source=source_of("kol_settlements", settlement.row_id),
        currency=settlement.currency,
        rate=rate,
        rate_is_missing=rate_is_missing,
        mismatched=mismatched,
        waits=bill.state is not State.SENT or bool(blocking or returned) or has_doubt(history),
        skip=bill.skip or ("ZERO_TOTAL" if negative else None),
        day_of=lambda entry: settlement.day_paid(entry.paid_at, settings),
    )
    planned = amended_parts(changed, history) + [due_outcome(entry, terms, settings) for entry in due]
    return _reversals(returned, settlement, settings) + planned


def _reversals(parts: list[SentPart], settlement: KolSettlement, settings: Settings) -> list[Outcome]:
    """Reverse payments that are no longer in the row, allocated as they were."""
    return [Push(part_reversal(part.sent, settlement.day_reversed(settings), settings)) for part in parts]


def _never_sent(settlement: KolSettlement, history: History) -> list[Due]:
    """Give the payments that the row would give and that never were sent."""
    if history.was_renumbered(settlement.number):
        return []
    sent = {part.part.seq for part in history.parts}
    return [
        Due(payment_number(settlement.number, seq, ""), entry, entry.amount)
        for seq, entry in by_seq(settlement.payments()).items()
        if seq not in sent
    ]


def _due(settlement: KolSettlement, entries: tuple[Tender, ...], history: History) -> list[Due]:
    """Give the payments called for and not sent, a returned one under the number after its reversed one's."""
    latest = {part.part.seq: part for part in history.parts}
    due = []
    for seq, entry in by_seq(entries).items():
        sent = latest.get(seq)
        if sent is None:
            generation = ""
        elif sent.reversal is not None:
            generation = next_generation(sent.part.generation)
        else:
            continue
        due.append(Due(payment_number(settlement.number, seq, generation), entry, entry.amount))
    return due


def _is_changed(part: SentPart, settlement: KolSettlement, entry: Tender, settings: Settings) -> bool:
    if part.sent.snapshot is None:
        return False
    then = read_settlement(part.sent.snapshot)
    made_from = by_seq(then.payments()).get(part.part.seq)
    if made_from is None:
        made_from = Tender(part.part.seq, entry.method, _sent_amount(part), None, None)
    return is_changed(_settled(then, made_from, settings), _settled(settlement, entry, settings))


def _sent_amount(part: SentPart) -> Decimal:
    return read_number(part.sent.document, "amount", f"the sent document {part.sent.number}")


def _settled(settlement: KolSettlement, entry: Tender, settings: Settings) -> Settled:
    rate, rate_is_missing = rate_of(settlement.currency, settlement.exchange_rate, settings)
    return Settled(
        document_type="payment",
        currency=settlement.currency,
        rate=rate,
        rate_is_missing=rate_is_missing,
        method=entry.method,
        amount=entry.amount,
        own_day=None if entry.paid_at is None else business_date(entry.paid_at, settings),
        payee=settlement.payee,
    )
