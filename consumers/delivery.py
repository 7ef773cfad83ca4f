"""One delivery: claim, read and map, intend, call, record. The protocol that everything else serves.

Each step is here because a promise breaks without it; `docs/architecture.md` says which. The claim was made
before this begins; what is left when the claim ends is due again at once.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from consumers.accounts import Account
from consumers.breakers import Breaker, keeping
from consumers.calling import call
from consumers.claim import Claim, Tools
from consumers.entry import LIMITED_AT_LEAST, Entry, Verdict, attempted
from consumers.gate import Hold, hold_before, hold_of, is_gated
from consumers.judge import Judgement, Stop, judge
from consumers.metrics import ConsumerMetrics
from consumers.outcomes import Outcome, Treatment
from consumers.pushing import Push
from consumers.release import Ending, Trouble, record_of
from consumers.reply import fit
from consumers.schedule import DAY, HOUR
from consumers.steps import Intended
from consumers.view import View, read_view, sent_of
from mappers import plan

log = logging.getLogger("aiaccount.delivery")

_STOPS = (Treatment.STOP_TENANT, Treatment.STOP_ENDPOINT)


class OvertakenError(Exception):
    """An intent was not written: the claim is another's by now, or the document was accepted meanwhile."""


async def deliver(claim: Claim, tools: Tools) -> None:
    """Deliver what a claimed task's state calls for, and release it. No row's data makes it raise."""
    tools.reach("claimed")
    key = {"endpoint": claim.endpoint, "aggregate_id": claim.aggregate_id}
    try:
        row = await tools.steps.reads.ask(key)
        view = read_view(row, claim.endpoint, claim.aggregate_id, tools.clock())
    except Exception as error:  # noqa: BLE001 - one row that breaks a view parks that row alone
        await _record(claim, None, _parked(claim, Ending(), "READ_FAILED", error, tools), tools)
        return
    tools.reach("read")
    delivery = Delivery(claim, view, tools)
    try:
        await delivery.run()
    except OvertakenError:
        delivery.ending = replace(delivery.ending, due_at=tools.clock())
    except Exception as error:  # noqa: BLE001 - bad data or our bug: this row alone waits for a person
        delivery.ending = _parked(claim, delivery.ending, "MAPPING_FAILED", error, tools)
    tools.reach("called")
    ending = replace(delivery.ending, now=tools.clock())
    try:
        released = await _record(claim, view, ending, tools)
    except Exception as error:  # noqa: BLE001 - what cannot be written must not be sent again at every claim's end
        ending = _parked(claim, Ending(), "RECORD_FAILED", error, tools)
        released = await _record(claim, view, ending, tools)
    tools.reach("recorded")
    _note(claim, view, ending, tools.metrics, released=released)


async def _record(claim: Claim, view: View | None, ending: Ending, tools: Tools) -> bool:
    return await tools.steps.records.ask(
        record_of(claim.endpoint, claim.aggregate_id, claim.token, view, ending)
    )


