"""Write documents by hand, as they should stand in the books."""

import copy
from decimal import Decimal
from typing import Any

Document = dict[str, Any]
NAMES = {"c1": "Mei Live Sdn Bhd", "c2": "俊的店"}


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
        "totals": {
            "net": str(net),
            "tax": str(tax),
            "rounding": str(Decimal(total) - net - tax),
            "total": total,
        },
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


def bill(
    number: str, source: int, lines: list[tuple[str, str, str]], total: str, **given: object
) -> Document:
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
    made = receipt(
        billed, number, amount, "12000", document_type="payment", date="2026-05-05", reference="FT-1"
    )
    made["allocations"] = [{"bill_number": billed["number"], "amount": amount}]
    return made | given


def negated(document: Document, number: str, document_type: str, date: str, **given: object) -> Document:
    """Give the document that takes another back."""
    made = copy.deepcopy(document) | {"number": number, "document_type": document_type, "date": date}
    if "totals" in made:
        made |= {"due_date": date, "original_number": document["number"]}
        made["totals"] = {key: _neg(value) for key, value in made["totals"].items()}
        for part in made["lines"]:
            part |= {
                key: _neg(part[key])
                for key in ("quantity", "discount", "amount", "tax_amount")
                if key in part
            }
    else:
        made["amount"] = _neg(made["amount"])
        made["allocations"] = [part | {"amount": _neg(part["amount"])} for part in made["allocations"]]
    return made | given


def _neg(wire: str) -> str:
    return str(-Decimal(wire))
