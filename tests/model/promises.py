"""Whether a state is at peace, asleep, or forgets something."""

from tests.model.mapping import UNSURE, invoice_standing, plan
from tests.model.scope import Scope
from tests.model.state import (
    ABSENT,
    ACCEPTED,
    FLYING,
    FREE,
    GONE,
    IDLE,
    INV,
    NEVER,
    NONE,
    OWN,
    VOID,
    State,
    document_of,
)


def settled(state: State, scope: Scope) -> bool:
    """Say whether all is done: books, ledger and row agree, or the ledger names what differs and why."""
    return (
        state.messages == (0, 0)
        and all(worker.at == IDLE for worker in state.workers)
        and not any(state.air)
        and all(
            (entry[0] == ACCEPTED and stored == 1 << entry[1]) or (entry[0] == NONE and not stored)
            for entry, stored in zip(state.ledger, state.books, strict=True)
        )
        and all(_at_peace(state, endpoint) for endpoint in scope.endpoints)
    )


def _at_peace(state: State, endpoint: int) -> bool:
    """Say whether nothing is left to do for a task, and the ledger says what the mapper says."""
    task = state.tasks[endpoint]
    first, second = OWN[endpoint]
    own = state.ledger[first], state.ledger[second]
    standing = invoice_standing(state.row, state.ledger[INV], state.ledger[VOID])
    pushes, said = plan(endpoint, state.row, own, standing)
    if pushes or task.token != FREE or task.due != NEVER:
        return False
    if state.row in (ABSENT, GONE) and task.digest == ABSENT:
        return True  # nobody ever looked at it, and nothing is called for
    waits_for_a_person = "wait" not in said or standing == "conflict"
    return task.digest == state.row and task.said == said and waits_for_a_person


def asleep(state: State, scope: Scope) -> bool:
    """Say whether something is left to do, and nothing will ever do it."""
    return (
        state.messages == (0, 0)
        and all(worker.at == IDLE for worker in state.workers)
        and not any(state.air)
        and all(state.tasks[endpoint].due == NEVER for endpoint in scope.endpoints)
        and not (scope.reconciles and _differs(state, scope))
        and not settled(state, scope)
    )


def _differs(state: State, scope: Scope) -> bool:
    return any(state.row not in (ABSENT, state.tasks[endpoint].digest) for endpoint in scope.endpoints)


def forgets(state: State) -> bool:
    """Say whether something stands in the books, or may yet, and not so in the ledger."""
    for document, entry in enumerate(state.ledger):
        contents = state.books[document] | (1 << state.air[document] & ~1)
        for worker in state.workers:
            if worker.at == FLYING and document_of(worker) == document:
                contents |= 1 << worker.own[worker.doing][1]
        if entry[0] == ACCEPTED and not state.books[document] >> entry[1] & 1:
            return True
        if contents and entry[0] not in (ACCEPTED, *UNSURE):
            return True
        if contents & ~(1 << entry[1]):
            return True
    return False
