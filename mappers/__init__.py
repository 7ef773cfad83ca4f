"""Map snapshots of sales and settlements to AiAccount documents: pure functions, standard library only."""

from mappers.decision import Decision, decided
from mappers.document import canonical
from mappers.endpoints import ENDPOINTS
from mappers.fields import SnapshotError
from mappers.outcome import Accepted, Block, Conflict, Outcome, Push, Skip, Wait
from mappers.plan import plan
from mappers.sent import Sent
from mappers.settings import Settings

__all__ = [
    "ENDPOINTS",
    "Accepted",
    "Block",
    "Conflict",
    "Decision",
    "Outcome",
    "Push",
    "Sent",
    "Settings",
    "Skip",
    "SnapshotError",
    "Wait",
    "canonical",
    "decided",
    "plan",
]
