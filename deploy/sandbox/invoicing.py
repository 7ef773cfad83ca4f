"""The rules of invoices and bills: lines, sums, rounding, and the document that a credit note corrects."""

from typing import Any

from deploy.sandbox.case import LONGEST_DESCRIPTION, LONGEST_NUMBER, LONGEST_TEXT, Case, Finding
from deploy.sandbox.endpoint import KOL_BILL, POS_INVOICE
from deploy.sandbox.problem import Code
from deploy.sandbox.reading import Reading

_PLACES = 4


def check_invoice(case: Case) -> Finding:
    """Hold an invoice, credit note, bill or debit note against the rules of its own."""
    reading, document = case.reading, case.document
    reading.day(document, "due_date")
    reading.flag(document, "tax_inclusive")
    reading.text_or_null(document, "memo", LONGEST_TEXT)
    sums = _check_lines(case)
    totals = reading.object(document, "totals")
    total = None if totals is None else _check_totals(reading, totals, sums)
    if total is not None:
        case.check_sign(total, "totals.total")
    if case.endpoint is POS_INVOICE:
        reading.text_or_null(document, "outlet", LONGEST_TEXT)
        _check_rounding_account(case, totals or {})
    if case.endpoint is KOL_BILL:
        _check_period(reading, document)
    _check_original(case)
    return Finding(reading.problems, total or 0, str((totals or {}).get("total")))


def _check_lines(case: Case) -> tuple[int, int] | None:
    net = tax = 0
    known = True
    seen: set[int] = set()
    for path, line in case.reading.objects(case.document, "lines"):
        line_no = line.get("line_no")
        if not isinstance(line_no, int) or isinstance(line_no, bool) or line_no < 1 or line_no in seen:
            case.reading.wrong(path + "line_no", line_no, "is a whole number from 1, each only once")
        else:
            seen.add(line_no)
        amount, line_tax = _check_line(case, line, path)
        known = known and amount is not None and line_tax is not None
        net, tax = net + (amount or 0), tax + (line_tax or 0)
    return (net, tax) if known else None


def _check_line(case: Case, line: dict[str, Any], path: str) -> tuple[int | None, int | None]:
    reading = case.reading
    reading.text(line, "description", LONGEST_DESCRIPTION, path)
    if case.endpoint is POS_INVOICE:
        reading.text_or_null(line, "sku", LONGEST_DESCRIPTION, path)
        reading.decimal(line, "quantity", _PLACES, path)
        reading.decimal(line, "unit_price", _PLACES, path)
        reading.money(line, "discount", path)
    case.check_account(line, "account_code", path)
    tax_code = reading.text(line, "tax_code", LONGEST_DESCRIPTION, path)
    if tax_code is not None and tax_code not in case.company.tax_codes:
        reading.fail(Code.TAX_CODE_MISSING, f"Tax Code '{tax_code}' not found", path + "tax_code", tax_code)
    return reading.money(line, "amount", path), reading.money(line, "tax_amount", path)


def _check_totals(reading: Reading, totals: dict[str, Any], sums: tuple[int, int] | None) -> int | None:
    net, tax = reading.money(totals, "net", "totals."), reading.money(totals, "tax", "totals.")
    rounding = reading.money(totals, "rounding", "totals.")
    total = reading.money(totals, "total", "totals.")
    if sums is not None:
        for name, given, added in (("net", net, sums[0]), ("tax", tax, sums[1])):
            if given is not None and given != added:
                message = f"The lines do not add up to totals.{name}"
                reading.fail(Code.TOTAL_MISMATCH, message, f"totals.{name}", totals.get(name))
    if net is None or tax is None or rounding is None or total is None:
        return None
    if net + tax + rounding != total:
        message = "Net, tax and rounding do not add up to the total"
        reading.fail(Code.TOTAL_MISMATCH, message, "totals.total", totals.get("total"))
    return total


def _check_rounding_account(case: Case, totals: dict[str, Any]) -> None:
    rounding = totals.get("rounding")
    if case.document.get("rounding_account") is not None:
        case.check_account(case.document, "rounding_account")
    elif isinstance(rounding, str) and rounding.strip("-0."):
        case.reading.wrong("rounding_account", None, "is required when rounding is not zero")


def _check_period(reading: Reading, document: dict[str, Any]) -> None:
    period = reading.object(document, "period")
    if period is None:
        return
    first, last = reading.day(period, "from", "period."), reading.day(period, "to", "period.")
    if first is not None and last is not None and first > last:
        reading.wrong("period.to", last, "is not before period.from")


def _check_original(case: Case) -> None:
    original = case.reading.text_or_null(case.document, "original_number", LONGEST_NUMBER)
    contact_code = case.contact_code()
    if original is None or contact_code is None:
        return
    if case.books.get((case.company.company_id, case.endpoint.name, original, contact_code)) is None:
        message = f"'{original}' not found for this contact"
        case.reading.fail(case.endpoint.not_found, message, "original_number", original)
