"""What AiAccount has under a document's identity, and whether it can be taken for the row's own: pure.

A person who accepts a conflict with AiAccount's own content has the document that stands there adopted. From
then on it is what was sent: what hangs on it goes, and a later reversal negates it, so it must be known whole
wherever its head is not the one that we would have sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from consumers.outcomes import Outcome, Treatment, found
from consumers.reply import Broken, Reply, fit, identity, json_object

ADOPTED = "ADOPTED"
"""Accepted: what AiAccount has stands for the row, since a person said so; the reason says what differs."""
NOT_ADOPTABLE = "NOT_ADOPTABLE"
"""In conflict: a person accepted what stands there, and it cannot be reversed later as it is known."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of it: the outcome, and the document that stands for the row where it is accepted."""

    outcome: Outcome
    document: Mapping[str, object]


def adopt(reply: Reply | Broken, ours: Mapping[str, object]) -> Adoption:
    """Take what a look-up shows for the row's own document, if it can be.

    Args:
        reply: The answer to the look-up: a summary as `document`, at best the whole as `content`.
        ours: The document that was refused for it.

    Returns:
        An acceptance as `ADOPTED`, a conflict `NOT_ADOPTABLE`, or a refusal to be tried again where the
        look-up found nothing or gave no answer.
    """
    try:
        there = found(reply, ours)
    except LookupError as error:
        return Adoption(_again(f"the look-up gave no answer: {error}"), ours)
    if there is None:
        return Adoption(_again("AiAccount refused it for another of the same number, and shows none"), ours)
    body = json_object(reply.body) if isinstance(reply, Reply) else {}
    whole = _whole(body.get("content"), ours)
    head = body.get("document")
    remote_id = identity(head.get("id")) if isinstance(head, dict) else None
    same = there.treatment is Treatment.ACCEPTED
    if remote_id is None or not (same or whole):
        reason = fit(f"{there.reason}; it is not shown whole, so it could not be reversed later")
        return Adoption(Outcome(Treatment.CONFLICT, NOT_ADOPTABLE, reason, certain=True), ours)
    reason = "its details are not those that the row gives" if same else there.reason
    accepted = Outcome(Treatment.ACCEPTED, ADOPTED, reason, certain=True, remote_id=remote_id)
    return Adoption(accepted, whole or ours)


def _again(reason: str) -> Outcome:
    return Outcome(Treatment.RETRY, "LOOK_UP_FAILED", fit(reason), certain=True)


def _whole(content: object, ours: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the document that stands there, if it is a whole one of ours' form under ours' identity."""
    if not isinstance(content, dict) or not _of_the_form(content, ours):
        return None
    return content if _identity(content) == _identity(ours) else None


def _identity(document: Mapping[str, object]) -> tuple[object, object]:
    contact = document.get("contact")
    return document.get("number"), contact.get("code") if isinstance(contact, dict) else None


def _of_the_form(there: object, ours: object) -> bool:
    """Say whether a value has every field that ours has, each of the same kind: what a reversal reads."""
    match ours:
        case dict():
            return isinstance(there, dict) and all(
                key in there and _of_the_form(there[key], value) for key, value in ours.items()
            )
        case list():
            return isinstance(there, list) and all(_of_the_form(each, ours[0]) for each in there if ours)
        case str() | None:
            return there is None or isinstance(there, str)
        case _:
            return isinstance(there, type(ours))
