"""What a backfill would do: its rows, found as the run would find them, asked of the mappers one by one.

Nothing is changed: what a run records to find its rows is rolled back, and the settings that the mappers get
name the run's dates as wanted.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.engine import Row

from console.amounts import ZERO, Entry, accepted, called_for
from console.preview import as_sent, obstacles_of, read_row
from console.session import transaction
from consumers.view import parse_snapshot
from mappers import Accepted, Block, Conflict, Decision, Outcome, Push, Sent, Settings, Skip, Wait, plan
from outbox import runs
from outbox.endpoints import Aggregate, Endpoint
from outbox.environment import Config
from outbox.runs import Asked
from outbox.statements import statements
from outbox.tenants import Tenant, get, read_settings

PAGE_ROWS = 250
_SQL = statements("console", "rehearsal.sql")
_ROWS = MappingProxyType({Aggregate.POS_TRANSACTION: "sales", Aggregate.KOL_SETTLEMENT: "settlements"})
_HEADS = MappingProxyType(
    {Endpoint.POS_RECEIPT: Endpoint.POS_INVOICE, Endpoint.KOL_PAYMENT: Endpoint.KOL_BILL}
)


class Fate(StrEnum):
    """What would become of a row, the worst of its documents first."""

    UNREADABLE = "unreadable"
    CONFLICT = "conflict"
    BLOCKED = "blocked"
    WAITING = "waiting"
    TO_SEND = "to send"
    THERE = "there"
    NOTHING = "nothing"


_ORDER = tuple(Fate)
Line = tuple[int, Endpoint, Fate, str, str]
"""A tenant, an endpoint, a fate, the reason or nothing, and a currency."""


@dataclass
class Rehearsal:
    """How many rows, and how much of what they call for is not accepted yet, or, of those there, is.

    `hanging` are refunds with the sale that they wait for; `going` the sales whose invoices would be sent;
    `obstacles` say why nothing of a tenant would be sent at an endpoint now.
    """

    rows: dict[Line, int] = field(default_factory=lambda: defaultdict(int))
    money: dict[Line, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    hanging: list[tuple[int, Line, Decimal]] = field(default_factory=list)
    going: set[int] = field(default_factory=set)
    obstacles: dict[tuple[int, Endpoint], list[str]] = field(default_factory=dict)

    def add(self, line: Line, amount: Decimal) -> None:
        """Add a row."""
        self.rows[line] += 1
        self.money[line] += amount

    def settle(self) -> None:
        """Let refunds that wait for a sale whose invoice goes with them be sent after it."""
        for original, (tenant, endpoint, fate, code, currency), amount in self.hanging:
            self.add(
                (tenant, endpoint, Fate.TO_SEND if original in self.going else fate, code, currency), amount
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger holds of one row: what was sent, numbers in conflict, what was accepted, in money."""

    sent: tuple[Sent, ...]
    taken: Mapping[str, str]
    entries: Mapping[Endpoint, Sequence[Entry]]


def rehearse(config: Config, asked: Asked, progress: Callable[[int, int], None]) -> Rehearsal:
    """Find the rows of a backfill and ask the mappers; `progress` hears how many of how many are done.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    with transaction(config) as connection:
        found = runs.found(connection, asked)
    told, done = Rehearsal(), 0
    with transaction(config) as connection:
        for (tenant_id, aggregate), rows in _grouped(found):
            tenant, settings = get(connection, tenant_id), _settings(connection, tenant_id, asked)
            for page in _pages(rows):
                _add_page(connection, tenant, settings, aggregate, page, told)
                done += sum(map(len, page.values()))
                progress(done, len(found))
        told.settle()
        for tenant_id, endpoint in {line[:2] for line in told.rows if line[2] is Fate.TO_SEND}:
            obstacles = obstacles_of(connection, get(connection, tenant_id), endpoint)
            if obstacles:
                told.obstacles[tenant_id, endpoint] = obstacles
    return told


def _grouped(
    found: Sequence[tuple[int, Endpoint, int]],
) -> Iterator[tuple[tuple[int, Aggregate], Mapping[int, list[Endpoint]]]]:
    """Give each tenant's rows of a kind, with the endpoints that are asked of each."""
    for key, group in groupby(sorted(found, key=_by_aggregate), key=lambda one: _by_aggregate(one)[:2]):
        rows: dict[int, list[Endpoint]] = defaultdict(list)
        for _, endpoint, aggregate_id in group:
            rows[aggregate_id].append(endpoint)
        yield key, rows


def _by_aggregate(one: tuple[int, Endpoint, int]) -> tuple[int, Aggregate, int]:
    tenant_id, endpoint, aggregate_id = one
    return tenant_id, endpoint.aggregate, aggregate_id


def _pages(rows: Mapping[int, list[Endpoint]]) -> Iterator[dict[int, list[Endpoint]]]:
    keys = list(rows)
    for begin in range(0, len(keys), PAGE_ROWS):
        yield {key: rows[key] for key in keys[begin : begin + PAGE_ROWS]}


