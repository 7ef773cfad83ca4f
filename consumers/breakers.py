"""What a tenant's books lack, and which documents that concerns. Pure.

Three equal refusals open a breaker for a tenant, an endpoint, a code and what is missing. From then on the
documents that need it are not sent, but for one probe in a while; when a probe passes, all of them go. A
document that does not need what is missing is not concerned.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from consumers.entry import Entry, Verdict
from consumers.outcomes import MASTER_DATA, Outcome


@dataclass(frozen=True, slots=True)
class Breaker:
    """An open breaker: what is missing (`value`, empty where AiAccount did not say), and when one may probe.

    `probe_at` is on the worker's monotonic clock.
    """

    code: str
    value: str
    reason: str
    probe_at: float


def keeping(breakers: Sequence[Breaker], document: Mapping[str, object], entry: Entry) -> Breaker | None:
    """Return the breaker that keeps a document, of several the one that is to be probed last.

    A document in doubt is never kept: whether it exists must be found out.
    """
    if entry.doubt_at is not None:
        return None
    concerned = [breaker for breaker in breakers if concerns(breaker, document, entry)]
    return max(concerned, key=lambda breaker: breaker.probe_at, default=None)


def passed(
    breakers: Sequence[Breaker], document: Mapping[str, object], entry: Entry, outcome: Outcome
) -> tuple[Breaker, ...]:
    """Return the breakers that a document got past: it was created, or the books lack something else.

    A duplicate passes nothing: AiAccount had it before it looked.
    """
    if outcome.code != "created" and outcome.code not in MASTER_DATA:
        return ()
    return tuple(
        breaker
        for breaker in breakers
        if concerns(breaker, document, entry)
        and (breaker.code, breaker.value) != (outcome.code, outcome.value or "")
    )


def concerns(breaker: Breaker, document: Mapping[str, object], entry: Entry) -> bool:
    """Say whether a document needs what a breaker says is missing.

    Where AiAccount named no value, only the documents that it refused for that reason are known to.
    """
    if breaker.code == "PERIOD_LOCKED" and breaker.value:
        return str(document.get("date")) <= breaker.value
    if breaker.code in _WHERE and breaker.value:
        return breaker.value in _WHERE[breaker.code](document)
    return entry.verdict is Verdict.BLOCK and entry.code == breaker.code


def _accounts(document: Mapping[str, object]) -> set[object]:
    return _texts([document, *_lines(document)], "account_code", "bank_account_code", "rounding_account")


def _contact(document: Mapping[str, object]) -> set[object]:
    contact = document.get("contact")
    return set(contact.values()) if isinstance(contact, Mapping) else set()


_WHERE: Mapping[str, Callable[[Mapping[str, object]], set[object]]] = {
    "TAX_CODE_MISSING": lambda document: _texts(_lines(document), "tax_code"),
    "CURRENCY_NOT_ENABLED": lambda document: _texts([document], "currency"),
    "ACCOUNT_MISSING": _accounts,
    "ACCOUNT_NOT_SELECTABLE": _accounts,
    "BANK_CURRENCY_MISMATCH": _accounts,
    "CONTACT_INVALID": _contact,
}


def _lines(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    lines = document.get("lines")
    return [line for line in lines if isinstance(line, Mapping)] if isinstance(lines, Sequence) else []


def _texts(holders: Iterable[Mapping[str, object]], *names: str) -> set[object]:
    return {holder.get(name) for holder in holders for name in names}
