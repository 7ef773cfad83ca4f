"""The pipeline that all tenants share, for operators: the outbox, the relay, Kafka, tasks and the ledger."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import psycopg

from console.standing import ledger
from outbox.broker import Lag
from outbox.errors import BrokerError
from outbox.metrics import Backlog, backlog

SHARE = 20.0
"""How many times as long as it took to count the ledger the count is kept."""


class Looker(Protocol):
    """Who asks Kafka."""

    def look(self) -> list[Lag]:
        """Return each endpoint's lag, or raise `BrokerError`."""
        ...


@dataclass(frozen=True)
class Pipeline:
    """What an operator watches; `lags` is empty where Kafka did not answer, and `unreached` says why.

    `ledger` counts documents by state.
    """

    backlog: Backlog
    lags: tuple[Lag, ...]
    unreached: str | None
    ledger: dict[str, int]


class Watch:
    """Look at the pipeline again and again; the ledger is counted anew only after some time."""

    def __init__(self, kafka: Looker, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask `kafka`; `clock` gives monotonic seconds."""
        self._kafka = kafka
        self._clock = clock
        self._ledger: dict[str, int] = {}
        self._fresh_until = float("-inf")

    def look(self, session: psycopg.Connection) -> Pipeline:
        """Look at it, as a login that may.

        Raises:
            DatabaseError: PostgreSQL gave up.
        """
        unreached, lags = None, list[Lag]()
        try:
            lags = self._kafka.look()
        except BrokerError as error:
            unreached = " ".join(str(error).split())
        began = self._clock()
        if began >= self._fresh_until:
            self._ledger = ledger(session)
            ended = self._clock()
            self._fresh_until = ended + SHARE * (ended - began)
        return Pipeline(backlog(session), tuple(lags), unreached, self._ledger)
