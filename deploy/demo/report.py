"""What came of the day, in words for people."""

from deploy.checker import Kind, Verdict, render
from deploy.demo.bloggers import BLOGGERS
from deploy.demo.latency import Latency
from deploy.demo.record import Record
from deploy.demo.screen import Screen
from deploy.servers.broker import BrokerChoice

_ENDPOINTS = {
    "pos_invoice": "POS invoices",
    "pos_receipt": "POS receipts",
    "kol_bill": "KOL bills",
    "kol_payment": "KOL payments",
}
_IN_BOOKS = "in the books"
_LEAST_WIDTH = 8
_MEANINGS = {
    "TAX_CODE_MISSING": "AiAccount refused it: the company's books lack MY-SALES10. Goes when they have it",
    "PAYMENT_METHOD_UNMAPPED": "the tenant's codes do not say which account the method pays into",
    "SOURCE_TOTAL_MISMATCH": "the till's own figures do not add up: taken as recorded, never repaired",
    "AMENDED_AFTER_PUSH": "edited after it was posted: a person decides, nothing is overwritten",
    "KOL_MODE_SINGLE": "the tenant is in single mode: it owes no KOL",
    "SELF_PAYEE": "the payee is the blogger's own KOL",
    "VOIDED_BEFORE_PUSH": "voided before it was posted",
    "CANCELLED_BEFORE_PUSH": "cancelled before it was posted",
    "ZERO_TOTAL": "nothing to pay: an even exchange",
    "SUPERSEDED": "no longer called for, and never sent",
    "waiting": "hangs on one of these (a receipt on its invoice, a refund on its sale)",
}
_SLOW_BROKER = (
    "About 0.1 s of it is the embedded broker's, which is slow to hand a message on; see --broker kafka."
)
_NOT_OURS = ("hand-overs of e-commerce orders", "settlements that the platform owes")


def print_played(screen: Screen, record: Record) -> None:
    """Print what the tills did."""
    rows = sorted(record.played.items(), key=lambda item: (-item[1], item[0]))
    screen.facts([(f"{count:>6,}", what) for what, count in rows], 6)


def print_result(
    screen: Screen, record: Record, latency: Latency | None, verdict: Verdict, choice: BrokerChoice
) -> None:
    """Print documents, reasons, latency and, as the last line, the checker's counts."""
    screen.heading("Documents")
    _print_documents(screen, verdict)
    screen.heading("Not posted, and why")
    reasons = [(f"{count:>5,}  {reason}", _meaning(reason)) for reason, count in verdict.reasons.items()]
    screen.facts(reasons, max((len(left) for left, _ in reasons), default=0))
    _print_not_ours(screen, record)
    screen.heading("From the till's commit to AiAccount's books")
    _print_latency(screen, latency)
    if choice is BrokerChoice.TANSU:
        screen.tell(_SLOW_BROKER)
    screen.heading("The checker's verdict")
    screen.tell(
        "It computes from the rows what should be in the books, by SQL of its own, and compares "
        "with the sandbox's book of every call and with the ledger."
    )
    if not verdict.clean:
        screen.say(render(verdict), "red")
        return
    screen.say(f"  {verdict.pending} pending, {verdict.held} held for a person")
    screen.say(f"  {counts_of(verdict)}", "bold green")


def counts_of(verdict: Verdict) -> str:
    """Return the six counts in one line."""
    return ", ".join(f"{len(verdict.of(kind))} {kind.value}" for kind in Kind if kind is not Kind.UNKNOWN)


def posted(verdict: Verdict) -> int:
    """Return how many documents stand in the books."""
    return sum(states.get(_IN_BOOKS, 0) for states in verdict.documents.values())


def _print_documents(screen: Screen, verdict: Verdict) -> None:
    found = {state for states in verdict.documents.values() for state in states}
    states = sorted(found, key=lambda state: (state != _IN_BOOKS, state != "pushed", state))
    rows = [
        [name, *(f"{verdict.documents.get(endpoint, {}).get(state, 0):,}" for state in states)]
        for endpoint, name in _ENDPOINTS.items()
    ]
    screen.table(["", *states], rows)
    screen.tell(
        '"in the books" is what AiAccount stored, by its own book; the other states are the ledger\'s. '
        "What is in conflict can stand in the books too."
    )


def _meaning(reason: str) -> str:
    state, _, code = reason.partition(" ")
    return _MEANINGS.get(code or state, "")


def _print_not_ours(screen: Screen, record: Record) -> None:
    strangers = ", ".join(blogger.name for blogger in BLOGGERS if not blogger.subscribed)
    parts = [f"{record.played[what]} {what}" for what in _NOT_OURS]
    screen.tell(
        f"Nothing at all is made of {' and '.join(parts)}, and of the rows of {strangers}, "
        "who did not subscribe."
    )


def _print_latency(screen: Screen, latency: Latency | None) -> None:
    if latency is None:
        screen.say("  nothing was stored")
        return
    shown = "   ".join(
        f"{name} {seconds * 1000:,.0f} ms"
        for name, seconds in (("p50", latency.p50), ("p95", latency.p95), ("p99", latency.p99))
    )
    screen.say(f"  {shown}", "bold")
    screen.tell(
        f"Of {latency.count:,} invoices, credit notes and bills: the wall clock right after the commit "
        "that called for it, against the moment at which the sandbox stored it, by its own book."
    )
