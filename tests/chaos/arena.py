"""Where it happens: servers of our own, a proxy on each link, and our processes, always started again."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

from deploy.proxy import Proxy
from deploy.servers.broker import broker
from deploy.servers.broker_server import BrokerServer
from deploy.servers.port import LOCALHOST, free_port
from deploy.servers.postgres import PostgresServer
from deploy.servers.tansu import TansuServer
from outbox.statements import statements
from tests.chaos.schedule import OURS, Side, Target
from tests.faults.field import Field
from tests.faults.ground import Ground, field_on, prepared

if TYPE_CHECKING:
    from deploy.stack import Service

_SQL = statements("tests.chaos", "open.sql")
RESTART_SECONDS = 180.0
LOOK_SECONDS = 0.5
LOOKS = 10
"""What was put off is brought near at every so many looks."""
SETTINGS = {
    "AIACCOUNT_SYNC_CLAIM_SECONDS": "6",
    "AIACCOUNT_SYNC_ATTEMPT_SECONDS": "3",
    "AIACCOUNT_SYNC_SESSION_SECONDS": "4",
    "AIACCOUNT_SYNC_IN_FLIGHT": "24",
}
"""Short times, yet so long that a machine busy with starting processes is not taken for an outage."""


@dataclass(frozen=True)
class Servers:
    """PostgreSQL with an installation to clone, and a broker behind a proxy; shared by the rounds."""

    postgres: PostgresServer
    broker: BrokerServer
    broker_proxy: Proxy
    ground: Ground


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    """Run them."""
    port = free_port()
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer())
        kafka = broker(behind=port)
        proxy = stack.enter_context(Proxy(kafka.proxied_port, port=port))
        stack.enter_context(kafka)
        ground = stack.enter_context(prepared(postgres.url, folder))
        yield Servers(postgres, kafka, proxy, ground)


class Arena:
    """An installation whose three links lead through proxies; two relays and two sets of consumers run."""

    def __init__(self, shared: Servers, field: Field, links: dict[Side, Proxy]) -> None:
        self.field = field
        self.links = links
        self.ours: dict[Target, Service] = {}
        self.restarts: Counter[str] = Counter()
        self._shared = shared
        self._servers: dict[Target, PostgresServer | BrokerServer] = {
            Target.KAFKA: shared.broker,
            Target.POSTGRES: shared.postgres,
        }
        self._coming: dict[Target, Future[None]] = {}
        self._pool = ThreadPoolExecutor(max_workers=2)

    def launch(self) -> None:
        """Start our processes, and wait for nothing."""
        for target in OURS:
            start = self.field.relay if target in (Target.RELAY_1, Target.RELAY_2) else self.field.consumers
            self.ours[target] = start(target.value)

    def kill(self, target: Target) -> bool:
        """Kill a process and start it again; say whether there was one to kill.

        A server is started beside what goes on. The embedded broker forgets all when it ends: it only hangs.
        """
        if target in self.ours:
            service = self.ours[target]
            ran = service.running
            service.kill()
            service.launch()
            return ran
        if target in self._coming and not self._coming[target].done():
            return False
        server = self._servers[target]
        if isinstance(server, TansuServer):
            return False
        server.kill()
        self._coming[target] = self._pool.submit(server.start)
        return True

    def pause(self, target: Target) -> None:
        """Let one of our processes stand still."""
        if self.ours[target].running:
            self.ours[target].pause()

    def resume(self, target: Target) -> None:
        """Let it go on."""
        if self.ours[target].running:
            self.ours[target].resume()

    def tend(self) -> None:
        """Start again what has ended by itself, as an init system does: where a server cannot be reached."""
        for target, service in self.ours.items():
            if not service.running:
                self.restarts[target.value] += 1
                service.launch()

    def heal(self) -> None:
        """Let nothing be wrong any more: servers up, links clean, AiAccount well, everything running."""
        for proxy in self.links.values():
            proxy.clear()
        for coming in self._coming.values():
            coming.result(RESTART_SECONDS)
        self.field.sandbox.clear_faults()
        for target in OURS:
            self.resume(target)
        self.tend()

    def drain(self, seconds: float, tell: Callable[[str], None]) -> None:
        """Wait until nothing is left to do, and tell what is; what was put off is brought near now and then.

        Not as often as a fault test does it: so much put off at once would only be put off again.
        """
        self.field.trade.close()
        deadline = time.monotonic() + seconds
        for look in count():
            self.tend()
            if look % LOOKS == 0:
                self.field.do("bring_near")
            left = self.field.left()
            if not any(left):
                return
            told = (
                f"left: {left.unread} changes, {left.at_work} tasks, "
                f"{left.retrying} retries, {left.lag} records in Kafka"
            )
            if time.monotonic() > deadline:
                raise AssertionError(f"after {seconds:g} s there is still something {told}")
            tell(told)
            time.sleep(LOOK_SECONDS)

    def write_open(self) -> None:
        """Write what is not final in the ledger beside the logs, for whoever looks into it."""
        with (
            psycopg.connect(self.field.database_url) as connection,
            (self.field.folder / "open.txt").open("w", encoding="utf-8") as file,
        ):
            rows = connection.cursor(row_factory=dict_row).execute(_SQL["open"])
            file.writelines(f"{row}\n" for row in rows)

    def in_flight(self) -> int | None:
        """Count the deliveries under way; none where the database does not say."""
        try:
            return self.field.counts().claimed
        except psycopg.OperationalError:
            return None

    def close(self) -> None:
        """Wait for what is being started."""
        self._pool.shutdown()


@contextmanager
def arena(shared: Servers, folder: Path, **settings: str | None) -> Iterator[Arena]:
    """Give an arena on a fresh database, its processes not started; `settings` change the field's."""
    with ExitStack() as stack:
        field = stack.enter_context(field_on(shared.ground, shared.broker.bootstrap, folder))
        api_port = int(field.sandbox.url.rpartition(":")[2])
        links = {
            Side.DATABASE: stack.enter_context(Proxy(shared.postgres.port)),
            Side.BROKER: shared.broker_proxy,
            Side.API: stack.enter_context(Proxy(api_port)),
        }
        env = field.installation.env
        parts = psycopg.conninfo.conninfo_to_dict(field.database_url)
        proxied = f"postgresql://{parts['user']}@{links[Side.DATABASE].address}/{parts['dbname']}"
        env["AIACCOUNT_SYNC_DATABASE_URL"] = proxied
        env["KAFKA_BOOTSTRAP_SERVERS"] = links[Side.BROKER].address
        env["AIACCOUNT_SYNC_API_URL"] = f"http://{LOCALHOST}:{links[Side.API].port}"
        for name, value in {**SETTINGS, **settings}.items():
            if value is None:
                env.pop(name, None)
            else:
                env[name] = value
        made = Arena(shared, field, links)
        stack.callback(links[Side.BROKER].clear)
        stack.callback(field.end)
        stack.callback(made.close)
        yield made
