"""The snapshot-diff cursor: which rows of the outbox come next, and how far the relay has come.

The method of Skype's PgQ. A row is due when it is visible in the target snapshot and was not in the one
handled last; so nothing is skipped when transactions commit out of order, and one that stays open holds
up nobody but itself. All of it is in this one database, where transaction ids mean something.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import psycopg

from outbox.endpoints import Aggregate, Endpoint
from outbox.envelope import Envelope
from outbox.errors import Fenced
from outbox.session import telling
from outbox.statements import statements

CHUNK_ROWS = 5_000
_SQL = statements("outbox", "cursor.sql")
_LEAST_SEQ = -(2**63)
_AGGREGATES = MappingProxyType({aggregate.value: aggregate for aggregate in Aggregate})
_ENDPOINTS = MappingProxyType({None: None, **{endpoint.value: endpoint for endpoint in Endpoint}})

Row = tuple[str, str, Any, str, int, str | None, str, datetime]
"""The target, then xid, seq, aggregate type, aggregate id, endpoint, lane and time of capture.

Without rows one row comes back that has only the target.
"""


@dataclass(frozen=True, slots=True)
class Position:
    """Say what was sent: what is visible in `handled`, and of what `target` adds the rows up to `after`.

    `after` is a row's transaction id and sequence number.
    """

    handled: str
    target: str | None = None
    after: tuple[int, int] | None = None

    @property
    def start(self) -> tuple[int, int]:
        """The row after which the new transactions begin."""
        end = (xmax(self.handled), _LEAST_SEQ)
        return max(end, self.after) if self.after else end

    @property
    def open(self) -> list[int]:
        """The transactions that ran in `handled` and of which rows may still come."""
        return [xid for xid in running(self.handled) if not self.after or xid >= self.after[0]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of the outbox as what is to be sent, and where the cursor stands once that is acknowledged."""

    rows: int
    envelopes: list[Envelope]
    end: Position

    @property
    def more(self) -> bool:
        """Whether the target has more rows."""
        return self.end.target is not None


class Cursor:
    """Read the outbox and move through it, as the relay of one epoch.

    Moves commit with `synchronous_commit = off`: one that a crash loses repeats its chunk, which is
    harmless, and waiting for the disk on every tick is not. None can outlive what it stands on: it comes
    after all that its snapshot calls finished, in the write-ahead log too.
    """

    def __init__(self, session: psycopg.Connection, epoch: int, place: str, position: Position) -> None:
        """Stand at `position`, which the cursor's row at `place` (its ctid) holds."""
        self.session = session
        self._epoch = epoch
        self._place = place
        self.position = position

    def read(self, position: Position, rows: int = CHUNK_ROWS) -> Chunk:
        """Read what comes after `position`, up to `rows` rows, in one short statement.

        Raises:
            DatabaseError: PostgreSQL gave up.
        """
        with telling():
            found = self.session.execute(_SQL["read_chunk"], search(position, rows)).fetchall()
        return chunk_of(found, position, rows)

    def move(self, position: Position) -> None:
        """Write where the relay has come to.

        Raises:
            Fenced: Another relay has taken over; nothing was written.
            DatabaseError: PostgreSQL gave up.
        """
        after = position.after or (None, None)
        parameters = {
            "from": position.handled,
            "target": position.target,
            "after_xid": None if after[0] is None else str(after[0]),
            "after_seq": after[1],
            "epoch": self._epoch,
            "ctid": self._place,
        }
        with telling():
            moved = self.session.execute(_SQL["move"], parameters).fetchone()
            if moved is None:
                found = self.session.execute(_SQL["find"], {"epoch": self._epoch}).fetchone()
                if found is not None:
                    moved = self.session.execute(_SQL["move"], parameters | {"ctid": found[0]}).fetchone()
        if moved is None:
            raise Fenced(f"another relay has taken over from epoch {self._epoch}")
        self._place = moved[0]
        self.position = position

    def note_topics(self, topics: Mapping[str, str]) -> list[str]:
        """Note the topics that the rows go to, by name and id; nothing once another relay has taken over.

        Returns:
            The names of those that were made anew since; an alert of each is raised.

        Raises:
            DatabaseError: PostgreSQL gave up; nothing was noted.
        """
        parameters = {"epoch": self._epoch, "topics": json.dumps(dict(topics))}
        with telling():
            return [name for (name,) in self.session.execute(_SQL["note_topics"], parameters)]

    def drift(self, position: Position) -> None:
        """Stand at `position` without writing it: for ticks that found nothing."""
        self.position = position


def search(position: Position, rows: int) -> dict[str, object]:
    """Return the parameters with which `read_chunk` finds what comes after `position`."""
    after = position.after or (0, _LEAST_SEQ)
    start = position.start
    return {
        "target": position.target,
        "open": "{" + ",".join(map(str, position.open)) + "}",
        "after_xid": str(after[0]),
        "after_seq": after[1],
        "least_seq": _LEAST_SEQ,
        "start_xid": str(start[0]),
        "start_seq": start[1],
        "rows": rows,
    }


def chunk_of(rows: list[Row], position: Position, limit: int) -> Chunk:
    """Make a chunk of what `read_chunk` returned: its distinct aggregates, each in its most urgent lane.

    An event without an endpoint is another one than an event of an endpoint. Of equal ones the first stays.
    """
    target = rows[0][0]
    if len(rows) == 1 and rows[0][2] is None:
        return Chunk(0, [], Position(target))
    distinct: dict[tuple[str, int, str | None], Row] = {}
    urgent: set[tuple[str, int, str | None]] = set()
    for row in rows:
        key = row[3:6]
        distinct.setdefault(key, row)
        if row[6] == "live":
            urgent.add(key)
    last = (int(rows[-1][1]), rows[-1][2])
    end = Position(position.handled, target, last) if len(rows) >= limit else Position(target)
    return Chunk(len(rows), list(_envelopes(distinct.values(), urgent)), end)


def _envelopes(rows: Iterable[Row], urgent: set[tuple[str, int, str | None]]) -> Iterable[Envelope]:
    for _, xid, seq, aggregate_type, aggregate_id, endpoint, lane, created_at in rows:
        yield Envelope(
            _AGGREGATES[aggregate_type],
            aggregate_id,
            _ENDPOINTS[endpoint],
            "live" if (aggregate_type, aggregate_id, endpoint) in urgent else lane,
            f"{xid}-{seq}",
            created_at,
            # Made from the row's identity: whoever knows the event knows its trace.
            f"00-{int(xid):016x}{seq:016x}-{seq:016x}-01",
        )


def xmax(snapshot: str) -> int:
    """Return the first transaction id that was not given out yet; `snapshot` is `xmin:xmax:xip,…`."""
    return int(snapshot.split(":")[1])


def running(snapshot: str) -> list[int]:
    """Return the transactions that ran when the snapshot was taken."""
    return [int(xid) for xid in snapshot.split(":")[2].split(",") if xid]


def prune(session: psycopg.Connection, older_than: float, rows: int = 1_000) -> int:
    """Delete a batch of rows that the cursor has passed and that are older than `older_than` seconds.

    Returns:
        How many it deleted; fewer than `rows` when there is no more to do.

    Raises:
        DatabaseError: PostgreSQL gave up.
    """
    with telling():
        return session.execute(_SQL["prune"], {"rows": rows, "seconds": older_than}).rowcount
