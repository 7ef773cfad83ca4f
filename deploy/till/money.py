"""Round money as a till does: half up to the currency's minor unit, cash to five sen."""

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal("0.00")
FIVE_SEN = Decimal("0.05")
_WHOLE = frozenset({"JPY", "KRW", "VND"})


def unit_of(currency: str) -> Decimal:
    """Return the currency's minor unit (ISO 4217)."""
    return Decimal(1) if currency in _WHOLE else Decimal("0.01")


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half up, away from zero, to the currency's minor unit."""
    return amount.quantize(unit_of(currency), ROUND_HALF_UP)


def cash_rounding(total: Decimal) -> Decimal:
    """Return what cash in ringgit adds to a total so that it ends in 0 or 5 sen."""
    return (total / FIVE_SEN).quantize(Decimal(1), ROUND_HALF_UP) * FIVE_SEN - total
