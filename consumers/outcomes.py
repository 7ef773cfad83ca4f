"""What a reply means, and what is done about it: every row of AiAccount's API, and how real servers stray.

One table, no effects. `classify` turns a reply into an `Outcome`; who delivers asks only its `treatment` and
whether it is `certain`: a refusal that is certain says that nothing was stored by this attempt, everything
else leaves the document in doubt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from enum import Enum

from consumers.blame import code_in, value_in
from consumers.reply import Broken, Reply, code_of, codes_of, fit, identity, json_object, reason_of, shown
from consumers.retry_after import MAX_WAIT, parse_retry_after


class Treatment(Enum):
    """What the one who delivers does about an outcome."""

    ACCEPTED = "accepted"  # it stands in the company's books
    UNKNOWN = "unknown"  # it may stand there: the same again, soon, then on the schedule
    BUSY = "busy"  # an earlier attempt is still at work there: the same again in 2 s
    LIMITED = "limited"  # too many calls: wait as told, no attempt is counted
    RETRY = "retry"  # what it hangs on has not arrived: on the schedule
    BLOCK = "block"  # the tenant must mend the books
    CONFLICT = "conflict"  # other content stands there: a person decides
    PARK = "park"  # our bug, or bad data
    STOP_ENDPOINT = "stop endpoint"  # the key may not do this
    STOP_TENANT = "stop tenant"  # the key, the subscription or the company is wrong


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    `code` is one of a bounded set, fit for a metric's label; `reason` is text for people, at most 500
    characters. `wait` is in seconds, where the server named a time. `stray` marks a 5xx that carries a
    refusal's code: it counts as that refusal only after three tries. `value` is what a refusal by the books
    names (the tax code that is missing, until when the period is locked), at most 100 characters.
    """

    treatment: Treatment
    code: str
    reason: str
    certain: bool
    remote_id: str | None = None
    wait: float | None = None
    stray: bool = False
    value: str | None = None


MASTER_DATA = (
    "TAX_CODE_MISSING",
    "CURRENCY_NOT_ENABLED",
    "ACCOUNT_MISSING",
    "ACCOUNT_NOT_SELECTABLE",
    "BANK_CURRENCY_MISMATCH",
    "CONTACT_INVALID",
    "PERIOD_LOCKED",
    "DATE_BEFORE_INCORPORATION",
)
_WAITS = ("INVOICE_NOT_FOUND", "BILL_NOT_FOUND")
_PARKS = ("AMOUNT_EXCEEDS_OUTSTANDING", "TOTAL_MISMATCH", "EXCHANGE_RATE_MISSING", "VALIDATION_FAILED")

# The codes of a 422, wherever a server sends them.
_REFUSALS: Mapping[str, Treatment] = {
    **dict.fromkeys(MASTER_DATA, Treatment.BLOCK),
    **dict.fromkeys(_WAITS, Treatment.RETRY),
    **dict.fromkeys(_PARKS, Treatment.PARK),
}

# Status and code of every other row of the API page.
_ROWS: Mapping[tuple[int, str], Treatment] = {
    (400, "MALFORMED_REQUEST"): Treatment.PARK,
    (401, "API_KEY_INVALID"): Treatment.STOP_TENANT,
    (403, "SCOPE_MISSING"): Treatment.STOP_ENDPOINT,
    (403, "SUBSCRIPTION_INACTIVE"): Treatment.STOP_TENANT,
    (404, "COMPANY_NOT_FOUND"): Treatment.STOP_TENANT,
    (409, "DOCUMENT_CONFLICT"): Treatment.CONFLICT,
    (413, "PAYLOAD_TOO_LARGE"): Treatment.PARK,
}

# A status that says enough without a code that we know.
_BARE: Mapping[int, tuple[Treatment, str]] = {
    400: (Treatment.PARK, "MALFORMED_REQUEST"),
    401: (Treatment.STOP_TENANT, "API_KEY_INVALID"),
    413: (Treatment.PARK, "PAYLOAD_TOO_LARGE"),
    422: (Treatment.PARK, "VALIDATION_FAILED"),
}

_OK, _CREATED, _BAD_REQUEST, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE, _TOO_MANY = (
    200,
    201,
    400,
    404,
    409,
    422,
    429,
)
_SERVER_ERRORS = 500
_BUSY_SECONDS = 2.0
_ABSENT = "DOCUMENT_NOT_FOUND"
"""Nothing stands there; a 404 of another code may be a gateway's, or of a moved path, and proves nothing."""
_SHOWN = 60  # characters of a code that we do not know
_LIMITED_SECONDS = 60.0


