"""A worker's steps: claim, read, intend, call, record. The protocol of `consumers/delivery.py`.

`claim`, `read` and `intend` are one statement each of `consumers/steps.sql`, the record is one transaction; a
call begins and ends apart, since anything may happen while it is under way.
"""

from collections.abc import Iterator

from tests.model.around import asked
from tests.model.mapping import SENT, UNSURE, invoice_standing, plan
from tests.model.scope import Scope
from tests.model.state import (
    ABSENT,
    ACCEPTED,
    AT_CLAIMS_END,
    BEGIN,
    CLAIMED,
    CONTENT,
    DEAD,
    DUE,
    FLYING,
    FREE,
    FRESH,
    IDLE,
    INTEND,
    INV,
    INVOICE,
    LATER,
    NEVER,
    NOTHING,
    OLD,
    OWN,
    PEEKED,
    RECEIPT,
    RECORD,
    REST,
    VOID,
    WAKE,
    State,
    Task,
    Worker,
    document_of,
    in_time,
    put,
    with_document,
    with_message,
    with_task,
    with_worker,
)
from tests.model.steps import FINAL, TOLD, Step, land


def moves(state: State, scope: Scope, me: int) -> Iterator[Step]:
    """Give each step that a worker can take, dying among them."""
    worker = state.workers[me]
    if worker.at == IDLE:
        for endpoint in scope.endpoints:
            if state.messages[endpoint]:
                yield from _take(state, scope, me, endpoint)
    else:
        yield from _go_on(state, scope, me)
        if scope.crashes:
            yield _die(state, me)


def _go_on(state: State, scope: Scope, me: int) -> Iterator[Step]:
    """Go on with a delivery."""
    worker = state.workers[me]
    if worker.at == PEEKED:
        taken = with_message(state, worker.endpoint, 0)
        yield Step(("claim", me, worker.endpoint), _claim(taken, scope, me, _decided(worker)))
    elif worker.at == CLAIMED:
        yield Step(
            ("read", me, worker.endpoint), with_worker(state, me, _decided(_read(state, scope, worker)))
        )
    elif worker.at == INTEND:
        yield from _intend(state, scope, me)
    elif worker.at == BEGIN:
        yield from _begin(state, scope, me)
    elif worker.at == FLYING:
        yield from _reply(state, scope, me)
    elif worker.at == RECORD:
        yield _record(state, scope, me)
    else:
        yield Step(("wake", me), with_worker(_wake(state, scope), me, REST))


def _die(state: State, me: int) -> Step:
    """Kill a worker: its token stands for nobody, its request goes on."""
    worker = state.workers[me]
    task = state.tasks[worker.endpoint]
    dead = with_worker(state, me, REST)
    if task.token == me + 1:
        dead = with_task(dead, worker.endpoint, task._replace(token=DEAD))
    if worker.at == FLYING and not state.air[document_of(worker)]:
        dead = dead._replace(air=put(dead.air, document_of(worker), worker.own[worker.doing][1]))
    return Step(("die", me), dead, fair=False)


def _take(state: State, scope: Scope, me: int, endpoint: int) -> Iterator[Step]:
    """Take a message; it may come again, for its offset is committed after the claim, or never."""
    if "read after claim" in scope.without:
        early = _read(state, scope, Worker(PEEKED, endpoint))
        yield Step(("read", me, endpoint), with_worker(state, me, early))
        return
    taken, claimed = with_message(state, endpoint, 0), Worker(CLAIMED, endpoint)
    if "claim before commit" in scope.without:
        yield Step(("die unclaimed", me, endpoint), taken, fair=False)
    yield Step(("claim", me, endpoint), _claim(taken, scope, me, claimed))
    yield Step(("claim again", me, endpoint), _claim(state, scope, me, claimed), fair=False)


