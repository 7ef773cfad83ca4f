"""The worked cases of the mapping are the checker's too: it and they were written apart."""

import copy
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from deploy.checker import Finding, Kind
from deploy.checker.comparison import STEPS
from deploy.checker.statements import statement
from tests.integration.checker.documents import NAMES, Document
from tests.integration.checker.world import NOON, World, tenant

FILE = json.loads((Path(__file__).parents[2] / "vectors" / "mapping.json").read_text("utf-8"))
VECTORS: dict[str, Document] = {vector["id"]: vector for vector in FILE["vectors"]}
FULL = {
    "pos_invoice": {"lines", "totals", "contact", "document_type", "date", "due_date", "currency", "number"},
    "pos_receipt": {"amount", "contact", "document_type", "date", "currency", "number", "bank_account_code"},
    "kol_bill": {"lines", "totals", "contact", "document_type", "date", "due_date", "currency", "number"},
    "kol_payment": {"amount", "contact", "document_type", "date", "currency", "number", "bank_account_code"},
}
RENUMBERED_OR_BACK = {"F54", "F99"}  # what their rows call for is not what may be sent
WRITTEN = {"amount", "tax_amount", "quantity", "discount", "unit_price", "description", "sku"}
WHOLE_LINE = {"line_no", "description", "account_code", "tax_code", "amount", "tax_amount"}


def settle(world: World, vector: Document) -> None:
    """Enter the tenant of a vector."""
    settings = FILE["settings"] | vector["settings"]
    names = ("kol_mode", "owner_kol_id", "home_currency", "timezone", "day_cutoff_hour", "cutover_date")
    given = {name: settings[name] for name in names}
    later = bool(vector["settings"] and vector["sent"])  # what was sent was sent under the file's settings
    tenant(
        world,
        1,
        "c1",
        **given,
        codes=Jsonb(settings["codes"]),
        company_name=settings["company_name"],
        settings_version=2 if later else 1,
    )
    for endpoint, ranges in settings["wanted"].items():
        for first, last in ranges:
            world.run("insert into aiaccount.wanted_ranges values (1, %s, %s, %s)", endpoint, first, last)


def insert(world: World, vector: Document) -> None:
    """Insert the row of a vector, its items, and what its refunds and its original say of others."""
    snapshot = vector["snapshot"] or {}
    world.run("alter table pos_transactions alter id restart with 1000")
    if row := snapshot.get("kol_settlement"):
        world.row("kol_settlements", **row)
    if not (row := snapshot.get("pos_transaction")):
        return
    if original := snapshot["original"]:
        total = original["refundable"]
        world.sale(
            original["receipt_no"],
            total,
            id=row["original_txn_id"],
            txn_type=original["txn_type"],
            status=original["status"],
            completed_at=original["completed_at"],
            paid_at=original["completed_at"],
            voided_at="2026-05-01T07:00:00Z",
            platform_order_id=None if original["owned"] else 1,
        )
    world.row("pos_transactions", **row)
    for item in snapshot["items"]:
        world.row("pos_transaction_items", **{key: value for key, value in item.items() if key != "id"})
    if original:
        _others(world, row["original_txn_id"], original["refunded"])
    _others(world, row["id"], snapshot["refunded"])


def _others(world: World, sale: int, refunded: Any) -> None:
    """Insert a refund, not the tenant's to post, of what the rows there are leave of `refunded`."""
    world.run(
        """insert into pos_transactions (blogger_id, store_code, receipt_no, txn_type, original_txn_id,
             source, status, subtotal, total_amount, completed_at)
           select 1, 'S1', 'OTHER' || %s, 'refund', %s, 'ecommerce_pickup', 'completed', left_over, left_over,
             now()
           from (select %s::numeric - coalesce(sum(total_amount - rounding_adjustment), 0) as left_over
                 from pos_transactions where original_txn_id = %s and status in ('completed', 'paid')) other
           where left_over <> 0""",
        sale,
        sale,
        str(refunded),
        sale,
    )


def aggregate(vector: Document, *, of_original: bool = False) -> int:
    """Give the id of a vector's row, or of its original."""
    if of_original:
        return int(vector["snapshot"]["pos_transaction"]["original_txn_id"])
    shot = vector["snapshot"] or next(sent["snapshot"] for sent in vector["sent"])
    return int((shot.get("pos_transaction") or shot["kol_settlement"])["id"])


def send(world: World, vector: Document) -> None:
    """Store what a vector says was sent, and enter all of it and its outcomes into the ledger."""
    sent: set[tuple[str, str]] = set()
    for part in vector["sent"]:
        document, number, endpoint = part["document"], part["number"], part["endpoint"]
        given: Document = {}
        if not part.get("of_original"):
            given["snapshot"] = part.get("snapshot", vector["snapshot"])
        if part["state"] == "pushed":
            world.store(endpoint, document, company_name=document["company_name"])
        else:
            given |= {"accepted_at": None, "doubt_at": NOON}
        row = aggregate(vector, of_original=part.get("of_original", False))
        world.know(endpoint, number, row, document=document, **given)
        sent.add((endpoint, number))
    for endpoint, outcomes in vector["expect"].items():
        for outcome in outcomes:
            verdict, code, number = named(outcome)
            if (endpoint, number) not in sent:
                world.know(endpoint, number, aggregate(vector), verdict=verdict, code=code)
            elif verdict == "conflict":
                world.run(
                    """update aiaccount.documents set verdict = 'conflict', code = %s
                       where endpoint = %s and number = %s""",
                    code,
                    endpoint,
                    number,
                )


