"""An entry of the ledger as a delivery holds it, and how the outcome of an attempt changes it: pure.

Times are seconds of the worker's monotonic clock. The database gives ages, never dates, so that no two
clocks are ever compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random
from typing import assert_never

from consumers.adoption import ADOPTED
from consumers.outcomes import MASTER_DATA, Outcome, Treatment
from consumers.schedule import DAY, HOUR, PARK_AFTER, PROBE_AFTER, next_delay

LIMITED_AT_LEAST = 1.0
"""Seconds that a tenant waits after too many calls, even if told to wait none."""
CONFIRM_AFTER = 120.0
"""Seconds after which an attempt of unknown outcome has landed or never will."""


class Verdict(StrEnum):
    """Why a document is not simply pushed."""

    RETRY = "retry"
    WAIT = "wait"
    BLOCK = "block"
    CONFLICT = "conflict"
    SKIP = "skip"
    PARK = "park"


_PASSING = (None, Verdict.RETRY, Verdict.PARK)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one document.

    `document` is what the last attempt sent and `snapshot_text` what it was made from; `doubt_at` is when
    the last attempt of unknown outcome began, None where it cannot exist or is accepted; `next_at` is before
    when it is left alone.
    """

    number: str
    document: Mapping[str, object] | None = None
    snapshot_text: str | None = None
    doubt_at: float | None = None
    remote_id: str | None = None
    verdict: Verdict | None = None
    code: str | None = None
    reason: str | None = None
    attempts: int = 0
    first_at: float | None = None
    next_at: float | None = None

    @property
    def accepted(self) -> bool:
        """Whether it stands in the company's books: final."""
        return self.remote_id is not None

    @property
    def adopted(self) -> bool:
        """Whether AiAccount's own document stands for the row, since a person said so."""
        return self.accepted and self.code == ADOPTED

    @property
    def taken(self) -> bool:
        """Whether AiAccount, or another aggregate, has other content under this number."""
        return self.verdict is Verdict.CONFLICT and not self.accepted

    def marked(self, verdict: Verdict | None, code: str | None, reason: str | None) -> "Entry":
        """Return it with what the mapper says of it, and no deadline of its own."""
        return replace(self, verdict=verdict, code=code, reason=reason, next_at=None)

    def held(self, verdict: Verdict, code: str, reason: str, until: float) -> "Entry":
        """Return it waiting until it may be called for; no attempt was made, and a block ends a schedule."""
        attempts = self.attempts if self.verdict in _PASSING else 0
        return replace(self, verdict=verdict, code=code, reason=reason, attempts=attempts, next_at=until)


def attempted(entry: Entry, document: Mapping[str, object], snapshot_text: str, began: float) -> Entry:
    """Return the entry with an attempt begun: from now on the document may exist.

    The schedule and its 72 hours begin anew where the last outcome was no failure that may pass, or the row
    changed: what was blocked for a week and meets a hiccup when it goes again is not parked for it.
    """
    goes_on = entry.verdict in _PASSING and entry.snapshot_text in (None, snapshot_text)
    attempts = entry.attempts if goes_on else 0
    return replace(
        entry,
        document=document,
        snapshot_text=snapshot_text,
        doubt_at=began,
        attempts=attempts + 1,
        first_at=entry.first_at if attempts and entry.first_at is not None else began,
    )


def settled(entry: Entry, outcome: Outcome, now: float, random: Random) -> Entry:
    """Return the entry after the last outcome of a delivery's attempts.

    Args:
        entry: With `doubt_at` when the last attempt of unknown outcome began, None where there is none.
        outcome: What came of the last attempt.
        now: The monotonic clock.
        random: Where jitter comes from.
    """
    told = replace(entry, code=outcome.code, reason=outcome.reason)
    match outcome.treatment:
        case Treatment.ACCEPTED:
            adopted = (outcome.code, outcome.reason) if outcome.code == ADOPTED else (None, None)
            return replace(entry.marked(None, *adopted), doubt_at=None, remote_id=outcome.remote_id)
        case Treatment.CONFLICT:
            after = replace(told, doubt_at=None, verdict=Verdict.CONFLICT, next_at=None)
        case Treatment.LIMITED:
            wait = max(outcome.wait or 0.0, LIMITED_AT_LEAST)
            after = replace(told, verdict=Verdict.RETRY, next_at=now + wait, attempts=entry.attempts - 1)
        case Treatment.BLOCK if outcome.code in MASTER_DATA:
            after = replace(told, verdict=Verdict.BLOCK, next_at=now + PROBE_AFTER * random.uniform(1.0, 1.1))
        case Treatment.BLOCK | Treatment.STOP_ENDPOINT | Treatment.STOP_TENANT:
            after = replace(told, verdict=Verdict.BLOCK, next_at=now + hourly(random))
        case Treatment.PARK:
            after = replace(told, verdict=Verdict.PARK, next_at=now + DAY)
        case Treatment.UNKNOWN | Treatment.RETRY | Treatment.BUSY:
            if entry.first_at is not None and now - entry.first_at > PARK_AFTER:
                after = replace(told, verdict=Verdict.PARK, next_at=now + DAY)
            else:
                delay = next_delay(entry.attempts, random)
                after = replace(told, verdict=Verdict.RETRY, next_at=now + delay)
        case _:
            assert_never(outcome.treatment)
    return _until_confirmed(after, now) if outcome.certain else after


def confirmable(entry: Entry, now: float) -> bool:
    """Say whether a look-up that finds nothing proves by now that the document does not exist."""
    return entry.doubt_at is not None and now - entry.doubt_at >= CONFIRM_AFTER


def _until_confirmed(entry: Entry, now: float) -> Entry:
    """Return a refused entry that may exist with the next attempt when a look-up can end the doubt."""
    if entry.doubt_at is None or entry.next_at is None or entry.verdict is Verdict.RETRY:
        return entry
    confirm_at = entry.doubt_at + CONFIRM_AFTER + 1
    return replace(entry, next_at=min(entry.next_at, confirm_at)) if confirm_at > now else entry


def hourly(random: Random) -> float:
    """Return about an hour in seconds, spread so that what stopped together does not come back together."""
    return HOUR * random.uniform(0.9, 1.1)
