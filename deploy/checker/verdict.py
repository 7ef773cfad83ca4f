"""Say what the checker found: by name, by count, and in words for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

WIDTH = 80
SHOWN = 40


class Kind(Enum):
    """What can be wrong with a document."""

    LOST = "lost"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    MISDIRECTED = "misdirected"
    WRONG = "wrong"
    SECRET = "secrets"  # noqa: S105 - the name of a kind
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One document, or one place of a secret, and what is wrong with it."""

    kind: Kind
    number: str
    detail: str


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        findings: All that is wrong, by kind and number.
        pending: Documents that should still move: waiting, retrying or in doubt. None after a drain.
        held: Documents that wait for a person: they hang on one that is blocked, in conflict or parked,
            or their tenant is stopped or not connected to a company.
        documents: How many, by endpoint and state of the ledger; `in the books` counts the book's own.
        reasons: How many documents are not posted, by state and code.
        notes: What could not be judged, since it was sent under settings that nobody kept.
    """

    findings: tuple[Finding, ...]
    pending: int
    held: int
    documents: Mapping[str, Mapping[str, int]]
    reasons: Mapping[str, int]
    notes: tuple[str, ...]

    def of(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind is kind)

    @property
    def lost(self) -> tuple[Finding, ...]:
        """Called for by a row, neither in the books nor named with a true reason."""
        return self.of(Kind.LOST)

    @property
    def doubled(self) -> tuple[Finding, ...]:
        """In the books twice, under whatever number or contact."""
        return self.of(Kind.DOUBLED)

    @property
    def reordered(self) -> tuple[Finding, ...]:
        """Stored before what it hangs on, or older content after newer."""
        return self.of(Kind.REORDERED)

    @property
    def misdirected(self) -> tuple[Finding, ...]:
        """In books where it does not belong, or asked for under a key that is not its own."""
        return self.of(Kind.MISDIRECTED)

    @property
    def wrong(self) -> tuple[Finding, ...]:
        """Other than its row calls for, or a ledger that says what is not so."""
        return self.of(Kind.WRONG)

    @property
    def secrets(self) -> tuple[Finding, ...]:
        """Places where an API key stands in clear."""
        return self.of(Kind.SECRET)

    @property
    def unknown(self) -> tuple[Finding, ...]:
        """In the books, and the ledger does not know."""
        return self.of(Kind.UNKNOWN)

    @property
    def counts(self) -> Mapping[str, int]:
        """Count the findings of every kind, the kinds without any too."""
        return {kind.value: len(self.of(kind)) for kind in Kind}

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong; what is pending or held is not wrong."""
        return not self.findings


def _table(documents: Mapping[str, Mapping[str, int]]) -> list[str]:
    states = sorted({state for by_state in documents.values() for state in by_state}, key=_column)
    widths = [max(len(state), 6) for state in states]
    header = "".ljust(12) + "".join(
        f"  {state:>{width}}" for state, width in zip(states, widths, strict=True)
    )
    rows = [
        endpoint.ljust(12)
        + "".join(f"  {counts.get(state, 0):>{width},}" for state, width in zip(states, widths, strict=True))
        for endpoint, counts in documents.items()
    ]
    return [header, *rows] if rows else []


def _column(state: str) -> tuple[bool, bool, str]:
    return state != "in the books", state != "pushed", state


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else line[: WIDTH - 3] + "..."


def render(verdict: Verdict) -> str:
    """Write the verdict for people, at most 80 columns wide; its last line is the six counts."""
    lines = _table(verdict.documents)
    if verdict.reasons:
        lines += ["", "Not posted"]
        lines += [f"  {count:>7,}  {reason}" for reason, count in verdict.reasons.items()]
    lines += ["", f"{verdict.pending} pending, {verdict.held} held for a person"]
    if verdict.notes:
        lines += ["", f"Not judged: {len(verdict.notes)}"]
        lines += [f"  {note}" for note in verdict.notes[:SHOWN]]
    for kind in Kind:
        found = verdict.of(kind)
        if found:
            lines += ["", f"{kind.value}: {len(found)}"]
            lines += [f"  {finding.number}  {finding.detail}" for finding in found[:SHOWN]]
            lines += [f"  ... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    if verdict.unknown:
        lines += ["", f"{len(verdict.unknown)} unknown to the ledger"]
    counted = [kind for kind in Kind if kind is not Kind.UNKNOWN]
    lines += ["", ", ".join(f"{len(verdict.of(kind))} {kind.value}" for kind in counted)]
    return "\n".join(_cut(line) for line in lines) + "\n"
