"""Receipt and settlement numbers, one sequence per blogger however many tills it has."""

import threading
from datetime import date

_LAST = 99_999


class Numbers:
    """A sequence of five digits behind the day; safe for threads, one for all tills of a blogger."""

    def __init__(self, first: int = 1) -> None:
        self._next = first
        self._lock = threading.Lock()

    def receipt(self, day: date) -> str:
        """Return the next receipt number: POS, the day, five digits."""
        return f"POS{day:%Y%m%d}{self._take():05d}"

    def settlement(self, month: date) -> str:
        """Return the next settlement number: KS, the month, five digits."""
        return f"KS{month:%Y%m}-{self._take():05d}"

    def _take(self) -> int:
        with self._lock:
            if self._next > _LAST:
                raise ValueError(f"a receipt number has five digits: all up to {_LAST} are taken")
            taken, self._next = self._next, self._next + 1
        return taken
