"""One good document of each kind, to be bent by the tests."""

import copy
from typing import Any

Document = dict[str, Any]
COMPANY = "Mei Live Sdn Bhd"


def bent(document: Document, **changes: object) -> Document:
    """Return a copy in which `lines__0__tax_code="X"` has replaced `lines[0]["tax_code"]`, and so on."""
    changed: Any = copy.deepcopy(document)
    for path, value in changes.items():
        *way, last = path.split("__")
        place = changed
        for step in way:
            place = place[int(step)] if step.isdigit() else place[step]
        place[last] = value
    return changed


def line(amount: str = "90.00", tax: str = "9.00", **changes: object) -> Document:
    return {
        "line_no": 1,
        "sku": "TS-01",
        "description": "T-shirt",
        "quantity": "2",
        "unit_price": "45.0000",
        "discount": "0.00",
        "account_code": "40000",
        "tax_code": "MY-SALES10",
        "amount": amount,
        "tax_amount": tax,
        **changes,
    }


def invoice(number: str = "S1", **changes: object) -> Document:
    document = {
        "company_name": COMPANY,
        "document_type": "invoice",
        "number": number,
        "original_number": None,
        "date": "2026-05-01",
        "due_date": "2026-05-01",
        "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "tax_inclusive": False,
        "lines": [line()],
        "totals": {"net": "90.00", "tax": "9.00", "rounding": "0.00", "total": "99.00"},
        "rounding_account": None,
        "outlet": "S1",
        "memo": None,
        "source": {"system": "NS16", "table": "pos_transactions", "id": "1"},
    }
    return bent(document, **changes)


def credit_note(number: str, original: str | None, **changes: object) -> Document:
    document = invoice(
        number,
        document_type="credit_note",
        original_number=original,
        lines=[line("-90.00", "-9.00", quantity="-2")],
        totals={"net": "-90.00", "tax": "-9.00", "rounding": "0.00", "total": "-99.00"},
    )
    return bent(document, **changes)


def receipt(number: str = "S1-R1", amount: str = "99.00", of: str = "S1", **changes: object) -> Document:
    document = {
        "company_name": COMPANY,
        "document_type": "refund" if amount.startswith("-") else "receipt",
        "number": number,
        "date": "2026-05-01",
        "contact": {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None},
        "currency": "MYR",
        "exchange_rate": None,
        "amount": amount,
        "bank_account_code": "12100",
        "allocations": [{"invoice_number": of, "amount": amount}],
        "reference": None,
        "source": {"system": "NS16", "table": "pos_transactions", "id": "1"},
    }
    return bent(document, **changes)


def bill(number: str = "KS1", **changes: object) -> Document:
    document = invoice(
        number,
        document_type="bill",
        contact={"code": "K7", "name": "Mei", "type": "supplier", "tin": "C123"},
        period={"from": "2026-04-01", "to": "2026-04-30"},
        lines=[
            {
                "line_no": 1,
                "description": "KOL commission 2026-04-01 to 2026-04-30",
                "account_code": "61001",
                "tax_code": "NT",
                "amount": "100.00",
                "tax_amount": "0.00",
            }
        ],
        totals={"net": "100.00", "tax": "0.00", "rounding": "0.00", "total": "100.00"},
    )
    for name in ("rounding_account", "outlet"):
        del document[name]
    return bent(document, **changes)


def payment(number: str = "KS1-P1", amount: str = "100.00", of: str = "KS1", **changes: object) -> Document:
    document = receipt(
        number,
        amount,
        document_type="payment_reversal" if amount.startswith("-") else "payment",
        contact={"code": "K7", "name": "Mei", "type": "supplier", "tin": "C123"},
        bank_account_code="12000",
        allocations=[{"bill_number": of, "amount": amount}],
    )
    return bent(document, **changes)
