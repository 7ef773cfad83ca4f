"""The ways in which a real server strays, and when the sandbox is to play them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any


class FaultInvalidError(ValueError):
    """A fault that an admin call describes cannot be played."""


class Behaviour(StrEnum):
    """What the sandbox can do wrong."""

    DELAY = "delay"
    TIMEOUT_BEFORE_STORING = "timeout_before_storing"
    TIMEOUT_AFTER_STORING = "timeout_after_storing"
    LANDS_LATE = "lands_late"
    RESET_BEFORE_STORING = "reset_before_storing"
    RESET_AFTER_STORING = "reset_after_storing"
    HALF_REPLY = "half_reply"
    STATUS = "status"
    STATUS_WITH_422_CODE = "status_with_422_code"
    TEXT_400 = "text_400"
    RATE_LIMITED = "rate_limited"
    DRIP = "drip"
    SLOW_HEADERS = "slow_headers"
    HUGE_BODY = "huge_body"
    HTML = "html"
    EMPTY = "empty"
    INVALID_JSON = "invalid_json"
    NO_DOCUMENT_ID = "no_document_id"
    WRONG_COMPANY = "wrong_company"
    REDIRECT = "redirect"
    CREATED_THEN_500 = "created_then_500"
    IN_PROGRESS = "in_progress"
    SILENT_DUPLICATE = "silent_duplicate"


_NEVER_STORING = {
    Behaviour.TIMEOUT_BEFORE_STORING,
    Behaviour.RESET_BEFORE_STORING,
    Behaviour.LANDS_LATE,
}
_NOT_STORING = {
    Behaviour.STATUS,
    Behaviour.STATUS_WITH_422_CODE,
    Behaviour.TEXT_400,
    Behaviour.RATE_LIMITED,
    Behaviour.HTML,
    Behaviour.REDIRECT,
    Behaviour.IN_PROGRESS,
}
_MATCHED = ("company_id", "endpoint", "number", "method")
_OWN_FIELDS = {"id", "match", "behaviour", "times"}
_NUMBERS = ("seconds", "status", "retry_after")
_LONGEST = 3600.0


@dataclass(slots=True)
class Fault:
    """A behaviour, the calls it is for, and how many times more it is played (None: always)."""

    fault_id: str
    behaviour: Behaviour
    match: Mapping[str, str]
    times: int | None
    params: Mapping[str, Any] = field(default_factory=dict)

    def lets_store(self) -> bool:
        """Tell whether the call is handled, and so its document stored, before the behaviour is played.

        The parameter `stores` decides where the behaviour leaves it open.
        """
        if self.behaviour in _NEVER_STORING:
            return False
        if self.behaviour in _NOT_STORING:
            return bool(self.params.get("stores", False))
        if self.behaviour in (Behaviour.EMPTY, Behaviour.INVALID_JSON):
            return bool(self.params.get("stores", True))
        return True

    def seconds(self, default: float) -> float:
        """Return the parameter `seconds`, in [0, 3600]."""
        return min(_LONGEST, max(0.0, float(self.params.get("seconds", default))))

    def as_json(self) -> dict[str, Any]:
        """Return the fault as the admin call gives it."""
        return {
            "id": self.fault_id,
            "behaviour": self.behaviour.value,
            "match": dict(self.match),
            "times": self.times,
            **self.params,
        }


class Faults:
    """The faults that are set, in the order in which they were; the first that matches is played."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def add(self, given: Mapping[str, Any]) -> Fault:
        """Set a fault as an admin call describes it; the same id replaces. Raises `FaultInvalidError`."""
        fault = _read(given, str(given.get("id") or f"fault-{next(self._numbers)}"))
        self._faults[fault.fault_id] = fault
        return fault

    def remove(self, fault_id: str | None) -> int:
        """Take one fault away, or all of them; return how many there were."""
        if fault_id is not None:
            return 0 if self._faults.pop(fault_id, None) is None else 1
        gone = len(self._faults)
        self._faults.clear()
        return gone

    def take(self, call: Mapping[str, str | None]) -> Fault | None:
        """Return the fault to be played on a call, and count it."""
        for fault in self._faults.values():
            if fault.times == 0 or any(call[name] != value for name, value in fault.match.items()):
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None


def _read(given: Mapping[str, Any], fault_id: str) -> Fault:
    match = given.get("match") or {}
    if not isinstance(match, dict) or not set(match) <= set(_MATCHED):
        raise FaultInvalidError(f"match has {', '.join(_MATCHED)}")
    try:
        behaviour = Behaviour(str(given.get("behaviour")))
    except ValueError as error:
        raise FaultInvalidError(f"behaviour is one of {', '.join(Behaviour)}") from error
    times = given.get("times")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 0):
        raise FaultInvalidError("times is a whole number or null")
    params = {name: value for name, value in given.items() if name not in _OWN_FIELDS}
    for name in _NUMBERS:
        if not isinstance(params.get(name, 0), int | float):
            raise FaultInvalidError(f"{name} is a number")
    return Fault(
        fault_id, behaviour, {name: str(value) for name, value in match.items() if value}, times, params
    )
