"""The database steps of a delivery, each grouped over many deliveries: claim, read, intend, record.

The SQL is in `steps.sql`; here rows go in as one JSON parameter and come out as values. A connection comes
from a pool in autocommit; a record is one transaction of several statements, sent together.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from consumers.batches import Batches
from outbox.errors import DatabaseError
from outbox.statements import statements

Row = Mapping[str, Any]
_SQL = statements("consumers", "steps.sql")
_TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.ReadOnlySqlTransaction,
    PoolTimeout,
)


@dataclass(frozen=True, slots=True)
class Intended:
    """What became of an intent: written; else whether the token still holds and the number is another's."""

    written: bool
    held: bool
    taken: bool


@dataclass(frozen=True, slots=True)
class Record:
    """What a delivery leaves: rows for the statements of a record, by the statement's parameter."""

    released: Row
    touched: Sequence[Row]
    accepted: Sequence[Row]
    fresh: Sequence[Row]
    noted: Sequence[Row]
    stops: Sequence[Row]
    woken: Sequence[Row]


# Every statement here looks up some rows by key. While tables grow faster than their statistics the planner
# would rather read them whole, again for each row; compiling a plan takes longer than running it.
_SETTINGS = {
    "TimeZone": "UTC",
    "synchronous_commit": "on",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
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
        try:
            found = await self._run("intend", rows=rows)
        except psycopg.errors.UniqueViolation:  # somebody took a number meanwhile: now it can be seen
            found = await self._run("intend", rows=rows)
        by_token = {
            (str(row["token"]), row["number"]): Intended(row["written"], row["held"], row["taken"])
            for row in found
        }
        return [by_token[row["token"], row["number"]] for row in rows]

    async def _record(self, records: Sequence[Record]) -> list[bool]:
        """Record outcomes and release, in one transaction; says of each whether the token still held."""

        def gathered(rows: Sequence[Sequence[Row]]) -> list[Row]:
            return [row for some in rows for row in some]

        accepted = gathered([record.accepted for record in records])
        woken = gathered([record.woken for record in records])
        parts: list[tuple[str, str, Sequence[Row]]] = [
            ("record_lock", "touched", gathered([record.touched for record in records])),
            ("record_accepted", "accepted", accepted),
            ("record_look", "accepted", accepted),
            ("record_new", "fresh", gathered([record.fresh for record in records])),
            ("record_noted", "noted", gathered([record.noted for record in records])),
            ("record_stops", "stops", gathered([record.stops for record in records])),
            ("release", "released", [record.released for record in records]),
            ("wake", "woken", woken),
        ]
        released: set[str] = set()
        try:
            async with self._pool.connection() as connection, connection.transaction(), connection.pipeline():
                for name, parameter, rows in parts:
                    if rows:
                        cursor = await connection.execute(_SQL[name], {parameter: _json(rows)})
                        if name == "release":
                            releases = cursor
                released = {str(row["token"]) for row in await releases.fetchall()}
        except _TRANSIENT as error:
            raise DatabaseError(str(error)) from error
        return [record.released["token"] in released for record in records]

    async def _run(self, name: str, **parameters: object) -> list[Row]:
        if "rows" in parameters:
            parameters["rows"] = _json(parameters["rows"])
        try:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(_SQL[name], parameters)
                rows: list[Row] = await cursor.fetchall()
                return rows
        except _TRANSIENT as error:
            raise DatabaseError(str(error)) from error


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
        kwargs={"autocommit": True, "row_factory": dict_row, "application_name": "aiaccount-sync consume"},
        timeout=10,
    )


def _key(row: Row) -> tuple[str, int]:
    return row["endpoint"], row["aggregate_id"]


def _json(rows: object) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
