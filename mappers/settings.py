"""Hold the settings of a tenant that decide how rows become documents."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from mappers.endpoints import ENDPOINTS

Range = tuple[date, date]

_CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
_LAST_HOUR = 23


@dataclass(frozen=True, slots=True)
class Settings:
    """A tenant's settings.

    `wanted` holds for each endpoint the ranges of dates, both ends included, that backfills have named;
    `codes` maps keys such as `tax:sales:10` to the company's own codes.
    """

    tenant_id: int
    company_name: str
    kol_mode: str
    owner_kol_id: int | None
    home_currency: str
    timezone: str
    day_cutoff_hour: int
    cutover_date: date
    wanted: Mapping[str, tuple[Range, ...]]
    codes: Mapping[str, str]

    @classmethod
    def from_json(cls, value: object) -> "Settings":
        """Read the form of the vectors, complete and without unknown fields.

        Raises:
            ValueError: a field is missing, unknown or wrong; the message names it.
        """
        if not isinstance(value, Mapping):
            raise ValueError("settings must be an object")  # noqa: TRY004  # bad input is one kind of error
        known = [field.name for field in fields(cls)]
        if unknown := set(value) - set(known):
            raise ValueError(f"settings.{min(unknown, key=str)} is not a known field")
        if missing := [name for name in known if name not in value]:
            raise ValueError(f"settings.{missing[0]} is missing")
        return cls(**{name: _READERS[name](value[name], f"settings.{name}") for name in known})


def _integer(value: object, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{field} must be an integer, not {value!r}")  # noqa: TRY004  # one kind of error
    return value


def _hour(value: object, field: str) -> int:
    if 0 <= _integer(value, field) <= _LAST_HOUR:
        return _integer(value, field)
    raise ValueError(f"{field} must be an hour from 0 to 23, not {value!r}")


def _text(value: object, field: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise ValueError(f"{field} must be a text that is not empty, not {value!r}")


def _mode(value: object, field: str) -> str:
    if value == "multi" or value == "single":  # noqa: PLR1714  # mypy narrows this to str
        return value
    raise ValueError(f"{field} must be multi or single, not {value!r}")


def _currency(value: object, field: str) -> str:
    if isinstance(value, str) and _CURRENCY(value):
        return value
    raise ValueError(f"{field} must be three capital letters, not {value!r}")


def _zone(value: object, field: str) -> str:
    name = _text(value, field)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{field} must be a time zone such as Asia/Kuala_Lumpur, not {name!r}") from error
    return name


def _day(value: object, field: str) -> date:
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError) as error:
        raise ValueError(f"{field} must be a date such as 2026-01-01, not {value!r}") from error


def _wanted(value: object, field: str) -> Mapping[str, tuple[Range, ...]]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{field} must be an object, not {value!r}")  # noqa: TRY004  # one kind of error
    for endpoint, ranges in value.items():
        if endpoint not in ENDPOINTS:
            raise ValueError(f"{field}.{endpoint} is not an endpoint")
        if not isinstance(ranges, list | tuple):
            raise ValueError(f"{field}.{endpoint} must be a list of ranges")  # noqa: TRY004  # the same
    return {
        endpoint: tuple(_range(entry, f"{field}.{endpoint}") for entry in ranges)
        for endpoint, ranges in value.items()
    }


def _range(value: object, field: str) -> Range:
    match value:
        case [first, last]:
            start, end = _day(first, field), _day(last, field)
            if start <= end:
                return start, end
    raise ValueError(f"{field} must hold ranges [from, to] of dates, not {value!r}")


def _codes(value: object, field: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{field} must be an object, not {value!r}")  # noqa: TRY004  # one kind of error
    return {key: _text(code, f"{field}.{key}") for key, code in value.items()}


_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "tenant_id": _integer,
    "company_name": _text,
    "kol_mode": _mode,
    "owner_kol_id": lambda value, field: None if value is None else _integer(value, field),
    "home_currency": _currency,
    "timezone": _zone,
    "day_cutoff_hour": _hour,
    "cutover_date": _day,
    "wanted": _wanted,
    "codes": _codes,
}