def classify(reply: Reply | Broken, sent: Mapping[str, object]) -> Outcome:
    """Say what a reply to a push means.

    Args:
        reply: What came back.
        sent: The document as it was sent.

    Returns:
        The outcome; never an error, whatever the reply holds. Source: the API page's table of replies.
    """
    if isinstance(reply, Broken):
        return _unknown(reply.code, reply.reason)
    body = json_object(reply.body)
    named = body.get("company_name")
    if isinstance(named, str) and named != sent.get("company_name"):
        reason = f"the reply names the company {named!r} and not {sent.get('company_name')!r}"
        return Outcome(Treatment.STOP_TENANT, "WRONG_COMPANY", fit(reason), certain=False)
    if reply.status in (_OK, _CREATED):
        return _success(reply, body, sent)
    if reply.status == _TOO_MANY:
        wait = parse_retry_after(reply.headers.get("retry-after"), reply.headers.get("date"))
        wait = _LIMITED_SECONDS if wait is None else min(wait, MAX_WAIT)
        return Outcome(Treatment.LIMITED, "RATE_LIMITED", reason_of(reply, body), certain=True, wait=wait)
    return _refusal(reply, body)


def _success(reply: Reply, body: Mapping[str, object], sent: Mapping[str, object]) -> Outcome:
    document = body.get("document")
    remote_id = identity(document.get("id")) if isinstance(document, dict) else None
    if not isinstance(document, dict) or remote_id is None:
        return _unknown("NO_DOCUMENT_ID", f"{reply.status} without a document id: {shown(reply.body)}")
    duplicate = body.get("duplicate") is True or body.get("status") == "duplicate"
    match = body.get("content_match")
    differs = _difference(document, sent) if not duplicate or match is not True else None
    if match is False:
        differs = differs or "content_match is false"
    if differs:
        reason = fit(f"AiAccount has another version: {differs}")
        return Outcome(Treatment.CONFLICT, "DOCUMENT_CONFLICT", reason, certain=True)
    code = "duplicate" if duplicate else "created"
    return Outcome(Treatment.ACCEPTED, code, code, certain=True, remote_id=remote_id)


def _refusal(reply: Reply, body: Mapping[str, object]) -> Outcome:
    code = code_of(body)
    reason, status = reason_of(reply, body), reply.status
    if code == "REQUEST_IN_PROGRESS" and status == _CONFLICT:
        return Outcome(Treatment.BUSY, code, reason, certain=False, wait=_BUSY_SECONDS)
    may_refuse = status in (_BAD_REQUEST, _UNPROCESSABLE) or status >= _SERVER_ERRORS
    if code not in _REFUSALS and may_refuse:
        code = next((other for other in codes_of(body) if other in _REFUSALS), code)
    if code not in _REFUSALS and status in (_BAD_REQUEST, _UNPROCESSABLE):
        code = code_in(reason) or code
    if code in _REFUSALS and may_refuse:
        treatment, stray = _REFUSALS[code], status >= _SERVER_ERRORS
        value = value_in(body, code, reason) if treatment is Treatment.BLOCK else None
        return Outcome(treatment, code, reason, certain=not stray, stray=stray, value=value)
    row = _ROWS.get((status, code))
    if row is not None:
        return Outcome(row, code, reason, certain=True)
    if code and code not in reason:  # one that we do not know: people see it, no metric does
        reason = fit(f"{code[:_SHOWN]}: {reason}")
    if status in _BARE:
        treatment, bare = _BARE[status]
        return Outcome(treatment, bare, reason, certain=True)
    return _unknown(f"HTTP_{status // 100}XX", reason)


def found(reply: Reply | Broken, sent: Mapping[str, object]) -> Outcome | None:
    """Say what a look-up of a document that may exist means.

    Returns:
        Its acceptance, or the conflict with what stands there; None where nothing does.

    Raises:
        LookupError: The reply answers neither way.
    """
    if isinstance(reply, Broken):
        raise LookupError(reply.code)  # noqa: TRY004 - no type is wrong: there was no answer
    body = json_object(reply.body)
    if body.get("company_name") not in (None, sent.get("company_name")):
        raise LookupError("the reply names another company")
    if reply.status == _NOT_FOUND and code_of(body) == _ABSENT:
        return None
    if reply.status != _OK or not isinstance(body.get("document"), dict):
        raise LookupError(f"HTTP {reply.status}")
    outcome = _success(reply, {**body, "duplicate": True, "content_match": None}, sent)
    if outcome.treatment is Treatment.UNKNOWN:
        raise LookupError(outcome.code)
    return outcome


def as_refusal(outcome: Outcome) -> Outcome:
    """Take a stray 5xx for the refusal that its code names; whether it was stored stays unknown."""
    return replace(outcome, stray=False)


def _difference(stored: Mapping[str, object], sent: Mapping[str, object]) -> str | None:
    """Name what differs between the stored document's head and ours: number, type, date, currency, total."""
    totals = sent.get("totals")
    total = totals.get("total") if isinstance(totals, dict) else sent.get("amount")
    ours = {key: sent.get(key) for key in ("number", "document_type", "date", "currency")} | {"total": total}
    for key, value in ours.items():
        theirs = stored.get(key)
        if theirs is None:
            continue
        same = _amount(theirs) == _amount(value) if key == "total" else theirs == value
        if not same:
            shown = theirs if isinstance(theirs, str | int | float) else f"a {type(theirs).__name__}"
            return f"{key} {shown} instead of {value}"
    return None


def _amount(value: object) -> Decimal | None:
    if not isinstance(value, str | int | float):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _unknown(code: str, reason: str) -> Outcome:
    return Outcome(Treatment.UNKNOWN, code, fit(reason), certain=False)
