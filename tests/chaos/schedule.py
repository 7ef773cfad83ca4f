"""What goes wrong and when: a pure function of the seed, made as a whole before anything is done."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from deploy.proxy import (
    Bandwidth,
    Direction,
    Down,
    Latency,
    Limit,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from deploy.sandbox.fault import Behaviour

GAP_SECONDS = 2.4
"""Between two kills, on average. They come in bursts, with time for work before each."""
BURSTS = (2, 6)
IN_A_BURST = 0.6
A_ROUND = 34
LATE = 0.9
_SERVERS_FROM = 20
"""So many kills have room for one of Kafka and one of PostgreSQL."""


class Target(StrEnum):
    """A process that may be killed; those of ours may be paused, too."""

    RELAY_1 = "relay-1"
    RELAY_2 = "relay-2"
    CONSUMERS_1 = "consumers-1"
    CONSUMERS_2 = "consumers-2"
    KAFKA = "Kafka"
    POSTGRES = "PostgreSQL"


OURS = (Target.RELAY_1, Target.RELAY_2, Target.CONSUMERS_1, Target.CONSUMERS_2)
_WEIGHTS = (2, 2, 3, 3)


class Side(StrEnum):
    """A link with a proxy on it."""

    DATABASE = "database"
    BROKER = "broker"
    API = "AiAccount"


@dataclass(frozen=True)
class Kill:
    """SIGKILL; the process is started again at once."""

    at: float
    target: Target


@dataclass(frozen=True)
class Pause:
    """SIGSTOP, and SIGCONT when `seconds` have gone."""

    at: float
    target: Target
    seconds: float


@dataclass(frozen=True)
class Spoil:
    """A toxic on a link for `seconds`."""

    at: float
    side: Side
    toxic: Toxic
    direction: Direction
    seconds: float


@dataclass(frozen=True)
class Stray:
    """AiAccount misbehaves, at the next so many calls."""

    at: float
    behaviour: Behaviour
    times: int
    given: tuple[tuple[str, float], ...] = ()


Event = Kill | Pause | Spoil | Stray
_STRAYS: tuple[tuple[Behaviour, tuple[tuple[str, float], ...]], ...] = (
    (Behaviour.DELAY, (("seconds", 0.7),)),
    (Behaviour.TIMEOUT_BEFORE_STORING, ()),
    (Behaviour.TIMEOUT_AFTER_STORING, ()),
    (Behaviour.LANDS_LATE, (("seconds", 2),)),
    (Behaviour.RESET_BEFORE_STORING, ()),
    (Behaviour.RESET_AFTER_STORING, ()),
    (Behaviour.HALF_REPLY, ()),
    (Behaviour.STATUS, (("status", 500),)),
    (Behaviour.STATUS, (("status", 503),)),
    (Behaviour.RATE_LIMITED, (("retry_after", 1),)),
    (Behaviour.DRIP, (("seconds", 2),)),
    (Behaviour.SLOW_HEADERS, (("seconds", 2),)),
    (Behaviour.EMPTY, ()),
    (Behaviour.INVALID_JSON, ()),
    (Behaviour.NO_DOCUMENT_ID, ()),
    (Behaviour.CREATED_THEN_500, ()),
    (Behaviour.IN_PROGRESS, ()),
)
"""Those that end by themselves: after a refusal of what may exist, a look two minutes later is called for."""


def schedule(seed: int, kills: int = A_ROUND) -> tuple[Event, ...]:
    """Make the schedule of a seed: so many kills, and what goes wrong beside them, in order of time."""
    random = Random(seed)
    length = length_of(kills)
    events: list[Event] = [*_kills(random, kills)]
    events += [
        Pause(random.uniform(0, length * LATE), random.choice(OURS), random.uniform(1, 12))
        for _ in range(kills // 4)
    ]
    events += [_spoil(random, length) for _ in range(kills // 2)]
    events += [_stray(random, length) for _ in range(kills // 2)]
    return tuple(sorted(events, key=lambda event: event.at))


def length_of(kills: int) -> float:
    """Return how many seconds a schedule of so many kills lasts."""
    return kills * GAP_SECONDS


def _kills(random: Random, kills: int) -> list[Event]:
    servers: dict[int, Target] = {}
    if kills >= _SERVERS_FROM:
        first, second = random.sample((Target.KAFKA, Target.POSTGRES), 2)
        servers = {
            random.randrange(3, kills // 3): first,
            random.randrange(kills // 2, kills * 4 // 5): second,
        }
    made: list[Event] = []
    last: Target | None = None
    for place, at in enumerate(_times(random, kills)):
        target = servers.get(place)
        if target is None:
            others = [(one, weight) for one, weight in zip(OURS, _WEIGHTS, strict=True) if one is not last]
            target = last = random.choices([one for one, _ in others], [weight for _, weight in others])[0]
        made.append(Kill(at, target))
    return made


def _times(random: Random, kills: int) -> list[float]:
    """Draw when to kill: each burst at the end of as much time as it has kills."""
    times: list[float] = []
    while len(times) < kills:
        size = min(random.randint(*BURSTS), kills - len(times))
        begins = (len(times) + size) * GAP_SECONDS - size * IN_A_BURST
        times += [begins + (place + random.uniform(0, 0.9)) * IN_A_BURST for place in range(size)]
    return times


def _spoil(random: Random, length: float) -> Spoil:
    toxic: Toxic = random.choice(
        (
            Latency(random.uniform(0.02, 0.4), jitter=0.02),
            Down(),
            Timeout(),
            Timeout(random.uniform(0.2, 2)),
            Reset(random.uniform(0, 1)),
            SlowClose(random.uniform(0.5, 3)),
            Bandwidth(random.randint(5_000, 100_000)),
            Slicer(random.randint(8, 200), spread=7, pause=random.uniform(0, 0.002)),
            Limit(random.randint(200, 30_000)),
        )
    )
    at, seconds = random.uniform(0, length * LATE), random.uniform(0.5, 5)
    return Spoil(at, random.choice(list(Side)), toxic, random.choice(list(Direction)), seconds)


def _stray(random: Random, length: float) -> Stray:
    behaviour, given = random.choice(_STRAYS)
    return Stray(random.uniform(0, length * LATE), behaviour, random.randint(1, 6), given)
