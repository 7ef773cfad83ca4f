"""Replies: each has one treatment, a code of few, and texts that the ledger can hold; nothing is made up."""

import json
from typing import Any

from consumers.blame import VALUE_LENGTH
from consumers.client import Company, Refused, read_company
from consumers.outcomes import Outcome, Treatment, classify, found
from consumers.reply import Reply, json_object
from consumers.retry_after import MAX_WAIT
from deploy.sandbox.problem import Code
from tests.fuzz.mutation import SEPARATOR

NAME = "Mei Live Sdn Bhd"
SENT: dict[str, Any] = {
    "company_name": NAME,
    "document_type": "invoice",
    "number": "N1",
    "date": "2026-05-01",
    "currency": "MYR",
    "totals": {"total": "99.00"},
}
_STORED = {
    "id": "D1",
    "contact_code": "POS-WALKIN",
    "total": "99.00",
    **{k: SENT[k] for k in list(SENT)[1:5]},
}
_HEAD = {"company_name": NAME, "document": _STORED}
_PROBLEMS = [
    {"code": code, "message": "Tax Code 'SR' not found", "value": "SR", "locked_until": "2026-04-30"}
    for code in [*Code, "SOMETHING_NEW"]
]
_BODIES: list[tuple[int, object]] = [
    (201, {"status": "created", "duplicate": False, **_HEAD}),
    (200, {"status": "duplicate", "duplicate": True, "content_match": True, **_HEAD}),
    (200, {"duplicate": True, "content_match": None, **_HEAD, "document": {**_STORED, "total": 98.99}}),
    (200, {"company_id": "C1", "name": NAME, "home_currency": "MYR", "scopes": ["a"], "locked_until": None}),
    (400, {"message": "Currency USD is not enabled"}),
    (400, {"error": "Account 40000 not found"}),
    *(
        (status, {"error": one, "errors": [one]})
        for one in _PROBLEMS
        for status in (400, 403, 404, 409, 422, 503)
    ),
    (429, {"error": {"code": "RATE_LIMITED"}}),
]
SEEDS = [
    SEPARATOR.join((b"%d" % status, json.dumps(body).encode(), b"7", b"Sun, 06 Nov 1994 08:49:37 GMT"))
    for status, body in _BODIES
]
_CODES = {
    *(code.value for code in Code),
    *("created", "duplicate", "WRONG_COMPANY", "NO_DOCUMENT_ID"),
    *(f"HTTP_{hundred}XX" for hundred in range(1, 10)),
} - {"DOCUMENT_NOT_FOUND", "NOT_FOUND", "METHOD_NOT_ALLOWED", "SERVER_ERROR"}
_SURE = {Treatment.ACCEPTED, Treatment.CONFLICT, Treatment.LIMITED}


def check(data: bytes) -> None:
    """Read a reply made of the parts of `data`: status, body, `Retry-After`, `Date`."""
    status, body, wait, date = [*data.split(SEPARATOR, 3), b"", b"", b"", b""][:4]
    digits = status[:3].decode("latin-1")
    number = int(digits) if digits.isascii() and digits.isdigit() else 0
    headers = {"retry-after": wait.decode("latin-1"), "date": date.decode("latin-1")}
    reply = Reply(min(max(number, 100), 999), headers, body)
    _check_push(reply, json_object(body))
    _check_look_up(reply, json_object(body))
    _check_company(reply)


def _check_push(reply: Reply, read: Any) -> None:
    told = classify(reply, SENT)
    _check_bounds(told)
    named = read.get("company_name")
    if isinstance(named, str) and named != NAME:
        assert (told.code, told.treatment) == ("WRONG_COMPANY", Treatment.STOP_TENANT)
        assert not told.certain
        return
    if told.treatment is Treatment.ACCEPTED:
        assert reply.status in (200, 201)
        assert str(read["document"]["id"]) == told.remote_id
        assert read.get("content_match") is not False
    if told.stray or reply.status >= 500 or told.treatment in (Treatment.UNKNOWN, Treatment.BUSY):
        assert not told.certain, "it may have been stored"
    if told.treatment in (Treatment.BLOCK, Treatment.RETRY):
        assert reply.status in (400, 422) or told.stray
    again = Reply(reply.status, reply.headers, json.dumps(read).encode()) if read else reply
    assert classify(again, SENT).treatment is told.treatment, (
        "what is told is in the JSON, not in how it is written"
    )


def _check_bounds(told: Outcome) -> None:
    assert isinstance(told.treatment, Treatment)
    assert told.code in _CODES
    assert 0 < len(told.reason) <= 500
    assert "\0" not in told.reason + (told.value or "")
    (told.reason + (told.value or "")).encode()
    assert told.value is None or (0 < len(told.value) <= VALUE_LENGTH and told.treatment is Treatment.BLOCK)
    assert (told.remote_id is None) == (told.treatment is not Treatment.ACCEPTED)
    assert told.wait is None or 0 <= told.wait <= MAX_WAIT


def _check_look_up(reply: Reply, read: Any) -> None:
    try:
        told = found(reply, SENT)
    except LookupError:
        return
    assert read.get("company_name") in (None, NAME)
    if told is None:
        assert reply.status == 404
        assert read["error"]["code"] not in ("", "COMPANY_NOT_FOUND")
        return
    _check_bounds(told)
    assert reply.status == 200
    assert told.certain
    assert told.treatment in _SURE - {Treatment.LIMITED}


def _check_company(reply: Reply) -> None:
    told = read_company(reply, NAME)
    if isinstance(told, Refused):
        assert told.code.isascii()
        assert told.code.replace("_", "").isalnum()
        assert len(told.code) <= 60
        assert 0 < len(told.reason) <= 500
        assert "\0" not in told.reason
        told.reason.encode()
        return
    assert isinstance(told, Company)
    assert (reply.status, told.name) == (200, NAME)
    for text in (told.company_id, told.home_currency, *told.scopes, told.locked_until or ""):
        assert "\0" not in text
        text.encode()
