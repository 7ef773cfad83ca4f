"""One new document held against the rules of one company: what every rule looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.sandbox.books import Books, Identity
from deploy.sandbox.company import Company
from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.problem import Code, Problem
from deploy.sandbox.reading import Reading

LONGEST_NUMBER = 20
LONGEST_DESCRIPTION = 255
LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rules make of a document: what is wrong, or what is to be booked (`total` in minor units)."""

    problems: Sequence[Problem]
    total: int = 0
    total_text: str = ""
    allocations: Sequence[tuple[Identity, int]] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """A document that is not in the books yet, and the `reading` that notes what is wrong with it."""

    endpoint: Endpoint
    document: dict[str, Any]
    company: Company
    books: Books
    reading: Reading

    def contact_code(self) -> str | None:
        """Return the contact's code, where there is one."""
        contact = self.document.get("contact")
        code = contact.get("code") if isinstance(contact, dict) else None
        return code if isinstance(code, str) and code else None

    def check_account(self, holder: dict[str, Any], name: str, path: str = "") -> None:
        """Hold an account code against the chart of accounts."""
        code = self.reading.text(holder, name, LONGEST_DESCRIPTION, path)
        if code is None:
            return
        account = self.company.accounts.get(code)
        if account is None:
            self.reading.fail(Code.ACCOUNT_MISSING, f"Account '{code}' not found", path + name, code)
        elif not account.selectable:
            message = f"Account '{code}' cannot be selected"
            self.reading.fail(Code.ACCOUNT_NOT_SELECTABLE, message, path + name, code)

    def check_sign(self, amount: int, field: str) -> None:
        """Hold the sign of the whole amount against the document type; zero goes with either."""
        kind = self.document.get("document_type")
        if kind == self.endpoint.plus and amount < 0:
            self.reading.wrong(field, amount, f"is not below zero in a {kind}")
        if kind == self.endpoint.minus and amount > 0:
            self.reading.wrong(field, amount, f"is not above zero in a {kind}")
