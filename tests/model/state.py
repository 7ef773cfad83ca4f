"""What a state of the model holds, and how it is packed.

One sale, its tasks at one or two endpoints, the ledger, AiAccount's books, the messages on their way, and two
workers. A content is 1 or 2: the sale as it was created and as it was amended, with another contact, so that
AiAccount would take the second for another document. Nothing counts up, so there are finitely many states
although crashes, losses and repeats are not limited.
"""

from typing import Any, NamedTuple

INVOICE, RECEIPT = 0, 1
ENDPOINTS = ("invoice", "receipt")
INV, VOID, REC, RECX = 0, 1, 2, 3
DOCUMENTS = ("the invoice", "the invoice's reversal", "the receipt", "the receipt's reversal")
OWN = ((INV, VOID), (REC, RECX))
"""Which documents belong to an endpoint's task."""

ABSENT, LIVE, AMENDED, VOIDED, AMENDED_VOIDED, GONE = range(6)
ROWS = ("no row yet", "sale v1", "sale v2", "voided v1", "voided v2", "row deleted")
CONTENT = (0, 1, 2, 1, 2, 0)
IS_LIVE = (False, True, True, False, False, False)

NONE, FRESH, OLD, ACCEPTED = range(4)
STATUSES = ("-", "in doubt", "in doubt for over two minutes", "accepted")

FREE, FIRST, SECOND, DEAD = range(4)
"""Who holds a token: nobody, a worker, or one that died."""

NEVER, DUE, LATER, AT_CLAIMS_END = range(4)
"""A task's `due_at`: null, past, a deadline to come, or equal to `busy_until`."""
DUES = ("never", "now", "later", "at the claim's end")

IDLE, PEEKED, CLAIMED, INTEND, BEGIN, FLYING, RECORD, WAKE = range(8)
"""Where a worker is: before its claim (PEEKED only if it reads too early) up to its record."""
PLACES = (
    "idle",
    "has read, and not claimed",
    "has claimed",
    "will write an intent",
    "will call",
    "has called",
    "will record",
    "will wake what hangs on it",
)

Document = tuple[int, int]
"""A status and a content."""
NOTHING: Document = (NONE, 0)


class Task(NamedTuple):
    """A row of `aiaccount.tasks`; `digest` is the row handled, `said` what was noted of each document."""

    token: int = FREE
    expired: bool = False
    again: bool = False
    due: int = NEVER
    digest: int = ABSENT
    said: tuple[str, str] = ("", "")


class Worker(NamedTuple):
    """A worker and the delivery it is at.

    `row`, `own` and `standing` are what it read, and what it learnt since; `doing` is the document under way,
    `before` how that stood before its intent; `accepted` are those it saw accepted, `tried` those it called
    for, as bits; `now` says that it stopped before it was done.
    """

    at: int = IDLE
    endpoint: int = INVOICE
    row: int = ABSENT
    own: tuple[Document, Document] = (NOTHING, NOTHING)
    standing: str = ""
    doing: int = 0
    before: Document = NOTHING
    tried: int = 0
    accepted: int = 0
    now: bool = False


class State(NamedTuple):
    """All of it. `books` are bits of the contents stored, `air` a request that timed out and is under way."""

    row: int
    messages: tuple[int, int]
    tasks: tuple[Task, Task]
    ledger: tuple[Document, ...]
    books: tuple[int, ...]
    air: tuple[int, ...]
    workers: tuple[Worker, Worker]


REST = Worker()
START = State(ABSENT, (0, 0), (Task(), Task()), (NOTHING,) * 4, (0,) * 4, (0,) * 4, (REST, REST))
_SWAPPED = (FREE, SECOND, FIRST, DEAD)
_BITS = 24
_MASK = (1 << _BITS) - 1


class Packed:
    """States as integers, their parts numbered. The two workers are alike: either order is one state."""

    def __init__(self) -> None:
        self._numbers: tuple[dict[Any, int], ...] = ({}, {}, {})
        self._parts: tuple[list[Any], ...] = ([], [], [])
        self._mirrored: dict[int, int] = {}

    def pack(self, state: State) -> int:
        """Return the state's number, the same for its mirror image."""
        row, messages, tasks, ledger, books, air, (first, second) = state
        world = self._number(0, (row, messages, ledger, books, air))
        here, one, other = self._number(1, tasks), self._number(2, first), self._number(2, second)
        there = self._mirrored.get(here)
        if there is None:
            there = self._mirrored[here] = self._number(1, mirrored(state).tasks)
        straight = here << _BITS | one << 2 * _BITS | other << 3 * _BITS
        return world | min(straight, there << _BITS | other << 2 * _BITS | one << 3 * _BITS)

    def unpack(self, number: int) -> State:
        """Return a state of that number."""
        worlds, tasks, workers = self._parts
        row, messages, ledger, books, air = worlds[number & _MASK]
        ones = workers[number >> 2 * _BITS & _MASK], workers[number >> 3 * _BITS]
        return State(row, messages, tasks[number >> _BITS & _MASK], ledger, books, air, ones)

    def _number(self, kind: int, part: Any) -> int:
        numbers = self._numbers[kind]
        found = numbers.get(part)
        if found is None:
            found = numbers[part] = len(numbers)
            self._parts[kind].append(part)
        return found


def mirrored(state: State) -> State:
    """Return the state with the two workers in each other's place."""
    first, second = state.tasks
    if first.token in (FIRST, SECOND):
        first = first._replace(token=_SWAPPED[first.token])
    if second.token in (FIRST, SECOND):
        second = second._replace(token=_SWAPPED[second.token])
    return state._replace(tasks=(first, second), workers=state.workers[::-1])


def put(parts: tuple[Any, ...], at: int, part: Any) -> tuple[Any, ...]:
    """Return the parts with one replaced."""
    return (*parts[:at], part, *parts[at + 1 :])


def with_task(state: State, endpoint: int, task: Task) -> State:
    """Return the state with another task."""
    row, messages, (first, second), ledger, books, air, workers = state
    tasks = (first, task) if endpoint else (task, second)
    return State(row, messages, tasks, ledger, books, air, workers)


def with_worker(state: State, me: int, worker: Worker) -> State:
    """Return the state with another worker."""
    row, messages, tasks, ledger, books, air, (first, second) = state
    workers = (first, worker) if me else (worker, second)
    return State(row, messages, tasks, ledger, books, air, workers)


def with_document(state: State, document: int, entry: Document) -> State:
    """Return the state with another row in the ledger."""
    return state._replace(ledger=put(state.ledger, document, entry))


def with_message(state: State, endpoint: int, there: int) -> State:
    """Return the state with a message for an endpoint, or none."""
    return state._replace(messages=put(state.messages, endpoint, there))


def document_of(worker: Worker) -> int:
    """Return the document that a worker is at."""
    return OWN[worker.endpoint][worker.doing]


def in_time(state: State, me: int) -> bool:
    """Say whether the worker's claim goes on by its own clock, which ends it no later than the database."""
    task = state.tasks[state.workers[me].endpoint]
    return task.token == me + 1 and not task.expired
