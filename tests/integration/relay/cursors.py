"""Three cursors under one roof: ours, and the two simpler ones that do not do, for contrast."""

from collections.abc import Callable
from typing import Protocol

import psycopg

from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.integration.relay.recorder import HeldLead, Recorder, drain


class Way(Protocol):
    """A way to find what is new."""

    def tick(self) -> None:
        """Send what is new."""
        ...

    @property
    def ids(self) -> list[int]:
        """What was sent, in order."""
        ...


class SnapshotDiff:
    """Ours."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.recorder = Recorder()
        self.relay = Relay(HeldLead(session), lambda: self.recorder, "test", watcher=RelayMetrics())
        self.relay.run_once()

    def tick(self) -> None:
        """Send what is new."""
        drain(self.relay)

    @property
    def ids(self) -> list[int]:
        """What was sent, in order."""
        return self.recorder.ids


class BySequence:
    """`seq > last`: what most outbox tables do."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.session = session
        self.ids: list[int] = []
        self.last = session.execute("select coalesce(max(seq), 0) from aiaccount.outbox").fetchall()[0][0]

    def tick(self) -> None:
        """Send what is new."""
        rows = self.session.execute(
            "select seq, aggregate_id from aiaccount.outbox where seq > %s order by seq", [self.last]
        ).fetchall()
        self.ids += [aggregate_id for _, aggregate_id in rows]
        self.last = max([self.last, *(seq for seq, _ in rows)])


class ByOldestRunning:
    """`xid < xmin`: only what is older than every transaction that still runs."""

    def __init__(self, session: psycopg.Connection) -> None:
        self.session = session
        self.ids: list[int] = []
        self.xmin = session.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchall()[0][0]

    def tick(self) -> None:
        """Send what is new."""
        now = self.session.execute("select pg_snapshot_xmin(pg_current_snapshot())::text").fetchall()[0][0]
        rows = self.session.execute(
            "select aggregate_id from aiaccount.outbox where xid >= %s::xid8 and xid < %s::xid8 order by seq",
            [self.xmin, now],
        ).fetchall()
        self.ids += [aggregate_id for (aggregate_id,) in rows]
        self.xmin = now


MakeWay = Callable[[psycopg.Connection], Way]
