"""Look up a tenant's own codes by key (mapping, common rule 6)."""

from decimal import Decimal

from mappers.failure import CheckFailedError
from mappers.money import plain
from mappers.settings import Settings

UNTAXED = "tax:none:0"


def tax_key(kind: str, rate: Decimal) -> str:
    """Name the key of a tax; the rate of `none` is 0."""
    return UNTAXED if kind == "none" else f"tax:{kind}:{plain(rate)}"


def tax_code(key: str, settings: Settings) -> str:
    """Look up a tax code, or fail with TAX_CODE_UNMAPPED."""
    return _found(key, settings, "TAX_CODE_UNMAPPED")


def account_code(key: str, settings: Settings) -> str:
    """Look up an account, or fail with ACCOUNT_UNMAPPED."""
    return _found(key, settings, "ACCOUNT_UNMAPPED")


def bank_code(method: str | None, currency: str, settings: Settings) -> str:
    """Look up where a method's money goes, or fail with PAYMENT_METHOD_UNMAPPED."""
    return _found(f"payment:{method or 'none'}:{currency}", settings, "PAYMENT_METHOD_UNMAPPED")


def _found(key: str, settings: Settings, missing: str) -> str:
    code = settings.codes.get(key)
    if code is None:
        raise CheckFailedError(missing, key)
    return code
