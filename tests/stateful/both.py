"""A database and its stand-in side by side: every call goes to both, and what differs is an error.

Time passes in the database by moving all that it has written into the past; moments are compared as ages.
"""

import asyncio
import json
from dataclasses import asdict
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
from psycopg.rows import dict_row

from consumers.steps import Intended, Steps
from outbox.due import release_passed, take_due
from outbox.statements import statements
from tests.stateful.changes import Changes, Waker
from tests.stateful.database import Database, since
from tests.stateful.rows import Rows, sale_row
from tests.stateful.servers import Outages, Pool, Session
from tests.stateful.tables import Credential, Tables, Tenant
from tests.stateful.virtual import EPOCH, Clock

CLAIM_SECONDS = 61.0
NEAR = 20.0
"""Seconds by which two moments may differ: what a slow machine takes; less than a pause."""
LONG_AGO = 1e8
"""An age that only means: never."""
_KEYS = {
    "tasks": ("endpoint", "aggregate_id"),
    "documents": ("company_id", "endpoint", "aggregate_id", "number"),
    "paces": ("tenant_id",),
    "outages": ("endpoint",),
    "breakers": ("tenant_id", "endpoint", "code", "value"),
}
_AGE = {
    "tasks": ("due_at", "busy_until"),
    "documents": ("doubt_at", "accepted_at", "next_at", "first_attempt_at", "last_attempt_at"),
    "paces": ("spent_until", "closed_until"),
    "outages": ("probe_at",),
    "breakers": ("opened_at", "probe_at", "passed_at"),
}


class Both:
    """A database and its stand-in, side by side."""

    def __init__(self, url: str, pool: Any) -> None:
        self._connection = psycopg.connect(url, autocommit=True, row_factory=dict_row)
        self._relays = psycopg.connect(url, autocommit=True)
        self._clock = Clock()
        self._aged = 0.0
        self.rows, self.tables = Rows(), Tables()
        database = Database(self.tables, self.rows, self._clock.time)
        changes = Changes(self._clock, database)
        self._session = Session(changes, self.tables, Outages())
        self._waker = Waker(database, {text: name for name, text in statements("outbox", "wake.sql").items()})
        pool_in_memory: Any = Pool(database, _open, Outages())
        self._steps = Steps(pool, Random(1), CLAIM_SECONDS), Steps(pool_in_memory, Random(1), CLAIM_SECONDS)
        self._keep_time()

    async def ask(self, step: str, asked: list[Any]) -> None:
        """Ask both for a batch of a step, and compare what they answer."""
        self._keep_time()
        answers = [
            await asyncio.gather(*(getattr(steps, step).ask(each) for each in asked), return_exceptions=True)
            for steps in self._steps
        ]
        theirs, ours = ([_plain(each) for each in every] for every in answers)
        unlike = _unlike(ours, theirs, step)
        assert not unlike, unlike

    def sweep(self) -> None:
        """Take what is due on both."""
        self._keep_time()
        ours: Any = self._session
        assert release_passed(self._relays, 1) == release_passed(ours, 1)
        assert take_due(self._relays, 1_000) == take_due(ours, 1_000)

    def wake(self, tenant_id: int) -> None:
        """Run the statements that a change of settings runs."""
        self._keep_time()
        for text in statements("outbox", "wake.sql").values():
            self._connection.execute(text, {"tenant": tenant_id})
            self._waker.exec_driver_sql(text, {"tenant": tenant_id})

    def pass_time(self, seconds: float) -> None:
        """Move everything into the past."""
        self._aged += seconds
        for table, columns in _AGE.items():
            moved = ", ".join(f"{column} = {column} - interval '{seconds} seconds'" for column in columns)
            self._connection.execute(f"update aiaccount.{table} set {moved}")

    def put_sale(self, sale_id: int, net: int, original_id: int | None) -> None:
        """Write a sale, or a refund, on both."""
        changes = {"original_txn_id": original_id, "txn_type": "refund"} if original_id else {}
        row = sale_row(sale_id, 1, net, **changes)
        self.rows.put("pos_transaction", sale_id, row)
        items = row["items"]
        names = [name for name in row if name != "items"]
        marks = ", ".join(f"%({name})s" for name in names)
        sets = ", ".join(f"{name} = excluded.{name}" for name in names if name != "id")
        self._connection.execute(
            f"insert into pos_transactions ({', '.join(names)}) overriding system value values ({marks}) "
            f"on conflict (id) do update set {sets}",
            row,
        )
        for item in items:
            self._connection.execute("delete from pos_transaction_items where id = %(id)s", item)
            names = list(item)
            marks = ", ".join(f"%({name})s" for name in names)
            self._connection.execute(
                f"insert into pos_transaction_items ({', '.join(names)}) overriding system value "
                f"values ({marks})",
                item,
            )

    def drop_sale(self, sale_id: int) -> None:
        """Delete a sale on both."""
        self.rows.put("pos_transaction", sale_id, None)
        self._connection.execute("delete from pos_transactions where id = %s", [sale_id])

    def add_tenant(self, per_minute: int | None, at_once: int | None) -> None:
        """Add a tenant with a key on both."""
        self._connection.execute(
            "insert into aiaccount.tenants (tenant_id, company_id, company_name, kol_mode, cutover_date, "
            "calls_per_minute, calls_at_once) values (1, 'C-1', 'Mei', 'multi', '2026-01-01', %s, %s)",
            [per_minute, at_once],
        )
        self._connection.execute(
            "insert into aiaccount.credentials (tenant_id, version, key_id, nonce, ciphertext, set_by) "
            "values (1, 1, 'k1', %s, %s, 'test')",
            [b"n" * 12, b"c"],
        )
        (found,) = self._connection.execute("select settings from aiaccount.tenant_settings").fetchall()
        self.tables.tenants[1] = Tenant(
            1, "C-1", found["settings"], calls_per_minute=per_minute, calls_at_once=at_once
        )
        self.tables.credentials[1] = Credential(1, "k1", b"n" * 12, b"c")

    def compare(self) -> None:
        """Compare the tables."""
        self._keep_time()
        now = self._clock.time()
        for table, keys in _KEYS.items():
            ages = ", ".join(
                f"extract(epoch from clock_timestamp() - {each})::float as {each}" for each in _AGE[table]
            )
            names = ", ".join((*keys, *_OTHERS[table]))
            found = self._connection.execute(f"select {names}, {ages} from aiaccount.{table}").fetchall()
            theirs = {tuple(row[name] for name in keys): _comparable(row) for row in found}
            ours = {}
            for key, row in getattr(self.tables, table).items():
                values = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
                values |= {name: getattr(row, name) for name in _OTHERS[table]}
                values |= {name: since(getattr(row, name), now) for name in _AGE[table]}
                ours[tuple(values[name] for name in keys)] = _comparable(values)
            unlike = _unlike(ours, theirs, table)
            assert not unlike, unlike
        stops = self._connection.execute(
            "select tenant_id, endpoint, code, reason, key_version, settings_version from aiaccount.stops"
        ).fetchall()
        assert {
            (row["tenant_id"], row["endpoint"]): tuple(row.values())[2:] for row in stops
        } == self.tables.stops

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()
        self._relays.close()

    def empty(self) -> None:
        """Leave nothing behind for the next sequence."""
        self._connection.execute(
            "truncate aiaccount.tasks, aiaccount.documents, aiaccount.tenants, aiaccount.outbox, "
            "aiaccount.outages, aiaccount.attempts, "
            "pos_transactions cascade"
        )

    def _keep_time(self) -> None:
        """Set the clock in memory to the database's, as far as it was moved."""
        (found,) = self._connection.execute(
            "select extract(epoch from clock_timestamp())::float as now"
        ).fetchall()
        self._clock.now = found["now"] - EPOCH + self._aged


