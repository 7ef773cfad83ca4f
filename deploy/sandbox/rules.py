"""The rules for a new document, all of them held at once, so that a refusal names all that is wrong."""

from typing import Any

from deploy.sandbox.books import Books
from deploy.sandbox.case import LONGEST_NUMBER, Case, Finding
from deploy.sandbox.company import Company
from deploy.sandbox.endpoint import Endpoint
from deploy.sandbox.invoicing import check_invoice
from deploy.sandbox.problem import Code, Problem
from deploy.sandbox.reading import Reading
from deploy.sandbox.settling import check_payment

_RATE_PLACES = 8


def judge(endpoint: Endpoint, document: dict[str, Any], company: Company, books: Books) -> Finding:
    """Hold a document that is not in the books yet against every rule."""
    case = Case(endpoint, document, company, books, Reading(document.get("currency")))
    _check_head(case)
    return check_invoice(case) if endpoint.pays is None else check_payment(case)


def _check_head(case: Case) -> None:
    reading, endpoint, document, company = case.reading, case.endpoint, case.document, case.company
    if document.get("document_type") not in (endpoint.plus, endpoint.minus):
        rule = f"is {endpoint.plus} or {endpoint.minus}"
        reading.wrong("document_type", document.get("document_type"), rule)
    reading.text(document, "number", LONGEST_NUMBER)
    day = reading.day(document, "date")
    if day is not None and company.locked_until is not None and day <= company.locked_until:
        message = f"The period is locked until {company.locked_until}"
        reading.problems.append(
            Problem(Code.PERIOD_LOCKED, message, "date", day, locked_until=company.locked_until)
        )
    if day is not None and company.incorporated_on is not None and day < company.incorporated_on:
        message = f"{company.name} was incorporated on {company.incorporated_on}"
        reading.fail(Code.DATE_BEFORE_INCORPORATION, message, "date", day)
    _check_contact(reading, endpoint, document.get("contact"))
    _check_currency(reading, document, company)
    if document.get("source") is not None:
        reading.object(document, "source")


def _check_contact(reading: Reading, endpoint: Endpoint, contact: object) -> None:
    if not isinstance(contact, dict):
        reading.fail(Code.CONTACT_INVALID, "The contact is an object", "contact")
        return
    for name in ("code", "name"):
        value = contact.get(name)
        if not isinstance(value, str) or not value.strip():
            reading.fail(Code.CONTACT_INVALID, f"The contact has no {name}", f"contact.{name}", value)
    if contact.get("type") != endpoint.contact_type:
        message = f"The contact is not a {endpoint.contact_type}"
        reading.fail(Code.CONTACT_INVALID, message, "contact.type", contact.get("type"))
    if not isinstance(contact.get("tin"), str | None):
        reading.fail(Code.CONTACT_INVALID, "A TIN is a text or null", "contact.tin", contact.get("tin"))


def _check_currency(reading: Reading, document: dict[str, Any], company: Company) -> None:
    currency, rate = document.get("currency"), document.get("exchange_rate")
    if not isinstance(currency, str):
        reading.wrong("currency", currency, "is a currency code")
    elif currency not in company.currencies:
        message = f"Currency '{currency}' is not enabled"
        reading.fail(Code.CURRENCY_NOT_ENABLED, message, "currency", currency)
    if currency == company.home_currency:
        if rate is not None:
            reading.wrong("exchange_rate", rate, "is null in the home currency")
    elif rate is None:
        message = f"A document in {currency} needs an exchange rate"
        reading.fail(Code.EXCHANGE_RATE_MISSING, message, "exchange_rate")
    else:
        number = reading.decimal(document, "exchange_rate", _RATE_PLACES)
        if number is not None and number <= 0:
            reading.wrong("exchange_rate", rate, "is above zero")
