"""Write money, quantities and rates as AiAccount takes them, from Decimal and nothing else."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

# Every number read has at most 40 digits and an exponent of two digits, so sums of them are exact here,
# whatever the process's own decimal context says.
CONTEXT = Context(
    prec=300, rounding=ROUND_HALF_UP, Emin=-999, Emax=999, traps=[InvalidOperation, DivisionByZero, Overflow]
)
ZERO = Decimal(0)

_TWO = Decimal("0.01")
_PRICE = Decimal("0.0001")
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_UNITS: Mapping[str, Decimal] = {
    currency: Decimal(1).scaleb(-decimals, CONTEXT)
    for decimals, currencies in _DECIMALS.items()
    for currency in currencies.split()
}


def unit_of(currency: str) -> Decimal:
    """Give the minor unit of a currency (ISO 4217): 0.01 for most, 1 for JPY."""
    return _UNITS.get(currency, _TWO)


def fits(amount: Decimal, unit: Decimal) -> bool:
    """Say whether an amount has no more decimals than its currency, zeros aside."""
    return amount.same_quantum(unit) or amount == amount.quantize(unit)


def money(amount: Decimal, unit: Decimal) -> str:
    """Write an amount with its currency's minor units, half up."""
    return str(amount.quantize(unit))


def price(amount: Decimal) -> str:
    """Write a unit price with 4 decimals, half up."""
    return str(amount.quantize(_PRICE))


def plain(value: Decimal) -> str:
    """Write a quantity or a rate without trailing zeros."""
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def negated(written: object) -> str:
    """Negate a number as it was written; zero has no sign."""
    if not isinstance(written, str):
        raise TypeError(f"{written!r} in a sent document is not a string")
    if written.startswith("-"):
        return written[1:]
    return "-" + written if written.strip("0.") else written
