"""Name the contact of a document (mapping, common rule 7)."""

from typing import Any

from mappers.fields import Table, identity, optional_text


def customer_of(row: Table) -> dict[str, Any]:
    """Name the customer of a sale, or the walk-in."""
    if row.get("customer_id") is None:
        return {"code": "POS-WALKIN", "name": "POS Walk-in", "type": "customer", "tin": None}
    code = "C" + identity(row, "customer_id", "pos_transaction")
    name = optional_text(row, "customer_name", "pos_transaction") or code
    tin = optional_text(row, "customer_tin", "pos_transaction")
    return {"code": code, "name": name, "type": "customer", "tin": tin}


def supplier_of(row: Table) -> dict[str, Any]:
    """Name the KOL that a settlement pays."""
    code = "K" + identity(row, "payee_kol_id", "kol_settlement")
    name = optional_text(row, "payee_name", "kol_settlement") or code
    tin = optional_text(row, "payee_tin", "kol_settlement")
    return {"code": code, "name": name, "type": "supplier", "tin": tin}
