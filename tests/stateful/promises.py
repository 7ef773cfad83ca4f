"""What must always hold, by AiAccount's own books and the source rows, never by what a delivery thinks.

I2, I3 and I4 are held after every step over what is new in the books; I1 when everything was mended and time
has passed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mappers import Push, Sent, Settings, plan
from outbox.endpoints import Aggregate, Endpoint
from tests.stateful.aiaccount import Asked, Standing
from tests.stateful.rows import TABLES
from tests.stateful.tables import Document
from tests.stateful.world import World

_AGGREGATES = {table: aggregate for aggregate, table in TABLES.items()}
_PAIRS = {
    "pos_transaction": (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT),
    "kol_settlement": (Endpoint.KOL_BILL, Endpoint.KOL_PAYMENT),
}
_HEADS = (Endpoint.POS_INVOICE, Endpoint.KOL_BILL)
# What a server that does what the contract says never has to tell us.
_NEVER = {
    "DOCUMENT_CONFLICT": "I2: another version was sent of a document that stands",
    "INVOICE_NOT_FOUND": "I3: a document was sent before the invoice that it hangs on",
    "BILL_NOT_FOUND": "I3: a document was sent before the bill that it hangs on",
    "MALFORMED_REQUEST": "a request that cannot be read",
    "TOTAL_MISMATCH": "sums that do not add up",
    "VALIDATION_FAILED": "a document that breaks the contract",
}


@dataclass(frozen=True)
class Purpose:
    """What a document is for: of which row, at which endpoint, in which company."""

    company_id: str
    endpoint: str
    aggregate: str
    aggregate_id: int


class Promises:
    """Hold the promises over what is new since the last time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked = self._stored = 0
        self._said: list[Asked] = []
        self._numbers: dict[tuple[str, str, str], Standing] = {}
        self._heads: dict[Purpose, set[str]] = {}
        self._versions: dict[tuple[str | None, str, str], list[str]] = {}
        self._owners: dict[tuple[str, int], int] = {}

    def hold(self) -> None:
        """Hold I2, I3 and I4.

        Raises:
            AssertionError: One is broken; the sentence says which and by what.
        """
        for aggregate, rows in self._world.rows.of.items():
            for aggregate_id, row in rows.items():
                self._owners[aggregate, aggregate_id] = row["blogger_id"]
        stored, asked = self._world.server.book.stored, self._world.server.asked
        for standing in stored[self._stored :]:
            self._hold_stored(standing)
        for each in asked[self._asked :]:
            self._hold_asked(each)
            self._said.append(each)
        self._stored, self._asked = len(stored), len(asked)
        for each in self._said:
            for code in each.codes:
                assert code not in _NEVER, f"{_NEVER[code]}: {each}"

    def _hold_stored(self, standing: Standing) -> None:
        purpose = _purpose(standing)
        owner = self._owners.get((purpose.aggregate, purpose.aggregate_id))
        assert standing.company_id == f"C-{owner}", f"I4: stands in another's books: {standing}"
        key = (standing.company_id, standing.endpoint, standing.number)
        assert key not in self._numbers, f"I2: stands twice: {standing} and {self._numbers[key]}"
        self._numbers[key] = standing
        if standing.endpoint in _HEADS:
            heads = self._heads.setdefault(purpose, set())
            heads.add(standing.number.removesuffix("-V1"))
            assert len(heads) == 1, f"I2: one row stands under several numbers: {heads}"

    def _hold_asked(self, asked: Asked) -> None:
        source = asked.document["source"]
        owner = self._owners[_AGGREGATES[source["table"]], int(source["id"])]
        assert asked.key in self._world.keys[owner], (
            f"I4: tenant {owner}'s document went out with another's key"
        )
        number = asked.document["number"]
        versions = self._versions.setdefault((asked.company_id, asked.endpoint, number), [])
        version = _version(asked.document)
        if not versions or versions[-1] != version:
            assert version not in versions, f"I3: {number}: an older version follows a newer one"
            versions.append(version)


def differences(world: World) -> list[str]:
    """Say where the books are not what the rows call for, and nothing in the ledger says why: I1."""
    return [*_unlike_rows(world), *_unlike_ledger(world), *_unsettled(world)]


def _unlike_rows(world: World) -> Iterator[str]:
    standing: dict[tuple[str, int], dict[str, Standing]] = {}
    for each in world.server.book.stored:
        purpose = _purpose(each)
        standing.setdefault((purpose.aggregate, purpose.aggregate_id), {})[each.number] = each
    every = set(standing) | {(kind, each) for kind, rows in world.rows.of.items() for each in rows}
    for aggregate, aggregate_id in sorted(every):
        found = {
            number: _essence(each.endpoint, each.document)
            for number, each in _kept(standing.get((aggregate, aggregate_id), {}))
        }
        called_for = {
            sent.number: _essence(sent.endpoint, sent.document)
            for sent in _from_scratch(world, aggregate, aggregate_id)
        }
        if found == called_for:
            continue
        if not _is_named(world, aggregate, aggregate_id) or (aggregate, aggregate_id) not in world.tainted:
            rows = [_shown(row) for row in _rows(world, aggregate, aggregate_id)]
            books = f"{found} stands, {called_for} is called for"
            yield f"I1: {aggregate} {aggregate_id}: {books}; the ledger: {rows}"


