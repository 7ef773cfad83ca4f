"""What AiAccount refuses, and the words and the status it refuses it with."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LONGEST_VALUE = 200


class Code(StrEnum):
    """The error codes of the contract, and three for what lies outside it."""

    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    API_KEY_INVALID = "API_KEY_INVALID"
    SCOPE_MISSING = "SCOPE_MISSING"
    SUBSCRIPTION_INACTIVE = "SUBSCRIPTION_INACTIVE"
    COMPANY_NOT_FOUND = "COMPANY_NOT_FOUND"
    DOCUMENT_CONFLICT = "DOCUMENT_CONFLICT"
    REQUEST_IN_PROGRESS = "REQUEST_IN_PROGRESS"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    TAX_CODE_MISSING = "TAX_CODE_MISSING"
    CURRENCY_NOT_ENABLED = "CURRENCY_NOT_ENABLED"
    ACCOUNT_MISSING = "ACCOUNT_MISSING"
    ACCOUNT_NOT_SELECTABLE = "ACCOUNT_NOT_SELECTABLE"
    BANK_CURRENCY_MISMATCH = "BANK_CURRENCY_MISMATCH"
    CONTACT_INVALID = "CONTACT_INVALID"
    PERIOD_LOCKED = "PERIOD_LOCKED"
    DATE_BEFORE_INCORPORATION = "DATE_BEFORE_INCORPORATION"
    INVOICE_NOT_FOUND = "INVOICE_NOT_FOUND"
    BILL_NOT_FOUND = "BILL_NOT_FOUND"
    AMOUNT_EXCEEDS_OUTSTANDING = "AMOUNT_EXCEEDS_OUTSTANDING"
    TOTAL_MISMATCH = "TOTAL_MISMATCH"
    EXCHANGE_RATE_MISSING = "EXCHANGE_RATE_MISSING"
    VALIDATION_FAILED = "VALIDATION_FAILED"
    RATE_LIMITED = "RATE_LIMITED"
    DOCUMENT_NOT_FOUND = "DOCUMENT_NOT_FOUND"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    SERVER_ERROR = "SERVER_ERROR"


_UNPROCESSABLE = 422
_STATUS = {
    Code.MALFORMED_REQUEST: 400,
    Code.API_KEY_INVALID: 401,
    Code.SCOPE_MISSING: 403,
    Code.SUBSCRIPTION_INACTIVE: 403,
    Code.COMPANY_NOT_FOUND: 404,
    Code.DOCUMENT_NOT_FOUND: 404,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.DOCUMENT_CONFLICT: 409,
    Code.REQUEST_IN_PROGRESS: 409,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.RATE_LIMITED: 429,
    Code.SERVER_ERROR: 500,
}
_HELP = {
    Code.API_KEY_INVALID: "Make a new API key in AiAccount under Settings, API keys.",
    Code.SCOPE_MISSING: "Give the API key the scope of this document type.",
    Code.SUBSCRIPTION_INACTIVE: "Renew the company's subscription.",
    Code.COMPANY_NOT_FOUND: "Use the company's name as it stands in AiAccount today.",
    Code.DOCUMENT_CONFLICT: "Another document stands under this number; compare the two.",
    Code.REQUEST_IN_PROGRESS: "Send it again in two seconds.",
    Code.TAX_CODE_MISSING: "Add the tax code in AiAccount, then push again.",
    Code.CURRENCY_NOT_ENABLED: "Enable the currency in AiAccount, then push again.",
    Code.ACCOUNT_MISSING: "Add the account to the chart of accounts, then push again.",
    Code.ACCOUNT_NOT_SELECTABLE: "Choose an account that takes this kind of entry.",
    Code.BANK_CURRENCY_MISMATCH: "Choose a bank account in the document's currency.",
    Code.PERIOD_LOCKED: "Open the period in AiAccount, then push again.",
    Code.INVOICE_NOT_FOUND: "Push the invoice first.",
    Code.BILL_NOT_FOUND: "Push the bill first.",
    Code.RATE_LIMITED: "Wait for as long as Retry-After says.",
}


def status_of(code: Code) -> int:
    """Return the HTTP status that goes with `code`."""
    return _STATUS.get(code, _UNPROCESSABLE)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request, and where."""

    code: Code
    message: str
    field: str | None = None
    value: object = None
    locked_until: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the problem as it stands in an error body; a value that is no scalar is left out."""
        value = self.value[:_LONGEST_VALUE] if isinstance(self.value, str) else self.value
        body: dict[str, Any] = {
            "code": self.code.value,
            "message": self.message,
            "field": self.field,
            "value": value if isinstance(value, str | int | float | bool) else None,
            "help": _HELP.get(self.code, "See the API page for this code."),
        }
        if self.locked_until is not None:
            body["locked_until"] = self.locked_until
        return body


def error_body(problems: Sequence[Problem], request_id: str) -> dict[str, Any]:
    """Return the error body of the contract: the first problem, and the list of all of them."""
    errors = [problem.as_json() for problem in problems]
    return {"error": errors[0], "errors": errors, "request_id": request_id}