def _claim(state: State, scope: Scope, me: int, claimed: Worker) -> State:
    """Take the task, also where its claim has ended; where somebody is at it, ask for another look."""
    task = state.tasks[claimed.endpoint]
    if task.token != FREE and not task.expired:
        return with_worker(with_task(state, claimed.endpoint, task._replace(again=True)), me, REST)
    due = NEVER if "due at claim" in scope.without else AT_CLAIMS_END
    digest = (
        task.digest if scope.reconciles else ABSENT
    )  # only the reconciliation reads it before the release
    mine = Task(me + 1, expired=False, again=False, due=due, digest=digest)
    return with_worker(with_task(state, claimed.endpoint, mine), me, claimed)


def _read(state: State, scope: Scope, worker: Worker) -> Worker:
    """Read the row, what was sent, and how the invoice stands, as of one moment."""
    first, second = OWN[worker.endpoint]
    standing = ""
    if worker.endpoint == RECEIPT:
        standing = invoice_standing(state.row, state.ledger[INV], state.ledger[VOID])
        if "wait" in scope.without:
            standing = SENT
    own = state.ledger[first], state.ledger[second]
    return worker._replace(row=state.row, own=own, standing=standing)


def _decided(worker: Worker) -> Worker:
    """Ask the mapper: the first document that was not tried is next; where there is none, the record."""
    pushes, _ = plan(worker.endpoint, worker.row, worker.own, worker.standing)
    for at, _ in pushes:
        if not worker.tried >> at & 1:
            return worker._replace(at=INTEND, doing=at, before=NOTHING)
    return worker._replace(at=RECORD, doing=0, before=NOTHING)


def _stopped(state: State, me: int, worker: Worker) -> State:
    """Go to the record with something left to do."""
    return with_worker(state, me, worker._replace(at=RECORD, doing=0, before=NOTHING, now=True))


def _intend(state: State, scope: Scope, me: int) -> Iterator[Step]:
    """Write the document as it will be sent, under the token, never over an accepted row."""
    worker = state.workers[me]
    if not in_time(state, me):
        yield Step(("too late", me), _stopped(state, me, worker))
    document, before = document_of(worker), worker.own[worker.doing]
    content = dict(plan(worker.endpoint, worker.row, worker.own, worker.standing)[0])[worker.doing]
    if "same again" in scope.without and before[0] in UNSURE and CONTENT[worker.row]:
        content = CONTENT[worker.row]
    held = state.tasks[worker.endpoint].token == me + 1 or "token at intend" in scope.without
    final = state.ledger[document][0] == ACCEPTED
    if not held or (final and "never over accepted" not in scope.without):
        yield Step(("overtaken", me, document), _stopped(state, me, worker))
        return
    own, tried = put(worker.own, worker.doing, (FRESH, content)), worker.tried | 1 << worker.doing
    going = with_worker(state, me, worker._replace(at=BEGIN, before=before, own=own, tried=tried))
    if "intent before call" not in scope.without:
        going = with_document(going, document, (FRESH, content))
    yield Step(("intend", me, document, content), going, breaks=(FINAL,) if final else ())


def _begin(state: State, scope: Scope, me: int) -> Iterator[Step]:
    """Call, unless the claim is over by the worker's own clock: then nothing was sent."""
    worker = state.workers[me]
    if in_time(state, me) or "clock" in scope.without:
        content = worker.own[worker.doing][1]
        flying = with_worker(state, me, worker._replace(at=FLYING))
        yield Step(("call", me, document_of(worker), content), flying)
    else:
        unsent = worker._replace(own=put(worker.own, worker.doing, worker.before))
        yield Step(("too late", me), _stopped(state, me, unsent))


