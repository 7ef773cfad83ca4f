"""The four kinds of document AiAccount takes, by path, scope and kind."""

from dataclasses import dataclass

from deploy.sandbox.problem import Code


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One of the four: its name here, its path segment (which is its scope too) and its rules in short.

    `plus` is the document type of positive amounts, `minus` that of negative ones. `pays` names the endpoint
    whose documents this one is allocated to, under `allocation_key`; None for invoices and bills.
    """

    name: str
    scope: str
    plus: str
    minus: str
    contact_type: str
    not_found: Code
    pays: str | None = None
    allocation_key: str = ""


POS_INVOICE = Endpoint(
    "pos_invoice", "sales-invoices", "invoice", "credit_note", "customer", Code.INVOICE_NOT_FOUND
)
POS_RECEIPT = Endpoint(
    "pos_receipt",
    "sales-receipts",
    "receipt",
    "refund",
    "customer",
    Code.INVOICE_NOT_FOUND,
    pays="pos_invoice",
    allocation_key="invoice_number",
)
KOL_BILL = Endpoint("kol_bill", "expense-bills", "bill", "debit_note", "supplier", Code.BILL_NOT_FOUND)
KOL_PAYMENT = Endpoint(
    "kol_payment",
    "expense-payments",
    "payment",
    "payment_reversal",
    "supplier",
    Code.BILL_NOT_FOUND,
    pays="kol_bill",
    allocation_key="bill_number",
)
ENDPOINTS = {each.name: each for each in (POS_INVOICE, POS_RECEIPT, KOL_BILL, KOL_PAYMENT)}
SCOPES = tuple(each.scope for each in ENDPOINTS.values())
