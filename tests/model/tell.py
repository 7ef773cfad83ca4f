"""What people read of an exploration: labels as sentences, states in a line."""

from tests.model.explore import Trace
from tests.model.state import (
    ABSENT,
    DOCUMENTS,
    DUES,
    ENDPOINTS,
    FREE,
    NONE,
    PLACES,
    ROWS,
    STATUSES,
    State,
)
from tests.model.steps import Label

_WORKERS = ("A", "B")
_HOLDERS = ("", ", A's", ", B's", ", a dead worker's")
_SENTENCES = {
    "till": "the till commits: {act}; a message is on its way",
    "till lost": "the till commits: {act}; its message is lost",
    "sweep": "the sweep takes the due task of the {endpoint}; a message is on its way",
    "sweep lost": "the sweep takes the due task of the {endpoint}; its message is lost",
    "deadline": "the {endpoint}'s deadline comes",
    "claim ends": "the claim of the {endpoint}'s task ends",
    "reconcile": "the reconciliation asks for a look at the {endpoint}",
    "two minutes": "two minutes pass since {document} was last tried",
    "lands": "the request that timed out lands: {document} v{content}",
    "lost": "the request that timed out is lost: {document}",
    "claim": "{worker} takes a message and asks for the {endpoint}'s task",
    "claim again": "{worker} takes a message that will come again, and asks for the {endpoint}'s task",
    "read": "{worker} reads the row and the ledger",
    "intend": "{worker} writes the intent of {document} v{content}",
    "overtaken": "{worker} is refused its intent of {document}",
    "too late": "{worker} sees that its claim has ended",
    "call": "{worker} calls: {document} v{content}",
    "accepted": "AiAccount stores {document} v{content}, and {worker} hears so",
    "reply lost": "AiAccount stores {document} v{content}, and {worker} never hears so",
    "request lost": "{worker}'s call never arrives: {document}",
    "time-out": "{worker} waits no longer for {document}; the request is still under way",
    "refused": "AiAccount refuses {document}; {worker} hears so",
    "record": "{worker} records and releases",
    "wake": "{worker} wakes what hangs on it",
    "die": "{worker} dies",
    "die unclaimed": "{worker} commits the offset of a message for the {endpoint} and dies",
}
_TAKES = {
    "till": ("act",),
    "till lost": ("act",),
    "two minutes": ("document",),
    "lands": ("document", "content"),
    "lost": ("document",),
    "sweep": ("endpoint",),
    "sweep lost": ("endpoint",),
    "deadline": ("endpoint",),
    "claim ends": ("endpoint",),
    "reconcile": ("endpoint",),
    "claim": ("worker", "endpoint"),
    "claim again": ("worker", "endpoint"),
    "read": ("worker", "endpoint"),
    "die unclaimed": ("worker", "endpoint"),
}
_NAMES = {"worker": _WORKERS, "endpoint": ENDPOINTS, "document": DOCUMENTS}


def sentence(label: Label) -> str:
    """Say what a step is."""
    kind, *given = label
    names = _TAKES.get(kind, ("worker", "document", "content")[: len(given)])
    values = {
        name: _NAMES[name][value] if name in _NAMES else value
        for name, value in zip(names, given, strict=True)
    }
    return _SENTENCES[kind].format(**values)


def summary(state: State) -> str:
    """Say in a line what there is: row, tasks, ledger, books, workers."""
    parts = [ROWS[state.row]]
    for endpoint, task in enumerate(state.tasks):
        if task.token == FREE and task.digest == ABSENT and not task.due:
            continue
        holder = _HOLDERS[task.token]
        flags = (", claim ended" if task.expired else "") + (", again" if task.again else "")
        parts.append(f"{ENDPOINTS[endpoint]} due {DUES[task.due]}{holder}{flags}")
    for document, (status, content) in enumerate(state.ledger):
        stored = [f"v{version}" for version in (1, 2) if state.books[document] >> version & 1]
        if status != NONE or stored:
            books = " and ".join(stored) or "-"
            told = STATUSES[status] + (f" v{content}" if content else "")
            parts.append(f"{DOCUMENTS[document]}: ledger {told}, books {books}")
    parts += [f"{_WORKERS[me]} {PLACES[worker.at]}" for me, worker in enumerate(state.workers) if worker.at]
    return "; ".join(parts)


def lines(trace: Trace) -> list[str]:
    """Return a trace as numbered lines, each step with the state after it."""
    told = [f"  broken: {trace.promise}, in {len(trace.steps)} steps"]
    for number, (label, state) in enumerate(trace.steps, 1):
        told += [f"  {number:3}. {sentence(label)}", f"         {summary(state)}"]
    return told
