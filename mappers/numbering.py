"""Number documents, and read the numbers of those that were sent (mapping, common rule 1)."""

import re
from dataclasses import dataclass

LONGEST = 20

_PART = re.compile(r"[RP]([0-9]+)([A-WYZ]*)(X?)").fullmatch


@dataclass(frozen=True, slots=True)
class Part:
    """The number of a receipt or payment, taken apart: `<base>-R<seq>` or `<base>-P<seq><generation>`."""

    base: str
    seq: int
    generation: str
    reversal: bool

    @classmethod
    def of(cls, number: str) -> "Part":
        """Take a number apart.

        Raises:
            ValueError: it is not the number of a receipt or payment.
        """
        base, _, suffix = number.rpartition("-")
        found = _PART(suffix)
        if not base or found is None:
            raise ValueError(f"{number} is not the number of a receipt or payment")
        return cls(base, int(found[1]), found[2], bool(found[3]))


def void_of(number: str) -> str:
    """Number the reversal of an invoice or bill."""
    return number + "-V1"


def reversal_of(number: str) -> str:
    """Number the reversal of a receipt or payment."""
    return number + "X"


def receipt_number(receipt_no: str, seq: int) -> str:
    """Number the receipt of a tender."""
    return f"{receipt_no}-R{seq}"


def payment_number(settlement_no: str, seq: int, generation: str) -> str:
    """Number a payment; the generation is empty until it was reversed once."""
    return f"{settlement_no}-P{seq}{generation}"


def next_generation(generation: str) -> str:
    """Name the payment that follows a reversed one: B, C, … without X, then ZB, ZC, …."""
    last = generation[-1:]
    if last in {"", "Z"}:
        return generation + "B"
    return generation[:-1] + ("Y" if last == "W" else chr(ord(last) + 1))


def head_is_too_long(number: str) -> bool:
    """Say whether an invoice's or bill's number leaves no room for its `-V1`."""
    return len(void_of(number)) > LONGEST


def part_is_too_long(number: str) -> bool:
    """Say whether a receipt's or payment's number leaves no room for its `X`."""
    return len(reversal_of(number)) > LONGEST
