"""The pill: in one line, how a tenant's documents of one kind are doing. Facts in, kind and text out; pure.

Its wording lives here and nowhere else. The first that holds is shown:

1. paused, nobody is called until a person acts: "Paused · API key refused";
2. failed, documents that do not go by themselves, the commonest reason:
   "Failed · Tax Code missing: MY-SALES10 · 3 documents since 14:02";
3. stalled, something waits and nothing moves, or the way from the till is cut:
   "Stalled · no relay leads since 14:02";
4. syncing, something waits and moves: "Syncing · 12 waiting · oldest 40 s";
5. last sync, all was sent: "Last sync 5/15 14:30 · 12 rows";
6. no data, there was never anything to push: "No data to push".

So a pill does not say "Last sync" while a new sale would not be seen, or while something waits too long and
nothing moves. That no consumer takes changes is said two minutes after the last acceptance, and not while one
is at work at that endpoint: until then it may be between two.

*Rows* are the documents of this kind that AiAccount accepted on the day of the last one, from that day's
midnight in the tenant's zone; above 10,000 it says "10,000+". *Waiting* are rows that are due, handed out or
being handled, and documents that wait for their next attempt or for another document.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from console.figures import counted, moment, since, span
from console.phrases import INACTIVE, phrase_of

MOST_ROWS = 10_000
"""Rows of a day beyond which they are not counted."""
STALLED_AFTER = timedelta(minutes=2)
"""How long something may wait without anything moving."""
STILL_AFTER = timedelta(seconds=30)
"""How long the relay's cursor may stand still: one that works writes it every five seconds."""


class Kind(StrEnum):
    """What a pill says, the worst first."""

    PAUSED = "paused"
    FAILED = "failed"
    STALLED = "stalled"
    SYNCING = "syncing"
    LAST_SYNC = "last sync"
    NO_DATA = "no data"


WRONG = (Kind.PAUSED, Kind.FAILED, Kind.STALLED)
"""What somebody must look at."""


@dataclass(frozen=True)
class Pill:
    """What is shown."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Failure:
    """Documents, or whole rows, that do not go by themselves, for one reason.

    `value` is what the reason is about, such as the tax code; `number` the oldest document's.
    """

    state: str
    code: str
    value: str | None
    count: int
    since: datetime
    number: str | None = None

    @property
    def noun(self) -> str:
        """What is counted."""
        return "document" if self.number is not None else "row"

    @property
    def phrase(self) -> str:
        """The reason in a few words."""
        return phrase_of(self.code, self.value)


@dataclass(frozen=True)
class Waiting:
    """What is still to be done: how much, since when the oldest waits, and the code of its last hindrance.

    `moves` says that some of it was handed out within the last minute, or is being handled.
    """

    count: int = 0
    since: datetime | None = None
    code: str | None = None
    moves: bool = False


@dataclass(frozen=True)
class Way:
    """The way from the till to a kind of documents, the same for all tenants.

    Whether capture sees changes, whether a relay leads, when its cursor was last written, since when the
    oldest change in the outbox waits for it, since when changes that it sent were taken by no consumer, and
    since when AiAccount is down at this endpoint; none for not at all.
    """

    captures: bool
    leads: bool
    moved_at: datetime
    unread_since: datetime | None = None
    unheard_since: datetime | None = None
    down_since: datetime | None = None


@dataclass(frozen=True)
class Facts:
    """All that decides a pill; moments have a zone, `now` is the database's.

    `pause` is the code of why the tenant is not called; `last_at` when AiAccount accepted a document last,
    and `rows` how many that day.
    """

    now: datetime
    zone: ZoneInfo
    way: Way
    pause: str | None = None
    failures: tuple[Failure, ...] = ()
    waiting: Waiting = Waiting()
    last_at: datetime | None = None
    rows: int = 0

    @property
    def meant(self) -> bool:
        """Whether a person has made the tenant inactive, so that nobody must look."""
        return self.pause == INACTIVE


def pill_of(facts: Facts) -> Pill:
    """Return the pill."""
    for kind, say in _KINDS:
        if (text := say(facts)) is not None:
            return Pill(kind, text)
    return Pill(Kind.NO_DATA, "No data to push")


def rank(failure: Failure) -> tuple[int, datetime, str, str]:
    """Return what failures are sorted by: those of most documents first, then the oldest."""
    return -failure.count, failure.since, failure.code, failure.value or ""


def _paused(facts: Facts) -> str | None:
    return None if facts.pause is None else f"Paused · {phrase_of(facts.pause)}"


def _failed(facts: Facts) -> str | None:
    if not facts.failures:
        return None
    first = min(facts.failures, key=rank)
    begun = since(first.since, facts.zone, facts.now)
    text = f"Failed · {first.phrase} · {counted(first.count, first.noun)} since {begun}"
    others = len(facts.failures) - 1
    return f"{text} · {counted(others, 'other reason')}" if others else text


def _stalled(facts: Facts) -> str | None:
    if (found := _hindrance(facts)) is None:
        return None
    why, at = found
    text = f"Stalled · {why}" if at is None else f"Stalled · {why} since {since(at, facts.zone, facts.now)}"
    return f"{text} · {facts.waiting.count:,} waiting" if facts.waiting.count else text


def _hindrance(facts: Facts) -> tuple[str, datetime | None] | None:
    """Return what is in the way and since when, none where nothing is."""
    way, waiting, now = facts.way, facts.waiting, facts.now
    moves = waiting.moves or (facts.last_at is not None and now - facts.last_at <= STALLED_AFTER)
    if not way.captures:
        return "changes are not captured", None
    if now - way.moved_at > STILL_AFTER:
        return ("the relay stands still" if way.leads else "no relay leads"), way.moved_at
    if way.down_since is not None and waiting.count:
        return "AiAccount is down here", way.down_since
    if way.unread_since is not None and now - way.unread_since > STALLED_AFTER:
        return "changes wait for the relay", way.unread_since  # a new sale is behind them, whatever moves
    return None if moves else _waits(way, waiting, now)


def _waits(way: Way, waiting: Waiting, now: datetime) -> tuple[str, datetime] | None:
    """Return what has waited too long, and since when."""
    if way.unheard_since is not None:
        return "no consumer takes changes", way.unheard_since
    if waiting.since is not None and now - waiting.since > STALLED_AFTER:
        return ("nothing moves" if waiting.code is None else phrase_of(waiting.code)), waiting.since
    return None


def _syncing(facts: Facts) -> str | None:
    waiting = facts.waiting
    if not waiting.count:
        return None
    oldest = "" if waiting.since is None else f" · oldest {span(facts.now - waiting.since)}"
    return f"Syncing · {waiting.count:,} waiting{oldest}"


def _last_sync(facts: Facts) -> str | None:
    if facts.last_at is None:
        return None
    rows = f"{MOST_ROWS:,}+ rows" if facts.rows > MOST_ROWS else counted(facts.rows, "row")
    return f"Last sync {moment(facts.last_at, facts.zone, facts.now)} · {rows}"


_KINDS: tuple[tuple[Kind, Callable[[Facts], str | None]], ...] = (
    (Kind.PAUSED, _paused),
    (Kind.FAILED, _failed),
    (Kind.STALLED, _stalled),
    (Kind.SYNCING, _syncing),
    (Kind.LAST_SYNC, _last_sync),
)
