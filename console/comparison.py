"""The rows against the ledger, by day and tenant: how many were handled as they stand, and the money."""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import MappingProxyType

import psycopg

from console.amounts import ZERO, Entry, accepted, called_for, reason
from mappers import SnapshotError
from outbox.endpoints import Aggregate, Endpoint
from outbox.reconcile import FIRST_ID, Page, Scope, Standing, Verdict, by_aggregate, make_due, read_page
from outbox.session import telling
from outbox.statements import statements

PAGE_ROWS = 500
MOVED = "the row is another tenant's now"
UNEXPLAINED = "not explained"
UNREADABLE = "an amount cannot be read"
FOUND = (Verdict.MISSING, Verdict.CHANGED, Verdict.ORPHANED, Verdict.UNREADABLE)
_ROWS = MappingProxyType({Aggregate.POS_TRANSACTION: "sales", Aggregate.KOL_SETTLEMENT: "settlements"})
_SQL = statements("console", "comparison.sql")

Day = tuple[date | None, int | None]
"""A business date and a tenant; no date where a row is not completed yet, or gone without a trace."""

Place = tuple[Endpoint, int]
"""An endpoint and an aggregate."""


@dataclass
class Sum:
    """Money of one kind of document in one currency, with why its two sides differ."""

    called_for: Decimal = ZERO
    accepted: Decimal = ZERO
    rows_by_reason: Counter[str] = field(default_factory=Counter)
    by_reason: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def difference(self) -> Decimal:
        """What is called for and was not accepted."""
        return self.called_for - self.accepted

    def add(self, wanted: Decimal, has: Decimal, why: str) -> None:
        """Add a row; `why` counts where its two sides differ."""
        self.called_for += wanted
        self.accepted += has
        if wanted != has or why == UNREADABLE:
            self.rows_by_reason[why] += 1
            self.by_reason[why] += wanted - has


@dataclass
class Books:
    """What a comparison has gathered; `sent` names the documents that AiAccount may be asked for."""

    rows: dict[Day, Counter[Verdict]] = field(default_factory=lambda: defaultdict(Counter))
    money: dict[tuple[Day, Endpoint, str], Sum] = field(default_factory=lambda: defaultdict(Sum))
    sent: list[tuple[int, Endpoint, int, str]] = field(default_factory=list)
    unreadable: list[tuple[Aggregate, int]] = field(default_factory=list)
    made_due: int = 0

    def found(self, verdict: Verdict) -> int:
        """Count the rows of a verdict."""
        return sum(counted[verdict] for counted in self.rows.values())

    @property
    def unexplained(self) -> int:
        """Count the rows whose money differs and nothing says why."""
        return sum(one.rows_by_reason[UNEXPLAINED] for one in self.money.values())