def _settings(connection: Connection, tenant_id: int, asked: Asked) -> Settings:
    """Return a tenant's settings as the run would leave them."""
    settings = Settings.from_json(read_settings(connection, tenant_id))
    dates = (asked.first, asked.last)
    wanted = {each.value: (*settings.wanted.get(each, ()), dates) for each in asked.endpoints}
    return replace(settings, wanted={**settings.wanted, **wanted})


def _add_page(  # noqa: PLR0913, PLR0917 - whose rows, and where they are counted
    connection: Connection,
    tenant: Tenant,
    settings: Settings,
    aggregate: Aggregate,
    page: Mapping[int, list[Endpoint]],
    told: Rehearsal,
) -> None:
    rows = connection.exec_driver_sql(_SQL[_ROWS[aggregate]], {"ids": list(page)}).all()
    originals = {key: original for key, original, *_ in rows if original is not None}
    asked = {
        "company": tenant.company_id,
        "aggregate": aggregate,
        "ids": list(page),
        "originals": sorted(set(originals.values())),
    }
    ledger: dict[int, list[Row[Any]]] = defaultdict(list)
    for entry in connection.exec_driver_sql(_SQL["ledger"], asked):
        ledger[entry.aggregate_id].append(entry)
    also = {**asked, "ids": [*page, *originals.values()]}
    decided = set(connection.exec_driver_sql(_SQL["decided"], also).scalars())
    for key, original, text, row in rows:
        known = _known(ledger[key], ledger[original] if original is not None else (), tenant.tenant_id)
        decisions: Sequence[Decision] = ()
        if {key, original} & decided:
            decisions = read_row(connection, page[key][0], key).decisions
        snapshot, figures = parse_snapshot(text), json.loads(row)
        for endpoint in page[key]:
            try:
                fate, code = _fate(endpoint, settings, snapshot, known, decisions)
                currency, wanted = called_for(endpoint, figures)
            except ValueError:
                told.add(
                    (tenant.tenant_id, endpoint, Fate.UNREADABLE, "", str(figures.get("currency"))), ZERO
                )
                continue
            has = accepted(known.entries.get(endpoint, ())).get(currency, ZERO)
            amount = has if fate is Fate.THERE else wanted - has
            line = tenant.tenant_id, endpoint, fate, code, currency
            if fate is Fate.WAITING and original is not None:
                told.hanging.append((original, line, amount))
                continue
            told.add(line, amount)
            if fate is Fate.TO_SEND and endpoint is Endpoint.POS_INVOICE:
                told.going.add(key)


def _known(own: Sequence[Row[Any]], of_original: Sequence[Row[Any]], tenant_id: int) -> _Known:
    """Gather what the ledger says of a row and of its original."""
    entries: dict[Endpoint, list[Entry]] = defaultdict(list)
    for line in own:
        if line.accepted:
            entries[Endpoint(line.endpoint)].append(_entry(line, tenant_id))
    return _Known(
        sent=tuple(
            as_sent(line, of_original=lines is of_original)
            for lines in (own, of_original)
            for line in lines
            if line.accepted or line.in_doubt
        ),
        taken={line.number: line.code for line in own if line.state == "conflict" and not line.accepted},
        entries=entries,
    )


def _entry(line: Row[Any], tenant_id: int) -> Entry:
    document = json.loads(line.document)
    amount = document["totals"]["total"] if "totals" in document else document["amount"]
    return Entry(
        tenant_id,
        line.number,
        line.state,
        line.code,
        accepted=True,
        currency=document["currency"],
        amount=amount,
        date=document["date"],
    )


def _fate(
    endpoint: Endpoint,
    settings: Settings,
    snapshot: Mapping[str, object] | None,
    known: _Known,
    decisions: Sequence[Decision],
) -> tuple[Fate, str]:
    """Say what would become of a row at an endpoint, and for which reason.

    Raises:
        ValueError: The row cannot be mapped.
    """
    outcomes = plan(endpoint, settings, snapshot, known.sent, decisions)
    fates = [_fate_of(outcome, known.taken) for outcome in outcomes]
    head = _HEADS.get(endpoint)
    if head is not None and (not fates or (Fate.WAITING, "") in fates):
        before = plan(head, settings, snapshot, known.sent, decisions)
        if not fates:  # nothing hangs on what is not called for
            fates = [_fate_of(one, known.taken) for one in before if isinstance(one, Skip)]
        if any(isinstance(one, Push) and one.number not in known.taken for one in before):
            fates = [(Fate.TO_SEND, "") if one == (Fate.WAITING, "") else one for one in fates]
    there = [(Fate.THERE, "")] if known.entries.get(endpoint) else []
    return min([*fates, *there], key=lambda one: _ORDER.index(one[0]), default=(Fate.NOTHING, ""))


_FATES = MappingProxyType(
    {
        Push: Fate.TO_SEND,
        Wait: Fate.WAITING,
        Block: Fate.BLOCKED,
        Conflict: Fate.CONFLICT,
        Skip: Fate.NOTHING,
        Accepted: Fate.THERE,
    }
)


def _fate_of(outcome: Outcome, taken: Mapping[str, str]) -> tuple[Fate, str]:
    if outcome.number in taken:
        return Fate.CONFLICT, taken[outcome.number]
    code = outcome.code if isinstance(outcome, Block | Conflict | Skip) else ""
    return _FATES[type(outcome)], code
