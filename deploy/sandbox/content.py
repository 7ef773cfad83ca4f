"""Whether a document pushed again is the one that is stored: the question behind `content_match`."""

from collections.abc import Mapping
from typing import Any

from deploy.sandbox.money import number_or_text

_AMOUNTS = frozenset(
    [
        "quantity",
        "unit_price",
        "discount",
        "amount",
        "tax_amount",
        "net",
        "tax",
        "rounding",
        "total",
        "exchange_rate",
    ]
)


def same_content(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Compare two documents but for `company_name`, which may change; amounts compare as numbers.

    A field that is null and one that is absent are the same.
    """
    return _canonical({**one, "company_name": None}) == _canonical({**other, "company_name": None})


def _canonical(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _canonical(part, key) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [_canonical(part) for part in value]
    return number_or_text(value) if name in _AMOUNTS else value
