"""Hold what a person decided about a row in conflict."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

KINDS = ("reissue", "reverse", "accept")
MOST_ISSUES = 6

_FIELDS = frozenset({"kind", "issue", "decided_at", "holds", "of_original", "number"})


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about one row.

    `reissue` and `reverse` begin the row's issue number `issue`: what was sent under the one before is
    reversed on the day of `decided_at`. `accept` leaves the issue as it stands, as long as the decision
    `holds`: the row still says what it said. `of_original` marks one about the sale that the row refunds;
    `number` is the document that was shown.
    """

    kind: Literal["reissue", "reverse", "accept"]
    issue: int
    decided_at: datetime
    holds: bool = True
    of_original: bool = False
    number: str | None = None

    @classmethod
    def from_json(cls, value: object) -> "Decision":
        """Read the form in which a delivery reads it.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind.
        """
        if not isinstance(value, Mapping):
            raise ValueError("decisions must be a list of objects")  # noqa: TRY004  # one kind of error
        if unknown := set(value) - _FIELDS:
            raise ValueError(f"decisions.{min(unknown, key=str)} is not a known field")
        kind, issue, moment = value.get("kind"), value.get("issue"), value.get("decided_at")
        if kind not in KINDS or not isinstance(issue, int) or not isinstance(moment, str):
            raise ValueError("a decision needs kind, issue and decided_at")
        number = value.get("number")
        return cls(
            kind=cast("Literal['reissue', 'reverse', 'accept']", kind),
            issue=issue,
            decided_at=datetime.fromisoformat(moment),
            holds=value.get("holds", True) is True,
            of_original=value.get("of_original", False) is True,
            number=number if isinstance(number, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Decided:
    """What the decisions about one row come to: its issue, when each one began, what was accepted as it is.

    `accepted_numbers` are the documents that were shown when the row, as it still is, was accepted.
    """

    issue: int
    begun: Mapping[int, datetime]
    accepted_numbers: frozenset[str | None]

    @property
    def accepted(self) -> bool:
        """Say whether a person accepted what was sent, with the row as it is."""
        return bool(self.accepted_numbers)


def decided(decisions: Iterable[Decision], *, of_original: bool = False) -> Decided:
    """Sum up the decisions about the row itself, or about the sale that it refunds."""
    meant = [decision for decision in decisions if decision.of_original is of_original]
    begun = {decision.issue: decision.decided_at for decision in meant if decision.kind != "accept"}
    issue = max(begun, default=0)
    accepted = (each for each in meant if each.kind == "accept" and each.holds and each.issue == issue)
    return Decided(issue, begun, frozenset(each.number for each in accepted))
