"""What each code means and what a person can do about it: one plain sentence each, and nowhere else.

Pills have no room for a sentence: `phrases` has a few words for the codes that a pill can show.

A code is why a document or a row is not posted: the mappers', AiAccount's as the client reads it, and ours.
A test holds this table against every code that there is. In a sentence `{tenant}`, `{number}`, `{endpoint}`
and `{date}` stand for those of the document that is asked about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """What a code means, and what a person can do."""

    means: str
    act: str


_CODES = "Set it: `aiaccount-sync tenants set {tenant} --code KEY=CODE`; all that lack it go at once."
_ROW = "Correct the row in NS16: the correction is found and sent by itself."
_RETRY = "then `aiaccount-sync retry --tenant {tenant}` (or wait for the next look)."
_WAIT = "Nothing to do: it is tried again by itself."
_DECIDE = "Decide: `aiaccount-sync resolve {number}` shows what differs and what each decision sends."
_NOTHING = "Nothing to do."
_KEY = "Enter a key that works: `aiaccount-sync credentials set {tenant}`; everything goes again then."
_BUG = "Tell who maintains AiAccount Sync its code and text; after a mend `aiaccount-sync retry {number}`."

REASONS: Mapping[str, Reason] = {
    # skipped: the mappers found nothing to post
    "NOT_OWNED": Reason(
        "the money is not the tenant's own: an e-commerce order, or a settlement that another pays",
        "Nothing to do: it is the platform's to post.",
    ),
    "KOL_MODE_SINGLE": Reason(
        "the tenant's kol_mode is single: it owes no KOL a commission",
        "If it does: `aiaccount-sync tenants set {tenant} --kol-mode multi`.",
    ),
    "SELF_PAYEE": Reason(
        "the payee is the tenant's own KOL",
        "If it is not: `aiaccount-sync tenants set {tenant} --owner-kol-id ID` names the right one.",
    ),
    "VOIDED_BEFORE_PUSH": Reason("it was voided before anything was sent", _NOTHING),
    "CANCELLED_BEFORE_PUSH": Reason("it was cancelled before anything was sent", _NOTHING),
    "BEFORE_CUTOVER": Reason(
        "it is dated before the tenant's cut-over date and in no range that a backfill named",
        "Post its day: `aiaccount-sync backfill --tenant {tenant} --endpoint {endpoint} "
        "--from {date} --to {date}`.",
    ),
    "ZERO_TOTAL": Reason("its total is zero: there is nothing to post", _NOTHING),
    "SUPERSEDED": Reason("it was never sent, and the row calls for it no more", _NOTHING),
    "DIFFERENCE_ACCEPTED": Reason(
        "it differs from its row, and a person accepted that",
        "Nothing to do; `aiaccount-sync audit` says who.",
    ),
    "ADOPTED": Reason(
        "AiAccount had its own document under this number, and a person accepted it for the row",
        "Nothing to do; `aiaccount-sync audit` says who.",
    ),
    # blocked: the mappers found something wrong with the row or the settings
    "NUMBER_TOO_LONG": Reason("its number would have more than 20 characters", "Shorten the number in NS16."),
    "NO_LINES": Reason("it has no items", _ROW),
    "CURRENCY_PRECISION": Reason("an amount has more decimals than its currency", _ROW),
    "SOURCE_TOTAL_MISMATCH": Reason("its amounts, as recorded, do not add up", _ROW),
    "REFUND_OF_REFUND": Reason("it refunds a refund", "In NS16, let it refund the sale itself, or void it."),
    "ORIGINAL_VOIDED": Reason("the sale that it refunds is voided", "In NS16, void the refund too."),
    "REFUND_EXCEEDS_ORIGINAL": Reason("more was refunded than was sold", _ROW),
    "TENDER_MISMATCH": Reason("its payments do not fit its total", _ROW),
    "EXCHANGE_RATE_MISSING": Reason(
        "it is in a foreign currency and has no exchange rate",
        "Enter the rate on the row in NS16: it goes then.",
    ),
    "TAX_CODE_UNMAPPED": Reason("the tenant's codes lack this key", _CODES),
    "PAYMENT_METHOD_UNMAPPED": Reason("the tenant's codes lack this key", _CODES),
    "ACCOUNT_UNMAPPED": Reason("the tenant's codes lack this key", _CODES),
    # in conflict: a person decides
    "AMENDED_AFTER_PUSH": Reason(
        "it was sent, and its row says something else now: a person decides", _DECIDE
    ),
    "VOIDED_AFTER_REFUND": Reason("it was sent and refunded, and then voided: a person decides", _DECIDE),
    "SOURCE_GONE": Reason("it was sent, and its row is gone: a person decides", _DECIDE),
    "DOCUMENT_CONFLICT": Reason(
        "AiAccount has another document under this number: a person decides", _DECIDE
    ),
    "NOT_ADOPTABLE": Reason(
        "AiAccount's own document under this number was accepted, but is not shown whole and differs",
        "Let AiAccount's document say what the row says and decide again, or "
        "`aiaccount-sync resolve {number} --reissue`.",
    ),
    "NUMBER_TAKEN": Reason(
        "its number stands for another row that was sent before",
        "Give the row a number of its own in NS16: one number is one document.",
    ),
    # what the company's books lack, or do not allow
    "TAX_CODE_MISSING": Reason(
        "the company has no such tax code in AiAccount",
        "In AiAccount, add it to the company's tax codes (or map another: "
        "`aiaccount-sync tenants set {tenant} --code KEY=CODE`), " + _RETRY,
    ),
    "CURRENCY_NOT_ENABLED": Reason(
        "the company has not enabled this currency in AiAccount",
        "In AiAccount, enable it among the company's currencies, " + _RETRY,
    ),
    "ACCOUNT_MISSING": Reason(
        "the company has no such account in AiAccount",
        "In AiAccount, add it to the chart of accounts (or map another: "
        "`aiaccount-sync tenants set {tenant} --code KEY=CODE`), " + _RETRY,
    ),
    "ACCOUNT_NOT_SELECTABLE": Reason(
        "this account of the company cannot be posted to: it is a heading or closed",
        "In AiAccount, open it for postings in the chart of accounts (or map another), " + _RETRY,
    ),
    "BANK_CURRENCY_MISMATCH": Reason(
        "the bank account is kept in another currency",
        "Map the payment method to an account of this currency: "
        "`aiaccount-sync tenants set {tenant} --code payment:METHOD:CURRENCY=ACCOUNT`.",
    ),
    "CONTACT_INVALID": Reason(
        "AiAccount refuses this customer or supplier",
        "In AiAccount, mend or reopen the contact (or its name and TIN in NS16), " + _RETRY,
    ),
    "PERIOD_LOCKED": Reason(
        "the company's books are locked at this date",
        "In AiAccount, let the accountant unlock the period, " + _RETRY,
    ),
    "DATE_BEFORE_INCORPORATION": Reason(
        "it is dated before the company began",
        "Correct the company's first day in AiAccount, or move the cut-over date: "
        "`aiaccount-sync tenants set {tenant} --cutover-date DATE`.",
    ),
    # the tenant, or an endpoint of it, is stopped
    "API_KEY_MISSING": Reason("no API key was entered for the tenant", _KEY),
    "API_KEY_INVALID": Reason("AiAccount refuses the tenant's API key", _KEY),
    "KEY_UNREADABLE": Reason(
        "the stored API key cannot be opened: the master key does not fit",
        "Give the processes the master key that it was sealed with, or enter the API key anew: "
        "`aiaccount-sync credentials set {tenant}`.",
    ),
    "SCOPE_MISSING": Reason(
        "the API key may not do this",
        "In AiAccount, let the owner make a key with this scope, and enter it: "
        "`aiaccount-sync credentials set {tenant}`.",
    ),
    "SUBSCRIPTION_INACTIVE": Reason(
        "the company's subscription to AiAccount has ended", "Let the owner renew it, " + _RETRY
    ),
    "COMPANY_NOT_FOUND": Reason(
        "AiAccount has no company of this name",
        "Write the name as AiAccount has it: `aiaccount-sync tenants set {tenant} --company-name NAME`.",
    ),
    "WRONG_COMPANY": Reason(
        "the API key belongs to another company",
        "Enter the right company's key: `aiaccount-sync credentials set {tenant}`.",
    ),
    "TENANT_INACTIVE": Reason(
        "the tenant is inactive: nothing of it is sent",
        "Let it be posted for again: `aiaccount-sync tenants set {tenant} --active`.",
    ),
    "COMPANY_LEFT": Reason(
        "the tenant keeps its books in another company since the run was asked for",
        "Ask anew where its new books want these dates: `aiaccount-sync backfill --tenant {tenant}`.",
    ),
    "NOT_CONNECTED": Reason("the tenant has no company yet: its API key was never tested", _KEY),
    # it goes by itself
    "LOOK_UP_FAILED": Reason(
        "AiAccount's own document under this number was accepted, and AiAccount did not show it", _WAIT
    ),
    "created": Reason("AiAccount created it", _NOTHING),
    "duplicate": Reason("AiAccount had it already, with the same content", _NOTHING),
    "INVOICE_NOT_FOUND": Reason("AiAccount does not have the invoice that it hangs on yet", _WAIT),
    "BILL_NOT_FOUND": Reason("AiAccount does not have the bill that it hangs on yet", _WAIT),
    "REQUEST_IN_PROGRESS": Reason("AiAccount is still at work on an earlier attempt", _WAIT),
    "RATE_LIMITED": Reason("AiAccount was called too often for this tenant", _WAIT),
    "PACED": Reason(
        "the tenant's share of calls is used up for the moment",
        "Nothing to do. If AiAccount allows more calls: "
        "`aiaccount-sync tenants set {tenant} --calls-per-minute N`.",
    ),
    "ENDPOINT_DOWN": Reason("AiAccount does not answer at this endpoint, for anybody", _WAIT),
    "TIMEOUT": Reason("AiAccount did not answer in time: it may have arrived", _WAIT),
    "CONNECT_FAILED": Reason("AiAccount could not be reached", _WAIT),
    "CONNECTION_BROKEN": Reason("the connection to AiAccount broke: it may have arrived", _WAIT),
    "BODY_TOO_LARGE": Reason("AiAccount's answer was too long to read: it may have arrived", _WAIT),
    "NO_DOCUMENT_ID": Reason("AiAccount's answer named no document: it may have arrived", _WAIT),
    "HTTP_1XX": Reason("AiAccount's answer was not final: it may have arrived", _WAIT),
    "HTTP_2XX": Reason("AiAccount's answer said nothing: it may have arrived", _WAIT),
    "HTTP_3XX": Reason("AiAccount pointed elsewhere, where no key is sent", "Check AIACCOUNT_SYNC_API_URL."),
    "HTTP_4XX": Reason("AiAccount refused it in a way that we do not know", _WAIT),
    "HTTP_5XX": Reason("AiAccount failed: it may have arrived", _WAIT),
    # parked: bad data, or a bug
    "MALFORMED_REQUEST": Reason("AiAccount could not read the document", _BUG),
    "PAYLOAD_TOO_LARGE": Reason("the document is too large for AiAccount", "Split the sale in NS16."),
    "AMOUNT_EXCEEDS_OUTSTANDING": Reason(
        "it pays more than its invoice or bill still owes in AiAccount",
        "In AiAccount, look for a payment entered by hand and take it out, " + _RETRY,
    ),
    "TOTAL_MISMATCH": Reason("AiAccount finds that its amounts do not add up", _BUG),
    "VALIDATION_FAILED": Reason("AiAccount refuses a field of it: its text says which", _ROW),
    "CALL_FAILED": Reason("our own code failed in the call: it may have arrived", _BUG),
    "READ_FAILED": Reason("the row cannot be read: it breaks the snapshot view", _ROW),
    "MAPPING_FAILED": Reason("the row cannot be mapped: it holds data that no rule names", _ROW),
    "RECORD_FAILED": Reason("what came of it could not be written down", _BUG),
}
_STATUS = re.compile(r"HTTP_\dXX")


def reason_of(code: str) -> Reason | None:
    """Return what there is to say of a code; None for one that does not exist."""
    if code not in REASONS and _STATUS.fullmatch(code):
        return REASONS["HTTP_5XX"]
    return REASONS.get(code)


def meaning(code: str) -> str:
    """Return what a code means, or nothing for one that says so itself."""
    reason = reason_of(code)
    return reason.means if reason else ""


def advice(code: str, *, tenant: int, number: str, endpoint: str, date: str = "DATE") -> str:
    """Return what a person can do about a code of this document."""
    reason = reason_of(code)
    return reason.act.format(tenant=tenant, number=number, endpoint=endpoint, date=date) if reason else ""
