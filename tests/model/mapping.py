"""What the row calls for against what was sent: `head.py`, `pos_invoice.py`, `pos_receipt.py` in short.

A document in doubt is pushed again exactly as it was sent, whatever the row says now, and until its fate is
known nothing else of its kind is said (`mappers/plan.py`).
"""

from functools import cache

from tests.model.state import (
    ABSENT,
    ACCEPTED,
    CONTENT,
    FRESH,
    GONE,
    INVOICE,
    IS_LIVE,
    NONE,
    OLD,
    Document,
)

Pushes = tuple[tuple[int, int], ...]
"""What to push: which of the endpoint's own two documents, and its content."""
Said = tuple[str, str]
"""What the ledger says of each of the two where it is not pushed."""

UNSURE = (FRESH, OLD)
UNSENT, IN_DOUBT, SENT, CONFLICT, REVERSING, REVERSED = (
    "unsent",
    "in doubt",
    "sent",
    "conflict",
    "reversing",
    "reversed",
)


@cache
def invoice_standing(row: int, invoice: Document, void: Document) -> str:
    """Say how the invoice stands: receipts hang on it."""
    if invoice[0] in UNSURE or void[0] in UNSURE:
        return IN_DOUBT
    if invoice[0] == NONE:
        return UNSENT
    if row in (ABSENT, GONE):
        return CONFLICT
    if not IS_LIVE[row]:
        return REVERSED if void[0] == ACCEPTED else REVERSING
    return CONFLICT if void[0] == ACCEPTED or invoice[1] != CONTENT[row] else SENT


@cache
def plan(endpoint: int, row: int, own: tuple[Document, Document], standing: str) -> tuple[Pushes, Said]:
    """Return the documents to push, in order, and what is said of the others."""
    again = tuple((at, own[at][1]) for at in (0, 1) if own[at][0] in UNSURE)
    said = ["", ""]
    more: Pushes = ()
    if endpoint == INVOICE:
        more = _invoice(row, own, said)
    elif own[0][0] not in UNSURE:
        more = _receipt(row, own, standing, said)
    return again + more, (said[0], said[1])


def _invoice(row: int, own: tuple[Document, Document], said: list[str]) -> Pushes:
    match invoice_standing(row, *own):
        case "unsent" if row not in (ABSENT, GONE):
            if IS_LIVE[row]:
                return ((0, CONTENT[row]),)
            said[0] = "skip"
        case "reversing":
            return ((1, own[0][1]),)
        case "conflict":
            said[0] = "conflict"
    return ()


def _receipt(row: int, own: tuple[Document, Document], standing: str, said: list[str]) -> Pushes:
    receipt, reversal = own
    stands = receipt[0] == ACCEPTED and reversal[0] == NONE
    if row in (ABSENT, GONE):
        said[0] = "conflict" if stands else ""
        return ()
    if not IS_LIVE[row]:
        if stands and standing == REVERSED:
            return ((1, receipt[1]),)
        said[0] = "skip" if receipt[0] == NONE else ""
        said[1] = "wait" if stands else ""
        return ()
    if receipt[0] == ACCEPTED:
        said[0] = "conflict" if stands and receipt[1] != CONTENT[row] else ""
    elif standing == SENT:
        return ((0, CONTENT[row]),)
    else:
        said[0] = "wait"
    return ()
