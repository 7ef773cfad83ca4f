"""Call for one intended document, and say what that teaches of it, of the endpoint and of the books."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from consumers.accounts import Account
from consumers.breakers import Breaker, passed
from consumers.claim import Tools
from consumers.entry import Entry, confirmable, settled
from consumers.learned import Attempt
from consumers.outcomes import Outcome, Treatment
from consumers.pushing import Push, Pushed
from outbox.errors import VaultError

log = logging.getLogger("aiaccount.delivery")

_REFUSED = (Treatment.BLOCK, Treatment.PARK, Treatment.RETRY)


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: the entry as it stands now, the last outcome, and the attempt if one was made."""

    entry: Entry
    outcome: Outcome | None = None
    attempt: Attempt | None = None


async def call(  # noqa: PLR0913, PLR0917 - all that one call needs
    push: Push, account: Account, before: Entry, entry: Entry, breakers: Sequence[Breaker], tools: Tools
) -> Called:
    """Call AiAccount for a document.

    Args:
        push: The document.
        account: Whose key opens the company.
        before: The ledger's entry before the intent.
        entry: The entry with the attempt begun.
        breakers: What the tenant's books lack.
        tools: The worker's.
    """
    clock = tools.clock
    began = clock()
    pushed = await _pushed(push, account, tools)
    outcome = pushed.outcome
    if outcome is None:  # the claim ended before the first call: nothing was sent
        return Called(replace(before, next_at=clock()))
    tools.metrics.attempt(push.endpoint, outcome.code, clock() - began)
    attempt = _attempt(push, before, pushed, outcome, began, breakers, tools)
    entry = replace(entry, doubt_at=before.doubt_at if pushed.doubt_at is None else pushed.doubt_at)
    if outcome.treatment in _REFUSED and confirmable(entry, clock()):
        try:
            outcome = await tools.pusher.confirm(push, lambda: tools.accounts.open(account)) or outcome
            entry = replace(entry, doubt_at=None)
        except (LookupError, VaultError):
            log.info("look-up without an answer", extra={"number": entry.number})
    if outcome.treatment is Treatment.CONFLICT and push.adopts:
        try:
            adoption = await tools.pusher.adopt(push, lambda: tools.accounts.open(account))
        except VaultError:
            log.info("look-up without a key", extra={"number": entry.number})
        else:
            outcome, entry = adoption.outcome, replace(entry, document=adoption.document)
    return Called(settled(entry, outcome, clock(), tools.random), outcome, attempt)


async def _pushed(push: Push, account: Account, tools: Tools) -> Pushed:
    started = tools.clock()
    try:
        return await tools.pusher.push(push, lambda: tools.accounts.open(account))
    except VaultError as error:
        return Pushed(Outcome(Treatment.BLOCK, "KEY_UNREADABLE", str(error), certain=True), None)
    except Exception as error:
        number = push.document["number"]
        log.exception("push failed", extra={"endpoint": push.endpoint.value, "number": number})
        said = f"{type(error).__name__} in our own code"
        return Pushed(Outcome(Treatment.UNKNOWN, "CALL_FAILED", said, certain=False), started)


def _attempt(  # noqa: PLR0913, PLR0917 - all that one attempt is
    push: Push,
    before: Entry,
    pushed: Pushed,
    outcome: Outcome,
    began: float,
    breakers: Sequence[Breaker],
    tools: Tools,
) -> Attempt | None:
    """Return what the log keeps of an attempt; none where no call was made."""
    if not pushed.calls:
        return None
    now, outages = tools.clock(), tools.pusher.outages
    failed = outcome.treatment is Treatment.UNKNOWN
    if push.probes and not failed:
        outages.forget(push.endpoint)
    return Attempt(
        number=before.number,
        began=began,
        seconds=now - began,
        calls=pushed.calls,
        outcome=outcome,
        passed=passed(breakers, push.document, before, outcome),
        probes=push.probes,
        tripped=failed and outages.down_until(push.endpoint, now) is not None,
    )
