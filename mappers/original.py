"""Judge the sale that a refund row refunds: its number, its checks, and whether its invoice stands."""

from mappers.dates import business_date, is_before_cutover
from mappers.endpoints import POS_INVOICE
from mappers.failure import CheckFailedError
from mappers.head import Life
from mappers.history import History
from mappers.pos_sale import Original, PosSale, read_sale
from mappers.settings import Settings


def original_number_of(sale: PosSale, settings: Settings, history: History) -> str | None:
    """Name the document that a refund corrects.

    None for a sale, for a refund of an unknown sale, and for one of before the cut-over that was not sent.
    """
    original = sale.original
    if original is None:
        return None
    if history.original is None and original.completed_at is not None:
        day = business_date(original.completed_at, settings)
        if is_before_cutover(day, POS_INVOICE, settings):
            return None
    return original.receipt_no


def check_refund(sale: PosSale) -> None:
    """Check a refund row against its original.

    Raises:
        CheckFailedError: the first of the refund's checks that it fails.
    """
    if not sale.refund:
        return
    if sale.total < 0:
        raise CheckFailedError("SOURCE_TOTAL_MISMATCH")
    original = sale.original
    if original is None:
        return
    if original.refund:
        raise CheckFailedError("REFUND_OF_REFUND")
    if original.life is Life.ENDED:
        raise CheckFailedError("ORIGINAL_VOIDED")
    if original.refunded > original.refundable:
        raise CheckFailedError("REFUND_EXCEEDS_ORIGINAL")


def original_stands(original: Original, settings: Settings, history: History) -> bool:
    """Say whether the original's invoice was sent and, as far as can be seen from here, is not in conflict.

    It is in conflict when the original was renumbered, reopened, un-voided after its reversal or amended.
    """
    sent = history.original
    if sent is None or sent.in_doubt or history.original_void is not None:
        return False
    if sent.number != original.receipt_no or original.life is Life.OPEN:
        return False
    return (
        history.original_accepted
        or sent.snapshot is None
        or not _is_amended(original, read_sale(sent.snapshot), settings)
    )


def _is_amended(original: Original, then: PosSale, settings: Settings) -> bool:
    if then.number != original.receipt_no or original.completed_at is None:
        return False
    return (
        then.refund is not original.refund
        or then.total - then.rounding != original.refundable
        or then.day(settings) != business_date(original.completed_at, settings)
    )
