"""A text that shows itself nowhere, and the list of those that are open right now.

An API key is opened for the moment of a call. While it is open it is a `Secret`: printing, formatting,
logging, pickling or serialising it gives nothing, and the redactor of the logs knows it until it is gone.
"""

from collections.abc import Callable
from typing import NoReturn
from weakref import WeakValueDictionary

HIDDEN = "[secret]"


class Secret:
    """Hold a text that only `reveal()` gives."""

    __slots__ = ("__weakref__", "_reveal")

    _reveal: Callable[[], str]

    def __init__(self, text: str) -> None:
        """Hold `text`; a closure keeps it out of reach of what walks attributes."""

        def reveal() -> str:
            return text

        self._reveal = reveal
        _open[id(self)] = self

    def reveal(self) -> str:
        """Return the text itself: for the header of one request, and nothing else."""
        return self._reveal()

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret has no state to show")


_open: WeakValueDictionary[int, Secret] = WeakValueDictionary()


def open_texts() -> frozenset[str]:
    """Return the texts of all secrets that are open at this moment, in any thread."""
    alive = (reference() for reference in _open.valuerefs())
    return frozenset(text for secret in alive if secret is not None and (text := secret.reveal()))
