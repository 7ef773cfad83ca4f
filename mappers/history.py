"""Sort what was sent: the invoice or bill (the head), receipts or payments (the parts), reversals."""

from collections.abc import Iterable
from dataclasses import dataclass

from mappers.endpoints import POS_INVOICE
from mappers.numbering import Part, void_of
from mappers.sent import Sent


@dataclass(frozen=True, slots=True)
class SentPart:
    """A receipt or payment that was sent, with its number taken apart and its reversal, if that was sent."""

    part: Part
    sent: Sent
    reversal: Sent | None

    @property
    def is_reversed(self) -> bool:
        """Say whether its reversal was accepted."""
        return self.reversal is not None and not self.reversal.in_doubt

    @property
    def is_settled(self) -> bool:
        """Say whether neither it nor its reversal is in doubt."""
        return not self.sent.in_doubt and (self.reversal is None or not self.reversal.in_doubt)


@dataclass(frozen=True, slots=True)
class History:
    """What was sent for one aggregate, and the invoice of the sale that it refunds.

    `head` is the invoice or bill and `void` its reversal; `parts` come in the order of their numbers; `bases`
    holds every receipt or settlement number under which something was sent. `accepted` says that a person
    accepted what was sent of this row as it stands, `original_accepted` the same of the refunded sale.
    """

    head: Sent | None
    void: Sent | None
    parts: tuple[SentPart, ...]
    bases: frozenset[str]
    original: Sent | None
    original_void: Sent | None
    accepted: bool = False
    original_accepted: bool = False

    def was_renumbered(self, number: str) -> bool:
        """Say whether something was sent under another number than the row's own."""
        return bool(self.bases - {number})


def history_of(sent: Iterable[Sent], head_endpoint: str, part_endpoint: str) -> History:
    """Sort what was sent.

    Raises:
        ValueError: a receipt or payment has a number that the mappers never gave.
    """
    heads: dict[str, Sent] = {}
    originals: dict[str, Sent] = {}
    parts: dict[str, Sent] = {}
    for entry in sent:
        if entry.of_original:
            if entry.endpoint == POS_INVOICE:
                originals[entry.number] = entry
        elif entry.endpoint == head_endpoint:
            heads[entry.number] = entry
        elif entry.endpoint == part_endpoint:
            parts[entry.number] = entry
    head, void = _head_and_void(heads)
    original, original_void = _head_and_void(originals)
    sorted_parts = tuple(_sorted(parts))
    bases = {entry.part.base for entry in sorted_parts}
    if head is not None:
        bases.add(head.number)
    return History(head, void, sorted_parts, frozenset(bases), original, original_void)


def _head_and_void(heads: dict[str, Sent]) -> tuple[Sent | None, Sent | None]:
    for number, entry in heads.items():
        if (
            entry.document.get("original_number") is None
            or void_of(entry.document["original_number"]) != number
        ):
            return entry, heads.get(void_of(number))
    return None, None


def _sorted(parts: dict[str, Sent]) -> Iterable[SentPart]:
    taken = ((Part.of(number), entry) for number, entry in parts.items())
    plain = [(part, entry) for part, entry in taken if not part.reversal]
    plain.sort(key=lambda pair: (pair[0].base, pair[0].seq, pair[0].generation))
    for part, entry in plain:
        yield SentPart(part, entry, parts.get(entry.number + "X"))