def _reply(state: State, scope: Scope, me: int) -> Iterator[Step]:
    """Hear from AiAccount: accepted, refused, or nothing, whether it landed, was lost or is under way."""
    worker = state.workers[me]
    document, entry = document_of(worker), worker.own[worker.doing]
    landed, breaks = land(state, document, entry[1])
    accepted = _heard(landed, me, (ACCEPTED, entry[1]))
    yield Step(("accepted", me, document, entry[1]), accepted, breaks=breaks)
    if not scope.lands_late:
        yield Step(
            ("reply lost", me, document, entry[1]), _heard(landed, me, entry), fair=False, breaks=breaks
        )
    unheard = _heard(state, me, entry)
    yield Step(("request lost", me, document), unheard, fair=False)
    if scope.timeouts and not state.air[document]:
        aloft = unheard._replace(air=put(unheard.air, document, entry[1]))
        yield Step(("time-out", me, document), aloft, fair=False)
    before, told = worker.before, NOTHING
    if before[0] == FRESH and "doubt kept" not in scope.without:
        told = before
    elif before[0] == OLD and "doubt kept" not in scope.without and state.books[document]:
        told = (ACCEPTED, 1 if state.books[document] & 2 else 2)  # a look-up finds it
    yield Step(("refused", me, document), _heard(state, me, told), fair=False)


def _heard(state: State, me: int, entry: tuple[int, int]) -> State:
    """Note what became of a call, and ask the mapper what is next."""
    worker = state.workers[me]
    accepted = worker.accepted | (entry[0] == ACCEPTED) << worker.doing
    own = put(worker.own, worker.doing, entry)
    return with_worker(state, me, _decided(worker._replace(own=own, accepted=accepted)))


def _record(state: State, scope: Scope, me: int) -> Step:
    """Record the outcomes, release, and wake what hangs on an acceptance: one transaction."""
    worker = state.workers[me]
    endpoint, task = worker.endpoint, state.tasks[worker.endpoint]
    held = task.token == me + 1
    state, breaks = _outcomes(state, scope, me)
    if held or "token at release" in scope.without:
        state = with_task(state, endpoint, _released(task, scope, worker))
    elif worker.accepted and not breaks and "own look" not in scope.without:
        state = with_task(state, endpoint, asked(task))
    wakes = scope.receipt and endpoint == INVOICE and worker.accepted and not breaks
    if wakes and "wake with acceptance" in scope.without:
        return Step(("record", me), with_worker(state, me, Worker(WAKE)), breaks=breaks)
    if wakes:
        state = _wake(state, scope)
    return Step(("record", me), with_worker(state, me, REST), breaks=breaks)


def _outcomes(state: State, scope: Scope, me: int) -> tuple[State, tuple[str, ...]]:
    """Write what came of each document; an accepted row stays as it is."""
    worker = state.workers[me]
    held = state.tasks[worker.endpoint].token == me + 1
    breaks: tuple[str, ...] = ()
    for at, document in enumerate(OWN[worker.endpoint]):
        accepted = worker.accepted >> at & 1
        if not worker.tried >> at & 1 or state.ledger[document][0] == ACCEPTED:
            continue
        part = "acceptance without token" if accepted else "token at outcome"
        if held or bool(accepted) is (part not in scope.without):
            state = with_document(state, document, worker.own[at])
        elif accepted:
            breaks = (TOLD,)
    return state, breaks


def _released(task: Task, scope: Scope, worker: Worker) -> Task:
    """Return the task released: due again now, later, or never.

    A wait has no deadline here, though the code gives it one of an hour: the wake alone must do.
    """
    pushes, said = plan(worker.endpoint, worker.row, worker.own, worker.standing)
    left = [at for at, _ in pushes if not worker.tried >> at & 1]
    due = DUE if worker.now or left else LATER if pushes else NEVER
    if task.again and "look again" not in scope.without:
        due = DUE
    if "retry deadline" in scope.without and due == LATER:
        due = NEVER
    return Task(FREE, expired=False, again=False, due=due, digest=worker.row, said=said)


def _wake(state: State, scope: Scope) -> State:
    """Ask the receipt's task to look; busy means claimed and not released, expired or not."""
    task = state.tasks[RECEIPT]
    if "busy though expired" in scope.without and task.expired:
        return with_task(state, RECEIPT, task._replace(due=DUE))
    return with_task(state, RECEIPT, asked(task))