_OTHERS = {
    "tasks": (
        "tenant_id",
        "calling_for",
        "lane",
        "leases",
        "token",
        "again",
        "digest",
        "trouble_code",
        "trouble",
    ),
    "documents": (
        *("tenant_id", "document", "snapshot", "remote_id", "verdict", "code", "reason"),
        *("attempts", "key_version", "settings_version", "state"),
    ),
    "paces": (),
    "outages": ("reason",),
    "breakers": ("refusals", "reason"),
}


async def _open(name: str) -> None:
    """Let every statement pass."""
    del name


def _plain(answer: Any) -> Any:
    """Make an answer comparable: errors by their kind, JSON read."""
    if isinstance(answer, Exception):
        return type(answer).__name__
    if isinstance(answer, Intended):
        return asdict(answer)
    if isinstance(answer, dict) and "digest" in answer:
        texts = {name: json.loads(answer[name] or "null") for name in ("entries", "breakers")}
        order = ("number", "endpoint", "aggregate_id")  # of equal numbers the database's order is anybody's
        texts["entries"] = sorted(
            texts["entries"] or [], key=lambda each: [str(each[name]) for name in order]
        )
        return {**answer, **texts, "digest": bytes(answer["digest"])}
    return answer


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    read = dict(row)
    for name in ("token", "digest"):
        value = read.get(name)
        if value is not None:
            read[name] = bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
    if isinstance(read.get("snapshot"), str):
        read["snapshot"] = json.loads(read["snapshot"])
    return read


def _unlike(ours: Any, theirs: Any, where: str) -> str | None:
    """Name the first difference: to the letter, but for seconds, which are no whole numbers."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        each = (_unlike(ours[name], theirs[name], f"{where} {name}") for name in ours)
        return next((found for found in each if found), None)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        each = (_unlike(*both, f"{where} {n}") for n, both in enumerate(zip(ours, theirs, strict=True)))
        return next((found for found in each if found), None)
    if isinstance(ours, float) and isinstance(theirs, float | Decimal):
        never = abs(ours) > LONG_AGO and abs(theirs) > LONG_AGO
        same = never or abs(ours - float(theirs)) < NEAR
    else:
        same = ours == theirs
    return None if same else f"{where}: {ours!r} in memory, {theirs!r} in PostgreSQL"
