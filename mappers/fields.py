"""Read the fields of a snapshot, strictly, so that bad data is named instead of posted."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

_NUMBER = re.compile(r"[+-]?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?").fullmatch

Table = Mapping[str, object]
T = TypeVar("T")


class SnapshotError(ValueError):
    """A snapshot holds data that no rule of the mapping names; the message names the field."""


def refuse_floats(value: object) -> None:
    """Raise TypeError when a float hides anywhere in a JSON value."""
    kind = value.__class__
    if kind is str or value is None or kind is int or kind is bool:
        return
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float: parse JSON with parse_float=Decimal")
    if isinstance(value, Mapping):
        for part in value.values():
            refuse_floats(part)
    elif isinstance(value, list | tuple):
        for part in value:
            refuse_floats(part)


def number(table: Table, key: str, where: str) -> Decimal:
    """Read a JSON number or string as Decimal; -0 becomes 0."""
    value = table.get(key)
    if value.__class__ is not str:
        if isinstance(value, float):
            raise TypeError(f"{where}.{key} is a float: parse JSON with parse_float=Decimal")
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise SnapshotError(f"{where}.{key} must be a number, not {value!r}")
        value = str(value)
    if _NUMBER(value) is None:
        raise SnapshotError(f"{where}.{key} must be a number, not {value!r}")
    parsed = Decimal(value)
    return parsed or parsed.copy_abs()


def optional_number(table: Table, key: str, where: str) -> Decimal | None:
    """Read a number that may be null or absent."""
    return None if table.get(key) is None else number(table, key, where)


def whole(table: Table, key: str, where: str) -> int:
    """Read a whole number of zero or more, as a line or a tender is numbered."""
    value = table.get(key)
    if value.__class__ is int and value >= 0:
        return value
    parsed = number(table, key, where)
    if parsed < 0 or parsed != int(parsed):
        raise SnapshotError(f"{where}.{key} must be a whole number of zero or more, not {value!r}")
    return int(parsed)


def identity(table: Table, key: str, where: str) -> str:
    """Read an id, an integer or a string, as text."""
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise SnapshotError(f"{where}.{key} must be an id, not {value!r}")
    return str(value)


def text(table: Table, key: str, where: str) -> str:
    """Read a string that is there, not empty, and can be written as UTF-8."""
    value = optional_text(table, key, where)
    if value is None:
        raise SnapshotError(f"{where}.{key} must be a text, not {table.get(key)!r}")
    return value


def optional_text(table: Table, key: str, where: str) -> str | None:
    """Read a string; null, absent and empty are None."""
    value = table.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise SnapshotError(f"{where}.{key} must be a text, not {value!r}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SnapshotError(f"{where}.{key} holds half a surrogate pair") from error
    return value


def written_text(table: Table, key: str, where: str) -> str:
    """Read a string that is there and may be empty."""
    return "" if table.get(key) == "" else text(table, key, where)


def flag(table: Table, key: str, where: str) -> bool:
    """Read true or false."""
    value = table.get(key)
    if value is True or value is False:
        return value
    raise SnapshotError(f"{where}.{key} must be true or false, not {value!r}")


def instant(table: Table, key: str, where: str) -> datetime | None:
    """Read a moment (ISO 8601 with an offset) that may be null or absent."""
    value = table.get(key)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"{where}.{key} must be a time, not {value!r}") from error
    if parsed.tzinfo is None:
        raise SnapshotError(f"{where}.{key} must carry its offset from UTC: {value!r}")
    return parsed


def day(table: Table, key: str, where: str) -> date:
    """Read a date that stands as it is (YYYY-MM-DD)."""
    value = table.get(key)
    try:
        return date.fromisoformat(value)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"{where}.{key} must be a date, not {value!r}") from error


def table_of(value: object, where: str) -> Table:
    """Read an object."""
    if isinstance(value, Mapping):
        return value
    raise SnapshotError(f"{where} must be an object, not {value!r}")


def tables(table: Table, key: str, where: str) -> Sequence[Table]:
    """Read a list of objects; null and absent are the empty list."""
    value = table.get(key)
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise SnapshotError(f"{where}.{key} must be a list, not {value!r}")
    return [table_of(entry, f"{where}.{key}") for entry in value]


def one_of(table: Table, key: str, meanings: Mapping[str, T], where: str) -> T:
    """Read one of a few words and give what it means."""
    value = table.get(key)
    if isinstance(value, str) and value in meanings:
        return meanings[value]
    raise SnapshotError(f"{where}.{key} must be one of {', '.join(meanings)}, not {value!r}")
