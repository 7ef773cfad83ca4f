"""A small world made by hand: rows, a ledger and a book, in which each test breaks one thing."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Json, Jsonb

from deploy.checker import Verdict, check

Document = dict[str, Any]
TABLES = Path(__file__).parents[3] / "outbox" / "migrations" / "sql" / "0001_tables.sql"
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
NAMES = {"c1": "Mei Live Sdn Bhd", "c2": "俊的店"}
NOON = "2026-05-01T04:00:00Z"
SNAPSHOTS = {
    "pos": """
        select jsonb_build_object(
          'pos_transaction', to_jsonb(p),
          'items', (select coalesce(jsonb_agg(to_jsonb(i) order by i.line_no), '[]')
                    from pos_transaction_items i where i.transaction_id = p.id),
          'refunded', (select coalesce(sum(r.total_amount - r.rounding_adjustment), 0)::text from pos_transactions r
                       where r.original_txn_id = p.id and r.status in ('completed', 'paid')),
          'original', (select jsonb_build_object('receipt_no', o.receipt_no, 'txn_type', o.txn_type, 'status', o.status,
                         'owned', o.platform_order_id is null, 'completed_at', o.completed_at,
                         'refundable', o.total_amount - o.rounding_adjustment,
                         'refunded', (select sum(r.total_amount - r.rounding_adjustment) from pos_transactions r
                                      where r.original_txn_id = o.id and r.status in ('completed', 'paid')))
                       from pos_transactions o where o.id = p.original_txn_id))
        from pos_transactions p where p.id = %s""",
    "kol": "select jsonb_build_object('kol_settlement', to_jsonb(k)) from kol_settlements k where k.id = %s",
}


def line(amount: str, tax: str = "0.00", code: str = "NT", **given: object) -> Document:
    """Give a line of an invoice that sells one thing, its amount without tax."""
    made: Document = {
        "line_no": 1,
        "sku": "TS-01",
        "description": "T-shirt",
        "quantity": "1",
        "unit_price": f"{Decimal(amount):.4f}",
        "discount": "0.00",
        "account_code": "40000",
        "tax_code": code,
        "amount": amount,
        "tax_amount": tax,
    }
    return made | given


def invoice(number: str, source: int, lines: list[Document], total: str, **given: object) -> Document:
    """Give a sales invoice; its net and tax are its lines', what is left of the total is rounding."""
    net = sum(Decimal(part["amount"]) for part in lines)
    tax = sum(Decimal(part["tax_amount"]) for part in lines)
    made: Document = {
        "company_name": NAMES["c1"],
        "document_type": "invoice",
        "number": number,
        "original_number": None,
        "date": "2026-05-01",
        "due_date": "2026-05-01",
        "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "tax_inclusive": False,
        "lines": [part | {"line_no": place} for place, part in enumerate(lines, 1)],
        "totals": {"net": str(net), "tax": str(tax), "rounding": str(Decimal(total) - net - tax), "total": total},
        "rounding_account": None if Decimal(total) == net + tax else "40900",
        "outlet": "S1",
        "memo": None,
        "source": {"system": "NS16", "table": "pos_transactions", "id": str(source)},
    }
    return made | given


def receipt(invoiced: Document, number: str, amount: str, bank: str = "12100", **given: object) -> Document:
    """Give a receipt for an invoice."""
    made: Document = {
        "company_name": invoiced["company_name"],
        "document_type": "receipt",
        "number": number,
        "date": "2026-05-01",
        "contact": invoiced["contact"],
        "currency": invoiced["currency"],
        "exchange_rate": None,
        "amount": amount,
        "bank_account_code": bank,
        "allocations": [{"invoice_number": invoiced["number"], "amount": amount}],
        "reference": None,
        "source": invoiced["source"],
    }
    return made | given