class Delivery:
    """The delivery of one claim; `ending` holds what is to be recorded, at every moment."""

    def __init__(self, claim: Claim, view: View, tools: Tools) -> None:
        self._claim = claim
        self._view = view
        self._tools = tools
        self.ending = Ending()

    async def run(self) -> None:
        """Push what is to be pushed, one document after the other.

        Raises:
            OvertakenError: Another worker has the task, or has seen its document accepted.
            ValueError: The row or the settings cannot be mapped.
        """
        tenant, clock = self._view.tenant, self._tools.clock
        if tenant is None or not tenant.active:
            return
        if tenant.company_id is None:
            trouble = Trouble("NOT_CONNECTED", "the tenant has no company yet: its API key was never tested")
            self.ending = Ending(due_at=clock() + HOUR, trouble=trouble)
            return
        account = await self._tools.accounts.account(tenant)
        self.ending = Ending(entries=_as_changed(self._view), account=account)
        stop = self._stop(account, tenant.stop)
        tried: set[str] = set()
        while True:
            judgement = self._judge(account, stop)
            self.ending = replace(
                self.ending, entries=judgement.entries, due_at=judgement.due_at, waits=judgement.waits
            )
            push = next((push for push in judgement.pushes if push.number not in tried), None)
            if push is None or clock() >= self._claim.ends:
                return
            tools, endpoint = self._tools, self._claim.endpoint
            hold = hold_before(endpoint, self._view, tools.stops, tools.pusher.outages, clock())
            tried.add(push.number)
            outcome = hold or await self._push(account, tenant.company_id, push.document)
            if isinstance(outcome, Hold):
                self._hold([push.number for push in judgement.pushes], outcome)
                return
            if outcome is not None and outcome.treatment in _STOPS:
                stop = Stop(outcome.code, outcome.reason)
                tools.stops.note(endpoint, account, outcome)
            elif outcome is not None and outcome.treatment is Treatment.LIMITED:
                until = clock() + max(outcome.wait or 0.0, LIMITED_AT_LEAST)
                tools.stops.note_limit(account.tenant_id, until)

    def _stop(self, account: Account, known: Stop | None) -> Stop | None:
        """Return why the tenant is not called, as the database says or this process has just learnt."""
        if account.sealed is None:
            return Stop("API_KEY_MISSING", "no API key was entered")
        return known or self._tools.stops.of(self._claim.endpoint, account)

    def _judge(self, account: Account, stop: Stop | None) -> Judgement:
        entries = self.ending.entries
        sent = sent_of(self._claim.endpoint, list(entries.values()))
        outcomes = plan(
            self._claim.endpoint,
            account.settings,
            self._view.snapshot,
            [*sent, *self._view.others],
            self._view.decisions,
        )
        tools = self._tools
        return judge(
            outcomes,
            entries,
            stop,
            tools.clock(),
            tools.random,
            self._view.breakers,
            adopts=self._view.adopts,
        )

    async def _push(
        self, account: Account, company_id: str, document: Mapping[str, object]
    ) -> Outcome | Hold | None:
        """Intend one document, call, and note what came of it; a hold where nothing may be called for now."""
        number = str(document["number"])
        before = self.ending.entries.get(number) or Entry(number)
        resend = before.doubt_at is not None
        snapshot_text = before.snapshot_text if resend else self._view.snapshot_text
        if snapshot_text is None:  # the row is gone, and what was sent of it is reversed
            snapshot_text = next((one.snapshot_text for one in self.ending.entries.values()), None)
        if snapshot_text is None:
            raise ValueError(f"{number}: there is no snapshot to push from")
        breaker = keeping(self._view.breakers, document, before)
        intended = await self._tools.steps.intents.ask(
            {
                "endpoint": self._claim.endpoint,
                "aggregate_id": self._claim.aggregate_id,
                "token": str(self._claim.token),
                "company_id": company_id,
                "tenant_id": account.tenant_id,
                "number": number,
                "document": document,
                "snapshot": snapshot_text,
                "key_version": account.key_version,
                "settings_version": account.settings_version,
                "gated": is_gated(self._view),
                "lacks_code": breaker.code if breaker else None,
                "lacks_value": breaker.value if breaker else None,
            }
        )
        if intended.taken and intended.held:
            taken = before.marked(Verdict.CONFLICT, "NUMBER_TAKEN", "the number stands for another row")
            self._keep(taken)
            return None
        if intended.kept:
            return self._kept(before, intended, breaker)
        if not intended.written:
            raise OvertakenError
        self._tools.reach("intended")
        entry = attempted(before, document, snapshot_text, self._tools.clock())
        self.ending = replace(self.ending, intended=self.ending.intended | {number})
        push = Push(
            self._claim.endpoint,
            company_id,
            document,
            self._claim.ends,
            probes=intended.probes,
            adopts=number in self._view.adopts,
        )
        called = await call(push, account, before, entry, self._view.breakers, self._tools)
        self._keep(called.entry)
        attempts = self.ending.attempts + ((called.attempt,) if called.attempt else ())
        self.ending = replace(self.ending, last=called.outcome or self.ending.last, attempts=attempts)
        return called.outcome

    def _kept(self, before: Entry, intended: Intended, breaker: Breaker | None) -> Hold | None:
        """Say what the gate keeps: all of the tenant's documents, or this one for what the books lack."""
        hold = hold_of(intended, self._tools.clock())
        if hold is None and breaker is not None:
            until = self._tools.clock() + intended.seconds
            self._keep(before.held(Verdict.BLOCK, breaker.code, breaker.reason, until))
        return hold

    def _hold(self, numbers: Sequence[str], hold: Hold) -> None:
        """Note that these documents wait until the tenant may be called again, each a little longer."""
        until = hold.spread(self._tools.random)
        for number in numbers:
            entry = self.ending.entries.get(number) or Entry(number)
            self._keep(entry.held(Verdict.RETRY, hold.code, hold.reason, until))
        self.ending = replace(self.ending, due_at=until, hold=hold.code)

    def _keep(self, entry: Entry) -> None:
        self.ending = replace(self.ending, entries={**self.ending.entries, entry.number: entry})


def _parked(claim: Claim, ending: Ending, code: str, error: Exception, tools: Tools) -> Ending:
    """Return the ending of a row that cannot be handled: it is tried again in a day, or when it changes."""
    log.error(
        "parked",
        exc_info=error,
        extra={"endpoint": claim.endpoint.value, "aggregate": claim.aggregate_id, "code": code},
    )
    now = tools.clock()
    return replace(
        ending, now=now, due_at=now + DAY, trouble=Trouble(code, fit(f"{type(error).__name__}: {error}"))
    )


def _note(claim: Claim, view: View, ending: Ending, metrics: ConsumerMetrics, *, released: bool) -> None:
    """Write the delivery's one line, and count it."""
    outcome = "nothing to send"
    if ending.trouble is not None:
        outcome = "parked"
    elif not released:
        outcome = "overtaken"
    elif ending.last is not None:
        outcome = ending.last.treatment.value
    elif ending.hold is not None:
        outcome = "held"
    metrics.deliveries.labels(claim.endpoint, outcome).inc()
    accepted = ending.accepted(view)
    if accepted and claim.changed_at is not None:
        metrics.accepted(claim.endpoint, time.time() - claim.changed_at.timestamp())
    log.info(
        "delivery",
        extra={
            "endpoint": claim.endpoint.value,
            "aggregate": claim.aggregate_id,
            "outcome": outcome,
            "code": ending.last.code if ending.last else ending.hold,
            "accepted": ",".join(entry.number for entry in accepted) or None,
            "due_in": None if ending.due_at is None else round(ending.due_at - ending.now, 1),
        },
    )


def _as_changed(view: View) -> dict[str, Entry]:
    """Return the entries; where the row changed, each is due at once but for what AiAccount told to wait."""
    if not view.changed:
        return dict(view.entries)
    return {
        number: entry if entry.code == "RATE_LIMITED" else replace(entry, next_at=None)
        for number, entry in view.entries.items()
    }
