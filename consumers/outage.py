"""Whether an endpoint of AiAccount is down, as this process's own calls tell.

A sample of the last half minute trips when most of at least ten calls failed. What follows is everybody's:
the outage is recorded in the database, no process calls the endpoint, one call in half a minute probes it.
"""

from collections import deque
from dataclasses import dataclass, field

from outbox.endpoints import Endpoint

WINDOW_SECONDS = 30.0
LEAST_CALLS = 10
FAILED_SHARE = 0.7
OPEN_SECONDS = 30.0
"""How long nothing is called before a probe; the statements say it as 30 seconds."""


@dataclass(slots=True)
class _Sample:
    calls: deque[tuple[float, bool]] = field(default_factory=deque)
    open_until: float = 0.0


class Outages:
    """Sample the calls of each endpoint; times are on the monotonic clock."""

    def __init__(self) -> None:
        self._samples = {endpoint: _Sample() for endpoint in Endpoint}

    def note(self, endpoint: Endpoint, now: float, *, failed: bool) -> None:
        """Note a call; a trip keeps the endpoint from being called for 30 s."""
        sample = self._samples[endpoint]
        sample.calls.append((now, failed))
        while sample.calls[0][0] <= now - WINDOW_SECONDS:
            sample.calls.popleft()
        failures = sum(failure for _, failure in sample.calls)
        if failed and len(sample.calls) >= LEAST_CALLS and failures >= FAILED_SHARE * len(sample.calls):
            sample.open_until = now + OPEN_SECONDS
            sample.calls.clear()

    def down_until(self, endpoint: Endpoint, now: float) -> float | None:
        """Return until when the endpoint is not called, as this process has found; None where it is."""
        until = self._samples[endpoint].open_until
        return until if until > now else None

    def forget(self, endpoint: Endpoint) -> None:
        """Forget what was sampled: the endpoint answers again, or all know of its outage."""
        self._samples[endpoint] = _Sample()
