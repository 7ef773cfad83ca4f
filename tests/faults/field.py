"""An installation that faults are tried on: servers, sandbox, processes, and the way back to peace.

Every test ends the same way: heal (everything runs, nothing misbehaves), drain (nothing is left to do), and
the checker's verdict, which must find nothing wrong, nothing pending and nothing that waits for a person.
"""

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg
from kafka.errors import KafkaError

from deploy.checker import Verdict, check, render
from deploy.sandbox.client import SandboxProcess
from deploy.servers.process import ServerFailed
from deploy.stack import Installation, Service
from outbox.endpoints import Endpoint
from outbox.statements import statements
from tests.faults.groups import lags
from tests.faults.subscribers import Subscriber
from tests.faults.trade import Trade
from tests.waiting import wait_for

CLAIM_SECONDS = 3.0
SETTINGS = {
    "AIACCOUNT_SYNC_CLAIM_SECONDS": str(CLAIM_SECONDS),
    "AIACCOUNT_SYNC_ATTEMPT_SECONDS": "1",
    "AIACCOUNT_SYNC_SESSION_SECONDS": "3",
}
"""Short times, so that a test of what happens after them is short too."""
DIE_SECONDS = 40.0
DRAIN_SECONDS = 150.0
STOP_SECONDS = 60.0
_SQL = statements("tests.faults", "ledger.sql")


class Counts(NamedTuple):
    """How many rows stand in the database."""

    written: int
    claimed: int
    in_doubt: int
    accepted: int
    leased: int


class Left(NamedTuple):
    """What is left to do: outbox rows, tasks, documents to be tried again, records in Kafka."""

    unread: int
    at_work: int
    retrying: int
    lag: int = 0


class Field:
    """An installation with its tenants, and a load on it; `close` ends every process it started."""

    def __init__(
        self,
        installation: Installation,
        database_url: str,
        sandbox: SandboxProcess,
        subscribers: tuple[Subscriber, ...],
        seed: int = 1,
    ) -> None:
        self.installation = installation
        self.database_url = database_url
        self.sandbox = sandbox
        self.subscribers = subscribers
        self.trade = Trade(database_url, subscribers, seed)
        self._services: list[Service] = []

    @property
    def folder(self) -> Path:
        """Where the logs are."""
        return self.installation.folder

    @property
    def bootstrap(self) -> str:
        """Kafka's address."""
        return self.installation.env["KAFKA_BOOTSTRAP_SERVERS"]

    def relay(self, name: str = "relay", failpoints: str = "") -> Service:
        """Start a relay, and wait for nothing."""
        return self._launched(self.installation.relay(name, failpoints=failpoints))

    def consumers(self, name: str = "consume", *endpoints: Endpoint, failpoints: str = "") -> Service:
        """Start consumers, and wait for nothing."""
        return self._launched(self.installation.consumers(name, *endpoints, failpoints=failpoints))

    def counts(self) -> Counts:
        """Look into the database."""
        return Counts(*self.ask("counts"))

    def ask(self, name: str) -> tuple[int, ...]:
        """Run a named query and return its one row."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            row = connection.execute(_SQL[name]).fetchone()
        assert row is not None
        return row

    def do(self, name: str) -> int:
        """Run a named statement and return how many rows it touched."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(_SQL[name]).rowcount

    def heal(self) -> None:
        """Let everything run again: no fault, a relay, consumers of all four endpoints."""
        self.sandbox.clear_faults()
        for service in self._services:
            if service.running:
                service.resume()
        self.relay("healed-relay")
        self.consumers("healed-consume")

    def drain(self, seconds: float = DRAIN_SECONDS) -> None:
        """Wait until nothing is left to do, for the relay, in Kafka and for the consumers."""
        self.trade.close()
        try:
            wait_for(self._at_rest, seconds, "nothing left to do")
        except AssertionError as error:
            error.add_note(f"left: {self.left()}; tasks at work: {self.at_work()}")
            with suppress(KafkaError):  # where the broker is down, that is no answer to what is left
                error.add_note(f"records behind: {lags(self.bootstrap)}")
            raise

    def verdict(self) -> Verdict:
        """Judge what stands in the books, the keys looked for in the logs too."""
        keys = [one.key for one in self.subscribers]
        return check(self.database_url, self.sandbox.book, canaries=keys, texts=self.logs())

    def logs(self) -> list[Path]:
        """Return the logs of all processes."""
        return sorted(self.folder.glob("*.log"))

    def settle(self) -> Verdict:
        """Heal, drain, check: return the verdict, with which all must be well."""
        self.heal()
        self.drain()
        return self.clean()

    def clean(self) -> Verdict:
        """Return the verdict, with which all must be well, and documents at every endpoint."""
        verdict = self.verdict()
        told = render(verdict)
        assert verdict.clean, told
        assert (verdict.pending, verdict.held) == (0, 0), told
        for endpoint in Endpoint:
            assert verdict.documents[endpoint]["in the books"], told
        return verdict

    def close(self) -> None:
        """End the load, and every process in good order, so that groups are left at once."""
        try:
            self.trade.close()
        finally:
            self.end()

    def end(self) -> None:
        """End every process."""
        with ThreadPoolExecutor(max_workers=8) as at_once:
            list(at_once.map(_end, self._services))

    def left(self) -> Left:
        """Count what is left to do; the lag is asked for only where nothing else is."""
        left = Left(*self.ask("open"))
        return left if any(left) else left._replace(lag=sum(lags(self.bootstrap).values()))

    def at_work(self) -> list[tuple[object, ...]]:
        """Count the tasks of each endpoint that are at work, by what they are at."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(_SQL["at_work"]).fetchall()

    def _at_rest(self) -> bool:
        self.do("bring_near")
        return not any(self.left())

    def _launched(self, service: Service) -> Service:
        service.launch()
        self._services.append(service)
        return service


def killed(service: Service) -> None:
    """Wait until a process has been killed by SIGKILL, and by nothing else."""
    assert service.wait(DIE_SECONDS) == -signal.SIGKILL, service.log_tail()


def stopped(service: Service) -> None:
    """Wait until a process has stopped itself with SIGSTOP."""
    wait_for(
        lambda: psutil.Process(service.pid).status() == psutil.STATUS_STOPPED,
        DIE_SECONDS,
        f"{service.name} to stop",
    )


def ready(*services: Service) -> None:
    """Wait until these say that they can work."""
    for service in services:
        wait_for(service.ready, STOP_SECONDS, f"{service.name} to be ready")


def _end(service: Service) -> None:
    try:
        service.stop(within=STOP_SECONDS)
    except ServerFailed:
        service.kill()
