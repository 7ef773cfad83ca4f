"""The views give back every snapshot of the vectors, whatever the session's settings, by index alone."""

import json
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb, set_json_loads

from tests.integration.capture.till import NUMBERS, Connection, one, usual_sale

VECTORS = Path(__file__).parents[2] / "vectors" / "mapping.json"
AMOUNTS = {
    "amount",
    "amount_paid",
    "commission_amount",
    "commission_rate",
    "exchange_rate",
    "gross_sales",
    "line_discount",
    "line_total",
    "net_payable",
    "order_discount",
    "quantity",
    "refundable",
    "refunded",
    "rounding_adjustment",
    "service_charge",
    "subtotal",
    "tax_amount",
    "tax_rate",
    "tip_amount",
    "total_amount",
    "unit_price",
    "wht_amount",
}
SESSIONS = {
    "UTC": "set timezone = 'UTC'",
    "Kathmandu, German dates": "set timezone = 'Asia/Kathmandu';"
    " set datestyle = 'German'; set intervalstyle = 'sql_standard'",
}
Snapshot = dict[str, Any]


@cache
def snapshots() -> dict[str, Snapshot]:
    vectors = json.loads(VECTORS.read_text("utf-8"), parse_float=Decimal)["vectors"]
    return {vector["id"]: vector["snapshot"] for vector in vectors if vector["snapshot"]}


def owned(snapshot: Snapshot) -> bool:
    if settlement := snapshot.get("kol_settlement"):
        return bool(
            settlement["payer_type"] == "blogger" and settlement["payer_id"] == settlement["blogger_id"]
        )
    row = snapshot["pos_transaction"]
    return row["source"] in {"pos", "live_pos"} and row["platform_order_id"] is None


