"""Take a document's fields apart, and note all that is wrong on the way instead of stopping at once."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

from deploy.sandbox.money import minor_units, read_decimal, read_money
from deploy.sandbox.problem import Code, Problem

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Reading:
    """The fields of one document, read one by one. `problems` holds what is wrong, in the order of reading.

    Each method reads `holder[name]`, answers None when the field is wrong or null, and takes `path`, what
    stands before the name in an error's `field` ("lines[0].").
    """

    def __init__(self, currency: object) -> None:
        self.problems: list[Problem] = []
        self.units = minor_units(currency) if isinstance(currency, str) else 2

    def fail(self, code: Code, message: str, field: str, value: object = None) -> None:
        """Note a problem."""
        self.problems.append(Problem(code, message, field, value))

    def wrong(self, field: str, value: object, rule: str) -> None:
        """Note that a field breaks a plain rule of the format."""
        self.fail(Code.VALIDATION_FAILED, f"{field} {rule}", field, value)

    def text(self, holder: dict[str, Any], name: str, longest: int, path: str = "") -> str | None:
        """Read a text that must be there, of at most `longest` code points."""
        value = holder.get(name)
        if isinstance(value, str) and 0 < len(value) <= longest:
            return value
        self.wrong(path + name, value, f"is a text of 1 to {longest} characters")
        return None

    def text_or_null(self, holder: dict[str, Any], name: str, longest: int, path: str = "") -> str | None:
        """Read a text of at most `longest` code points that may be null."""
        value = holder.get(name)
        if value is None or (isinstance(value, str) and len(value) <= longest):
            return value
        self.wrong(path + name, value, f"is null or a text of at most {longest} characters")
        return None

    def flag(self, holder: dict[str, Any], name: str) -> None:
        """Read true or false."""
        if not isinstance(holder.get(name), bool):
            self.wrong(name, holder.get(name), "is true or false")

    def day(self, holder: dict[str, Any], name: str, path: str = "") -> str | None:
        """Read a local date, YYYY-MM-DD."""
        value = holder.get(name)
        if isinstance(value, str) and _DATE.fullmatch(value):
            try:
                date.fromisoformat(value)
            except ValueError:
                pass
            else:
                return value
        self.wrong(path + name, value, "is a date, YYYY-MM-DD")
        return None

    def money(self, holder: dict[str, Any], name: str, path: str = "") -> int | None:
        """Read an amount as minor units."""
        value = holder.get(name)
        amount = read_money(value, self.units)
        if amount is None:
            self.wrong(path + name, value, f"is a text with an amount of {self.units} decimals")
        return amount

    def decimal(self, holder: dict[str, Any], name: str, places: int, path: str = "") -> Decimal | None:
        """Read a decimal of at most `places` decimals."""
        value = holder.get(name)
        number = read_decimal(value, places)
        if number is None:
            self.wrong(path + name, value, f"is a text with a number of at most {places} decimals")
        return number

    def objects(self, holder: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
        """Read a list of at least one object, each with the path of its fields."""
        value = holder.get(name)
        if not isinstance(value, list) or not value:
            self.wrong(name, None, "is a list with at least one entry")
            return []
        found = []
        for index, each in enumerate(value):
            if isinstance(each, dict):
                found.append((f"{name}[{index}].", each))
            else:
                self.wrong(f"{name}[{index}]", each, "is an object")
        return found

    def object(self, holder: dict[str, Any], name: str) -> dict[str, Any] | None:
        """Read an object."""
        value = holder.get(name)
        if isinstance(value, dict):
            return value
        self.wrong(name, value, "is an object")
        return None
