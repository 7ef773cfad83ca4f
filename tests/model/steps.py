"""One step of the model, and what AiAccount does with a request that reaches it."""

from typing import Any, NamedTuple

from tests.model.state import INV, REC, RECX, VOID, State, put

Label = tuple[Any, ...]

SLEEP = "I1 no task sleeps for ever"
DRAIN = "I1 whatever happened, the books can come to what the row calls for"
SINGLE = "I2 no document stands twice"
ORDER = "I3 nothing older after newer, nothing before what it hangs on"
FINAL = "an accepted row is never overwritten"
DOUBT = "what may exist is never forgotten"
TOLD = "an acceptance that was heard is recorded"
PROMISES = (SLEEP, DRAIN, SINGLE, ORDER, FINAL, DOUBT, TOLD)

_NEEDS = {INV: (), VOID: (INV,), REC: (INV,), RECX: (REC, VOID)}


class Step(NamedTuple):
    """What happens, what is then, whether it happens some day if it can, and the promises that it breaks."""

    label: Label
    state: State
    fair: bool = True
    breaks: tuple[str, ...] = ()


def land(state: State, document: int, content: int) -> tuple[State, tuple[str, ...]]:
    """Store a request's document; say what that breaks.

    AiAccount drops what it has. An amended sale may have another customer, and then its documents are others
    to AiAccount: both would stand.
    """
    stored = state.books[document]
    breaks: tuple[str, ...] = ()
    if any(not state.books[needed] for needed in _NEEDS[document]) or stored >> content + 1:
        breaks = (ORDER,)
    if stored & ~(1 << content):
        breaks = (*breaks, SINGLE)
    return state._replace(books=put(state.books, document, stored | 1 << content)), breaks
