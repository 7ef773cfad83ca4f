"""Everything one sandbox holds while it runs, and the two steps in which it handles a document."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from deploy.sandbox.book import Book
from deploy.sandbox.books import Books, Identity
from deploy.sandbox.fault import Faults
from deploy.sandbox.limits import Limits
from deploy.sandbox.registry import Registry
from deploy.sandbox.restore import restore


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Sandbox:
    """The companies, their books, the limits, the faults and the book of one running server.

    `latency` is in seconds. `in_progress` holds the idempotency keys (company id and key) and the identities
    that are being handled. `calls` counts replies by company id, endpoint, method and status.
    """

    registry: Registry
    books: Books
    book: Book
    limits: Limits
    faults: Faults = field(default_factory=Faults)
    latency: float = 0.0
    requests: int = 0
    payload_limit: int = 1_000_000
    in_progress: set[Identity | tuple[str, str]] = field(default_factory=set)
    calls: Counter[tuple[str | None, str | None, str, int | None]] = field(default_factory=Counter)
    late: set[asyncio.Task[None]] = field(default_factory=set)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def next_request_id(self) -> str:
        """Return an id that no other request in this book has."""
        self.requests += 1
        return f"req-{self.requests:08d}"

    def next_document_id(self) -> str:
        """Return the id of the next document to be stored."""
        return f"doc-{len(self.books) + 1:08d}"

    def close(self) -> None:
        """Let hanging calls go and write the book to its end."""
        self.stopping.set()
        for task in self.late:
            task.cancel()
        self.book.close()


def open_sandbox(book: Path, *, rate_limit: bool, latency: float, payload_limit: int) -> Sandbox:
    """Open a sandbox on a book; what the book holds is restored, and its open requests are closed."""
    restored = restore(book)
    sandbox = Sandbox(
        registry=restored.registry,
        books=restored.books,
        book=Book(book, _utc_now, restored.lines + 1),
        limits=Limits(time.monotonic, enabled=rate_limit),
        latency=latency,
        requests=restored.requests,
        payload_limit=payload_limit,
    )
    for request_id in restored.unanswered:
        fields = {"request_id": request_id, "status": None, "code": "process ended", "fault": None}
        sandbox.book.append("reply", fields)
    return sandbox
