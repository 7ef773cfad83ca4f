"""Everything of one run: database, relay, Kafka, workers, AiAccount, and people who mend things."""

import logging
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import consumers.reading
from consumers.vault import PURPOSE, seal
from deploy.sandbox.admin import put_company
from deploy.sandbox.company import Company, hash_key
from deploy.sandbox.defaults import company
from deploy.sandbox.endpoint import SCOPES
from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.envelope import Message
from outbox.errors import Fenced, ServiceError
from outbox.relay import Relay
from outbox.statements import statements
from outbox.wake import forgive, wake
from tests.integration.delivery.world import CODES as USUAL_CODES
from tests.stateful.aiaccount import AiAccount
from tests.stateful.changes import Changes, Transaction, Waker
from tests.stateful.database import Database
from tests.stateful.kafka import PARTITIONS, Log
from tests.stateful.rows import Row, Rows
from tests.stateful.servers import Lead, Outages, Quiet, Session
from tests.stateful.tables import Credential, Tables, Tenant
from tests.stateful.virtual import EPOCH, Clock, VirtualLoop
from tests.stateful.worker import ENVIRONMENT, RING, Worker

TENANTS = (1, 2)
NAMES = {1: "Mei Live Sdn Bhd", 2: "Kak Siti Trading"}
TAXED = "tax:sales:10"
CODES = {**USUAL_CODES, "account:wht_payable": "21700"}
_MENDED = {"tax_codes": ["NT", CODES[TAXED]], "locked_until": None, "subscription_active": True}
_TICK = 0.02
_ANSWERED = 30.0
"""Seconds after which no call is in the air."""
_NAMES = {text: name for name, text in statements("outbox", "wake.sql").items()}
_LOGGERS = tuple(map(logging.getLogger, ("aiaccount", "outbox")))


class KilledError(BaseException):
    """The relay died here."""


