"""Say how an invoice or bill stands, since receipts, payments and refunds hang on it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from mappers.draft import Draft
from mappers.failure import CheckFailedError
from mappers.fields import Table
from mappers.history import History
from mappers.outcome import Outcome, Push, in_conflict
from mappers.sent import Sent

AMENDED = "AMENDED_AFTER_PUSH"
GONE = "SOURCE_GONE"


class Life(Enum):
    """Where a row is in its life."""

    GONE = "no row, or one that is not owned"
    OPEN = "open or draft: calls for nothing yet"
    LIVE = "calls for its documents"
    ENDED = "voided or cancelled"


class State(Enum):
    """How an invoice or bill stands."""

    UNSENT = "never sent"
    IN_DOUBT = "it or its reversal may have been sent"
    SENT = "sent, and as the row says"
    CONFLICT = "sent, and a person must decide"
    SETTLED = "sent, and a person accepted it as it stands, though the row does not call for it"
    REVERSING = "sent, and its reversal is to go"
    REVERSED = "sent, and its reversal was sent"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an invoice or bill stands, what is to be done about it, and why it is skipped if it is."""

    state: State
    outcome: Outcome | None = None
    sent: Sent | None = None
    skip: str | None = None


def standing_of_sent(
    head: Sent,
    history: History,
    life: Life,
    *,
    amended: Callable[[Sent], bool],
    reverse: Callable[[Sent], dict[str, Any] | None],
) -> Standing:
    """Say how a head that was sent, or may have been, stands (common rules 11 to 13).

    `amended` says whether the row calls for another document now, or under another number; `reverse` gives
    its reversal, or None when refunds of it forbid one. What is in doubt has no outcome here: it is pushed
    again whatever the row says.
    """
    void = history.void
    if head.in_doubt or (void is not None and void.in_doubt):
        return Standing(State.IN_DOUBT, sent=head)
    if life in (Life.GONE, Life.OPEN):
        return _standing_conflict(head, None if void is not None else GONE, history)
    if life is Life.ENDED:
        return _ended(head, history, reverse)
    if void is not None:
        return _standing_conflict(head, AMENDED, history)
    if not amended(head):
        return Standing(State.SENT, sent=head)
    standing = _standing_conflict(head, AMENDED, history)
    # What was accepted stands for what the row calls for: what hangs on it goes on.
    return replace(standing, state=State.SENT) if history.accepted else standing


def _standing_conflict(head: Sent, code: str | None, history: History) -> Standing:
    state = State.SETTLED if history.accepted else State.CONFLICT
    if code is None:
        return Standing(state, sent=head)
    return Standing(state, in_conflict(code, head.number, accepted=history.accepted), head)


def _ended(head: Sent, history: History, reverse: Callable[[Sent], dict[str, Any] | None]) -> Standing:
    if history.void is not None:
        return Standing(State.REVERSED, sent=head)
    document = reverse(head)
    if document is None:
        return _standing_conflict(head, "VOIDED_AFTER_REFUND", history)
    return Standing(State.REVERSING, Push(document), head)


def is_amended(
    head: Sent,
    snapshot: Table,
    draft: Callable[[Table], Draft],
    figures: Callable[[Table], object],
) -> bool:
    """Say whether the snapshot of then gives another document than the snapshot of now (common rule 12).

    Both are made under today's rules. Where these refuse even the old one, settings changed, and what the
    rows say is compared instead.
    """
    if head.snapshot is None or head.snapshot == snapshot:
        return False
    try:
        then = draft(head.snapshot)
    except CheckFailedError:
        return figures(head.snapshot) != figures(snapshot)
    try:
        return then != draft(snapshot)
    except CheckFailedError:
        return True
