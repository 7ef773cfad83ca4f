"""What the attempts of a delivery teach all processes: rows beside those of the documents. Pure.

Every attempt is logged. A limit, an outage and its end, a refusal by a tenant's books and its end, and a stop
are known to every process once they are recorded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.accounts import Account
from consumers.breakers import Breaker
from consumers.outcomes import MASTER_DATA, Outcome, Treatment
from consumers.steps import Learned
from outbox.endpoints import Endpoint

_ALL = "*"
_STOPS = (Treatment.STOP_TENANT, Treatment.STOP_ENDPOINT)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to push a document with its quick retries, and what came of it.

    `began` is on the worker's monotonic clock; `passed` are the open breakers that the document got past;
    `probes` says that it probed an endpoint that was down, `tripped` that it showed that one is.
    """

    number: str
    began: float
    seconds: float
    calls: int
    outcome: Outcome
    passed: tuple[Breaker, ...] = ()
    probes: bool = False
    tripped: bool = False


def learned(  # noqa: PLR0913, PLR0917 - whose attempts they are
    endpoint: Endpoint,
    aggregate_id: int,
    account: Account,
    company_id: str | None,
    attempts: Sequence[Attempt],
    now: float,
) -> Learned:
    """Return what the attempts of a delivery teach."""
    versions = {"key_version": account.key_version, "settings_version": account.settings_version}
    tenant = {"tenant_id": account.tenant_id}
    books = {**tenant, "endpoint": endpoint}
    stopping = [attempt.outcome for attempt in attempts if attempt.outcome.treatment in _STOPS]
    return Learned(
        attempts=[
            {
                **books,
                **versions,
                "company_id": company_id,
                "aggregate_id": aggregate_id,
                "number": attempt.number,
                "ago": max(now - attempt.began, 0.0),
                "seconds": attempt.seconds,
                "calls": attempt.calls,
                "treatment": attempt.outcome.treatment.value,
                "code": attempt.outcome.code,
                "reason": attempt.outcome.reason,
            }
            for attempt in attempts
        ],
        limits=[
            {**tenant, "seconds": max(attempt.outcome.wait or 0.0, 1.0)}
            for attempt in attempts
            if attempt.outcome.treatment is Treatment.LIMITED
        ],
        outages=[
            {"endpoint": endpoint, "reason": attempt.outcome.reason}
            for attempt in attempts
            if attempt.tripped
        ],
        recovered=[
            {"endpoint": endpoint}
            for attempt in attempts
            if attempt.probes and attempt.outcome.treatment is not Treatment.UNKNOWN
        ],
        refusals=[_refusal(books, attempt.outcome) for attempt in attempts if _by_the_books(attempt.outcome)],
        passed=[
            {**books, "code": breaker.code, "value": breaker.value}
            for attempt in attempts
            for breaker in attempt.passed
        ],
        stops=[
            {
                **tenant,
                **versions,
                "stopped": _ALL if outcome.treatment is Treatment.STOP_TENANT else endpoint,
                "code": outcome.code,
                "reason": outcome.reason,
            }
            for outcome in stopping[-1:]
        ],
    )


def _by_the_books(outcome: Outcome) -> bool:
    return outcome.treatment is Treatment.BLOCK and outcome.code in MASTER_DATA


def _refusal(books: Mapping[str, Any], outcome: Outcome) -> dict[str, Any]:
    return {**books, "code": outcome.code, "value": outcome.value or "", "reason": outcome.reason}