def _unlike_ledger(world: World) -> Iterator[str]:
    """Compare the ledger with the books, both ways."""
    ledger = {
        (row.company_id, row.endpoint, row.number): row
        for row in world.tables.documents.values()
        if row.accepted_at is not None
    }
    stored = {(each.company_id, each.endpoint, each.number): each for each in world.server.book.stored}
    for key in sorted(stored.keys() - ledger.keys()):
        yield f"I1: {key} stands and the ledger does not know it"
    for key in sorted(ledger.keys() - stored.keys()):
        yield f"I1: the ledger says that {key} stands, and it does not"
    for key in ledger.keys() & stored.keys():
        row, each = ledger[key], stored[key]
        if row.remote_id != each.document_id or _version(row.document) != _version(each.document):
            yield f"I1: the ledger holds another {key} than the books"


def _unsettled(world: World) -> Iterator[str]:
    """Say which documents are neither final nor wait for a person."""
    for row in world.tables.documents.values():
        if row.state in ("pushed", "skipped"):
            continue
        aggregate = Endpoint(row.endpoint).aggregate.value
        if row.state in ("conflict", "waiting", "blocked") and (aggregate, row.aggregate_id) in world.tainted:
            continue
        yield f"I1: not settled: {_shown(row)}"
    for task in world.tables.tasks.values():
        if task.trouble_code is not None:
            yield f"I1: in trouble: {task}"


def _kept(standing: dict[str, Standing]) -> Iterator[tuple[str, Standing]]:
    """Give what stands and was not reversed."""
    for number, each in standing.items():
        if number.endswith(("-V1", "X")):
            assert number.removesuffix("-V1").removesuffix("X") in standing, f"I3: {number} reverses nothing"
        elif f"{number}-V1" not in standing and f"{number}X" not in standing:
            yield number, each


def _from_scratch(world: World, aggregate: str, aggregate_id: int) -> list[Sent]:
    """Map a row as if nothing had ever been sent, until there is nothing more to push."""
    text = world.rows.text(aggregate, aggregate_id)
    if text is None:
        return []
    snapshot = json.loads(text, parse_float=Decimal)
    row = world.rows.of[aggregate][aggregate_id]
    settings = Settings.from_json(world.tables.tenants[row["blogger_id"]].settings)
    others = []
    if row.get("original_txn_id") is not None:
        originals = _from_scratch(world, aggregate, row["original_txn_id"])
        others = [
            Sent(each.endpoint, each.number, "pushed", each.document, each.snapshot, of_original=True)
            for each in originals
        ]
    sent: list[Sent] = []
    for endpoint in _PAIRS[aggregate]:
        for _ in range(5):
            pushes = [
                each
                for each in plan(endpoint, settings, snapshot, [*sent, *others])
                if isinstance(each, Push)
            ]
            if not pushes:
                break
            sent += [Sent(endpoint, each.number, "pushed", each.document, snapshot) for each in pushes]
    return sent


def _is_named(world: World, aggregate: str, aggregate_id: int) -> bool:
    """Say whether the ledger shows a conflict of the row, or of the sale that it refunds."""
    source = world.rows.of[aggregate].get(aggregate_id) or {}
    either = (aggregate_id, source.get("original_txn_id") or aggregate_id)
    return any(row.state == "conflict" for each in either for row in _rows(world, aggregate, each))


def _rows(world: World, aggregate: str, aggregate_id: int) -> list[Document]:
    return [
        row
        for row in world.tables.documents.values()
        if row.aggregate_id == aggregate_id and row.endpoint in _PAIRS[aggregate]
    ]


def _purpose(standing: Standing) -> Purpose:
    source = standing.document["source"]
    return Purpose(standing.company_id, standing.endpoint, _AGGREGATES[source["table"]], int(source["id"]))


def _essence(endpoint: str, document: Any) -> tuple[object, ...]:
    """Return what makes a document right, whatever its codes: kind, currency, a head's day, amount."""
    if endpoint in _HEADS:
        return (
            document["document_type"],
            document["currency"],
            document["date"],
            document["totals"]["total"],
        )
    return (document["document_type"], document["currency"], document["amount"])


def _version(document: Any) -> str:
    """Return a document without the company's name, which is always today's."""
    return json.dumps(
        {name: value for name, value in document.items() if name != "company_name"}, sort_keys=True
    )


def _shown(row: Document) -> str:
    said = f"{row.endpoint} {row.number} of {row.aggregate_id}: {row.state}"
    return f"{said} {row.code or ''} {row.reason or ''}".strip()


def taint(world: World, aggregate: Aggregate, aggregate_id: int) -> None:
    """Note that a person must decide on an aggregate, and on the refunds of it."""
    world.tainted.add((aggregate.value, aggregate_id))
    every = [*world.rows.of[aggregate].values()]
    every += [row for each in world.changes.open for row in each.written.values() if row is not None]
    for row in every:
        if row.get("original_txn_id") == aggregate_id:
            world.tainted.add((aggregate.value, row["id"]))
