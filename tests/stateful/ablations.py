"""The code with one part taken out: each shows which promise that part keeps."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import patch

import consumers.calling
import consumers.claim
import consumers.entry
from consumers.entry import Entry
from consumers.offsets import Offsets, Partition
from consumers.outcomes import Outcome, classify
from consumers.reply import Broken, Reply
from consumers.steps import Intended
from consumers.steps import Steps as RealSteps
from outbox.cursor import Cursor, Position
from tests.stateful import claims, gate, records, steps
from tests.stateful.database import Database, Given

Broken_ = AbstractContextManager[Any]
ABLATIONS: dict[str, Callable[[], Broken_]] = {}


def _ablation(make: Callable[[], Broken_]) -> Callable[[], Broken_]:
    ABLATIONS[make.__name__] = make
    return make


def _statement(name: str, broken: Callable[[Database, Given], list[Any]]) -> Broken_:
    return patch.dict(steps.STATEMENTS, {name: broken})


@_ablation
def release_forgets_again() -> Broken_:
    """Nobody looks again for what came while the task was busy."""

    def release(database: Database, given: Given) -> list[Any]:
        for task in list(database.tables.tasks.values()):
            if task.again:
                database.tables.put_task(task, again=False)
        return records.release(database, given)

    return _statement("release", release)


@_ablation
def no_intent_before_the_call() -> Broken_:
    """A worker that dies in a call leaves no trace of it."""

    async def intend(_: RealSteps, rows: Sequence[Any]) -> list[Intended]:
        return [Intended(written=True, held=True, taken=False) for _ in rows]

    return patch.object(RealSteps, "_intend", intend)


@_ablation
def a_refusal_ends_every_doubt() -> Broken_:
    """A document of an earlier attempt that may have landed is forgotten."""
    real = consumers.calling.settled

    def settled(entry: Entry, outcome: Outcome, now: float, random: Random) -> Entry:
        return real(replace(entry, doubt_at=None) if outcome.certain else entry, outcome, now, random)

    return patch.object(consumers.calling, "settled", settled)


@_ablation
def a_look_up_at_once_ends_the_doubt() -> Broken_:
    """Nothing is found of what is still on its way."""
    return patch.object(consumers.entry, "CONFIRM_AFTER", 0.0)


@_ablation
def an_acceptance_needs_the_token() -> Broken_:
    """What was accepted under a token that was lost is thrown away."""

    def accepted(database: Database, given: Given) -> list[Any]:
        rows = [row for row in json.loads(given["accepted"]) if database.holds(row)]
        return records.record_accepted(database, {"accepted": json.dumps(rows)})

    return _statement("record_accepted", accepted)


@_ablation
def a_claim_is_not_due_at_its_end() -> Broken_:
    """The task of a worker that died sleeps for ever."""

    def claim(database: Database, given: Given) -> list[Any]:
        rows = claims.claim(database, given)
        for row in rows:
            task = database.tables.tasks[row["endpoint"], row["aggregate_id"]]
            database.tables.put_task(task, due_at=1e12)
        return rows

    return _statement("claim", claim)


@_ablation
def an_acceptance_wakes_nobody() -> Broken_:
    """A receipt waits for the hourly look."""
    return _statement("wake", lambda *_: [])


@_ablation
def an_intent_needs_no_token() -> Broken_:
    """A worker whose claim was taken writes and calls beside the other."""

    def intend(database: Database, given: Given) -> list[Any]:
        with patch.object(Database, "holds", lambda *_: True):
            return gate.intend(database, given)

    return _statement("intend", intend)


@_ablation
def an_outcome_needs_no_token() -> Broken_:
    """A late refusal takes back what another worker intends."""

    def noted(database: Database, given: Given) -> list[Any]:
        with patch.object(Database, "holds", lambda *_: True):
            return records.record_noted(database, given)

    return _statement("record_noted", noted)


@_ablation
def a_time_out_is_a_refusal() -> Broken_:
    """What was stored behind a time-out is sent anew, or never reversed."""

    def broken(reply: Reply | Broken, sent: Mapping[str, object], now: float) -> Outcome:
        outcome = classify(reply, sent, now)
        return replace(outcome, certain=True) if isinstance(reply, Broken) else outcome

    return patch("consumers.pushing.classify", broken)


@_ablation
def a_stop_names_no_versions() -> Broken_:
    """A late answer about an old key stops the tenant that has a new one."""

    def stopped(database: Database, given: Given) -> list[Any]:
        for row in json.loads(given["stops"]):
            sealed = database.tables.credentials[row["tenant_id"]]
            tenant = database.tables.tenants[row["tenant_id"]]
            versions = sealed.version, tenant.settings_version
            database.tables.stops[row["tenant_id"], row["stopped"]] = (row["code"], row["reason"], *versions)
        return []

    return _statement("record_stops", stopped)


@_ablation
def offsets_are_committed_when_read() -> Broken_:
    """A worker that dies before its claim loses the record."""

    def committable(self: Offsets) -> dict[Partition, int]:
        return {p: at for p, at in self._next.items() if at > self._committed.get(p, -1)}

    return patch.object(Offsets, "committable", committable)


@_ablation
def the_cursor_goes_by_the_last_transaction() -> Broken_:
    """What commits behind a later transaction is never sent."""
    real = Cursor.move

    def move(self: Cursor, position: Position) -> None:
        start, end, _ = position.handled.split(":")
        del start
        real(self, replace(position, handled=f"{end}:{end}:"))

    return patch.object(Cursor, "move", move)


@_ablation
def what_is_in_doubt_is_mapped_anew() -> Broken_:
    """A document that may stand is not sent again as it was, but as the row says now, or not at all."""
    return patch("mappers.plan._is_in_doubt", lambda *_: False)


@_ablation
def a_claim_ends_for_nobody() -> Broken_:
    """A worker that stood still calls beside the one that took over."""
    real = consumers.claim.Claim

    def claim(*args: Any, **given: Any) -> Any:
        made = real(*args, **given)
        return replace(made, ends=float("inf"))

    return patch("consumers.intake.Claim", claim)
