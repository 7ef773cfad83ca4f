"""Read the tenders of a sale and the payments of a settlement, and check them against the total."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from mappers.fields import Table, instant, number, optional_text, tables, whole
from mappers.money import ZERO


@dataclass(frozen=True, slots=True)
class Tender:
    """An entry of `tenders` or `payments`; `paid_at` is its own time, if it has one."""

    seq: int
    method: str | None
    amount: Decimal
    reference: str | None
    paid_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What is compared of a receipt or payment when its row changes (common rule 12).

    `own_day` is None unless the tender or entry has its own time.
    """

    document_type: str
    currency: str
    rate: Decimal | None
    rate_is_missing: bool
    method: str | None
    amount: Decimal
    own_day: date | None
    payee: str | None = None


def read_tenders(row: Table, key: str, where: str) -> tuple[Tender, ...]:
    """Read the entries by seq; null and the empty list are none."""
    place = f"{where}.{key}"
    entries = [
        Tender(
            seq=whole(entry, "seq", place),
            method=optional_text(entry, "method", place),
            amount=number(entry, "amount", place),
            reference=optional_text(entry, "ref", place),
            paid_at=instant(entry, "paid_at", place),
        )
        for entry in tables(row, key, where)
    ]
    return tuple(sorted(entries, key=lambda entry: entry.seq))


def by_seq(tenders: Iterable[Tender]) -> dict[int, Tender]:
    """Index tenders; of a repeated seq, which is a mismatch anyway, the first counts."""
    found: dict[int, Tender] = {}
    for tender in tenders:
        found.setdefault(tender.seq, tender)
    return found


def mismatch(tenders: tuple[Tender, ...], total: Decimal, *, paid_in_full: bool) -> bool:
    """Say whether tenders contradict the total (TENDER_MISMATCH).

    A tender of another sign than the total, a repeated seq, more than the total, or less where it is paid. A
    tender of zero has no sign.
    """
    sign = _sign(total)
    if any(tender.amount and _sign(tender.amount) != sign for tender in tenders):
        return True
    if len({tender.seq for tender in tenders}) < len(tenders):
        return True
    missing = abs(total) - abs(sum((tender.amount for tender in tenders), ZERO))
    return missing < 0 or (paid_in_full and missing > 0)


def is_changed(then: Settled, now: Settled) -> bool:
    """Say whether a receipt or payment is another one; its date counts only where both have their own."""
    if then.own_day is None or now.own_day is None:
        then, now = _undated(then), _undated(now)
    return then != now


def _undated(settled: Settled) -> Settled:
    return replace(settled, own_day=None)


def _sign(amount: Decimal) -> int:
    return (amount > 0) - (amount < 0)
