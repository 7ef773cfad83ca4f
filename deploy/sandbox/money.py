"""Amounts as AiAccount writes them: strings, each currency with its own minor units.

Inside the sandbox money is a whole number of minor units, so sums are exact and fast.
"""

import re
from decimal import Decimal, InvalidOperation

_NO_MINOR_UNITS = [
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "ISK",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
]  # ISO 4217
_THREE_MINOR_UNITS = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]  # ISO 4217
_MINOR_UNITS = dict.fromkeys(_NO_MINOR_UNITS, 0) | dict.fromkeys(_THREE_MINOR_UNITS, 3)
_WHOLE = r"-?(?:0|[1-9][0-9]{0,14})"
_MONEY = {
    0: re.compile(_WHOLE),
    2: re.compile(_WHOLE + r"\.[0-9]{2}"),
    3: re.compile(_WHOLE + r"\.[0-9]{3}"),
}
_DECIMAL = re.compile(_WHOLE + r"(?:\.([0-9]+))?")


def minor_units(currency: str) -> int:
    """Return how many decimals amounts in `currency` have (ISO 4217; two when it is not known)."""
    return _MINOR_UNITS.get(currency, 2)


def read_money(text: object, units: int) -> int | None:
    """Read money written with exactly `units` decimals as minor units, or None if it is not so written."""
    if not isinstance(text, str) or _MONEY[units].fullmatch(text) is None:
        return None
    return int(text.replace(".", "", 1))


def read_decimal(text: object, places: int) -> Decimal | None:
    """Read a decimal string of at most `places` decimals, or None if it is not one."""
    if not isinstance(text, str):
        return None
    found = _DECIMAL.fullmatch(text)
    if found is None or len(found[1] or "") > places:
        return None
    return Decimal(text)


def number_or_text(value: object) -> object:
    """Return `value` as a Decimal where it can be read as a finite number, else as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return value
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return value
    return number if number.is_finite() else value
