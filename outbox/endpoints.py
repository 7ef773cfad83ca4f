"""The four endpoints, the aggregates they read and the topics that carry them.

One table that every other module asks, so that nobody spells a topic or a pairing again.
"""

from enum import StrEnum


class Aggregate(StrEnum):
    """What a change is about: a sale or refund at the till, or a KOL settlement."""

    POS_TRANSACTION = "pos_transaction"
    KOL_SETTLEMENT = "kol_settlement"


class Endpoint(StrEnum):
    """One of the four kinds of documents."""

    POS_INVOICE = "pos_invoice"
    POS_RECEIPT = "pos_receipt"
    KOL_BILL = "kol_bill"
    KOL_PAYMENT = "kol_payment"

    @property
    def aggregate(self) -> Aggregate:
        """The aggregate whose rows it posts."""
        return Aggregate.POS_TRANSACTION if self in _POS else Aggregate.KOL_SETTLEMENT

    @property
    def group(self) -> str:
        """The consumer group that reads for it."""
        return f"aiaccount-sync.{self.value}"


_POS = (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT)

TOPICS = {
    Aggregate.POS_TRANSACTION: "aiaccount.pos-transactions",
    Aggregate.KOL_SETTLEMENT: "aiaccount.kol-settlements",
}
DEAD_LETTERS = "aiaccount.dead-letters"
