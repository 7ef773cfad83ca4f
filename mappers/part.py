"""Plan what receipts and payments share: what stands of those sent, and the checks of those due."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mappers.codes import bank_code
from mappers.failure import CheckFailedError
from mappers.head import AMENDED, GONE
from mappers.history import History, SentPart
from mappers.money import fits, money, plain, unit_of
from mappers.numbering import part_is_too_long
from mappers.outcome import Block, Outcome, Push, Skip, Wait, in_conflict
from mappers.sent import Sent
from mappers.settings import Settings
from mappers.tenders import Tender


def standing_parts(history: History) -> list[SentPart]:
    """Give the receipts or payments that were sent, are not reversed and not in doubt."""
    return [part for part in history.parts if part.is_settled and not part.is_reversed]


def has_doubt(history: History) -> bool:
    """Say whether a receipt, a payment or the reversal of one is in doubt."""
    return not all(part.is_settled for part in history.parts)


def gone_parts(history: History) -> list[Outcome]:
    """Give a conflict for each receipt or payment that outlived its row (common rule 13)."""
    return _conflicts(GONE, standing_parts(history), history)


def amended_parts(parts: Iterable[SentPart], history: History) -> list[Outcome]:
    """Give a conflict for each of the receipts or payments (common rule 12)."""
    return _conflicts(AMENDED, parts, history)


def _conflicts(code: str, parts: Iterable[SentPart], history: History) -> list[Outcome]:
    return [in_conflict(code, part.sent.number, accepted=history.accepted) for part in parts]


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt or payment that the row calls for and that was not sent; `amount` has the document's sign."""

    number: str
    tender: Tender
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """What applies alike to all receipts or payments of a row that are due."""

    document_type: str
    head: Sent | None
    allocates: str
    source: Mapping[str, str]
    currency: str
    rate: Decimal | None
    rate_is_missing: bool
    mismatched: bool
    waits: bool
    skip: str | None
    day_of: Callable[[Tender], date]


def last_kept(history: History, returned: Sequence[SentPart] = ()) -> list[SentPart]:
    """Give the last receipt or payment that was sent and stays, to carry what contradicts the total.

    Nothing while the last is in doubt: that comes first.
    """
    kept = [part for part in history.parts if not part.is_reversed and part not in returned]
    return [part for part in kept[-1:] if part.is_settled]


def due_outcome(due: Due, terms: Terms, settings: Settings) -> Outcome:
    """Check a receipt or payment in the order of the rules and write it."""
    if terms.skip is not None or not due.amount:
        return Skip(terms.skip or "ZERO_TOTAL", due.number)
    try:
        bank = _check(due, terms, settings)
    except CheckFailedError as failed:
        return Block(failed.code, due.number, failed.key)
    if terms.waits or terms.head is None:
        return Wait(due.number)
    amount = money(due.amount, unit_of(terms.currency))
    return Push(
        {
            "company_name": settings.company_name,
            "document_type": terms.document_type,
            "number": due.number,
            "date": terms.day_of(due.tender).isoformat(),
            "contact": terms.head.field("contact"),
            "currency": terms.currency,
            "exchange_rate": None if terms.rate is None else plain(terms.rate),
            "amount": amount,
            "bank_account_code": bank,
            "allocations": [{terms.allocates: terms.head.number, "amount": amount}],
            "reference": due.tender.reference,
            "source": terms.source,
        }
    )


def skipped(dues: Iterable[Due], code: str) -> list[Outcome]:
    """Skip what a row would give."""
    return [Skip(code, due.number) for due in dues]


def _check(due: Due, terms: Terms, settings: Settings) -> str:
    if part_is_too_long(due.number):
        raise CheckFailedError("NUMBER_TOO_LONG")
    if not fits(due.amount, unit_of(terms.currency)):
        raise CheckFailedError("CURRENCY_PRECISION")
    if terms.mismatched:
        raise CheckFailedError("TENDER_MISMATCH")
    if terms.rate_is_missing:
        raise CheckFailedError("EXCHANGE_RATE_MISSING")
    return bank_code(due.tender.method, terms.currency, settings)
