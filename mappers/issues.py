"""Issue a row anew: its documents once more, under numbers of their own, once the old ones were reversed.

Each issue is planned as if it were the only one, under the row's plain numbers: those of its documents are
turned into plain ones before and back after. What another issue followed is planned as if its row
had been voided when that was decided.

Issue n has the number `<no>-A<n>` and the reversal `<no>-A<n>X`; its receipts have the letters S, T, … for
the first issue's R, its payments Q, R, … for P.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from mappers.decision import Decided, Decision, decided
from mappers.endpoints import KOL_BILL, KOL_PAYMENT, POS_INVOICE, POS_RECEIPT
from mappers.numbering import LONGEST, void_of
from mappers.outcome import Block, Conflict, Outcome, Push, Wait
from mappers.sent import Sent


class PlanOne(Protocol):
    """Plan one issue, under plain numbers."""

    def __call__(
        self,
        row: Mapping[str, object] | None,
        sent: Sequence[Sent],
        *,
        accepted: bool = False,
        original_accepted: bool = False,
    ) -> list[Outcome]:
        """Plan from the row and what was sent of the issue; a person may have accepted it as it stands."""
        ...


_LETTERS = {POS_RECEIPT: "RSTUWYZ", KOL_PAYMENT: "PQRSTUW"}
_HEADS = {POS_RECEIPT: POS_INVOICE, KOL_PAYMENT: KOL_BILL}
_ISSUE = re.compile(r"-A([1-9])X?$")
_PART = re.compile(r"-([P-Z])([0-9]+[A-WYZ]*X?)$")
_ENDED = {"pos_transaction": ("voided", "voided_at"), "kol_settlement": ("cancelled", "cancelled_at")}
_ALLOCATED = ("invoice_number", "bill_number")


def plan_issues(
    endpoint: str,
    snapshot: Mapping[str, object] | None,
    sent: Sequence[Sent],
    decisions: Sequence[Decision],
    plan_one: PlanOne,
) -> list[Outcome]:
    """Plan every issue of a row: reverse the old ones, then issue the last."""
    own, original = decided(decisions), decided(decisions, of_original=True)
    issues: dict[int, list[Sent]] = {issue: [] for issue in range(own.issue + 1)}
    for entry in sent:
        if not entry.of_original:
            issues[issue_of(entry, own.issue)].append(entry)
    originals = _originals(sent, original)
    outcomes: list[Outcome] = []
    for issue in range(own.issue):
        ended = _ended(issues[issue], snapshot, own.begun[issue + 1])
        plain = [_plain(entry, issue) for entry in issues[issue]]
        planned = [] if ended is None else plan_one(ended, [*plain, *originals])
        kept = [each for each in planned if isinstance(each, Push | Wait | Conflict)]
        outcomes += [_numbered(each, endpoint, issue, original.issue) for each in kept]
    plain = [_plain(entry, own.issue) for entry in issues[own.issue]]
    last = plan_one(
        snapshot, [*plain, *originals], accepted=own.accepted, original_accepted=original.accepted
    )
    outcomes += [_numbered(each, endpoint, own.issue, original.issue) for each in last]
    old = [entry for issue in range(own.issue) for entry in issues[issue]]
    return _held_back(outcomes, old, endpoint, own)


def issue_of(entry: Sent, last: int) -> int:
    """Say which issue a document belongs to; 0 is the first, under the row's own numbers."""
    letters = _LETTERS.get(entry.endpoint)
    if letters is None:
        found = _ISSUE.search(entry.number)
        issue = int(found[1]) if found else 0
    else:
        part = _PART.search(entry.number)
        issue = letters.find(part[1]) if part else 0
    return issue if 0 <= issue <= last else 0


def head_number(number: str, issue: int) -> str:
    """Number an invoice or bill of an issue."""
    return f"{number}-A{issue}" if issue else number


def _void_number(number: str, issue: int) -> str:
    return f"{number}-A{issue}X" if issue else void_of(number)


def _part_number(number: str, endpoint: str, issue: int) -> str:
    return _PART.sub(rf"-{_LETTERS[endpoint][issue]}\2", number)


def _originals(sent: Sequence[Sent], original: Decided) -> list[Sent]:
    """Give what was sent of the refunded sale's last issue; until that was sent, the old one is in doubt."""
    found = [entry for entry in sent if entry.of_original]
    last = [
        _plain(entry, original.issue) for entry in found if issue_of(entry, original.issue) == original.issue
    ]
    if last or not original.issue:
        return last
    return [
        replace(_plain(entry, issue_of(entry, original.issue)), state="in_doubt")
        for entry in found
        if not _is_void(entry.document)
    ][-1:]


