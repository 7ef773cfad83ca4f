"""Share an amount exactly over lines (mapping, common rule 5)."""

from collections.abc import Sequence
from decimal import Decimal

from mappers.failure import CheckFailedError
from mappers.money import ZERO

_MISMATCH = "SOURCE_TOTAL_MISMATCH"


def shared(amount: Decimal, weights: Sequence[Decimal], unit: Decimal) -> list[Decimal]:
    """Share an amount by weight: each share a whole number of units, their sum the amount.

    Each share is rounded toward minus infinity; the units left over go to the largest remainders, ties to the
    earlier line. Amount and weights are whole numbers of `unit`.

    Raises:
        CheckFailedError: SOURCE_TOTAL_MISMATCH when there is something to share and nobody bears it, the
            weights add up to zero, or amount and weights differ in sign.
    """
    if not amount:
        return [ZERO] * len(weights)
    parts = [int(weight / unit) for weight in weights]
    units, whole = int(amount / unit), sum(parts)
    if whole == 0 or (units < 0) is not (whole < 0):
        raise CheckFailedError(_MISMATCH)
    rounded = [units * part // whole for part in parts]
    left_over = units - sum(rounded)
    # The remainder has the sign of `whole`: its size says which is largest. The sort keeps ties in order.
    by_remainder = sorted(
        range(len(parts)), key=lambda line: abs(units * parts[line] - rounded[line] * whole), reverse=True
    )
    for line in by_remainder[:left_over]:
        rounded[line] += 1
    return [part * unit for part in rounded]