def normal(value: object, key: str = "") -> object:
    """Return the value with every amount as a `Decimal`."""
    if isinstance(value, dict):
        return {name: normal(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    return Decimal(str(value)) if key in AMOUNTS and value is not None else value


def insert(till: Connection, table: str, row: Snapshot) -> None:
    marks = ", ".join(["%s"] * len(row))
    till.execute(
        f"insert into {table} ({', '.join(row)}) overriding system value values ({marks})",
        [Jsonb(value) if isinstance(value, dict | list) else value for value in row.values()],
    )


def neighbour(row: Snapshot, **changes: object) -> Snapshot:
    """Return a row of the same tenant with the columns that must be filled."""
    head = {
        "id": 1000 + next(NUMBERS),
        "blogger_id": row["blogger_id"],
        "store_code": "S1",
        "subtotal": 0,
        "status": "paid",
    }
    return head | {"completed_at": row["completed_at"] or row["created_at"]} | changes


def store(till: Connection, snapshot: Snapshot) -> tuple[str, int]:
    """Write the rows that a snapshot tells of; return the view and the id to ask for it."""
    if settlement := snapshot.get("kol_settlement"):
        insert(till, "kol_settlements", settlement)
        return "kol_settlement_snapshot", settlement["id"]
    row, original = snapshot["pos_transaction"], snapshot["original"]
    if original:
        kept = {name: original[name] for name in ("receipt_no", "txn_type", "status", "completed_at")}
        source = "pos" if original["owned"] else "ecommerce_pickup"
        changes = {"id": row["original_txn_id"], "source": source, "total_amount": original["refundable"]}
        insert(till, "pos_transactions", neighbour(row, **kept, **changes))
    insert(till, "pos_transactions", row)
    for item in snapshot["items"]:
        insert(till, "pos_transaction_items", item)
    if Decimal(snapshot["refunded"]):
        refund = {"receipt_no": "R", "txn_type": "refund", "original_txn_id": row["id"]}
        changes = {"total_amount": Decimal(snapshot["refunded"]) + 1, "rounding_adjustment": 1}
        insert(till, "pos_transactions", neighbour(row, **refund, **changes))
    return "pos_transaction_snapshot", row["id"]


def read(till: Connection, view: str, aggregate_id: int) -> object:
    set_json_loads(lambda text: json.loads(text, parse_float=Decimal), till)
    row = till.execute(
        f"select snapshot from aiaccount.{view} where id = any(%s)", [[aggregate_id]]
    ).fetchone()
    return row and row[0]


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())
def test_every_vectors_snapshot_is_given_back(till: Connection, session: str) -> None:
    till.execute(session)
    for name, snapshot in snapshots().items():
        with till.transaction(force_rollback=True):
            given = read(till, *store(till, snapshot))
        assert normal(given) == (normal(snapshot) if owned(snapshot) else None), name
    assert len(snapshots()) > 80
    assert any(not owned(snapshot) for snapshot in snapshots().values())


def test_the_bytes_are_the_same_in_every_session(till: Connection) -> None:
    sale_id = usual_sale(till)
    till.execute("update pos_transactions set paid_at = '2026-05-01 06:00:00.125+08'")
    seen = set()
    for session in SESSIONS.values():
        till.execute(session)
        query = "select snapshot::text from aiaccount.pos_transaction_snapshot where id = %s"
        seen.add(one(till, query, sale_id))
    assert len(seen) == 1
    assert json.loads(seen.pop())["pos_transaction"]["paid_at"] == "2026-04-30T22:00:00.125Z"


def test_a_new_column_changes_no_snapshot(till: Connection) -> None:
    sale_id = usual_sale(till)
    before = read(till, "pos_transaction_snapshot", sale_id)
    till.execute("alter table pos_transactions add column mood text default 'good'")
    till.execute("alter table pos_transaction_items add column colour text default 'red'")
    assert read(till, "pos_transaction_snapshot", sale_id) == before


def test_items_come_by_line_number_and_what_is_voided_or_open_refunds_nothing(till: Connection) -> None:
    row = {"id": 1, "blogger_id": 1, "completed_at": "2026-05-01T06:00:00Z"}
    insert(till, "pos_transactions", neighbour(row, id=1, receipt_no="A", total_amount=10))
    for line in (3, 1, 2):
        item = {"transaction_id": 1, "line_no": line, "description": "x", "quantity": 1}
        insert(till, "pos_transaction_items", item | {"unit_price": 1, "line_total": 1})
    refund = {"txn_type": "refund", "original_txn_id": 1, "voided_at": "2026-05-01T06:00:00Z"}
    for number, status in enumerate(
        ("open", "voided", "completed", "paid", "partially_refunded", "refunded")
    ):
        amount = {"total_amount": 10**number, "receipt_no": f"R{number}", "status": status}
        insert(till, "pos_transactions", neighbour(row, **refund, **amount))
    foreign = {"blogger_id": 2, "total_amount": 7, "receipt_no": "F"}
    insert(till, "pos_transactions", neighbour(row, **refund, **foreign))
    snapshot = read(till, "pos_transaction_snapshot", 1)
    assert isinstance(snapshot, dict)
    assert [item["line_no"] for item in snapshot["items"]] == [1, 2, 3]
    assert Decimal(snapshot["refunded"]) == 111_100
    foreign_id = one(till, "select id from pos_transactions where receipt_no = 'F'")
    theirs = read(till, "pos_transaction_snapshot", foreign_id)
    assert isinstance(theirs, dict)
    assert theirs["original"]["owned"] is False


@pytest.mark.parametrize(
    ("zone", "cutoff", "day"),
    [
        ("Asia/Kuala_Lumpur", 0, "2026-05-02"),
        ("Asia/Kuala_Lumpur", 4, "2026-05-01"),
        ("UTC", 0, "2026-05-01"),
        ("America/New_York", 0, "2026-05-01"),
    ],
)
def test_the_business_date_is_the_tenants_own(till: Connection, zone: str, cutoff: int, day: str) -> None:
    sale_id = usual_sale(till)
    query = "select business_date::text from aiaccount.pos_transaction_snapshot where id = %s"
    till.execute("update pos_transactions set completed_at = '2026-05-01 19:30Z'")
    assert one(till, query, sale_id) is None
    till.execute(
        "insert into aiaccount.tenants"
        " (tenant_id, company_name, kol_mode, cutover_date, timezone, day_cutoff_hour)"
        " values (1, 'Mei', 'multi', '2026-01-01', %s, %s)",
        [zone, cutoff],
    )
    assert one(till, query, sale_id) == day
    till.execute("update pos_transactions set completed_at = null, status = 'open'")
    assert one(till, query, sale_id) is None


def nodes(plan: dict[str, Any]) -> list[str]:
    return [plan["Node Type"], *(kind for child in plan.get("Plans", ()) for kind in nodes(child))]


@pytest.mark.parametrize(
    "where",
    ["id = any('{5, 50, 500}')", "id = 7", "tenant_id = 1 and original_id = 7"],
)
def test_single_snapshots_are_read_by_index_alone(till: Connection, where: str) -> None:
    till.execute(
        "insert into pos_transactions"
        " (blogger_id, store_code, receipt_no, txn_type, original_txn_id, subtotal, total_amount)"
        " select 1, 'S1', 'B' || n, case when n > 1000 then 'refund' else 'sale' end,"
        " case when n > 1000 then n - 1000 end, 1, 1 from generate_series(1, 2000) as n"
    )
    till.execute(
        "insert into pos_transaction_items"
        " (transaction_id, line_no, description, quantity, unit_price, line_total)"
        " select id, line, 'x', 1, 1, 1 from pos_transactions, generate_series(1, 3) as line"
    )
    till.execute("analyze")
    query = f"explain (format json) select id, snapshot from aiaccount.pos_transaction_snapshot where {where}"
    assert_by_index(one(till, query)[0]["Plan"])
    if "original_id" not in where:
        digest = (
            f"explain (format json) select id, digest from aiaccount.pos_transaction_digest where {where}"
        )
        assert_by_index(one(till, digest)[0]["Plan"])


def assert_by_index(plan: dict[str, Any]) -> None:
    kinds = nodes(plan)
    tenants = "Seq Scan"  # aiaccount.tenants is empty here
    assert kinds.count(tenants) <= 1
    assert "Index Scan" in kinds or "Bitmap Index Scan" in kinds
    assert not {"Hash Join", "Merge Join", "Hash"} & {*kinds}


def test_a_digest_is_that_of_the_snapshot_as_the_consumers_take_it(till: Connection) -> None:
    sale_id = usual_sale(till)
    assert one(
        till,
        "select d.digest = sha256(convert_to(s.snapshot::text, 'UTF8')) and d.tenant_id = s.tenant_id"
        " from aiaccount.pos_transaction_digest as d join aiaccount.pos_transaction_snapshot as s using (id)"
        f" where id = {sale_id}",
    )
