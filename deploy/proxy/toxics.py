"""What can be wrong with a link; times are in seconds."""

from dataclasses import dataclass
from enum import Enum


class Direction(Enum):
    """Which half of a link: towards the server, towards the client, or both."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BOTH = "both"

    def covers(self, other: "Direction") -> bool:
        """Tell whether what is on this half is on `other` too."""
        return Direction.BOTH in (self, other) or self is other


@dataclass(frozen=True)
class Latency:
    """Everything, the end too, comes later by `seconds`, more or less `jitter`; its order stays."""

    seconds: float
    jitter: float = 0.0


@dataclass(frozen=True)
class Down:
    """Nobody listens; what was connected is reset. It knows no direction."""


@dataclass(frozen=True)
class Timeout:
    """Nothing comes through. After `seconds` the connection is closed; none holds it until this is gone.

    What was held comes through then, as after a network that was parted.
    """

    seconds: float | None = None


@dataclass(frozen=True)
class Reset:
    """The connection is reset (RST) after `seconds`; on one half only, the other end sees it closed."""

    seconds: float = 0.0


@dataclass(frozen=True)
class SlowClose:
    """The end of the stream comes later by `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Bandwidth:
    """At most so many bytes a second come through, for each connection."""

    bytes_per_second: int


@dataclass(frozen=True)
class Slicer:
    """What comes is cut into pieces of `size` bytes, more or less `spread`, with a `pause` before each."""

    size: int
    spread: int = 0
    pause: float = 0.0


@dataclass(frozen=True)
class Limit:
    """So many bytes still come through each connection; then it is closed."""

    size: int


Toxic = Latency | Down | Timeout | Reset | SlowClose | Bandwidth | Slicer | Limit
