"""A sender that keeps what it was given, and fails where a test says so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import psycopg

from outbox.cursor import Cursor
from outbox.envelope import Envelope, Message, decode
from outbox.errors import BrokerError
from outbox.leadership import Leadership, take_over
from outbox.metrics import RelayMetrics
from outbox.relay import Relay

ENVIRONMENT = "test"


@dataclass
class Recorder:
    """Everything that was sent, in order; `refusals` says how many sends are not acknowledged from now on."""

    sent: list[Message] = field(default_factory=list)
    refusals: int = 0
    closed: int = 0
    ids_of_topics: dict[str, str] = field(default_factory=dict)

    def send(self, messages: Iterable[Message]) -> Self:
        """Keep them."""
        self.sent += messages
        return self

    def wait(self) -> None:
        """Acknowledge them, or not."""
        if self.refusals:
            self.refusals -= 1
            raise BrokerError("not acknowledged")

    def topics(self) -> dict[str, str]:
        """Name the topics as a test says."""
        return self.ids_of_topics

    def close(self) -> None:
        """Count."""
        self.closed += 1

    @property
    def ids(self) -> list[int]:
        """The aggregates that were sent, in order."""
        return [int(message.key) for message in self.sent]

    @property
    def envelopes(self) -> list[Envelope]:
        """What was sent, as a consumer reads it."""
        return [decode(*message) for message in self.sent]


@dataclass
class HeldLead:
    """The lead over a session that is there already: for tests that take it over a thousand times."""

    session: psycopg.Connection

    def take(self) -> Cursor | None:
        """Raise the epoch."""
        return take_over(self.session)

    def drop(self) -> None:
        """Let it go; the session stays."""


def relay_to(recorder: Recorder, url: str, chunk_rows: int = 5_000) -> Relay:
    """Make a relay of a database that sends to the recorder."""
    return Relay(
        Leadership(url, ENVIRONMENT),
        lambda: recorder,
        ENVIRONMENT,
        watcher=RelayMetrics(),
        chunk_rows=chunk_rows,
    )


def drain(relay: Relay) -> int:
    """Tick until nothing is left; return how many ticks sent something."""
    ticks = 0
    while (tick := relay.run_once()).rows or tick.more:
        ticks += bool(tick.rows)
    return ticks


def change(
    connection: psycopg.Connection, *ids: int, endpoint: str | None = None, lane: str = "live"
) -> None:
    """Write what a trigger writes: these sales have changed."""
    for aggregate_id in ids:
        connection.execute(
            "insert into aiaccount.outbox (aggregate_type, aggregate_id, endpoint, lane)"
            " values ('pos_transaction', %s, %s, %s)",
            [aggregate_id, endpoint, lane],
        )