class World:
    """One run; `tainted` names the aggregates that were changed so that a person must decide."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.loop = VirtualLoop(self.clock)
        self.rows, self.tables, self.outages, self.log = Rows(), Tables(), Outages(), Log()
        self.database = Database(self.tables, self.rows, self.clock.time)
        self.changes = Changes(self.clock, self.database)
        self.server = AiAccount(self.clock.monotonic)
        self.tainted: set[tuple[str, int]] = set()
        self.lost_something = False
        self.keys: dict[int, list[str]] = {tenant_id: [] for tenant_id in TENANTS}
        self._ids, self._key_numbers, self._seeds = count(1), count(1), count(1)
        self._relay_dies_at: str | None = None
        self._waker = Waker(self.database, _NAMES)
        self._real_time = consumers.reading.time
        consumers.reading.time = self.clock  # type: ignore[assignment]
        self._levels = [logger.level for logger in _LOGGERS]
        for logger in _LOGGERS:  # a run is thousands of refusals: nobody reads them
            logger.setLevel(logging.CRITICAL + 1)
        for tenant_id, name in NAMES.items():
            put_company(
                self.server.sandbox, f"C-{tenant_id}", company(f"C-{tenant_id}", name, keys=[]), whole=True
            )
            self.tables.tenants[tenant_id] = Tenant(tenant_id, f"C-{tenant_id}", _settings(tenant_id, name))
            self.enter_key(tenant_id)
        self.workers = [self._worker(), self._worker()]
        self.relay = self._relay()
        self.assign()

    # The till.

    def write(
        self, aggregate: Aggregate, row: Row | None, aggregate_id: int, *, end: bool | None = True
    ) -> None:
        """Write a row in a transaction of its own: committed, rolled back, or (None) left open."""
        transaction = self.changes.begin()
        self.changes.write(transaction, aggregate, aggregate_id, row)
        if end is not None:
            self.changes.end(transaction, commit=end)

    def end(self, transaction: Transaction, *, commit: bool) -> None:
        """End a transaction that was left open."""
        self.changes.end(transaction, commit=commit)

    def new_id(self) -> int:
        """Return an id for a row."""
        return next(self._ids)

    # The processes.

    def assign(self) -> None:
        """Let Kafka share the partitions among the workers that it takes for alive."""
        alive = [worker for worker in self.workers if worker.runs]
        for worker in self.workers:
            for endpoint, member in worker.members.items():
                if worker.runs:
                    topic = TOPICS[endpoint.aggregate]
                    mine = [n for n in range(PARTITIONS) if alive[n % len(alive)] is worker]
                    member.assign({(topic, n) for n in mine})
                else:
                    member.expel(member.assigned())

    def replace_dead(self) -> None:
        """Start a worker for each that died."""
        self.workers = [self._worker() if worker.dead else worker for worker in self.workers]
        self.assign()

    def tick(self) -> bool:
        """Let the relay tick; a new one takes over where it dies or gives up. Says whether it did a thing."""
        try:
            tick = self.relay.run_once()
        except (KilledError, ServiceError, Fenced):
            self._relay_dies_at = None
            self.relay = self._relay()
            return True
        return bool(tick.rows or tick.tasks or tick.more)

    def kill_relay(self, at: str) -> None:
        """Have the relay die at one of its failpoints."""
        self._relay_dies_at = at

    def poll(self) -> int:
        """Let every worker read, and run what is ready."""
        found = sum(worker.poll() for worker in self.workers)
        self.loop.settle()
        return found

    def work(self) -> None:
        """Let the relay and the workers go on until nothing moves at this moment."""
        for _ in range(200):
            self.loop.advance(_TICK)
            moved = self.tick()
            if not self.poll() and not moved:
                return
        raise AssertionError("the relay and the workers never come to rest")

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.advance(seconds)

    def trouble_kafka(self, what: str, pick: int) -> None:
        """Let records repeat, get lost or be no records of ours; reset offsets; acknowledge nothing."""
        if what == "refuse":
            self.log.refusals += 1
            return
        partition = sorted(self.log.records)[pick % len(self.log.records)]
        records = self.log.records[partition]
        if what == "garbage":
            self.log.append(Message(partition[0], b"%d" % pick, b"{}", [("lane", b"\xff")]))
        elif what == "double" and records and records[-1]:
            self.log.append(
                Message(partition[0], records[-1].key or b"", records[-1].value or b"", records[-1].headers)
            )
        elif what == "drop" and records:
            records[-1] = None
            self.lost_something = True
        elif what in ("rewind", "skip"):
            self.lost_something |= what == "skip"
            for endpoint in Endpoint:
                if TOPICS[endpoint.aggregate] == partition[0]:
                    self.log.committed[endpoint, partition] = len(records) if what == "skip" else 0
            for worker in self.workers:
                for member in worker.members.values():
                    member.expel(member.assigned() & {partition})
            self.assign()

    def heal(self) -> None:
        """Mend everything: servers, processes, companies, settings and keys; end what is open."""
        self.server.sandbox.faults.remove(None)
        self.server.sandbox.latency = 0.0
        self.outages.clear()
        self.log.refusals = 0
        self._relay_dies_at = None
        for worker in self.workers:
            worker.dies_at.clear()
            worker.go_on()
        self.loop.advance(_ANSWERED)  # all that is in the air is heard first, and then mended
        for transaction in list(self.changes.open):
            self.end(transaction, commit=True)
        for tenant_id, name in NAMES.items():
            self.change_company(tenant_id, **_MENDED, name=name)
            self.set_up(tenant_id, codes=dict(CODES))
            mine = self.company(tenant_id).keys
            if not any(hash_key(self.keys[tenant_id][-1]) == key.sha256 for key in mine):
                self.enter_key(tenant_id)
            elif any(stopped == tenant_id for stopped, _ in self.tables.stops):
                self.forgive(tenant_id)
        self.replace_dead()
        if self.lost_something:
            self.changes.look_at_everything()

    def next_due(self) -> float | None:
        """Return when, on the clock, a task is due next or a worker's claim ends."""
        due = [task.due_at for task in self.tables.tasks.values() if task.due_at is not None]
        return min(due) - EPOCH if due else None

    def end_run(self) -> None:
        """Let go of everything."""
        self.loop.end()
        consumers.reading.time = self._real_time
        for logger, level in zip(_LOGGERS, self._levels, strict=True):
            logger.setLevel(level)

    # People.

    def company(self, tenant_id: int) -> Company:
        """Return a tenant's company as AiAccount has it."""
        found = self.server.sandbox.registry.get(f"C-{tenant_id}")
        assert found is not None
        return found

    def change_company(self, tenant_id: int, **changes: Any) -> None:
        """Change a company in AiAccount."""
        put_company(self.server.sandbox, f"C-{tenant_id}", changes, whole=False)

    def enter_key(self, tenant_id: int, text: str | None = None) -> None:
        """Store a key: a new one of the tenant's company, or the one given."""
        if text is None:
            text = f"key-number-{next(self._key_numbers)}"
            keys = [{"key": text, "scopes": list(SCOPES)}]
            self.change_company(tenant_id, keys=keys)
        self.keys[tenant_id].append(text)
        old = self.tables.credentials.get(tenant_id)
        version = old.version + 1 if old else 1
        sealed = seal(RING, ENVIRONMENT, tenant_id, PURPOSE, version, text)
        self.tables.credentials[tenant_id] = Credential(
            version, sealed.key_id, sealed.nonce, sealed.ciphertext
        )
        forgive(self._waker, tenant_id)  # type: ignore[arg-type]

    def set_up(self, tenant_id: int, **changes: Any) -> None:
        """Change a tenant's settings."""
        old = self.tables.tenants[tenant_id]
        new = {**old.settings, **changes}
        if new != old.settings:
            self.tables.tenants[tenant_id] = replace(
                old, settings=new, settings_version=old.settings_version + 1
            )
            wake(self._waker, tenant_id)  # type: ignore[arg-type]

    def limit(self, tenant_id: int, per_minute: int | None, at_once: int | None) -> None:
        """Give a tenant another share of AiAccount."""
        old = self.tables.tenants[tenant_id]
        new = replace(old, calls_per_minute=per_minute, calls_at_once=at_once)
        self.tables.tenants[tenant_id] = replace(new, settings_version=old.settings_version + 1)
        wake(self._waker, tenant_id)  # type: ignore[arg-type]

    def forgive(self, tenant_id: int) -> None:
        """Say that AiAccount takes the tenant's key and settings again."""
        forgive(self._waker, tenant_id)  # type: ignore[arg-type]

    def _worker(self) -> Worker:
        random = Random(next(self._seeds))
        return Worker(self.loop, self.clock, self.database, self.outages, self.log, self.server, random)

    def _relay(self) -> Relay:
        session = Session(self.changes, self.tables, self.outages)
        return Relay(
            Lead(session, self.changes),
            lambda: self.log,
            ENVIRONMENT,
            watcher=Quiet(),
            chunk_rows=3,
            reach=self._relay_reach,
            clock=self.clock.monotonic,
            chance=lambda: 0.5,
        )

    def _relay_reach(self, name: str) -> None:
        if name == self._relay_dies_at:
            raise KilledError(name)


def _settings(tenant_id: int, name: str) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "company_name": name,
        "kol_mode": "multi",
        "owner_kol_id": 10,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 0,
        "cutover_date": "2026-01-01",
        "codes": dict(CODES),
        "wanted": {},
    }
