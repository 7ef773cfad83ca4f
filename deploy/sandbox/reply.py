"""What the sandbox says to one call, and how it puts it on the wire."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from deploy.sandbox.problem import Problem, error_body, status_of

JSON = "application/json; charset=utf-8"


class Delivery(Enum):
    """How a reply goes out."""

    WHOLE = auto()
    NEVER = auto()
    BROKEN = auto()
    HALF = auto()
    DRIP = auto()
    SLOW_HEADERS = auto()


_UNANSWERED = {Delivery.NEVER, Delivery.BROKEN, Delivery.HALF}


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply. `code` is for the book; `pace` is seconds between the bytes or headers of a slow one."""

    status: int
    body: bytes
    code: str
    payload: Mapping[str, Any] | None = None
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery = Delivery.WHOLE
    pace: float = 0.0
    fault: str | None = None

    def booked_status(self) -> int | None:
        """Return the status as the book has it: None when the client is left without a whole reply."""
        return None if self.delivery in _UNANSWERED else self.status

    def with_payload(self, status: int, payload: Mapping[str, Any]) -> "Reply":
        """Return this reply with another status and payload."""
        return replace(self, status=status, payload=payload, body=json.dumps(payload).encode())


def answer(status: int, payload: Mapping[str, Any], code: str) -> Reply:
    """Make a JSON reply."""
    return Reply(status, json.dumps(payload).encode(), code, payload)


def refuse(problems: Sequence[Problem], request_id: str, extra: Mapping[str, Any] | None = None) -> Reply:
    """Make an error reply of its first problem's status."""
    first = problems[0]
    payload = {**error_body(problems, request_id), **(extra or {})}
    return answer(status_of(first.code), payload, first.code.value)
