"""The rules of receipts and payments: the bank account, and what they settle."""

from deploy.sandbox.books import Identity
from deploy.sandbox.case import LONGEST_NUMBER, LONGEST_TEXT, Case, Finding
from deploy.sandbox.endpoint import POS_RECEIPT
from deploy.sandbox.problem import Code


def check_payment(case: Case) -> Finding:
    """Hold a receipt, refund, payment or payment reversal against the rules of its own."""
    reading, document = case.reading, case.document
    reading.text_or_null(document, "reference", LONGEST_TEXT)
    _check_bank_account(case)
    amount = reading.money(document, "amount")
    if amount == 0:
        reading.wrong("amount", document["amount"], "is not zero")
    elif amount is not None:
        case.check_sign(amount, "amount")
    allocated = _check_allocations(case, amount)
    found = _check_outstanding(case, allocated)
    return Finding(reading.problems, amount or 0, str(document.get("amount")), found)


def _check_bank_account(case: Case) -> None:
    case.check_account(case.document, "bank_account_code")
    account = case.company.accounts.get(str(case.document.get("bank_account_code")))
    if account is None or not account.selectable:
        return
    if account.kind != "bank":
        message = f"Account '{account.code}' takes no receipts or payments"
        case.reading.fail(Code.ACCOUNT_NOT_SELECTABLE, message, "bank_account_code", account.code)
    elif account.currency not in (None, case.document.get("currency")):
        message = f"Bank account '{account.code}' is in {account.currency}"
        case.reading.fail(Code.BANK_CURRENCY_MISMATCH, message, "bank_account_code", account.code)


def _check_allocations(case: Case, amount: int | None) -> dict[str, int]:
    reading = case.reading
    allocated: dict[str, int] = {}
    known = amount is not None
    for path, each in reading.objects(case.document, "allocations"):
        number = reading.text(each, case.endpoint.allocation_key, LONGEST_NUMBER, path)
        part = reading.money(each, "amount", path)
        if number is None or part is None:
            known = False
            continue
        if amount is not None and part * amount <= 0:
            rule = "has the sign of the whole amount, and is not zero"
            reading.wrong(path + "amount", each["amount"], rule)
        allocated[number] = allocated.get(number, 0) + part
    if known and allocated and sum(allocated.values()) != amount:
        message = "The allocations do not add up to the amount"
        reading.fail(Code.TOTAL_MISMATCH, message, "allocations", case.document.get("amount"))
    return allocated


def _check_outstanding(case: Case, allocated: dict[str, int]) -> list[tuple[Identity, int]]:
    contact_code, pays = case.contact_code(), case.endpoint.pays
    if contact_code is None or pays is None:
        return []
    found: list[tuple[Identity, int]] = []
    for number, part in allocated.items():
        identity = (case.company.company_id, pays, number, contact_code)
        settles = case.books.get(identity)
        if settles is None:
            message = f"'{number}' not found for this contact"
            case.reading.fail(case.endpoint.not_found, message, "allocations", number)
            continue
        if settles.currency != case.document.get("currency"):
            case.reading.wrong("currency", case.document.get("currency"), f"is not that of '{number}'")
        if case.endpoint is POS_RECEIPT and (part < 0) != (settles.document_type == "credit_note"):
            rule = "is an invoice for a receipt, a credit note for a refund"
            case.reading.wrong("allocations", number, rule)
            continue
        after = case.books.settled(identity) + part
        if not min(0, settles.total) <= after <= max(0, settles.total):
            message = f"'{number}' owes less than that"
            case.reading.fail(Code.AMOUNT_EXCEEDS_OUTSTANDING, message, "allocations", number)
        found.append((identity, part))
    return found
