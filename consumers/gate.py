"""Why a document is not called for just now, and until when. Pure.

Not a failure: no attempt was made and none is counted. What is held waits as a due task, in nobody's memory.
"""

from dataclasses import dataclass
from random import Random

from consumers.outage import Outages
from consumers.steps import Intended
from consumers.stops import Stops
from consumers.view import View
from outbox.endpoints import Endpoint

RATE_LIMITED, ENDPOINT_DOWN, PACED = "RATE_LIMITED", "ENDPOINT_DOWN", "PACED"
_SPREAD = {RATE_LIMITED: 5.0, ENDPOINT_DOWN: 30.0, PACED: 1.0}
"""Seconds over which what was held together comes again."""
_REASONS = {
    RATE_LIMITED: "AiAccount was called too often for this tenant",
    ENDPOINT_DOWN: "AiAccount does not answer at this endpoint: one call in a while tries it",
    PACED: "the tenant's share of calls is used up for the moment",
}


@dataclass(frozen=True, slots=True)
class Hold:
    """Until when nothing of a tenant is sent to an endpoint, on the monotonic clock, and why."""

    until: float
    code: str
    reason: str

    def spread(self, random: Random) -> float:
        """Return when one of the documents held comes again: each a little later than another."""
        return self.until + random.uniform(0, _SPREAD.get(self.code, 1.0))


def hold_before(endpoint: Endpoint, view: View, stops: Stops, outages: Outages, now: float) -> Hold | None:
    """Say what is known to keep a tenant's documents before the database is asked; None where nothing is."""
    tenant_id = view.tenant.tenant_id if view.tenant is not None else 0
    limits = [limit for limit in (stops.limit(tenant_id), view.closed_until) if limit and limit > now]
    if limits:
        return Hold(max(limits), RATE_LIMITED, _REASONS[RATE_LIMITED])
    down = outages.down_until(endpoint, now)
    if down is None and view.outage is not None and view.outage.probe_at > now:
        down = view.outage.probe_at
    return Hold(down, ENDPOINT_DOWN, _REASONS[ENDPOINT_DOWN]) if down is not None else None


def hold_of(intended: Intended, now: float) -> Hold | None:
    """Return what the gate said of an intent; None where it let it through, or a breaker keeps it alone."""
    if intended.kept not in _REASONS:
        return None
    return Hold(now + intended.seconds, intended.kept, _REASONS[intended.kept])


def is_gated(view: View) -> bool:
    """Say whether calls are given out one by one: under a limit, in an outage, with an open breaker."""
    limited = view.tenant is not None and view.tenant.limited
    return limited or view.outage is not None or bool(view.breakers)
