"""Reconciliation: which aggregates were not handled as they stand now, a page at a time.

Triggers may be off, a capture may fail, Kafka may be lost whole. What was handled is known by its digest, so
whatever slipped through is found by comparing, and becomes a due task like everything else.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import psycopg

from outbox.endpoints import Aggregate, Endpoint
from outbox.session import open_session, telling
from outbox.statements import statements

PAGE_ROWS = 250
GRACE_SECONDS = 120.0
FIRST_ID = -(2**63)
LAST_ID = 2**63 - 1
_SQL = statements("outbox", "reconcile.sql")


class Verdict(StrEnum):
    """How an aggregate stands at an endpoint; `reconcile.sql` says what each means."""

    HANDLED = "handled"
    UNDERWAY = "underway"
    MISSING = "missing"
    CHANGED = "changed"
    REFUND = "refund"
    ORPHANED = "orphaned"
    UNREADABLE = "unreadable"


SLIPPED = (Verdict.MISSING, Verdict.CHANGED, Verdict.ORPHANED, Verdict.UNREADABLE)
"""What the triggers missed, or Kafka lost."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is compared: of which tenants and business dates (both ends included), all if none.

    `grace` is for how many seconds a captured change is taken to be on its way; `differing` leaves out what
    is handled.
    """

    grace: float = GRACE_SECONDS
    tenants: tuple[int, ...] | None = None
    dates: tuple[date, date] | None = None
    differing: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How one aggregate stands at one endpoint; without a date it is not completed yet, or gone."""

    endpoint: Endpoint
    aggregate_id: int
    tenant_id: int | None
    business_date: date | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Page:
    """What stands up to the id `ends`, none at the last page; `unreadable` is a row that breaks the view."""

    ends: int | None
    standings: tuple[Standing, ...]
    unreadable: int | None = None


def open_reconciliation(url: str) -> psycopg.Connection:
    """Connect, with the settings that these statements need.

    Raises:
        DatabaseError: PostgreSQL cannot be reached or refuses us.
    """
    session = open_session(url, "aiaccount-sync reconcile")
    with telling():
        session.execute(_SQL["settle"])
    return session


def read_page(  # noqa: PLR0913, PLR0917 - a range, and what is asked of it
    session: psycopg.Connection,
    aggregate: Aggregate,
    after: int = FIRST_ID,
    scope: Scope = Scope(),
    rows: int = PAGE_ROWS,
    last: int = LAST_ID,
) -> Page:
    """Compare the next `rows` rows after the id `after`, up to the id `last`.

    Where a row breaks the view, a smaller page is read, down to the row alone: it is named, and passed over.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    bounds = {"aggregate": aggregate, "after": after, "last": last}
    first, to = scope.dates or (None, None)
    while True:
        with telling():
            (ends,) = session.execute(_SQL["page_end"], {**bounds, "rows": rows}).fetchall()[0]
            asked = {
                "aggregate": aggregate,
                "after": after,
                "upto": last if ends is None else ends,
                "from": first,
                "to": to,
                "tenants": None if scope.tenants is None else list(scope.tenants),
                "grace": scope.grace,
                "differing": scope.differing,
            }
            try:
                found = session.execute(_SQL["compare"], asked).fetchall()
            except psycopg.DataError:
                if rows == 1:
                    return Page(ends, (), ends)
                rows = max(1, rows // 10)
                continue
        return Page(ends, tuple(_standing(row) for row in found))


def make_due(session: psycopg.Connection, standings: Iterable[Standing]) -> int:
    """Make due what these name, and ask for another look where somebody is at it; return how many.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    rows = [
        {"endpoint": one.endpoint, "aggregate_id": one.aggregate_id, "tenant_id": one.tenant_id}
        for one in standings
    ]
    if not rows:
        return 0
    with telling():
        return session.execute(_SQL["make_due"], {"rows": json.dumps(rows)}).rowcount


def by_aggregate(standings: Iterable[Standing]) -> Mapping[int, Verdict]:
    """Return one verdict for each aggregate: the worst of its endpoints'."""
    worst: dict[int, Verdict] = {}
    for one in standings:
        known = worst.get(one.aggregate_id, Verdict.HANDLED)
        worst[one.aggregate_id] = max(known, one.verdict, key=_WORSE.index)
    return worst


_WORSE = (
    Verdict.HANDLED,
    Verdict.UNDERWAY,
    Verdict.REFUND,
    Verdict.CHANGED,
    Verdict.ORPHANED,
    Verdict.MISSING,
    Verdict.UNREADABLE,
)


def _standing(row: tuple[str, int, int | None, date | None, str]) -> Standing:
    endpoint, aggregate_id, tenant_id, business_date, verdict = row
    return Standing(Endpoint(endpoint), aggregate_id, tenant_id, business_date, Verdict(verdict))
