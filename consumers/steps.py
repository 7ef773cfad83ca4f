"""The database steps of a delivery, each grouped over many deliveries: claim, read, intend, record.

The SQL is in `steps.sql`; here rows go in as one JSON parameter and come out as values. A connection comes
from a pool in autocommit; a record is one transaction of several statements. They are not sent together:
between statements that are, PostgreSQL takes a process that stands still for one at work, and waits for ever.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from consumers.batches import Batches
from outbox.errors import DatabaseError
from outbox.session import STANDSTILL
from outbox.statements import statements

Row = Mapping[str, Any]
_SQL = statements("consumers", "steps.sql")
_TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.IdleInTransactionSessionTimeout,
)
_INSTALLATION = ("42", "3F")
"""Classes of errors about what is missing or not allowed: a deployment in the wrong order, never one row."""


@dataclass(frozen=True, slots=True)
class Intended:
    """What became of an intent.

    Written; else whether the token still holds, whether the number is another's, and what the gate says:
    `kept` is why not now (PACED, RATE_LIMITED, ENDPOINT_DOWN or a breaker's code), for about `seconds`.
    `probes` says that this one call tries an endpoint that is down.
    """

    written: bool
    held: bool
    taken: bool
    kept: str | None = None
    seconds: float = 0.0
    probes: bool = False


@dataclass(frozen=True, slots=True)
class Learned:
    """What a delivery's attempts teach all processes: rows by the statement's parameter."""

    attempts: Sequence[Row] = ()
    limits: Sequence[Row] = ()
    outages: Sequence[Row] = ()
    recovered: Sequence[Row] = ()
    refusals: Sequence[Row] = ()
    passed: Sequence[Row] = ()
    stops: Sequence[Row] = ()

    @property
    def of_the_gate(self) -> Sequence[Row]:
        """The rows that change what calls are given out by; each names its tenant, its endpoint or both."""
        return [*self.limits, *self.outages, *self.recovered, *self.refusals, *self.passed]


NOTHING = Learned()


@dataclass(frozen=True, slots=True)
class Record:
    """What a delivery leaves: rows for the statements of a record, by the statement's parameter."""

    released: Row
    touched: Sequence[Row]
    accepted: Sequence[Row]
    fresh: Sequence[Row]
    noted: Sequence[Row]
    woken: Sequence[Row]
    learned: Learned = NOTHING


# Every statement here looks up some rows by key. While tables grow faster than their statistics the planner
# would rather read them whole, again for each row; compiling a plan takes longer than running it.
_SETTINGS = {
    "TimeZone": "UTC",
    "synchronous_commit": "on",
    **STANDSTILL,
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
}


class Steps:
    """Run the database steps over a pool of connections; `claim_seconds` is how long a claim lasts."""

    def __init__(self, pool: AsyncConnectionPool[Any], random: Random, claim_seconds: float) -> None:
        self._pool = pool
        self._seconds = claim_seconds
        self.claims: Batches[Row, UUID | None] = Batches(self._claim, random)
        self.reads: Batches[Row, Row] = Batches(self._read, random, size=100)
        self.tenants: Batches[int, Row | None] = Batches(self._tenants, random)
        self.intents: Batches[Row, Intended] = Batches(self._intend, random)
        self.records: Batches[Record, bool] = Batches(self._record, random)

    async def _claim(self, rows: Sequence[Row]) -> list[UUID | None]:
        """Claim tasks: for each row (endpoint, aggregate_id, lane, token) whose token stands there now."""
        first = {_key(row): row for row in reversed(rows)}
        found = await self._run("claim", rows=list(first.values()), seconds=self._seconds)
        holders = {_key(row): row["token"] for row in found}
        claimed = [str(holders[_key(row)]) == row["token"] for row in rows]
        return [UUID(row["token"]) if mine else None for row, mine in zip(rows, claimed, strict=True)]

    async def _read(self, rows: Sequence[Row]) -> list[Row]:
        numbered = [{"n": n, **row} for n, row in enumerate(rows)]
        found = await self._run("read", rows=numbered)
        return sorted(found, key=lambda row: int(row["n"]))

    async def _tenants(self, tenants: Sequence[int]) -> list[Row | None]:
        found = await self._run("tenants", tenants=list(set(tenants)))
        by_id = {row["tenant_id"]: row for row in found}
        return [by_id.get(tenant) for tenant in tenants]

    async def _intend(self, rows: Sequence[Row]) -> list[Intended]:
        """Write intents; those marked `gated` are given a call, one batch at a time, or are kept."""
        numbered = [{"n": n, **row} for n, row in enumerate(rows)]
        gate = _gate([row for row in rows if row.get("gated")])
        try:
            found = await self._gated(gate, numbered)
        except psycopg.errors.UniqueViolation:  # somebody took a number meanwhile: now it can be seen
            found = await self._gated(gate, numbered)
        by_token = {
            (str(row["token"]), row["number"]): Intended(
                row["written"], row["held"], row["taken"], row["kept"], row["seconds"] or 0.0, row["probes"]
            )
            for row in found
        }
        return [by_token[row["token"], row["number"]] for row in rows]

    async def _gated(self, gate: Row, rows: Sequence[Row]) -> list[Row]:
        if not gate:
            return await self._run("intend", rows=rows)
        async with self._connection() as connection, connection.transaction():
            await connection.execute(_SQL["gate_lock"], gate)
            cursor = await connection.execute(_SQL["intend"], {"rows": _json(rows)})
            found: list[Row] = await cursor.fetchall()
            return found

    async def _record(self, records: Sequence[Record]) -> list[bool]:
        """Record outcomes and release, in one transaction; says of each whether the token still held."""

        def gathered(rows: Sequence[Sequence[Row]]) -> list[Row]:
            return [row for some in rows for row in some]

        accepted = gathered([record.accepted for record in records])
        woken = gathered([record.woken for record in records])
        learned = {
            name: gathered([getattr(record.learned, name) for record in records])
            for name in ("attempts", "limits", "outages", "recovered", "refusals", "passed", "stops")
        }
        gate = _gate(gathered([record.learned.of_the_gate for record in records]))
        parts: list[tuple[str, str, Sequence[Row]]] = [
            ("record_lock", "touched", gathered([record.touched for record in records])),
            ("record_accepted", "accepted", accepted),
            ("record_look", "accepted", accepted),
            ("record_new", "fresh", gathered([record.fresh for record in records])),
            ("record_noted", "noted", gathered([record.noted for record in records])),
            *((f"record_{name}", name, rows) for name, rows in learned.items()),
            ("release", "released", [record.released for record in records]),
            ("wake", "woken", woken),
        ]
        released: set[str] = set()
        async with self._connection() as connection, connection.transaction():
            if gate:
                await connection.execute(_SQL["gate_lock"], gate)
            for name, parameter, rows in parts:
                if rows:
                    cursor = await connection.execute(_SQL[name], {parameter: _json(rows)})
                    if name == "release":
                        releases = cursor
            released = {str(row["token"]) for row in await releases.fetchall()}
        return [record.released["token"] in released for record in records]

    async def _run(self, name: str, **parameters: object) -> list[Row]:
        if "rows" in parameters:
            parameters["rows"] = _json(parameters["rows"])
        async with self._connection() as connection:
            cursor = await connection.execute(_SQL[name], parameters)
            rows: list[Row] = await cursor.fetchall()
            return rows

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Give a connection of the pool; one that failed is not used again, for its session may be why.

        A session that began while the database was read-only stays so for as long as it lives.

        Raises:
            DatabaseError: PostgreSQL cannot be reached or gave up; it may come back.
        """
        try:
            async with self._pool.connection() as connection:
                try:
                    yield connection
                except psycopg.Error as error:
                    if _may_pass(error):
                        await connection.close()
                    raise
        except psycopg.Error as error:
            if _may_pass(error):
                raise DatabaseError(str(error)) from error
            raise


def open_pool(url: str, connections: int) -> AsyncConnectionPool[Any]:
    """Make a pool, not opened yet, for the steps: autocommit, rows as dictionaries, UTC, durable commits."""

    async def configure(connection: psycopg.AsyncConnection[Any]) -> None:
        for name, value in _SETTINGS.items():
            await connection.execute("select set_config(%s, %s, false)", (name, value))

    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=connections,
        open=False,
        configure=configure,
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "application_name": "aiaccount-sync consume",
            "prepare_threshold": 0,
        },
        timeout=10,
    )


def _may_pass(error: psycopg.Error) -> bool:
    """Say whether an error is the server's or the installation's, and not that of what was asked."""
    return isinstance(error, _TRANSIENT) or (error.sqlstate or "").startswith(_INSTALLATION)


def _gate(rows: Sequence[Row]) -> Row:
    """Return what the lock of the gate takes for these rows; empty where nothing is to be locked."""
    tenants = sorted({row["tenant_id"] for row in rows if "tenant_id" in row})
    endpoints = sorted({row["endpoint"] for row in rows if "endpoint" in row})
    return {"tenants": tenants, "endpoints": endpoints} if rows else {}


def _key(row: Row) -> tuple[str, int]:
    return row["endpoint"], row["aggregate_id"]


def _json(rows: object) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