def compare(
    session: psycopg.Connection, scope: Scope, *, fix: bool, progress: Callable[[Aggregate, int], None]
) -> Books:
    """Compare all rows of a scope, page by page; `progress` hears how far it has come, by id.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    books = Books()
    for aggregate in Aggregate:
        after: int | None = FIRST_ID
        while after is not None:
            page = read_page(session, aggregate, after, scope, PAGE_ROWS)
            if page.unreadable is not None:
                books.unreadable.append((aggregate, page.unreadable))
            differing = _gathered(session, aggregate, page, scope, books)
            if fix:
                books.made_due += make_due(session, differing)
            after = page.ends
            if after is not None:
                progress(aggregate, after)
    return books


def greatest_id(session: psycopg.Connection, aggregate: Aggregate) -> int:
    """Return how far there is to go."""
    with telling():
        found: int = session.execute(_SQL["greatest"], {"aggregate": aggregate}).fetchall()[0][0]
    return found


def unknown_tenants(session: psycopg.Connection, tenants: Iterable[int]) -> list[int]:
    """Return which of these are no tenants."""
    with telling():
        return [row[0] for row in session.execute(_SQL["unknown_tenants"], {"ids": list(tenants)})]


def _gathered(
    session: psycopg.Connection, aggregate: Aggregate, page: Page, scope: Scope, books: Books
) -> list[Standing]:
    """Add a page to the books; return what was not handled, to be made due."""
    ids = list({one.aggregate_id for one in page.standings})
    if not ids:
        return []
    with telling():
        rows = {
            key: (tenant, json.loads(text))
            for key, tenant, text in session.execute(_SQL[_ROWS[aggregate]], {"ids": ids})
        }
        found = session.execute(_SQL["ledger"], {"ids": ids, "aggregate": aggregate}).fetchall()
        troubles = session.execute(_SQL["troubles"], {"ids": ids, "aggregate": aggregate}).fetchall()
    ledger: dict[Place, list[Entry]] = defaultdict(list)
    for endpoint, key, *values in found:
        ledger[Endpoint(endpoint), key].append(Entry(*values))
    trouble = {(Endpoint(endpoint), key): code for endpoint, key, code in troubles}
    dates = {one.aggregate_id: _date(one, one.aggregate_id in rows, ledger) for one in page.standings}
    inside = [one for one in page.standings if _inside(dates[one.aggregate_id], scope)]
    tenants = {one.aggregate_id: one.tenant_id for one in inside}
    for key, verdict in by_aggregate(inside).items():
        if key in rows or verdict is Verdict.ORPHANED:
            books.rows[dates[key], tenants[key]][verdict] += 1
    for one in inside:
        place = (one.endpoint, one.aggregate_id)
        tenant, row = rows.get(one.aggregate_id, (None, None))
        _add(books, dates[one.aggregate_id], one, tenant, row, ledger[place], trouble.get(place))
    return [one for one in inside if one.verdict not in {Verdict.HANDLED, Verdict.UNDERWAY}]


def _add(  # noqa: PLR0913, PLR0917 - one row at one endpoint, as it was read
    books: Books,
    day: date | None,
    standing: Standing,
    tenant: int | None,
    row: Mapping[str, object] | None,
    entries: list[Entry],
    trouble: str | None,
) -> None:
    """Add what a row calls for and what was accepted of it, each to the tenant whose it is."""
    owner = standing.tenant_id if tenant is None else tenant
    for tenant_id in {owner, *(entry.tenant_id for entry in entries)}:
        own = [entry for entry in entries if entry.tenant_id == tenant_id]
        why = reason(standing.verdict, own, trouble) or UNEXPLAINED
        wanted: dict[str, Decimal] = {}
        if row is not None and tenant_id == owner:
            try:
                currency, amount = called_for(standing.endpoint, row)
                wanted[currency] = amount
            except SnapshotError:
                wanted[str(row.get("currency"))], why = ZERO, UNREADABLE
        elif row is not None:
            why = MOVED
        has = accepted(own)
        for currency in wanted.keys() | has.keys():
            both = wanted.get(currency, ZERO), has.get(currency, ZERO)
            books.money[(day, tenant_id), standing.endpoint, currency].add(*both, why)
        books.sent += [
            (tenant_id, standing.endpoint, standing.aggregate_id, entry.number)
            for entry in own
            if tenant_id is not None and entry.currency is not None
        ]


def _date(standing: Standing, there: bool, ledger: Mapping[Place, list[Entry]]) -> date | None:  # noqa: FBT001 - whether the row is
    """Return a row's business date; where the row is gone, that of its first document."""
    if there:
        return standing.business_date
    endpoints = [one for one in Endpoint if one.aggregate is standing.endpoint.aggregate]
    entries = [entry for one in endpoints for entry in ledger.get((one, standing.aggregate_id), [])]
    return min((date.fromisoformat(entry.date) for entry in entries if entry.date), default=None)


def _inside(day: date | None, scope: Scope) -> bool:
    if scope.dates is None:
        return True
    return day is not None and scope.dates[0] <= day <= scope.dates[1]