def bill(number: str, source: int, lines: list[tuple[str, str, str]], total: str, **given: object) -> Document:
    """Give a bill for KOL 11; lines are description, account and amount."""
    made: Document = {
        "company_name": NAMES["c1"],
        "document_type": "bill",
        "number": number,
        "original_number": None,
        "date": "2026-04-30",
        "due_date": "2026-04-30",
        "contact": {"code": "K11", "name": "Aisyah", "type": "supplier", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "tax_inclusive": False,
        "lines": [
            {
                "line_no": place,
                "description": description,
                "account_code": account,
                "tax_code": "NT",
                "amount": amount,
                "tax_amount": "0.00",
            }
            for place, (description, account, amount) in enumerate(lines, 1)
        ],
        "totals": {"net": total, "tax": "0.00", "rounding": "0.00", "total": total},
        "period": {"from": "2026-04-01", "to": "2026-04-30"},
        "memo": None,
        "source": {"system": "NS16", "table": "kol_settlements", "id": str(source)},
    }
    return made | given


def payment(billed: Document, number: str, amount: str, **given: object) -> Document:
    """Give a payment of a bill by bank transfer on 5 May."""
    made = receipt(billed, number, amount, "12000", document_type="payment", date="2026-05-05", reference="FT-1")
    made["allocations"] = [{"bill_number": billed["number"], "amount": amount}]
    return made | given


def negated(document: Document, number: str, document_type: str, date: str, **given: object) -> Document:
    """Give the document that takes another back."""
    made = copy.deepcopy(document) | {"number": number, "document_type": document_type, "date": date}
    if "totals" in made:
        made |= {"due_date": date, "original_number": document["number"]}
        made["totals"] = {key: _neg(value) for key, value in made["totals"].items()}
        for part in made["lines"]:
            part |= {key: _neg(part[key]) for key in ("quantity", "discount", "amount", "tax_amount") if key in part}
    else:
        made["amount"] = _neg(made["amount"])
        made["allocations"] = [part | {"amount": _neg(part["amount"])} for part in made["allocations"]]
    return made | given


def _neg(wire: str) -> str:
    return str(-Decimal(wire))


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
        kept = {key: Jsonb(value) if isinstance(value, list | dict) else value for key, value in values.items()}
        query = sql.SQL("insert into {} ({}) overriding system value values ({}) returning id").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, kept)),
            sql.SQL(", ").join([sql.Placeholder()] * len(kept)),
        )
        made = self.connection.execute(query, list(kept.values())).fetchone()
        assert made
        return int(made[0])

    def sale(self, number: str, total: str, items: list[Mapping[str, object]] | None = None, **given: object) -> int:
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
            self.row("pos_transaction_items", **(standard | {"transaction_id": made, "line_no": place} | dict(item)))
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

    def snapshot(self, endpoint: str, aggregate: int) -> Any:  # noqa: ANN401 - JSON
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
            sql.SQL(", ").join(map(sql.Identifier, values)), sql.SQL(", ").join([sql.Placeholder()] * len(values))
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

    def verdict(self, *, canaries: tuple[str, ...] = tuple(KEYS.values()), texts: tuple[str | Path, ...] = ()) -> Verdict:
        """Write the book and have all of it checked."""
        lines = [json.dumps({"n": place} | entry, ensure_ascii=False) for place, entry in enumerate(self.book, 1)]
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


def fill(world: World) -> None:
    """Play a day that is handled without a fault: every kind of document once or more."""
    tenant(world, 1, "c1")
    tenant(world, 2, "c2")
    tenant(world, 3, "c3", active=False)
    world.write("admin", what="company", detail={"company_id": "c1"})
    _sales(world)
    _settlements(world)


def _sales(world: World) -> None:
    plain = invoice("POS2026050100001", world.sale("POS2026050100001", "50.00"), [line("50.00")], "50.00")
    world.push("pos_invoice", plain)
    world.push("pos_receipt", receipt(plain, "POS2026050100001-R1", "50.00"))
    # Tax on top, a discount shared, a service charge, a tip, rounding, two tenders, a member.
    tenders = [
        {"seq": 1, "method": "cash", "amount": "40.00", "ref": None, "paid_at": NOON},
        {"seq": 2, "method": "duitnow", "amount": "68.80", "ref": "DN-1", "paid_at": "2026-05-01T16:30:00Z"},
    ]
    rich = world.sale(
        "POS2026050100002", "100.00", [{"line_total": "40.00", "unit_price": 40}, {"line_total": "60.00", "unit_price": 60}],
        tax_type="sales", tax_rate=10, tax_amount="9.00", order_discount="10.00", service_charge="4.50",
        tip_amount="5.33", rounding_adjustment="-0.03", total_amount="108.80", tenders=tenders, payment_method=None,
        customer_id=7, customer_name="Lim",
    )  # fmt: skip
    lines = [
        line("36.00", "3.60", "MY-SALES10", unit_price="40.0000", discount="4.00"),
        line("54.00", "5.40", "MY-SALES10", unit_price="60.0000", discount="6.00"),
        line("4.50", account_code="40100", sku=None, description="Service charge"),
        line("5.33", account_code="21500", sku=None, description="Tip"),
    ]
    member = {"code": "C7", "name": "Lim", "type": "customer", "tin": None}
    taxed = invoice("POS2026050100002", rich, lines, "108.80", contact=member)
    world.push("pos_invoice", taxed)
    world.push("pos_receipt", receipt(taxed, "POS2026050100002-R1", "40.00"))
    second = receipt(taxed, "POS2026050100002-R2", "68.80", "12200", date="2026-05-02", reference="DN-1")
    world.push("pos_receipt", second)
    # Included tax, three equal lines; just before midnight in Kuala Lumpur.
    late = "2026-05-01T15:59:59Z"
    three = [{"line_total": "3.33", "unit_price": "3.33"}] * 3
    inclusive = world.sale(
        "POS2026050100003", "9.99", three, tax_inclusive=True, tax_type="service", tax_rate=8, tax_amount="0.74",
        completed_at=late, paid_at=late,
    )  # fmt: skip
    shares = [line("3.08", "0.25"), line("3.08", "0.25"), line("3.09", "0.24")]
    included = invoice(
        "POS2026050100003", inclusive, [part | {"tax_code": "SV8", "unit_price": "3.3300"} for part in shares], "9.99",
        tax_inclusive=True,
    )  # fmt: skip
    world.push("pos_invoice", included)
    world.push("pos_receipt", receipt(included, "POS2026050100003-R1", "9.99"))
    _refund(world, plain)
    _void(world)
    _held_back(world)


