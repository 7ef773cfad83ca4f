"""The tables of `aiaccount` in memory, with the checks that the migration gives them."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg

Key = tuple[str, int]
DocumentKey = tuple[str, str, int, str]
"""Company id, endpoint, aggregate id and number."""
BreakerKey = tuple[int, str, str | None, str | None]
"""Tenant id, endpoint, code and value."""


@dataclass(frozen=True)
class Task:
    """A row of `aiaccount.tasks`; times are seconds since 1970."""

    endpoint: str
    aggregate_id: int
    tenant_id: int | None = None
    lane: str = "live"
    due_at: float | None = None
    leases: int = 0
    token: str | None = None
    busy_until: float | None = None
    again: bool = False
    digest: str | None = None
    trouble_code: str | None = None
    trouble: str | None = None
    calling_for: int | None = None

    @property
    def key(self) -> Key:
        """The primary key."""
        return self.endpoint, self.aggregate_id

    @property
    def aggregate_type(self) -> str:
        """What it is about."""
        return "pos_transaction" if self.endpoint.startswith("pos_") else "kol_settlement"

    def check(self) -> None:
        """Hold it against the table's checks."""
        _check((self.token is None) == (self.busy_until is None), self)
        _check(self.token is None or self.due_at is not None, self)
        _check(not self.again or self.token is not None, self)
        _check(self.calling_for is None or self.token is not None, self)


@dataclass(frozen=True)
class Document:
    """A row of `aiaccount.documents`."""

    company_id: str
    endpoint: str
    aggregate_id: int
    number: str
    tenant_id: int
    document: Any = None
    snapshot: str | None = None
    doubt_at: float | None = None
    accepted_at: float | None = None
    remote_id: str | None = None
    verdict: str | None = None
    code: str | None = None
    reason: str | None = None
    attempts: int = 0
    first_attempt_at: float | None = None
    last_attempt_at: float | None = None
    next_at: float | None = None
    key_version: int | None = None
    settings_version: int | None = None

    @property
    def key(self) -> DocumentKey:
        """The primary key."""
        return self.company_id, self.endpoint, self.aggregate_id, self.number

    @property
    def stands(self) -> bool:
        """Whether the number is this aggregate's: it was accepted, or may have been."""
        return self.accepted_at is not None or self.doubt_at is not None

    @property
    def state(self) -> str:
        """The state that people see, as the database derives it."""
        if self.verdict == "conflict":
            return "conflict"
        if self.accepted_at is not None:
            return "pushed"
        if self.verdict == "park":
            return "parked"
        if self.doubt_at is not None:
            return "in doubt"
        named = {"retry": "retrying", "block": "blocked", "skip": "skipped"}
        return named.get(self.verdict or "", "waiting")

    def check(self) -> None:
        """Hold it against the table's checks."""
        _check((self.accepted_at is None) == (self.remote_id is None), self)
        _check(self.accepted_at is None or self.doubt_at is None, self)
        _check(self.document is not None or not self.stands, self)
        _check((self.document is None) == (self.snapshot is None), self)
        _check(self.verdict is None or self.code is not None or self.verdict == "wait", self)


@dataclass(frozen=True)
class Tenant:
    """A row of `aiaccount.tenants`, its settings in the mappers' form."""

    tenant_id: int
    company_id: str | None
    settings: dict[str, Any]
    settings_version: int = 1
    active: bool = True
    calls_per_minute: int | None = None
    calls_at_once: int | None = None


@dataclass(frozen=True)
class Credential:
    """A row of `aiaccount.credentials`."""

    version: int
    key_id: str
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class Pace:
    """A row of `aiaccount.paces`."""

    spent_until: float = 0.0
    closed_until: float = 0.0


@dataclass(frozen=True)
class Outage:
    """A row of `aiaccount.outages`."""

    reason: str
    probe_at: float


@dataclass(frozen=True)
class Breaker:
    """A row of `aiaccount.breakers`."""

    refusals: int
    reason: str
    opened_at: float | None
    probe_at: float
    passed_at: float | None = None


@dataclass
class Tables:
    """All of them, by primary key; `stops` by tenant and endpoint, as (code, reason, key, settings)."""

    tasks: dict[Key, Task] = field(default_factory=dict)
    documents: dict[DocumentKey, Document] = field(default_factory=dict)
    tenants: dict[int, Tenant] = field(default_factory=dict)
    credentials: dict[int, Credential] = field(default_factory=dict)
    stops: dict[tuple[int, str], tuple[str, str, int, int]] = field(default_factory=dict)
    paces: dict[int, Pace] = field(default_factory=dict)
    outages: dict[str, Outage] = field(default_factory=dict)
    breakers: dict[BreakerKey, Breaker] = field(default_factory=dict)
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def put_task(self, task: Task, /, **changes: Any) -> None:
        """Insert or update a task."""
        task = replace(task, **changes)
        task.check()
        self.tasks[task.key] = task

    def put_document(self, document: Document, /, **changes: Any) -> None:
        """Insert or update a document; the partial unique index is held."""
        document = replace(document, **changes)
        document.check()
        if document.stands:
            for other in self.named(document.company_id, document.endpoint, document.number):
                if other.stands and other.aggregate_id != document.aggregate_id:
                    raise psycopg.errors.UniqueViolation(f"documents_number: {document.number}")
        self.documents[document.key] = document

    def named(self, company_id: str, endpoint: str, number: str) -> Iterator[Document]:
        """Give every row of a number."""
        wanted = (company_id, endpoint, number)
        return (
            row for row in self.documents.values() if (row.company_id, row.endpoint, row.number) == wanted
        )

    def of(self, company_id: str | None, aggregate_id: int, *endpoints: str) -> list[Document]:
        """Give an aggregate's rows at these endpoints."""
        return [
            row
            for row in self.documents.values()
            if row.aggregate_id == aggregate_id and row.company_id == company_id and row.endpoint in endpoints
        ]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Take everything back where the block fails."""
        kept = {name: copy(getattr(self, name)) for name in _CHANGED}
        try:
            yield
        except BaseException:
            for name, rows in kept.items():
                setattr(self, name, rows)
            raise


_CHANGED = ("tasks", "documents", "stops", "paces", "outages", "breakers", "attempts")


def _check(holds: bool, row: object) -> None:  # noqa: FBT001 - a condition
    if not holds:
        raise psycopg.errors.CheckViolation(f"a check of the table fails: {row}")
