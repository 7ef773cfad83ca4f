"""Name the four endpoints of AiAccount that documents are sent to."""

from typing import Final, Literal, TypeAlias

Endpoint: TypeAlias = Literal["pos_invoice", "pos_receipt", "kol_bill", "kol_payment"]

POS_INVOICE: Final = "pos_invoice"
POS_RECEIPT: Final = "pos_receipt"
KOL_BILL: Final = "kol_bill"
KOL_PAYMENT: Final = "kol_payment"

ENDPOINTS: Final = (POS_INVOICE, POS_RECEIPT, KOL_BILL, KOL_PAYMENT)