def named(outcome: Document) -> tuple[str, str | None, str]:
    """Give an outcome as the ledger has it: verdict, code, number; a push as one that is retried."""
    match outcome:
        case {"push": document}:
            return "retry", "TRANSPORT", document["number"]
        case {"wait": number}:
            return "wait", None, number
        case _:
            verdict = next(kind for kind in ("skip", "block", "conflict") if kind in outcome)
            return verdict, outcome[verdict], outcome["number"]


def found(world: World, vector: Document) -> list[Finding]:
    """Check a world, but not a refund's original, of which a vector gives the outline only."""
    original = ((vector["snapshot"] or {}).get("original") or {}).get("receipt_no", "none")
    return [finding for finding in world.verdict().findings if not finding.number.startswith(original)]


@pytest.mark.parametrize("name", VECTORS)
def test_what_a_vector_says_is_clean_and_expected_and_with_a_sen_more_is_wrong(
    empty_world: World, name: str
) -> None:
    vector = VECTORS[name]
    settle(empty_world, vector)
    insert(empty_world, vector)
    send(empty_world, vector)
    assert found(empty_world, vector) == []
    assert_expected(empty_world, name, vector)
    pushed = [part for part in vector["sent"] if part["state"] == "pushed"]
    if pushed:
        empty_world.change(pushed[0]["number"], **sen_more(pushed[0]["document"]))
        assert (Kind.WRONG, pushed[0]["number"]) in [
            (f.kind, f.number) for f in empty_world.verdict().findings
        ]


def sen_more(document: Document) -> Document:
    """Give the total or amount of a document, a little off."""
    if "totals" in document:
        return {"totals": document["totals"] | {"total": document["totals"]["total"][:-1] + "7"}}
    return {"amount": document["amount"][:-1] + "7"}


def assert_expected(world: World, name: str, vector: Document) -> None:
    """Assert that what the checker expects of the row is what the vector says, where both speak of it."""
    if not vector["snapshot"] or name in RENUMBERED_OR_BACK:
        return
    rows = expected(world, aggregate(vector))
    sent = {(part["endpoint"], part["number"]) for part in vector["sent"]}
    for endpoint, outcomes in vector["expect"].items():
        for outcome in outcomes:
            verdict, code, number = named(outcome)
            if (
                (endpoint, number) in sent
                or verdict == "conflict"
                or number.endswith(("-V1", "X"))
                or code == "NOT_OWNED"
            ):
                continue
            row = rows[endpoint, number]
            call = {"retry": "push", "wait": "push"}.get(verdict, verdict)
            assert (row["call"], row["code"]) == (call, code if call != "push" else None)
            if "push" in outcome:
                agree(outcome["push"], row)


def expected(world: World, row: int) -> dict[tuple[str, str], Document]:
    """Run the checker up to what it expects, and give that for a row as it is now."""
    with psycopg.connect(world.url, row_factory=dict_row) as connection:
        connection.execute(statement("book.sql", "create_lines"))
        for file, name in STEPS[: STEPS.index(("settlements.sql", "expect_settlements")) + 1]:
            connection.execute(statement(file, name))
        rows = connection.execute(
            "select * from expected where is_now and aggregate_id = %s", [row]
        ).fetchall()
        connection.rollback()
    return {(part["endpoint"], part["number"]): part for part in rows}


def agree(document: Document, row: Document) -> None:
    """Assert that a document, as far as a vector gives it, is what the checker expects."""
    said: Document = {
        key: row[key] for key in ("document_type", "number", "currency", "exchange_rate", "reference")
    }
    said |= {"date": str(row["date"]), "amount": row["totals"], "bank_account_code": row["codes"]}
    said["totals"] = dict(zip(("net", "tax", "rounding", "total"), row["totals"].split("|"), strict=False))
    if document.get("document_type") in {"invoice", "bill"} and "contact" in document:
        said["contact"] = document["contact"] | {"code": row["contact_code"], "name": row["contact_name"]}
    assert {key: document[key] for key in document if key in said} == {
        key: said[key] for key in said if key in document
    }
    for line, content in zip(document.get("lines", []), (row["content"] or "").split("\n"), strict=False):
        told = {line[key] for key in WRITTEN & set(line)} - {None}
        assert told <= set(content.split("|"))


def full(endpoint: str, document: Document) -> bool:
    """Tell whether a vector gives all of a document that the checker compares."""
    lines = document.get("lines", [WHOLE_LINE])
    return FULL[endpoint] <= set(document) and all(set(line) >= WHOLE_LINE for line in lines)


PUSHED = [
    (name, endpoint, place)
    for name, vector in VECTORS.items()
    for endpoint, outcomes in vector["expect"].items()
    for place, outcome in enumerate(outcomes)
    if "push" in outcome
    and full(endpoint, outcome["push"])
    and not any(part["state"] == "in_doubt" for part in vector["sent"])
]


@pytest.mark.parametrize(("name", "endpoint", "place"), PUSHED)
def test_what_a_vector_pushes_is_clean_and_with_a_sen_more_is_wrong(
    empty_world: World, name: str, endpoint: str, place: int
) -> None:
    vector = copy.deepcopy(VECTORS[name])
    settle(empty_world, vector)
    insert(empty_world, vector)
    document = vector["expect"][endpoint].pop(place)["push"]
    send(empty_world, vector)
    table = "pos_transactions" if endpoint.startswith("pos") else "kol_settlements"
    source = {"system": "NS16", "table": table, "id": str(aggregate(vector))}
    whole = {"company_name": NAMES["c1"], "reference": None, "memo": None, "source": source} | document
    empty_world.push(endpoint, whole)
    assert found(empty_world, vector) == []
    empty_world.change(whole["number"], **sen_more(whole))
    assert [(f.kind, f.number) for f in found(empty_world, vector)] == [(Kind.WRONG, whole["number"])]
