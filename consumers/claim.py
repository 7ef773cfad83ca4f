"""A claimed task, and what it is worked on with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from consumers.accounts import Accounts
from consumers.metrics import ConsumerMetrics
from consumers.pushing import Pusher
from consumers.steps import Steps
from consumers.stops import Stops
from outbox.endpoints import Endpoint
from outbox.failpoints import Reach


@dataclass(frozen=True, slots=True)
class Claim:
    """A task that this worker holds: the token, and when the claim ends on the worker's monotonic clock."""

    endpoint: Endpoint
    aggregate_id: int
    token: UUID
    ends: float
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What every delivery of a process works with; `clock` is monotonic, in seconds."""

    steps: Steps
    accounts: Accounts
    pusher: Pusher
    stops: Stops
    clock: Callable[[], float]
    random: Random
    reach: Reach
    metrics: ConsumerMetrics