def _refund(world: World, plain: Document) -> None:
    day = "2026-05-02T04:00:00Z"
    refund = world.sale(
        "POS2026050200001", "20.00", txn_type="refund", original_txn_id=int(plain["source"]["id"]), completed_at=day, paid_at=day,
    )  # fmt: skip
    taken = line("-20.00", quantity="-1", unit_price="20.0000")
    note = invoice(
        "POS2026050200001", refund, [taken], "-20.00",
        document_type="credit_note", original_number="POS2026050100001", date="2026-05-02", due_date="2026-05-02",
    )  # fmt: skip
    world.push("pos_invoice", note)
    back = receipt(note, "POS2026050200001-R1", "-20.00", document_type="refund", date="2026-05-02")
    world.push("pos_receipt", back)


def _void(world: World) -> None:
    voided = world.sale("POS2026050100004", "30.00")
    sold = invoice("POS2026050100004", voided, [line("30.00")], "30.00")
    world.push("pos_invoice", sold)
    paid = receipt(sold, "POS2026050100004-R1", "30.00")
    world.push("pos_receipt", paid)
    world.run("update pos_transactions set status = 'voided', voided_at = '2026-05-03T04:00:00Z' where id = %s", voided)
    world.push("pos_invoice", negated(sold, "POS2026050100004-V1", "credit_note", "2026-05-03"))
    allocations = [{"invoice_number": "POS2026050100004-V1", "amount": "-30.00"}]
    back = negated(paid, "POS2026050100004-R1X", "refund", "2026-05-03", allocations=allocations)
    world.push("pos_receipt", back)


def _held_back(world: World) -> None:
    """Rows that give nothing, each with a true reason: not owned, open, of before, unmapped, another's."""
    world.sale("POS2026050100005", "70.00", source="ecommerce_pickup", platform_order_id=5)
    world.sale("POS2026050100006", "70.00", status="open", completed_at=None)
    world.sale("POS2026050100007", "70.00", blogger_id=3)
    world.sale("POS2026050100008", "70.00", blogger_id=99)
    before = world.sale("POS2025123100001", "70.00", completed_at="2025-12-31T04:00:00Z", paid_at="2025-12-31T04:00:00Z")
    world.know("pos_invoice", "POS2025123100001", before, verdict="skip", code="BEFORE_CUTOVER")
    world.know("pos_receipt", "POS2025123100001-R1", before, verdict="skip", code="BEFORE_CUTOVER")
    unmapped = world.sale("POS2026050100009", "70.00", payment_method="cheque")
    world.push("pos_invoice", invoice("POS2026050100009", unmapped, [line("70.00")], "70.00"))
    world.know("pos_receipt", "POS2026050100009-R1", unmapped, verdict="block", code="PAYMENT_METHOD_UNMAPPED")
    other = world.sale("POS2026050100001", "80.00", blogger_id=2)
    theirs = invoice("POS2026050100001", other, [line("80.00")], "80.00", company_name=NAMES["c2"])
    for endpoint, document in (("pos_invoice", theirs), ("pos_receipt", receipt(theirs, "POS2026050100001-R1", "80.00"))):
        world.store(endpoint, document, "c2")
        world.know(endpoint, document["number"], other, document=document, company_id="c2", tenant_id=2)


def _settlements(world: World) -> None:
    adjusted = world.settlement(
        "KS202604-00001", "1000.00", adjustments=[{"label": "Bonus", "amount": "200.00"}, {"label": "Damage", "amount": "-50.00"}],
        net_payable="1150.00", wht_amount="23.00",
    )  # fmt: skip
    lines = [
        ("KOL commission 2026-04-01 to 2026-04-30", "61001", "1000.00"),
        ("Bonus", "61001", "200.00"),
        ("Damage", "61001", "-50.00"),
        ("Withholding tax", "21700", "-23.00"),
    ]
    billed = bill("KS202604-00001", adjusted, lines, "1127.00")
    world.push("kol_bill", billed)
    world.push("kol_payment", payment(billed, "KS202604-00001-P1", "1127.00"))
    cancelled = world.settlement("KS202604-00002", "300.00")
    first = bill("KS202604-00002", cancelled, [("KOL commission 2026-04-01 to 2026-04-30", "61001", "300.00")], "300.00")
    world.push("kol_bill", first)
    paid = payment(first, "KS202604-00002-P1", "300.00")
    world.push("kol_payment", paid)
    world.run(
        "update kol_settlements set status = 'cancelled', cancelled_at = '2026-05-09T04:00:00Z' where id = %s", cancelled
    )
    world.push("kol_payment", negated(paid, "KS202604-00002-P1X", "payment_reversal", "2026-05-09"))
    world.push("kol_bill", negated(first, "KS202604-00002-V1", "debit_note", "2026-05-09"))
    world.settlement("KS202604-00003", "500.00", payer_type="platform", payer_id=900)
