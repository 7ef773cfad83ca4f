"""A company with the master data that the demo and the tests count on."""

from typing import Any

from deploy.sandbox.endpoint import SCOPES

_BANKS = {"12000": "MYR", "12100": "MYR", "12200": "MYR", "12300": "MYR", "12150": "SGD", "12160": "JPY"}
_OTHERS = ("40000", "40100", "21500", "40900", "61001", "21700")


def key_of(company_id: str) -> str:
    """Return the API key that `company` gives a company, with every scope."""
    return f"sandbox-key-{company_id}"


def company(company_id: str, name: str, **overrides: Any) -> dict[str, Any]:  # noqa: ANN401 -- any field
    """Return a company as the admin API takes it; `overrides` replace whole fields.

    Bank accounts are in the currency they hold; vouchers (21600) take any.
    """
    banks = [{"code": code, "kind": "bank", "currency": currency} for code, currency in _BANKS.items()]
    others = [{"code": code, "kind": "other", "currency": None} for code in _OTHERS]
    return {
        "company_id": company_id,
        "name": name,
        "home_currency": "MYR",
        "incorporated_on": None,
        "locked_until": None,
        "tax_codes": ["NT", "MY-SALES10", "SV6", "SV8"],
        "currencies": ["MYR", "SGD", "JPY"],
        "accounts": [*banks, {"code": "21600", "kind": "bank", "currency": None}, *others],
        "subscription_active": True,
        "silent": False,
        "rate_per_minute": 60,
        "concurrency": 5,
        "keys": [{"key": key_of(company_id), "scopes": list(SCOPES)}],
        **overrides,
    }
