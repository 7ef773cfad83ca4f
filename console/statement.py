"""A comparison as a person reads it: counts and money by day and tenant, and why the money differs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from console.comparison import Books, Day, Sum
from console.printing import print_columns, say
from outbox.endpoints import Endpoint
from outbox.reconcile import Verdict

_COUNTED = ("rows", "handled", "underway", "missing", "changed", "orphaned")
_ORDER = tuple(Endpoint)


def print_books(books: Books, *, fixed: bool) -> None:
    """Print it in 80 columns; `fixed` says that what was not handled was made due."""
    if not books.rows and not books.money:
        say("No rows to compare.")
        return
    days = sorted(books.rows, key=_by_day)
    counts: list[Sequence[object]] = [(*day, *_counts(books.rows[day]).values()) for day in days]
    names = ("day", "tenant", "rows", "handled", "under way", "missing", "changed", "orphaned")
    if len(days) > 1:
        counts.append(("total", None, *_counts(sum(books.rows.values(), Counter())).values()))
    print_columns(names, counts, right=names[1:])
    _print_money(books)
    _print_reasons(books)
    for aggregate, key in books.unreadable:
        say(f"The row {key} of {aggregate} breaks its view and could not be compared.")
    say(f"\n{_summary(books, fixed=fixed)}")


def as_json(books: Books, *, fixed: bool) -> dict[str, Any]:
    """Return it for a machine; amounts as text."""
    return {
        "days": [
            {"day": day[0], "tenant_id": day[1], **_counts(books.rows[day])}
            for day in sorted(books.rows, key=_by_day)
        ],
        "money": [
            {
                "day": day[0],
                "tenant_id": day[1],
                "endpoint": endpoint,
                "currency": currency,
                "called_for": one.called_for,
                "accepted": one.accepted,
                "difference": one.difference,
                "reasons": [
                    {"reason": why, "rows": rows, "difference": one.by_reason[why]}
                    for why, rows in sorted(one.rows_by_reason.items())
                ],
            }
            for (day, endpoint, currency), one in _lines(books)
        ],
        "unreadable": [{"aggregate": aggregate, "id": key} for aggregate, key in books.unreadable],
        "made_due": books.made_due if fixed else None,
    }


def _print_money(books: Books) -> None:
    names = ("day", "tenant", "kind", "cur", "called for", "accepted", "difference")
    lines: list[Sequence[object]] = [
        (*day, endpoint, currency, _money(one.called_for), _money(one.accepted), _money(one.difference))
        for (day, endpoint, currency), one in _lines(books)
        if one.called_for or one.accepted
    ]
    if not lines:
        return
    totals: dict[tuple[Endpoint, str], Sum] = {}
    for (_, endpoint, currency), one in _lines(books):
        total = totals.setdefault((endpoint, currency), Sum())
        total.called_for += one.called_for
        total.accepted += one.accepted
    lines += [
        ("total", None, endpoint, currency, *map(_money, (one.called_for, one.accepted, one.difference)))
        for (endpoint, currency), one in sorted(totals.items(), key=lambda item: _ORDER.index(item[0][0]))
        if len(books.rows) > 1 and (one.called_for or one.accepted)
    ]
    say("")
    print_columns(names, lines, right=("tenant", *names[4:]))


def _print_reasons(books: Books) -> None:
    shown: Day | None = None
    for (day, endpoint, currency), one in _lines(books):
        for why, rows in sorted(one.rows_by_reason.items()):
            if shown is None:
                say("\nWhy they differ: rows, difference, reason")
            if day != shown:
                say(f"{day[0] or '-'}, tenant {day[1]}")
            shown = day
            amount = _money(one.by_reason[why])
            say(f"  {endpoint:<11}  {currency}  {rows:>6}  {amount:>13}  {why}")


def _summary(books: Books, *, fixed: bool) -> str:
    total: Counter[Verdict] = sum(books.rows.values(), Counter())
    wrong = [
        f"{total[verdict]} {verdict}"
        for verdict in (Verdict.MISSING, Verdict.CHANGED, Verdict.ORPHANED)
        if total[verdict]
    ]
    if books.unexplained:
        wrong.append(f"{books.unexplained} not explained")
    if not wrong:
        return "Nothing is missing."
    done = f"Made due: {books.made_due} tasks." if fixed else "Nothing was changed; --fix makes them due."
    return f"Found: {', '.join(wrong)}.\n{done}"


def _counts(counted: Counter[Verdict]) -> dict[str, int]:
    orphaned = counted[Verdict.ORPHANED]
    values = (
        counted.total() - orphaned,
        counted[Verdict.HANDLED],
        counted[Verdict.UNDERWAY] + counted[Verdict.REFUND],
        counted[Verdict.MISSING],
        counted[Verdict.CHANGED],
        orphaned,
    )
    return dict(zip(_COUNTED, values, strict=True))


def _lines(books: Books) -> Iterable[tuple[tuple[Day, Endpoint, str], Sum]]:
    return sorted(
        books.money.items(), key=lambda item: (_by_day(item[0][0]), _ORDER.index(item[0][1]), item[0][2])
    )


def _by_day(day: Day) -> tuple[bool, date, int]:
    return day[0] is None, day[0] or date.min, day[1] or 0


def _money(amount: Decimal) -> str:
    return f"{amount:,}"
