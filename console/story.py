"""A row's story as it is known now: the row, what it calls for, what was tried, what holds it. Reads only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from console.finding import Numbered, Sight, numbered
from console.preview import SourceRow, read_row
from mappers import Outcome, plan
from outbox.decisions import Made, Place, made
from outbox.endpoints import Endpoint
from outbox.errors import UsageError
from outbox.statements import statements

_SQL = statements("console", "story.sql")


@dataclass(frozen=True)
class Owner:
    """The tenant, as far as a story needs it."""

    company_name: str
    timezone: str
    active: bool
    company_id: str | None
    settings_version: int


@dataclass(frozen=True)
class Document:
    """A document as the ledger has it; `document` is what was sent, none where nothing was."""

    company_id: str
    endpoint: Endpoint
    number: str
    state: str
    document: Mapping[str, Any] | None
    doubt_at: datetime | None
    accepted_at: datetime | None
    remote_id: str | None
    code: str | None
    reason: str | None
    next_at: datetime | None


@dataclass(frozen=True)
class Attempt:
    """An attempt as it was logged."""

    company_id: str
    endpoint: str
    number: str
    began_at: datetime
    seconds: float
    calls: int
    treatment: str
    code: str
    reason: str


@dataclass(frozen=True)
class Task:
    """The row's task at an endpoint."""

    endpoint: str
    lane: str
    due_at: datetime | None
    busy_until: datetime | None
    trouble_code: str | None
    trouble: str | None
    handled_at: datetime | None


@dataclass(frozen=True)
class Stop:
    """The tenant is not called; `endpoint` is * for all."""

    endpoint: str
    code: str
    reason: str
    stopped_at: datetime


@dataclass(frozen=True)
class Breaker:
    """What the tenant's books lack, and when one document tries again."""

    endpoint: str
    code: str
    value: str
    reason: str
    opened_at: datetime
    probe_at: datetime


@dataclass(frozen=True)
class Outage:
    """An endpoint that does not answer, for anybody."""

    endpoint: str
    reason: str
    began_at: datetime
    probe_at: datetime


@dataclass(frozen=True)
class Deed:
    """What a person did about one of the numbers."""

    at: datetime
    actor: str
    action: str
    succeeded: bool


@dataclass(frozen=True)
class Story:
    """All that is known of a row at one moment.

    `owner` is none where the blogger is no tenant; `source` where the row is gone, cannot be read (then
    `unread` says why) or is not this login's to read; `outcomes` is what the mappers say now, or why not.
    """

    now: datetime
    row: Numbered
    sight: Sight
    owner: Owner | None
    source: SourceRow | None = None
    unread: str | None = None
    business_date: str | None = None
    outcomes: Mapping[Endpoint, Sequence[Outcome] | str] | None = None
    documents: Sequence[Document] = ()
    attempts: Sequence[Attempt] = ()
    tasks: Mapping[str, Task] | None = None
    stops: Sequence[Stop] = ()
    breakers: Sequence[Breaker] = ()
    outages: Sequence[Outage] = ()
    closed_until: datetime | None = None
    on_its_way: datetime | None = None
    decisions: Sequence[Made] = ()
    deeds: Sequence[Deed] = ()


def read_story(connection: Connection, row: Numbered, sight: Sight) -> Story:
    """Read a row's story; rows that break their view or the mapper have one, too."""
    given: dict[str, Any] = {
        "aggregate": row.aggregate,
        "id": row.aggregate_id,
        "tenant": row.tenant_id,
    }

    def all_of(name: str, **more: object) -> list[Any]:
        return [*connection.exec_driver_sql(_SQL[name], {**given, **more}).mappings()]

    now: datetime = connection.exec_driver_sql("select clock_timestamp()").scalar_one()
    if sight.rows and row.status is None:
        row = next(iter(numbered(connection, "row", given)), row)
    owner = next((Owner(**one) for one in all_of("tenant")), None)
    if owner is None:
        return Story(now, row, sight, None)
    documents = [_document(one) for one in all_of("documents")]
    source, unread, day = _source(connection, row, given) if sight.rows and row.owned else (None, None, None)
    outcomes = _outcomes(row, source) if source is not None else None
    numbers = {one.number for one in documents} | {row.number} | _numbers(outcomes)
    companies = {one.company_id for one in documents} | ({owner.company_id} if owner.company_id else set())
    asked = {"numbers": [*numbers], "companies": [*companies]}
    closed = all_of("closed_until") if sight.paces else []
    waiting = all_of("on_its_way") if sight.outbox else []
    return Story(
        now=now,
        row=row,
        sight=sight,
        owner=owner,
        source=source,
        unread=unread,
        business_date=day,
        outcomes=outcomes,
        documents=documents,
        attempts=[Attempt(**one) for one in all_of("attempts", **asked)],
        tasks={one["endpoint"]: Task(**one) for one in all_of("tasks")},
        stops=[Stop(**one) for one in all_of("stops")],
        breakers=[Breaker(**one) for one in all_of("breakers")],
        outages=[Outage(**one) for one in all_of("outages")],
        closed_until=closed[0]["closed_until"] if closed else None,
        on_its_way=waiting[0]["max"] if waiting else None,
        decisions=_decisions(connection, row, owner, sight),
        deeds=[Deed(**one) for one in all_of("deeds", **asked)] if sight.record else [],
    )


def _document(found: Mapping[str, Any]) -> Document:
    text = found["document"]
    return Document(
        **{**found, "endpoint": Endpoint(found["endpoint"]), "document": json.loads(text) if text else None}
    )


def _source(
    connection: Connection, row: Numbered, given: Mapping[str, Any]
) -> tuple[SourceRow | None, str | None, str | None]:
    """Read the row as a delivery would; or say why it cannot be read."""
    try:
        with connection.begin_nested():
            source = read_row(connection, endpoints_of(row)[0], row.aggregate_id)
            day = connection.exec_driver_sql(_SQL["business_date"], {**given}).scalar_one_or_none()
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.DataError):
            raise
        return None, " ".join(str(error.orig).split()), None
    except UsageError:
        return None, None, None  # gone without a trace of its own: the ledger tells what there is
    except ValueError as error:
        return None, str(error), None
    return source, None, day


def _outcomes(row: Numbered, source: SourceRow) -> dict[Endpoint, Sequence[Outcome] | str]:
    """Ask both mappers with today's settings."""
    said: dict[Endpoint, Sequence[Outcome] | str] = {}
    for endpoint in endpoints_of(row):
        try:
            said[endpoint] = plan(endpoint, source.settings, source.snapshot, source.sent, source.decisions)
        except ValueError as error:
            said[endpoint] = str(error)
    return said


def endpoints_of(row: Numbered) -> list[Endpoint]:
    """Return the two endpoints of a row, the invoice's or bill's first."""
    return [one for one in Endpoint if one.aggregate is row.aggregate]


def _numbers(outcomes: Mapping[Endpoint, Sequence[Outcome] | str] | None) -> set[str]:
    return {one.number for said in (outcomes or {}).values() if not isinstance(said, str) for one in said}


def _decisions(connection: Connection, row: Numbered, owner: Owner, sight: Sight) -> Sequence[Made]:
    if not sight.decisions or owner.company_id is None:
        return []
    return made(connection, Place(owner.company_id, row.tenant_id, row.aggregate, row.aggregate_id))
