"""A reply of AiAccount as it was read, and what can be read out of it, whatever it holds: no error."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

_REASON_LENGTH = 500
_ID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP reply as read: status, headers by lower-case name, body (at most 1 MB)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Broken:
    """No reply, or not a whole one: a time-out, a broken connection, a body without end."""

    code: str
    reason: str


def json_object(body: bytes) -> Mapping[str, object]:
    """Read a body as a JSON object; empty where it is none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def problems_of(body: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Return the problems that an error body names: the first, then all of them."""
    errors = body.get("errors")
    named = [body.get("error"), *(errors if isinstance(errors, list) else [])]
    return [problem for problem in named if isinstance(problem, dict)]


def codes_of(body: Mapping[str, object]) -> list[str]:
    """Return the codes of all problems that an error body names."""
    return [code for problem in problems_of(body) if isinstance(code := problem.get("code"), str)]


def code_of(body: Mapping[str, object]) -> str:
    """Return the code of an error body; empty where it has none."""
    error = body.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else ""


def reason_of(reply: Reply, body: Mapping[str, object]) -> str:
    """Say for people what an error body says: all of its errors, else the beginning of the text."""
    errors = body.get("errors")
    error = body.get("error")
    every = (
        errors
        if isinstance(errors, list) and errors
        else [error if error is not None else body.get("message")]
    )
    said = [text for text in map(_sentence, every) if text]
    return fit("; ".join(said) or f"HTTP {reply.status}: {shown(reply.body)}")


def _sentence(error: object) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, dict):
        return ""
    message, value = error.get("message") or error.get("code"), error.get("value")
    said = message if isinstance(message, str) else ""
    locked = error.get("locked_until")
    if isinstance(value, str) and value and value not in said:
        said = f"{said}: {value}"
    return f"{said} (locked until {locked})" if isinstance(locked, str) and locked not in said else said


def shown(body: bytes) -> str:
    """Return the beginning of a body as text."""
    return " ".join(body[:200].decode("utf-8", "replace").split()) or "an empty body"


def fit(text: str) -> str:
    """Cut a text to 500 characters, without what PostgreSQL cannot hold: that would lose the record."""
    return text[:_REASON_LENGTH].replace("\0", "").encode("utf-8", "replace").decode()


def identity(value: object) -> str | None:
    """Read an id: a whole number, or a text of 1 to 200 characters that the ledger can hold; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not 0 < len(value) <= _ID_LENGTH:
        return None
    return value if value == fit(value) else None
