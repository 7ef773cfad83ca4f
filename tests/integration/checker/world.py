"""A small world made by hand: rows, a ledger and a book, in which each test breaks one thing."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from deploy.checker import Verdict, check
from tests.integration.checker.documents import NAMES, Document

_SQL = Path(__file__).parents[3] / "outbox" / "migrations" / "sql"
TABLES = (_SQL / "0001_tables.sql", _SQL / "0010_decisions.sql")
CODES = {
    "tax:none:0": "NT",
    "tax:sales:10": "MY-SALES10",
    "tax:service:8": "SV8",
    "payment:cash:MYR": "12100",
    "payment:duitnow:MYR": "12200",
    "payment:bank_transfer:MYR": "12000",
    "payment:cash:JPY": "12160",
    "account:sales": "40000",
    "account:service_charge": "40100",
    "account:tips": "21500",
    "account:rounding": "40900",
    "account:expense": "61001",
    "account:wht_payable": "21700",
}
KEYS = {"c1": "aia_canary_of_mei_7f3", "c2": "aia_canary_of_jun_9b1"}
NOON = "2026-05-01T04:00:00Z"
SNAPSHOTS = {
    "pos": """
        select jsonb_build_object(
          'pos_transaction', to_jsonb(p),
          'items', (select coalesce(jsonb_agg(to_jsonb(i) order by i.line_no), '[]')
                    from pos_transaction_items i where i.transaction_id = p.id),
          'refunded', (select coalesce(sum(r.total_amount - r.rounding_adjustment), 0)::text
                       from pos_transactions r
                       where r.original_txn_id = p.id and r.status in ('completed', 'paid')),
          'original', (select jsonb_build_object('receipt_no', o.receipt_no, 'txn_type', o.txn_type,
                         'status', o.status,
                         'owned', o.platform_order_id is null, 'completed_at', o.completed_at,
                         'refundable', o.total_amount - o.rounding_adjustment,
                         'refunded', (select sum(r.total_amount - r.rounding_adjustment)
                                      from pos_transactions r
                                      where r.original_txn_id = o.id and r.status in ('completed', 'paid')))
                       from pos_transactions o where o.id = p.original_txn_id))
        from pos_transactions p where p.id = %s""",
    "kol": "select jsonb_build_object('kol_settlement', to_jsonb(k)) from kol_settlements k where k.id = %s",
}


@dataclass
class World:
    """Rows and a ledger in a database, and a book on disk that `verdict` writes and has checked."""

    url: str
    path: Path
    connection: psycopg.Connection
    book: list[Document] = field(default_factory=list)
    requests: int = 0

    def run(self, statement: str, *values: object) -> None:
        """Run one statement."""
        self.connection.execute(statement.encode(), values)

    def row(self, table: str, **values: object) -> int:
        """Insert a row and return its id."""
        kept = {
            key: Jsonb(value) if isinstance(value, list | dict) else value for key, value in values.items()
        }
        query = sql.SQL("insert into {} ({}) overriding system value values ({}) returning id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, kept)),
            sql.SQL(", ").join([sql.Placeholder()] * len(kept)),
        )
        made = self.connection.execute(query, list(kept.values())).fetchone()
        assert made
        return int(made[0])

    def sale(
        self, number: str, total: str, items: list[Mapping[str, object]] | None = None, **given: object
    ) -> int:
        """Insert a paid cash sale of tenant 1 at noon, of one T-shirt unless told otherwise."""
        values: Document = {
            "blogger_id": 1,
            "store_code": "S1",
            "receipt_no": number,
            "status": "paid",
            "subtotal": total,
            "total_amount": total,
            "amount_paid": given.get("total_amount", total),
            "payment_method": "cash",
            "completed_at": NOON,
            "paid_at": NOON,
        }
        made = self.row("pos_transactions", **(values | given))
        for place, item in enumerate(items or [{"line_total": total, "unit_price": total}], 1):
            standard: Document = {"sku": "TS-01", "description": "T-shirt", "quantity": 1}
            self.row(
                "pos_transaction_items",
                **(standard | {"transaction_id": made, "line_no": place} | dict(item)),
            )
        return made

    def settlement(self, number: str, commission: str, **given: object) -> int:
        """Insert a settlement of tenant 1 for KOL 11, April, paid by bank transfer on 5 May."""
        values: Document = {
            "blogger_id": 1,
            "settlement_no": number,
            "payer_type": "blogger",
            "payer_id": 1,
            "payee_kol_id": 11,
            "payee_name": "Aisyah",
            "period_start": "2026-04-01",
            "period_end": "2026-04-30",
            "gross_sales": "9999.99",
            "commission_amount": commission,
            "net_payable": commission,
            "status": "paid",
            "payment_method": "bank_transfer",
            "payment_reference": "FT-1",
            "paid_at": "2026-05-05T03:00:00Z",
            "updated_at": "2026-05-05T03:00:00Z",
        }
        return self.row("kol_settlements", **(values | given))

    def snapshot(self, endpoint: str, aggregate: int) -> Any:
        """Give a row's snapshot as it is now, null when it is gone."""
        found = self.connection.execute(SNAPSHOTS[endpoint[:3]].encode(), [aggregate]).fetchone()
        return found[0] if found else None

    def write(self, kind: str, **values: object) -> Document:
        """Append an entry to the book."""
        entry: Document = {"kind": kind, "at": "2026-05-01T04:00:01.000000Z"} | values
        self.book.append(entry)
        return entry

    def ask(self, endpoint: str, document: Document, company: str = "c1", **given: object) -> str:
        """Write a request to post a document into the book and return its id."""
        self.requests += 1
        request_id = f"r{self.requests}"
        standard: Document = {
            "request_id": request_id,
            "method": "POST",
            "path": f"/api/v1/{endpoint}",
            "endpoint": endpoint,
            "key_sha256": hashlib.sha256(KEYS[company].encode()).hexdigest(),
            "key_company": company,
            "idempotency_key": "k",
            "body": copy.deepcopy(document),
            "raw": None,
            "query": {},
        }
        self.write("request", **(standard | given))
        return request_id

    def answer(self, request_id: str, status: int = 201, code: str = "created") -> None:
        """Write a reply into the book."""
        self.write("reply", request_id=request_id, status=status, code=code, fault=None)

    def store(self, endpoint: str, document: Document, company: str = "c1", **given: object) -> Document:
        """Let a document be asked for and stored, and return its entry in the book."""
        request_id = self.ask(endpoint, document, company)
        standard: Document = {
            "request_id": request_id,
            "company_id": company,
            "company_name": NAMES[company],
            "endpoint": endpoint,
            "number": document["number"],
            "contact_code": document["contact"]["code"],
            "document_id": f"{company}-{endpoint}-{document['number']}",
            "document": copy.deepcopy(document),
        }
        entry = self.write("stored", **(standard | given))
        self.answer(request_id)
        return entry

    def know(self, endpoint: str, number: str, aggregate: int, **given: object) -> None:
        """Enter a document into the ledger; accepted when `document` is given, unless told otherwise."""
        document: Any = given.pop("document", None)
        sent = document is not None
        snapshot = given.pop("snapshot", self.snapshot(endpoint, aggregate)) if sent else None
        values: Document = {
            "company_id": "c1",
            "endpoint": endpoint,
            "aggregate_id": aggregate,
            "number": number,
            "tenant_id": 1,
            "document": Json(document) if sent else None,
            "snapshot": Jsonb(snapshot) if sent else None,
            "accepted_at": NOON if sent else None,
            "settings_version": 1,
        }
        values |= given
        if values["accepted_at"]:
            values.setdefault("remote_id", f"{values['company_id']}-{endpoint}-{number}")
        query = sql.SQL("insert into aiaccount.documents ({}) values ({})").format(
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        )
        self.connection.execute(query, list(values.values()))

    def push(self, endpoint: str, document: Document, **given: object) -> Document:
        """Store a document and enter it as accepted, made from its row as it is now."""
        entry = self.store(endpoint, document)
        self.know(endpoint, document["number"], int(document["source"]["id"]), document=document, **given)
        return entry

    def forget(self, number: str, *, book: bool = True, ledger: bool = True) -> None:
        """Take a document out of the book, the ledger or both."""
        if book:
            gone = {entry["request_id"] for entry in self.book if entry.get("number") == number}
            self.book[:] = [entry for entry in self.book if entry.get("request_id") not in gone]
        if ledger:
            self.run("delete from aiaccount.documents where number = %s", number)

    def stored(self, number: str) -> Document:
        """Give the entry of a stored document, to be changed in place."""
        return next(e for e in self.book if e["kind"] == "stored" and e["number"] == number)

    def change(self, number: str, **values: object) -> None:
        """Change a document wherever it stands: as asked, as stored and in the ledger."""
        for entry in self.book:
            body = entry.get("document") or entry.get("body")
            if body and body["number"] == number:
                body |= copy.deepcopy(values)
        document = self.stored(number)["document"]
        self.run("update aiaccount.documents set document = %s where number = %s", Json(document), number)

    def verdict(
        self, *, canaries: tuple[str, ...] = tuple(KEYS.values()), texts: tuple[str | Path, ...] = ()
    ) -> Verdict:
        """Write the book and have all of it checked."""
        lines = [
            json.dumps({"n": place} | entry, ensure_ascii=False) for place, entry in enumerate(self.book, 1)
        ]
        self.path.write_text("".join(f"{text}\n" for text in lines), "utf-8")
        return check(self.url, self.path, canaries=canaries, texts=texts)


def tenant(world: World, tenant_id: int, company: str | None, **given: object) -> None:
    """Enter a tenant."""
    values: Document = {
        "tenant_id": tenant_id,
        "company_id": company,
        "company_name": NAMES.get(company or "", "Not yet"),
        "kol_mode": "multi",
        "owner_kol_id": 10,
        "cutover_date": "2026-01-01",
        "codes": Jsonb(CODES),
    }
    values |= given
    query = sql.SQL("insert into aiaccount.tenants ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join([sql.Placeholder()] * len(values))
    )
    world.connection.execute(query, list(values.values()))
