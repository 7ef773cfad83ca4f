"""Look at the ledger from outside, as whoever watches the demo would."""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields

import psycopg

from outbox.statements import statements

_POLL_SECONDS = 0.25


class NotDrainedError(Exception):
    """Something still moved when the demo's patience ended; the message says what."""


@dataclass(frozen=True)
class Outstanding:
    """What is still under way.

    Attributes:
        unhandled: Tasks that have not seen their row as it is now.
        busy: Tasks that somebody is at.
        due: Tasks that are due now or within seconds.
        sent: Tasks that the relay has sent out and that nobody has claimed yet.
        moving: Documents that are retried or in doubt.
        unread: Rows of the outbox that the relay has not sent.
    """

    unhandled: int
    busy: int
    due: int
    sent: int
    moving: int
    unread: int

    def __str__(self) -> str:
        counted = ((getattr(self, it.name), it.name) for it in fields(self))
        return ", ".join(f"{count} {name}" for count, name in counted if count) or "nothing"

    @property
    def nothing(self) -> bool:
        """Whether all has come to rest."""
        return not any(getattr(self, it.name) for it in fields(self))


class Ledger:
    """The ledger, on a connection of its own; not for several threads."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def accepted(self, endpoint: str, row_id: int, number: str) -> bool:
        """Say whether a document stands in the books."""
        return bool(self._ask("accepted", endpoint=endpoint, id=row_id, number=number)[0])

    def progress(self) -> tuple[int, int]:
        """Return how many documents stand in the books, and how many are tried again."""
        pushed, moving = self._ask("progress")
        return pushed, moving

    def outstanding(self) -> Outstanding:
        """Return what is still under way."""
        return Outstanding(*self._ask("outstanding"))

    def until_drained(self, seconds: float, watch: Callable[[Outstanding], None]) -> float:
        """Wait until nothing moves any more, telling `watch` now and then; return how long that took.

        Raises:
            NotDrainedError: Not within `seconds`.
        """
        began = time.monotonic()
        while not (left := self.outstanding()).nothing:
            if time.monotonic() - began > seconds:
                raise NotDrainedError(f"after {seconds:g} s there was still something under way: {left}")
            watch(left)
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - began

    def _ask(self, name: str, **values: object) -> tuple[int, ...]:
        row = self._connection.execute(statements("deploy.demo", "ledger.sql")[name], values).fetchone()
        if row is None:
            raise LookupError(name)
        return row
