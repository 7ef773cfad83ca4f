"""A company as AiAccount keeps it: its master data, its locks, and the keys its owner made."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from deploy.sandbox.endpoint import SCOPES

_SHORTEST_KEY = 8  # so that a key can be told from other text when it is kept out of the book


class CompanyInvalidError(ValueError):
    """A company that an admin call describes cannot be."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the chart; a `bank` account takes receipts and payments in `currency` (None: in any)."""

    code: str
    kind: str = "other"
    currency: str | None = None
    selectable: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the account as the admin call and the master data give it."""
        return {
            "code": self.code,
            "kind": self.kind,
            "currency": self.currency,
            "selectable": self.selectable,
        }


@dataclass(frozen=True, slots=True)
class Key:
    """An API key, known by its SHA-256 only, and the scopes it opens."""

    sha256: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Company:
    """One company. Dates are ISO strings, limits None when there is none."""

    company_id: str
    name: str
    home_currency: str
    incorporated_on: str | None
    locked_until: str | None
    tax_codes: tuple[str, ...]
    currencies: tuple[str, ...]
    accounts: Mapping[str, Account]
    subscription_active: bool
    silent: bool
    rate_per_minute: int | None
    concurrency: int | None
    keys: tuple[Key, ...]

    def as_json(self) -> dict[str, Any]:
        """Return all of the company that `read_company` takes, its keys as SHA-256."""
        return {
            "company_id": self.company_id,
            "name": self.name,
            "home_currency": self.home_currency,
            "incorporated_on": self.incorporated_on,
            "locked_until": self.locked_until,
            "tax_codes": list(self.tax_codes),
            "currencies": list(self.currencies),
            "accounts": [account.as_json() for account in self.accounts.values()],
            "subscription_active": self.subscription_active,
            "silent": self.silent,
            "rate_per_minute": self.rate_per_minute,
            "concurrency": self.concurrency,
            "keys": [{"key_sha256": key.sha256, "scopes": list(key.scopes)} for key in self.keys],
        }


_DEFAULTS: dict[str, Any] = {
    "home_currency": "MYR",
    "incorporated_on": None,
    "locked_until": None,
    "tax_codes": [],
    "currencies": ["MYR"],
    "accounts": [],
    "subscription_active": True,
    "silent": False,
    "rate_per_minute": 60,
    "concurrency": 5,
    "keys": [],
}


def hash_key(key: str) -> str:
    """Return the hex SHA-256 of an API key as it was sent."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_company(company_id: str, given: Mapping[str, Any], before: Company | None) -> Company:
    """Make a company of an admin call's fields; what is not given stays as `before`, or takes its default.

    Raises `CompanyInvalidError` with a sentence on what is wrong.
    """
    unknown = set(given) - set(_DEFAULTS) - {"name", "company_id"}
    if unknown:
        raise CompanyInvalidError(f"Unknown fields: {', '.join(sorted(unknown))}")
    fields = {**_DEFAULTS, **(before.as_json() if before else {}), **given}
    name = fields.get("name")
    if not isinstance(name, str) or not name:
        raise CompanyInvalidError("A company needs a name")
    return Company(
        company_id=company_id,
        name=name,
        home_currency=_text(fields, "home_currency"),
        incorporated_on=_date(fields, "incorporated_on"),
        locked_until=_date(fields, "locked_until"),
        tax_codes=_texts(fields, "tax_codes"),
        currencies=_texts(fields, "currencies"),
        accounts={account.code: account for account in map(_account, _list(fields, "accounts"))},
        subscription_active=_flag(fields, "subscription_active"),
        silent=_flag(fields, "silent"),
        rate_per_minute=_limit(fields, "rate_per_minute"),
        concurrency=_limit(fields, "concurrency"),
        keys=tuple(map(_key, _list(fields, "keys"))),
    )


def _account(given: object) -> Account:
    if not isinstance(given, dict):
        raise CompanyInvalidError("An account is an object")
    currency = given.get("currency")
    kind = given.get("kind", "other")
    if kind not in ("bank", "other"):
        raise CompanyInvalidError("An account's kind is bank or other")
    if currency is not None and not isinstance(currency, str):
        raise CompanyInvalidError("An account's currency is a code or null")
    return Account(_text(given, "code"), kind, currency, _flag({"selectable": True, **given}, "selectable"))


def _key(given: object) -> Key:
    if not isinstance(given, dict):
        raise CompanyInvalidError("A key is an object with key and scopes")
    scopes = _texts({"scopes": list(SCOPES), **given}, "scopes")
    if not set(scopes) <= set(SCOPES):
        raise CompanyInvalidError(f"Scopes are among {', '.join(SCOPES)}")
    if "key_sha256" in given:
        return Key(_text(given, "key_sha256"), scopes)
    key = _text(given, "key")
    if len(key) < _SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key:
        raise CompanyInvalidError(f"A key has {_SHORTEST_KEY} or more printable ASCII characters, no space")
    return Key(hash_key(key), scopes)


def _list(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if not isinstance(value, list):
        raise CompanyInvalidError(f"{name} is a list")
    return value


def _texts(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = _list(fields, name)
    if not all(isinstance(value, str) for value in values):
        raise CompanyInvalidError(f"{name} is a list of texts")
    return tuple(values)


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise CompanyInvalidError(f"{name} is a text")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name)
    if not isinstance(value, bool):
        raise CompanyInvalidError(f"{name} is true or false")
    return value


def _limit(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    raise CompanyInvalidError(f"{name} is a number above zero, or null for no limit")


def _date(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError) as error:
        raise CompanyInvalidError(f"{name} is a date or null") from error
