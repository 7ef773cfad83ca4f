"""What a code means in a few words, for a pill: "Tax Code missing", and not what to do about it.

A phrase begins with a capital letter and has no full stop: what is wrong, as the person whose books it is
would say it. Which value it is about (the tax code, the account) stands behind it.
"""

from collections.abc import Mapping

from consumers.blame import value_in

INACTIVE = "TENANT_INACTIVE"
"""No code of the ledger's: a person has made the tenant inactive."""

_BOOKS: Mapping[str, str] = {  # what AiAccount refused
    "TAX_CODE_MISSING": "Tax Code missing",
    "CURRENCY_NOT_ENABLED": "Currency not enabled",
    "ACCOUNT_MISSING": "Account missing",
    "ACCOUNT_NOT_SELECTABLE": "Account not selectable",
    "BANK_CURRENCY_MISMATCH": "Bank account of another currency",
    "CONTACT_INVALID": "Contact refused",
    "PERIOD_LOCKED": "Period locked",
    "DATE_BEFORE_INCORPORATION": "Dated before the company began",
    "INVOICE_NOT_FOUND": "Invoice not there yet",
    "BILL_NOT_FOUND": "Bill not there yet",
    "AMOUNT_EXCEEDS_OUTSTANDING": "More than is outstanding",
    "TOTAL_MISMATCH": "Totals do not add up",
    "VALIDATION_FAILED": "Document refused",
    "MALFORMED_REQUEST": "Document not understood",
    "PAYLOAD_TOO_LARGE": "Document too large",
    "DOCUMENT_CONFLICT": "Other content in AiAccount",
}
_PERSONS: Mapping[str, str] = {  # what keeps a tenant from being called
    "API_KEY_INVALID": "API key refused",
    "API_KEY_MISSING": "No API key",
    "KEY_UNREADABLE": "API key cannot be opened",
    "NOT_CONNECTED": "No company connected",
    "SCOPE_MISSING": "API key may not do this",
    "SUBSCRIPTION_INACTIVE": "AiAccount subscription inactive",
    "COMPANY_NOT_FOUND": "Company not found",
    "WRONG_COMPANY": "Answered for another company",
    INACTIVE: "Tenant is inactive",
}
_CALLS: Mapping[str, str] = {  # how a call went wrong, or why none was made
    "HTTP_1XX": "Strange answer from AiAccount",
    "HTTP_2XX": "Strange answer from AiAccount",
    "HTTP_3XX": "Strange answer from AiAccount",
    "HTTP_4XX": "Strange refusal by AiAccount",
    "HTTP_5XX": "AiAccount has an error",
    "TIMEOUT": "AiAccount does not answer",
    "CONNECT_FAILED": "AiAccount cannot be reached",
    "CONNECTION_BROKEN": "Line to AiAccount broke",
    "CALL_FAILED": "Call of AiAccount failed",
    "BODY_TOO_LARGE": "Strange answer from AiAccount",
    "NO_DOCUMENT_ID": "Answer without a document's id",
    "REQUEST_IN_PROGRESS": "AiAccount is still at it",
    "RATE_LIMITED": "AiAccount says: too many calls",
    "PACED": "The tenant's share of calls is used up",
    "ENDPOINT_DOWN": "AiAccount is down here",
}
_ROWS: Mapping[str, str] = {  # what a mapper, or the ledger, says of a row
    "TAX_CODE_UNMAPPED": "No code set for",
    "PAYMENT_METHOD_UNMAPPED": "No code set for",
    "ACCOUNT_UNMAPPED": "No code set for",
    "EXCHANGE_RATE_MISSING": "Exchange rate missing",
    "NUMBER_TOO_LONG": "Number too long",
    "NUMBER_TAKEN": "Number stands for another row",
    "NO_LINES": "Sale without items",
    "CURRENCY_PRECISION": "Too many decimals for the currency",
    "SOURCE_TOTAL_MISMATCH": "The till's figures do not add up",
    "REFUND_OF_REFUND": "Refund of a refund",
    "REFUND_EXCEEDS_ORIGINAL": "More refunded than was sold",
    "ORIGINAL_VOIDED": "Refund of a voided sale",
    "TENDER_MISMATCH": "Payments do not fit the total",
    "AMENDED_AFTER_PUSH": "Edited after it was sent",
    "VOIDED_AFTER_REFUND": "Voided after a refund",
    "SOURCE_GONE": "Row deleted after it was sent",
    "DIFFERENCE_ACCEPTED": "Difference accepted",
    "ADOPTED": "AiAccount's own document accepted",
    "NOT_ADOPTABLE": "Not shown whole by AiAccount",
    "LOOK_UP_FAILED": "AiAccount did not show its document",
    "READ_FAILED": "Row cannot be read",
    "MAPPING_FAILED": "Row cannot be mapped",
    "RECORD_FAILED": "Outcome cannot be recorded",
    "COMPANY_LEFT": "Books are in another company by now",
}
_SKIPPED: Mapping[str, str] = {  # never sent, and rightly so
    "NOT_OWNED": "Not the tenant's own money",
    "KOL_MODE_SINGLE": "Owes no KOL",
    "SELF_PAYEE": "The payee is the tenant's own KOL",
    "VOIDED_BEFORE_PUSH": "Voided before it was sent",
    "CANCELLED_BEFORE_PUSH": "Cancelled before it was sent",
    "BEFORE_CUTOVER": "Before the cut-over date",
    "ZERO_TOTAL": "Nothing to post",
    "SUPERSEDED": "No longer called for",
}
PHRASES: Mapping[str, str] = {**_BOOKS, **_PERSONS, **_CALLS, **_ROWS, **_SKIPPED}
PAUSING = frozenset(_PERSONS)
"""Codes for which a tenant is not called at all until a person acts."""
_KEYED = ("TAX_CODE_UNMAPPED", "PAYMENT_METHOD_UNMAPPED", "ACCOUNT_UNMAPPED")
_SHOWN = 30


def phrase_of(code: str, value: str | None = None) -> str:
    """Return a code in a few words, with the value that it is about; a code that nobody foresaw as it is."""
    said = PHRASES.get(code, code)
    if value is None:
        return said
    shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
    return f"{said} {shown}" if code in _KEYED else f"{said}: {shown}"


def value_of(code: str, reason: str | None) -> str | None:
    """Return the value that a reason in the ledger is about: the tax code, the account, the missing key."""
    if not reason:
        return None
    return reason if code in _KEYED else value_in({}, code, reason)
