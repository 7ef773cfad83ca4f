"""The worlds that are explored: each small enough to be seen whole, together all that can meet."""

from tests.model.scope import Scope

_ALL = ("create", "amend", "void", "reopen", "delete")

SMALL = (
    Scope("amended", "a sale that is amended; workers die, requests time out", ("create", "amend")),
    Scope("voided", "a sale that is voided; requests time out", ("create", "void"), crashes=False),
    Scope("deleted", "a sale that is deleted; workers die, requests time out", ("create", "delete")),
    Scope(
        "reopened",
        "a sale that is voided and then not",
        ("create", "void", "reopen"),
        crashes=False,
        timeouts=False,
    ),
    Scope(
        "receipt",
        "a paid sale: the receipt waits for the invoice",
        ("create",),
        receipt=True,
        crashes=False,
        timeouts=False,
    ),
    Scope(
        "lossy",
        "a sale that is amended, captures and messages lost; reconciled",
        ("create", "amend"),
        lossy=True,
        reconciles=True,
        crashes=False,
        timeouts=False,
    ),
    Scope(
        "late",
        "a sale that is voided; calls land after more than two minutes",
        ("create", "void"),
        crashes=False,
        timeouts=False,
        lands_late=True,
    ),
)
"""Seen whole in about two minutes; what CI runs."""

LARGE = (
    Scope("everything", "a sale that is amended, voided, reopened, deleted; all that can fail", _ALL),
    Scope("receipt-dies", "a paid sale; workers die, requests time out", ("create",), receipt=True),
    Scope(
        "receipt-voided",
        "a paid sale that is amended and voided",
        ("create", "amend", "void"),
        receipt=True,
        crashes=False,
        timeouts=False,
    ),
    Scope(
        "receipt-lossy",
        "a paid sale, captures and messages lost, workers die; reconciled",
        ("create",),
        receipt=True,
        lossy=True,
        reconciles=True,
        timeouts=False,
    ),
)
"""For people with hours and memory."""

DYING = Scope("receipt-dies-early", "a paid sale; workers die", ("create",), receipt=True, timeouts=False)
"""Only for what is left out: it is not seen whole in a minute."""

WORLDS = {scope.name: scope for scope in (*SMALL, *LARGE, DYING)}
