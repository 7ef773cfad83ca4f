"""How each tenant's documents are doing: the facts that decide the pills, read in a few cheap statements."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import namedtuple_row

from console.phrases import INACTIVE, PAUSING, value_of
from console.pill import MOST_ROWS, Facts, Failure, Pill, Waiting, Way, pill_of, rank
from outbox.endpoints import Endpoint
from outbox.session import telling
from outbox.statements import statements

_SQL = statements("console", "standing.sql")
_FAILED = ("block", "conflict", "park")
TROUBLE = "trouble"
"""The state of a row that could not be handled as a whole."""

Key = tuple[int, str]


@dataclass(frozen=True)
class Lead:
    """Which relay leads: the name of its machine and since when; none where no relay ever led."""

    leads: bool
    by: str | None
    since: datetime | None
    moved_at: datetime


@dataclass(frozen=True)
class Standing:
    """How one tenant's documents of one endpoint are doing."""

    tenant_id: int
    company_name: str
    endpoint: Endpoint
    facts: Facts
    pill: Pill


@dataclass(frozen=True)
class Look:
    """What was found at the moment `at`, the database's; `operator` says that the login sees the pipeline."""

    at: datetime
    operator: bool
    lead: Lead
    captures: bool
    standings: tuple[Standing, ...]


def settle(session: psycopg.Connection) -> None:
    """Make a session fit for these statements."""
    with telling():
        session.execute(_SQL["settle"])


def unseen(session: psycopg.Connection, tenants: Sequence[int]) -> list[int]:
    """Return which of these are no tenants that the login may see."""
    with telling():
        return [row[0] for row in session.execute(_SQL["unseen"], {"tenants": list(tenants)})]


def look(session: psycopg.Connection, tenants: Sequence[int] | None = None) -> Look:
    """Look at these tenants, at all that may be seen where none are named.

    Raises:
        DatabaseError: PostgreSQL gave up, or the login lacks a role.
    """
    asked = {"tenants": None if tenants is None else list(tenants), "most": MOST_ROWS + 1}
    ways = _rows(session, "way")
    failures, waiting = _unsettled(session, asked)
    for row in _rows(session, "troubled", asked):
        failure = Failure(TROUBLE, row.trouble_code, None, row.rows, row.since)
        failures[row.tenant_id, row.endpoint].append(failure)
    _add_tasks(session, asked, waiting)
    now, first = ways[0].now, ways[0]
    way_at = {
        row.endpoint: Way(
            row.captures, row.leads, row.moved_at, row.unread_since, row.unheard_since, row.down_since
        )
        for row in ways
    }
    standings = []
    for row in _rows(session, "endpoints", asked):
        key = row.tenant_id, row.endpoint
        pause = _pause(row, failures[key])
        facts = Facts(
            now,
            ZoneInfo(row.timezone),
            way_at[row.endpoint],
            pause,
            tuple(sorted((each for each in failures[key] if each.code not in PAUSING), key=rank)),
            waiting[key],
            row.accepted_at,
            row.rows,
        )
        standings.append(
            Standing(row.tenant_id, row.company_name, Endpoint(row.endpoint), facts, pill_of(facts))
        )
    lead = Lead(first.leads, first.led_by, first.led_at, first.moved_at)
    return Look(now, first.operator, lead, first.captures, tuple(standings))


def ledger(session: psycopg.Connection) -> dict[str, int]:
    """Count documents by state, of all companies that the tenants ever posted to.

    A document whose first attempt is under way is not counted.
    """
    return {row.state: row.documents for row in _rows(session, "ledger")}


def _pause(row: Any, failures: Sequence[Failure]) -> str | None:  # noqa: ANN401 - a row of `endpoints`
    """Return the code of why a tenant is not called; what is blocked for the like of it says so too."""
    if not row.active:
        return INACTIVE
    if not row.connected:
        return "NOT_CONNECTED"
    blocked = (each.code for each in failures if each.code in PAUSING)
    code: str | None = row.stop_code or next(blocked, None)
    return code


def _unsettled(
    session: psycopg.Connection, asked: dict[str, Any]
) -> tuple[defaultdict[Key, list[Failure]], defaultdict[Key, Waiting]]:
    """Read the documents that do not go by themselves, those of one value as one, and those that wait."""
    found: defaultdict[Key, dict[tuple[str, str, str | None], Failure]] = defaultdict(dict)
    waiting: defaultdict[Key, Waiting] = defaultdict(Waiting)
    for row in _rows(session, "unsettled", asked):
        key = row.tenant_id, row.endpoint
        if row.verdict in _FAILED:
            failure = Failure(
                row.state, row.code, value_of(row.code, row.reason), row.documents, row.since, row.number
            )
            kind = failure.state, failure.code, failure.value
            found[key][kind] = _joined(found[key].get(kind), failure)
        else:
            waiting[key] = _added(waiting[key], Waiting(row.idle, row.since, row.code))
    return defaultdict(list, {key: list(kinds.values()) for key, kinds in found.items()}), waiting


def _add_tasks(
    session: psycopg.Connection, asked: dict[str, Any], waiting: defaultdict[Key, Waiting]
) -> None:
    for row in _rows(session, "tasks", asked):
        key = row.tenant_id, row.endpoint
        waiting[key] = _added(waiting[key], Waiting(row.tasks, row.since, moves=row.moves))


def _joined(known: Failure | None, more: Failure) -> Failure:
    if known is None:
        return more
    older = min(known, more, key=lambda each: each.since)
    return replace(older, count=known.count + more.count)


def _added(known: Waiting, more: Waiting) -> Waiting:
    """Add what waits; the code is the oldest's that has one."""
    since = min((each for each in (known.since, more.since) if each is not None), default=None)
    older = more.code if known.since is None or (more.since and more.since < known.since) else known.code
    return Waiting(
        known.count + more.count, since, older or known.code or more.code, known.moves or more.moves
    )


def _rows(session: psycopg.Connection, name: str, asked: dict[str, Any] | None = None) -> list[Any]:
    with telling():
        return list(_cursor(session, name, asked))


def _cursor(session: psycopg.Connection, name: str, asked: dict[str, Any] | None) -> Iterator[Any]:
    with session.cursor(row_factory=namedtuple_row) as cursor:
        yield from cursor.execute(_SQL[name], asked).fetchall()
