"""What happens around the workers: the till, the sweep, time, reconciliation, and requests under way."""

from collections.abc import Iterator

from tests.model.scope import Scope
from tests.model.state import (
    ABSENT,
    AMENDED,
    AMENDED_VOIDED,
    AT_CLAIMS_END,
    BEGIN,
    DUE,
    FLYING,
    FREE,
    FRESH,
    GONE,
    LATER,
    LIVE,
    NEVER,
    OLD,
    VOIDED,
    State,
    Task,
    document_of,
    in_time,
    put,
    with_document,
    with_message,
    with_task,
)
from tests.model.steps import Step, land

_ACTS = {
    "create": ((ABSENT, LIVE),),
    "amend": ((LIVE, AMENDED),),
    "void": ((LIVE, VOIDED), (AMENDED, AMENDED_VOIDED)),
    "reopen": ((VOIDED, LIVE), (AMENDED_VOIDED, AMENDED)),
    "delete": ((LIVE, GONE), (AMENDED, GONE), (VOIDED, GONE), (AMENDED_VOIDED, GONE)),
}


def events(state: State, scope: Scope) -> Iterator[Step]:
    """Give each step that no worker takes."""
    yield from _till(state, scope)
    for endpoint in scope.endpoints:
        yield from _sweep(state, scope, endpoint)
        yield from _time(state, scope, endpoint)
    for document in range(len(state.ledger)):
        yield from _two_minutes(state, scope, document)
        yield from _under_way(state, document)


def _till(state: State, scope: Scope) -> Iterator[Step]:
    """Commit at the till; with the row, by the capture, comes a message for each consumer group."""
    told = (1, 1) if scope.receipt else (1, 0)
    for act in scope.acts:
        for before, after in _ACTS[act]:
            if state.row == before:
                yield Step(("till", act), state._replace(row=after, messages=told), fair=False)
                if scope.lossy:
                    yield Step(("till lost", act), state._replace(row=after), fair=False)


def _sweep(state: State, scope: Scope, endpoint: int) -> Iterator[Step]:
    """Put a due task into the outbox (due.sql); its lease makes it due again if the message is lost."""
    task = state.tasks[endpoint]
    if task.due == DUE:
        leased = NEVER if "lease" in scope.without else LATER
        swept = with_task(state, endpoint, task._replace(due=leased))
        yield Step(("sweep", endpoint), with_message(swept, endpoint, 1))
        yield Step(("sweep lost", endpoint), swept, fair=False)


def _time(state: State, scope: Scope, endpoint: int) -> Iterator[Step]:
    """Let a deadline come, a claim end, and the reconciliation look."""
    task = state.tasks[endpoint]
    if task.due == LATER:
        yield Step(("deadline", endpoint), with_task(state, endpoint, task._replace(due=DUE)))
    if task.token != FREE and not task.expired:
        due = DUE if task.due == AT_CLAIMS_END else task.due
        yield Step(("claim ends", endpoint), with_task(state, endpoint, task._replace(expired=True, due=due)))
    if scope.reconciles and state.row not in (ABSENT, task.digest):
        woken = asked(task)
        if woken != task:
            yield Step(("reconcile", endpoint), with_task(state, endpoint, woken))


def asked(task: Task) -> Task:
    """Return a task asked to look again: due, or, where somebody is at it, when that one releases."""
    return task._replace(due=DUE) if task.token == FREE else task._replace(again=True)


def _two_minutes(state: State, scope: Scope, document: int) -> Iterator[Step]:
    """Let an attempt of unknown outcome be two minutes old: by then it has landed, or never will.

    The scope of late landings breaks just that: an attempt is still under way, and its worker waits for the
    reply.
    """
    status, content = state.ledger[document]
    if status != FRESH:
        return
    aged = Step(("two minutes", document), with_document(state, document, (OLD, content)))
    if "two minutes" in scope.without:
        yield aged
        return
    if state.air[document]:
        return
    for me, worker in enumerate(state.workers):
        if worker.at in (BEGIN, FLYING) and document_of(worker) == document:
            if worker.at == FLYING and not scope.lands_late:
                return
            if worker.at == BEGIN and in_time(state, me):
                return
    yield aged


def _under_way(state: State, document: int) -> Iterator[Step]:
    """Let a request that nobody waits for any more land, or be lost."""
    content = state.air[document]
    if content:
        calm = state._replace(air=put(state.air, document, 0))
        landed, breaks = land(calm, document, content)
        yield Step(("lands", document, content), landed, breaks=breaks)
        yield Step(("lost", document), calm)
