"""How often and how many at once: the two limits AiAccount sets on each company."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from deploy.sandbox.company import Company

_WINDOW = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call may go on; `retry_after` in seconds when not. The rest is for X-RateLimit-* headers."""

    allowed: bool
    retry_after: int = 0
    limit: int | None = None
    remaining: int = 0
    reset: int = 0


_FREE = Verdict(allowed=True)


class Limits:
    """Calls a minute, in windows that begin with a call, and calls at once, for each company.

    `clock` gives seconds that never go back. With `enabled` false nothing is ever refused.
    """

    def __init__(self, clock: Callable[[], float], *, enabled: bool = True) -> None:
        self._clock = clock
        self._enabled = enabled
        self._windows: dict[str, tuple[float, int]] = {}
        self._at_once: dict[str, int] = {}

    def enter(self, company: Company) -> Verdict:
        """Count a call that comes in. A call that is allowed must `leave` when it is done."""
        if not self._enabled:
            return _FREE
        company_id, limit = company.company_id, company.rate_per_minute
        at_once = self._at_once.get(company_id, 0)
        now = self._clock()
        began, used = self._windows.get(company_id, (now, 0))
        if now - began >= _WINDOW:
            began, used = now, 0
        reset = max(1, math.ceil(began + _WINDOW - now))
        if limit is not None and used >= limit:
            return Verdict(allowed=False, retry_after=reset, limit=limit, reset=reset)
        left = 0 if limit is None else limit - used
        if company.concurrency is not None and at_once >= company.concurrency:
            return Verdict(allowed=False, retry_after=1, limit=limit, remaining=left, reset=reset)
        self._windows[company_id] = (began, used + 1)
        self._at_once[company_id] = at_once + 1
        return Verdict(allowed=True, limit=limit, remaining=max(0, left - 1), reset=reset)

    def leave(self, company: Company) -> None:
        """Note that a call which was allowed is done."""
        if self._enabled:
            self._at_once[company.company_id] -= 1
