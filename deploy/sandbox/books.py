"""What stands in the companies' books: every document stored, and how much of it is settled."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.money import minor_units, read_money

Identity = tuple[str, str, str, str]
"""Company id, endpoint, number and contact code: what makes a document the same document."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One document in the books. `total` is in minor units; `json` is the document as it was received."""

    identity: Identity
    document_id: str
    document_type: str
    currency: str
    date: str
    total: int
    total_text: str
    json: str

    def document(self) -> dict[str, Any]:
        """Return the document as it was received."""
        found: dict[str, Any] = json.loads(self.json)
        return found

    def summary(self) -> dict[str, Any]:
        """Return what replies tell of a stored document."""
        return {
            "id": self.document_id,
            "number": self.identity[2],
            "document_type": self.document_type,
            "contact_code": self.identity[3],
            "date": self.date,
            "currency": self.currency,
            "total": self.total_text,
        }


class Books:
    """The stored documents by identity, and what was allocated to each.

    Every document has a balance of its own: an invoice is settled by receipts, a credit note by refunds. A
    credit note takes nothing off its invoice by itself, as in Xero: so the receipt of a sale may arrive after
    the credit note of its return, as it may when each endpoint has its own queue.
    """

    def __init__(self) -> None:
        self._stored: dict[Identity, Stored] = {}
        self._settled: dict[Identity, int] = {}

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[Stored]:
        return iter(self._stored.values())

    def get(self, identity: Identity) -> Stored | None:
        """Return the document under an identity, or None."""
        return self._stored.get(identity)

    def settled(self, identity: Identity) -> int:
        """Return what is allocated to a document, in minor units, with its sign."""
        return self._settled.get(identity, 0)

    def add(self, stored: Stored, allocations: Sequence[tuple[Identity, int]]) -> None:
        """Put a document into the books and its allocations onto what they settle."""
        self._stored[stored.identity] = stored
        for identity, amount in allocations:
            self._settled[identity] = self._settled.get(identity, 0) + amount

    def restore(self, stored: Stored, endpoint: Endpoint) -> None:
        """Put a document back that was in the books before, with the allocations that it carries."""
        company_id, _, _, contact_code = stored.identity
        if endpoint.pays is None:
            self.add(stored, ())
            return
        units = minor_units(stored.currency)
        self.add(
            stored,
            [
                (
                    (company_id, endpoint.pays, each[endpoint.allocation_key], contact_code),
                    read_money(each["amount"], units) or 0,
                )
                for each in stored.document()["allocations"]
            ],
        )
