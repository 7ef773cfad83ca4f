"""What was played: how often, and when each document was called for."""

import threading
from collections import Counter
from datetime import datetime

Source = tuple[str, str]
"""The table of a row and its id, as documents name them."""


class Record:
    """What the tills have done so far; safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._called_for: dict[Source, datetime] = {}
        self.played: Counter[str] = Counter()

    def did(self, what: str) -> None:
        """Count something that was done."""
        with self._lock:
            self.played[what] += 1

    def calls(self, table: str, row_id: int, committed_at: datetime) -> None:
        """Note the commit that first called for a row's invoice or bill."""
        with self._lock:
            self._called_for.setdefault((table, str(row_id)), committed_at)

    @property
    def called_for(self) -> dict[Source, datetime]:
        """The commits that called for invoices and bills, by row."""
        with self._lock:
            return dict(self._called_for)

    @property
    def rows(self) -> int:
        """How many rows call for a document so far."""
        with self._lock:
            return len(self._called_for)
