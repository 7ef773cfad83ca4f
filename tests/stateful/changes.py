"""The outbox in memory: open transactions, what the triggers write, and the relay's statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from outbox.endpoints import Endpoint
from tests.stateful.database import Database
from tests.stateful.rows import Row
from tests.stateful.tables import Task
from tests.stateful.virtual import Clock


@dataclass(frozen=True)
class Change:
    """A row of `aiaccount.outbox`."""

    xid: int
    seq: int
    aggregate_type: str
    aggregate_id: int
    endpoint: str | None
    lane: str
    created_at: datetime


@dataclass
class Transaction:
    """A till's transaction that is open: its rows are seen by nobody, and locked."""

    xid: int
    written: dict[tuple[str, int], Row | None] = field(default_factory=dict)


class Changes:
    """The outbox, the transactions and the relay's cursor of one database."""

    def __init__(self, clock: Clock, database: Database) -> None:
        self._clock = clock
        self.database = database
        self._rows = database.rows
        self._tables = database.tables
        self._next_xid = 100
        self._seq = 0
        self._outbox: list[Change] = []
        self.open: list[Transaction] = []
        self.epoch = 0
        self.position: dict[str, Any] = {
            "from": self.snapshot(),
            "target": None,
            "after_xid": None,
            "after_seq": None,
        }

    def begin(self) -> Transaction:
        """Open a transaction."""
        transaction = Transaction(self._xid())
        self.open.append(transaction)
        return transaction

    def locked(self, aggregate: str, aggregate_id: int) -> bool:
        """Whether an open transaction has written a row."""
        return any((aggregate, aggregate_id) in each.written for each in self.open)

    def write(self, transaction: Transaction, aggregate: str, aggregate_id: int, row: Row | None) -> None:
        """Write a row, and capture it, in a transaction."""
        transaction.written[aggregate, aggregate_id] = row
        old = self._rows.of[aggregate].get(aggregate_id) or {}
        touched = {aggregate_id, (row or {}).get("original_txn_id"), old.get("original_txn_id")} - {None}
        for each in sorted(touched):
            self._capture(transaction.xid, aggregate, each)

    def end(self, transaction: Transaction, *, commit: bool) -> None:
        """Commit a transaction, or roll it back."""
        self.open.remove(transaction)
        if not commit:
            self._outbox = [change for change in self._outbox if change.xid != transaction.xid]
            return
        for (aggregate, aggregate_id), row in transaction.written.items():
            self._rows.put(aggregate, aggregate_id, row)

    def snapshot(self) -> str:
        """Return what `pg_current_snapshot()` says."""
        running = sorted(each.xid for each in self.open)
        return f"{min([*running, self._next_xid])}:{self._next_xid}:{','.join(map(str, running))}"

    def add(self, tasks: Sequence[Task]) -> None:
        """Put tasks into the outbox, in a transaction of its own."""
        if tasks:
            xid = self._xid()
            for task in tasks:
                self._capture(xid, task.aggregate_type, task.aggregate_id, task.endpoint, task.lane)

    def note_topics(self, given: Mapping[str, Any]) -> list[tuple[str]]:
        """No topic is ever made anew here."""
        del given
        return []

    def read_chunk(self, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Give the rows that are visible in the target and were not handled yet."""
        target = given["target"] or self.snapshot()
        was_open = {int(xid) for xid in given["open"].strip("{}").split(",") if xid}
        after = (int(given["after_xid"]), given["after_seq"])
        start = (int(given["start_xid"]), given["start_seq"])
        running = {each.xid for each in self.open}
        found = [
            change
            for change in sorted(self._outbox, key=lambda change: (change.xid, change.seq))
            if change.xid not in running
            and _visible(change.xid, target)
            and (
                (change.xid in was_open and (change.xid != after[0] or change.seq > after[1]))
                or (change.xid, change.seq) > start
            )
        ][: given["rows"]]
        if not found:
            return [(target, *[None] * 7)]
        return [
            (
                target,
                str(change.xid),
                change.seq,
                change.aggregate_type,
                change.aggregate_id,
                change.endpoint,
                change.lane,
                change.created_at,
            )
            for change in found
        ]

    def move(self, given: Mapping[str, Any]) -> list[tuple[str]]:
        """Move the cursor, as the relay of the epoch."""
        if given["epoch"] != self.epoch:
            return []
        self.position = {name: given[name] for name in ("from", "target", "after_xid", "after_seq")}
        return [("(0,1)",)]

    def look_at_everything(self) -> None:
        """Make due what differs from what was handled, and what has no task."""
        digests = {
            (aggregate, aggregate_id): self._rows.digest(aggregate, aggregate_id)
            for aggregate, rows in self._rows.of.items()
            for aggregate_id in rows
        }
        for (aggregate, aggregate_id), digest in digests.items():
            row = self._rows.owned(aggregate, aggregate_id)
            if row is None or row["blogger_id"] not in self._tables.tenants:
                continue
            for endpoint in (each for each in Endpoint if each.aggregate == aggregate):
                known = self._tables.tasks.get((endpoint.value, aggregate_id))
                if known is None or known.digest != digest:
                    wanted = Task(endpoint.value, aggregate_id, row["blogger_id"], "backfill")
                    self.database.look_again([wanted])
        for task in list(self._tables.tasks.values()):
            gone = self._rows.owned(task.aggregate_type, task.aggregate_id) is None
            if gone and task.digest != self._rows.digest(task.aggregate_type, task.aggregate_id):
                self.database.look_again([task])

    def _capture(
        self, xid: int, aggregate: str, aggregate_id: int, endpoint: str | None = None, lane: str = "live"
    ) -> None:
        self._seq += 1
        at = datetime.fromtimestamp(self._clock.time(), UTC)
        self._outbox.append(Change(xid, self._seq, aggregate, aggregate_id, endpoint, lane, at))

    def _xid(self) -> int:
        self._next_xid += 1
        return self._next_xid - 1


class Waker:
    """A connection for `outbox.wake`: runs the statements of `wake.sql` on the tables in memory."""

    def __init__(self, database: Database, names: Mapping[str, str]) -> None:
        self._database = database
        self._tables = database.tables
        self._names = names

    def exec_driver_sql(self, text: str, given: Mapping[str, Any]) -> None:
        """Run one of them."""
        getattr(self, f"_{self._names[text]}")(given["tenant"])

    def _lock_tasks(self, tenant_id: int) -> None:
        """Nobody else is at them: there is one thread."""

    def _lift_stops(self, tenant_id: int) -> None:
        self._tables.stops = {key: stop for key, stop in self._tables.stops.items() if key[0] != tenant_id}

    def _forget_breakers(self, tenant_id: int) -> None:
        kept = {key: each for key, each in self._tables.breakers.items() if key[0] != tenant_id}
        self._tables.breakers = kept

    def _raise_version(self, tenant_id: int) -> None:
        tenant = self._tables.tenants[tenant_id]
        self._tables.tenants[tenant_id] = replace(tenant, settings_version=tenant.settings_version + 1)

    def _wake_open(self, tenant_id: int) -> None:
        for task in self._of(tenant_id):
            unsettled = any(
                (each.endpoint, each.aggregate_id) == task.key
                and each.tenant_id == tenant_id
                and each.accepted_at is None
                and each.verdict in ("retry", "wait", "block", "park")
                for each in self._tables.documents.values()
            )
            if task.due_at is not None or task.trouble_code is not None or unsettled:
                self._database.look_again([task], leases=0)

    def _wake_final(self, tenant_id: int) -> None:
        for task in self._of(tenant_id):
            if task.due_at is None:
                self._tables.put_task(task, due_at=self._database.now(), lane="backfill", leases=0)

    def _free_blocked(self, tenant_id: int) -> None:
        for row in list(self._tables.documents.values()):
            if row.tenant_id == tenant_id and row.accepted_at is None and row.verdict == "block":
                self._tables.put_document(row, next_at=None)

    def _of(self, tenant_id: int) -> list[Task]:
        return [task for task in self._tables.tasks.values() if task.tenant_id == tenant_id]


def _visible(xid: int, snapshot: str) -> bool:
    _, end, running = snapshot.split(":")
    return xid < int(end) and str(xid) not in running.split(",")