def _ended(
    sent: Iterable[Sent], snapshot: Mapping[str, object] | None, at: datetime
) -> Mapping[str, object] | None:
    """Give the row as it was when its documents were made, ended at the moment of the decision."""
    made_from = next((entry.snapshot for entry in sent if entry.snapshot is not None), snapshot)
    if made_from is None:
        return None
    ended = dict(made_from)
    for table, (status, moment) in _ENDED.items():
        row = made_from.get(table)
        if isinstance(row, Mapping):
            ended[table] = {**row, "status": status, moment: at.isoformat()}
    if snapshot is not None and "refunded" in snapshot:
        ended["refunded"] = snapshot["refunded"]
    return ended


def _held_back(outcomes: list[Outcome], old: list[Sent], endpoint: str, own: Decided) -> list[Outcome]:
    """Let the last issue's documents wait until the old ones were reversed."""
    heads = [entry for entry in old if entry.endpoint == _HEADS.get(endpoint, endpoint)]
    parts = [entry for entry in old if entry.endpoint == endpoint and endpoint in _LETTERS]
    if not own.issue or (_is_reversed(heads) and _is_reversed(parts)):
        return outcomes
    return [
        Wait(each.number) if isinstance(each, Push) and _is_of(each, endpoint, own.issue) else each
        for each in outcomes
    ]


def _is_of(push: Push, endpoint: str, issue: int) -> bool:
    entry = Sent(endpoint, push.number, "pushed", push.document, None)
    return issue_of(entry, issue) == issue


def _is_reversed(sent: list[Sent]) -> bool:
    """Say whether each document was accepted together with its reversal."""
    accepted = {entry.number for entry in sent if not entry.in_doubt}
    return all(
        entry.number in accepted and (_is_reversal(entry) or _reversal_number(entry) in accepted)
        for entry in sent
    )


def _is_reversal(entry: Sent) -> bool:
    return entry.number.endswith("X") if entry.endpoint in _LETTERS else _is_void(entry.document)


def _reversal_number(entry: Sent) -> str:
    if entry.endpoint in _LETTERS or _ISSUE.search(entry.number):
        return entry.number + "X"
    return void_of(entry.number)


def _is_void(document: Mapping[str, Any]) -> bool:
    """Say whether an invoice's or bill's document reverses another."""
    original = document.get("original_number")
    return original is not None and document["number"] in {void_of(original), original + "X"}


def _plain(entry: Sent, issue: int) -> Sent:
    """Give a document of an issue under the row's plain numbers."""
    if not issue:
        return entry
    document = dict(entry.document)
    if entry.endpoint in _LETTERS:
        number = _part_number(entry.number, entry.endpoint, 0)
        document["allocations"] = [_reallocated(each, _plain_head) for each in entry.field("allocations")]
    else:
        number = _plain_head(entry.number)
        if _is_void(entry.document):
            document["original_number"] = _plain_head(document["original_number"])
    document["number"] = number
    return replace(entry, number=number, document=document)


def _plain_head(number: str) -> str:
    base = _ISSUE.sub("", number)
    return void_of(base) if number.endswith("X") and base != number else base


def _reallocated(entry: Mapping[str, Any], renumber: Callable[[str], str]) -> dict[str, Any]:
    return {key: renumber(value) if key in _ALLOCATED else value for key, value in entry.items()}


def _numbered(outcome: Outcome, endpoint: str, issue: int, of_original: int) -> Outcome:
    """Give an outcome under the numbers of its issue, and of its original's."""
    if not isinstance(outcome, Push):
        return replace(outcome, number=_number_of(outcome.number, endpoint, issue))
    document = dict(outcome.document)
    if endpoint in _LETTERS:
        base = document["number"].rpartition("-")[0]

        def renumber(number: str) -> str:
            return head_number(base, issue) if number == base else _void_number(base, issue)

        document["number"] = _part_number(outcome.number, endpoint, issue)
        document["allocations"] = [_reallocated(each, renumber) for each in document["allocations"]]
        return Push(document)
    original = document["original_number"]
    if _is_void(document):
        document["number"] = _void_number(original, issue)
        document["original_number"] = head_number(original, issue)
        return Push(document)
    document["number"] = head_number(outcome.number, issue)
    if original is not None:
        document["original_number"] = head_number(original, of_original)
    if issue and len(document["number"] + "X") > LONGEST:
        return Block("NUMBER_TOO_LONG", document["number"])
    return Push(document)


def _number_of(number: str, endpoint: str, issue: int) -> str:
    return _part_number(number, endpoint, issue) if endpoint in _LETTERS else head_number(number, issue)
