"""What a call that meets a fault is told instead of the truth."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, assert_never

from deploy.sandbox.fault import Behaviour, Fault
from deploy.sandbox.problem import Code, Problem, error_body, status_of
from deploy.sandbox.reply import Delivery, Reply, answer, refuse

_OK = 200
_SERVER_ERROR = 500
_FOUND = 302
_OVER_1_MB = 1_200_000
_NOTHING = Reply(0, b"", "no reply")
_PAGE = b"<!doctype html><html><title>AiAccount</title><body>We will be back soon.</body></html>"


def disguise(fault: Fault, real: Reply | None, request_id: str) -> Reply:
    """Turn the real reply (None when the call was not handled) into what the fault makes of it."""
    return replace(_told(fault, real or _NOTHING, request_id), fault=fault.behaviour.value)


def _told(fault: Fault, real: Reply, request_id: str) -> Reply:  # noqa: PLR0911 -- one return a behaviour
    behaviour = fault.behaviour
    match behaviour:
        case Behaviour.DELAY:
            return real
        case Behaviour.TIMEOUT_BEFORE_STORING | Behaviour.TIMEOUT_AFTER_STORING | Behaviour.LANDS_LATE:
            return replace(real, delivery=Delivery.NEVER)
        case Behaviour.RESET_BEFORE_STORING | Behaviour.RESET_AFTER_STORING:
            return replace(real, delivery=Delivery.BROKEN)
        case Behaviour.HALF_REPLY:
            return replace(real, delivery=Delivery.HALF)
        case Behaviour.DRIP:
            return replace(real, delivery=Delivery.DRIP, pace=fault.seconds(2.0))
        case Behaviour.SLOW_HEADERS:
            return replace(real, delivery=Delivery.SLOW_HEADERS, pace=fault.seconds(2.0))
        case Behaviour.REDIRECT:
            return _redirect(fault)
        case (
            Behaviour.STATUS
            | Behaviour.STATUS_WITH_422_CODE
            | Behaviour.CREATED_THEN_500
            | Behaviour.TEXT_400
            | Behaviour.RATE_LIMITED
            | Behaviour.IN_PROGRESS
        ):
            return _REFUSALS[behaviour](fault, request_id)
        case (
            Behaviour.HUGE_BODY
            | Behaviour.HTML
            | Behaviour.EMPTY
            | Behaviour.INVALID_JSON
            | Behaviour.NO_DOCUMENT_ID
            | Behaviour.WRONG_COMPANY
            | Behaviour.SILENT_DUPLICATE
        ):
            return _GARBLED[behaviour](fault, real)
        case _:
            assert_never(behaviour)


def _redirect(fault: Fault) -> Reply:
    location = str(fault.params.get("location", "/elsewhere"))
    status = int(fault.params.get("status", _FOUND))
    return Reply(status, b"", "redirect", headers={"Location": location})


def _status(fault: Fault, request_id: str) -> Reply:
    code = str(fault.params.get("code", Code.SERVER_ERROR.value))
    known = Code(code) if code in Code.__members__ else Code.SERVER_ERROR
    status = int(fault.params.get("status", status_of(known)))
    message = str(fault.params.get("message", "The server could not do it"))
    body = error_body([Problem(known, message)], request_id)
    body["error"] = body["errors"][0] = {**body["error"], "code": code}
    return answer(status, body, code)


def _status_with_422_code(fault: Fault, request_id: str) -> Reply:
    defaults = {"status": _SERVER_ERROR, "code": Code.TAX_CODE_MISSING.value}
    return _status(replace(fault, params={**defaults, **fault.params}), request_id)


def _created_then_500(fault: Fault, request_id: str) -> Reply:
    return _status(replace(fault, params={"status": _SERVER_ERROR, **fault.params}), request_id)


def _text_400(fault: Fault, request_id: str) -> Reply:
    del request_id
    text = str(fault.params.get("text", "Tax Code 'MY-SALES10' not found"))
    if fault.params.get("form", "plain") == "json":
        return answer(400, {"message": text}, "text")
    return Reply(400, text.encode(), "text", content_type="text/plain; charset=utf-8")


def _rate_limited(fault: Fault, request_id: str) -> Reply:
    seconds = float(fault.params.get("retry_after", 2))
    match fault.params.get("form", "seconds"):
        case "absent":
            headers = {}
        case "date":
            # a date has whole seconds: the next one, so that it is not over before it arrives
            when = datetime.now(UTC) + timedelta(seconds=seconds + 1)
            headers = {"Retry-After": format_datetime(when.replace(microsecond=0), usegmt=True)}
        case "absurd":
            headers = {"Retry-After": str(fault.params.get("value", "-99999999999999999999"))}
        case _:
            headers = {"Retry-After": f"{seconds:g}"}
    refused = refuse([Problem(Code.RATE_LIMITED, "Too many calls")], request_id)
    return replace(refused, headers=headers)


def _in_progress(fault: Fault, request_id: str) -> Reply:
    del fault
    return refuse([Problem(Code.REQUEST_IN_PROGRESS, "The same request is being handled")], request_id)


def _huge_body(fault: Fault, real: Reply) -> Reply:
    size = int(fault.params.get("bytes", _OVER_1_MB))
    return real.with_payload(real.status, {"padding": "x" * size, **(real.payload or {})})


def _html(fault: Fault, real: Reply) -> Reply:
    del fault, real
    return Reply(_OK, _PAGE, "html", content_type="text/html; charset=utf-8")


def _empty(fault: Fault, real: Reply) -> Reply:
    del fault
    return replace(real, status=real.status or _OK, body=b"")


def _invalid_json(fault: Fault, real: Reply) -> Reply:
    del fault
    return replace(real, status=real.status or _OK, body=(real.body or b'{"status": "created"}')[:-2])


def _no_document_id(fault: Fault, real: Reply) -> Reply:
    del fault
    payload: dict[str, Any] = json.loads(json.dumps(real.payload))
    if isinstance(payload.get("document"), dict):
        payload["document"].pop("id", None)
    return real.with_payload(real.status, payload)


def _wrong_company(fault: Fault, real: Reply) -> Reply:
    name = str(fault.params.get("company_name", "Somebody Else Sdn Bhd"))
    payload = dict(real.payload or {})
    payload.update({field: name for field in ("company_name", "name") if field in payload})
    return real.with_payload(real.status, payload)


def _silent_duplicate(fault: Fault, real: Reply) -> Reply:
    del fault
    return silent(real)


def silent(real: Reply) -> Reply:
    """Return what a silent server says of a document that is there already: nothing about its content."""
    payload = real.payload or {}
    if real.code not in ("duplicate", Code.DOCUMENT_CONFLICT.value):
        return real
    told = {
        "status": "duplicate",
        "duplicate": True,
        "content_match": None,
        "company_name": payload.get("company_name"),
        "document": payload.get("document"),
        "request_id": payload.get("request_id"),
    }
    return replace(real.with_payload(_OK, told), code="duplicate")


_REFUSALS: dict[Behaviour, Callable[[Fault, str], Reply]] = {
    Behaviour.STATUS: _status,
    Behaviour.STATUS_WITH_422_CODE: _status_with_422_code,
    Behaviour.CREATED_THEN_500: _created_then_500,
    Behaviour.TEXT_400: _text_400,
    Behaviour.RATE_LIMITED: _rate_limited,
    Behaviour.IN_PROGRESS: _in_progress,
}
_GARBLED: dict[Behaviour, Callable[[Fault, Reply], Reply]] = {
    Behaviour.HUGE_BODY: _huge_body,
    Behaviour.HTML: _html,
    Behaviour.EMPTY: _empty,
    Behaviour.INVALID_JSON: _invalid_json,
    Behaviour.NO_DOCUMENT_ID: _no_document_id,
    Behaviour.WRONG_COMPANY: _wrong_company,
    Behaviour.SILENT_DUPLICATE: _silent_duplicate,
}
