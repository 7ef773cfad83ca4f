"""Call AiAccount for one document: quick failures are retried in place, within the claim, then told.

Every attempt of one content carries the same body and the same key, so that AiAccount drops what it has.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol
from uuid import uuid4

import tenacity

from consumers.adoption import Adoption, adopt
from consumers.client import Call
from consumers.outage import Outages
from consumers.outcomes import Outcome, Treatment, as_refusal, classify, found
from consumers.reply import Broken, Reply
from consumers.secret import Secret
from mappers import canonical
from outbox.endpoints import Endpoint
from outbox.errors import VaultError

ATTEMPTS = 3
ALL_SECONDS = 30.0
ATTEMPT_SECONDS = 15.0
FIRST_WAIT = 0.1
_QUICK = (Treatment.UNKNOWN, Treatment.BUSY)


class Client(Protocol):
    """What is asked of AiAccount here."""

    async def post(self, call: Call, seconds: float) -> Reply | Broken:
        """Push a document."""
        ...

    async def look_up(
        self, endpoint: Endpoint, secret: Secret, identity: Mapping[str, str], seconds: float
    ) -> Reply | Broken:
        """Ask what is stored under an identity."""
        ...


@dataclass(frozen=True, slots=True)
class Push:
    """A document to push: where to, whose it is, and until when a call may begin (monotonic).

    One that `probes` an endpoint that is down is called for once. One that `adopts` takes what is in its way
    for the row's own, since a person said so.
    """

    endpoint: Endpoint
    company_id: str
    document: Mapping[str, object]
    ends: float
    probes: bool = False
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of it: the last outcome, when the last call of unknown outcome began, and how many calls.

    `outcome` is None where the claim had ended before the first call.
    """

    outcome: Outcome | None
    doubt_at: float | None
    calls: int = 0


class Pusher:
    """Push documents through `client`; `clock` is monotonic, in seconds, and `seconds` are one attempt's."""

    def __init__(  # noqa: PLR0913, PLR0917 - the one place where its parts meet
        self,
        client: Client,
        clock: Callable[[], float],
        random: Random,
        seconds: float = ATTEMPT_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        outages: Outages | None = None,
    ) -> None:
        self.outages = outages or Outages()
        self._client = client
        self._seconds = seconds
        self._clock = clock
        self._retrying = tenacity.AsyncRetrying(
            sleep=sleep,
            wait=_full_jitter(random),
            retry=tenacity.retry_if_result(_quick),
            retry_error_callback=_last,
        )

    async def push(self, push: Push, open_key: Callable[[], Secret]) -> Pushed:
        """Push a document, up to three times within 30 s, and never begin a call after `push.ends`.

        Raises:
            VaultError: The key cannot be opened.
        """
        body = canonical(push.document)
        content = b"\n".join((push.company_id.encode(), push.endpoint.encode(), body))
        key = hashlib.sha256(content).hexdigest()
        over = self._clock() + ALL_SECONDS
        last = min(over, push.ends)
        doubt_at: float | None = None
        outcome: Outcome | None = None
        tries, most = 0, 1 if push.probes else ATTEMPTS

        async def attempt() -> Outcome | None:
            nonlocal doubt_at, outcome, tries
            began = self._clock()
            if began >= last:
                return outcome
            try:
                secret = open_key()
            except VaultError:
                if outcome is None:
                    raise
                return outcome  # what an earlier attempt left in doubt must not be forgotten
            tries += 1
            call = Call(push.endpoint, secret, body, key, str(uuid4()))
            seconds = min(self._seconds, over - began)
            outcome = classify(await self._client.post(call, seconds), push.document)
            if not outcome.certain:
                doubt_at = began
            self.outages.note(
                push.endpoint,
                self._clock(),
                failed=outcome.treatment is Treatment.UNKNOWN and not outcome.stray,
            )
            return outcome

        def enough(state: tenacity.RetryCallState) -> bool:
            now = self._clock()
            down = self.outages.down_until(push.endpoint, now) is not None
            return state.attempt_number >= most or now >= last or down

        await self._retrying.copy(stop=enough)(attempt)
        return Pushed(_told(outcome, tries), doubt_at, tries)

    async def confirm(self, push: Push, open_key: Callable[[], Secret]) -> Outcome | None:
        """Look whether a refused document that may exist does.

        Returns:
            The acceptance or the conflict that the look-up shows; None where it finds nothing.

        Raises:
            LookupError: The look-up gave no answer: the doubt stays.
        """
        if self._clock() >= push.ends:
            raise LookupError("the claim has ended")
        return found(await self._look_up(push, open_key()), push.document)

    async def adopt(self, push: Push, open_key: Callable[[], Secret]) -> Adoption:
        """Look at what was in the way of a document, and take it for the row's own if it can be.

        Raises:
            VaultError: The key cannot be opened.
        """
        if self._clock() >= push.ends:
            return adopt(Broken("TIMEOUT", "the claim has ended"), push.document)
        return adopt(await self._look_up(push, open_key()), push.document)

    async def _look_up(self, push: Push, secret: Secret) -> Reply | Broken:
        contact = push.document.get("contact")
        identity = {
            "company": str(push.document["company_name"]),
            "number": str(push.document["number"]),
            "contact": str(contact.get("code") if isinstance(contact, dict) else ""),
        }
        return await self._client.look_up(push.endpoint, secret, identity, self._seconds)


def _told(outcome: Outcome | None, tries: int) -> Outcome | None:
    """Take a stray 5xx for its refusal only after three tries; before, the document may exist."""
    if outcome is None or not outcome.stray:
        return outcome
    return (
        as_refusal(outcome)
        if tries >= ATTEMPTS
        else replace(as_refusal(outcome), treatment=Treatment.UNKNOWN)
    )


def _quick(outcome: Outcome | None) -> bool:
    """Say whether an outcome may be another in a moment."""
    return outcome is not None and (outcome.treatment in _QUICK or outcome.stray)


def _last(state: tenacity.RetryCallState) -> Outcome | None:
    """Give the last outcome when no attempt is left."""
    return state.outcome.result() if state.outcome is not None else None


def _full_jitter(random: Random) -> Callable[[tenacity.RetryCallState], float]:
    """Wait from nothing to twice as long each time, or as long as the server said."""

    def wait(state: tenacity.RetryCallState) -> float:
        outcome = _last(state)
        if outcome is not None and outcome.wait is not None:
            return outcome.wait
        return random.uniform(0, FIRST_WAIT * 2.0**state.attempt_number)

    return wait
