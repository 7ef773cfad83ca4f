"""Put up all that the day is played on: servers, the installation, tenants and keys, our processes."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.demo.bloggers import OWN_KOL, TENANTS, Blogger, codes
from deploy.demo.screen import Screen
from deploy.sandbox.client import SandboxProcess
from deploy.servers import kafka_jars
from deploy.servers.broker import BrokerChoice, broker
from deploy.servers.postgres import Binaries, PostgresServer
from deploy.servers.process import ServerFailed
from deploy.stack import Installation, Service, make_logins
from deploy.stack.service import READY_SECONDS

NS16_SCHEMA = Path(__file__).parents[1] / "ns16-schema.sql"
API_MS = 20
_STOP_SECONDS = 10.0
_CUTOVER = "2026-01-01"
_HANDS = 2


@dataclass(frozen=True)
class Stage:
    """What is up. `secrets` are the API keys and the master key in clear, to be looked for at the end."""

    url: str
    sandbox: SandboxProcess
    services: tuple[Service, ...]
    folder: Path
    secrets: tuple[str, ...]

    def check_alive(self) -> None:
        """Raise ServerFailed, with the end of its log, where a process of ours has ended."""
        for service in self.services:
            if not service.running:
                raise ServerFailed(f"{service.name} ended by itself:\n{service.log_tail()}")


def put_up(stack: ExitStack, folder: Path, choice: BrokerChoice, screen: Screen) -> Stage:
    """Put everything up; `stack` takes it down again, in the other order.

    Raises:
        ServerFailed: A server or a process of ours did not start; the message holds the end of its log.
        subprocess.CalledProcessError: A command failed.
    """
    screen.heading("Servers, on 127.0.0.1 and gone at the end")
    postgres = PostgresServer(Binaries.WHEEL)
    with screen.step("PostgreSQL 18", "NS16's database, with the till's tables"):
        stack.enter_context(postgres)
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute("create database ns16")
        url = postgres.database_url("ns16")
        with psycopg.connect(url) as connection:
            connection.execute(NS16_SCHEMA.read_bytes())
    bootstrap = _broker(stack, choice, screen)
    with screen.step("AiAccount's sandbox", f"the stand-in; answers in {API_MS} ms, has a book"):
        sandbox = SandboxProcess(folder / "book.jsonl", "--no-rate-limit", "--latency-ms", str(API_MS))
        stack.enter_context(sandbox)
    screen.heading("AiAccount Sync, by its own command line")
    installation = Installation(url, bootstrap, sandbox.url, folder, logins=True)
    with screen.step("migrate", "tables, triggers, views, roles; Kafka's topics"):
        _log(folder, installation.run("migrate"))
        make_logins(url)
    keys = {blogger.blogger_id: f"key-{secrets.token_urlsafe(24)}" for blogger in TENANTS}
    services = (installation.relay(), installation.consumers())
    for service in services:
        stack.callback(service.stop, within=_STOP_SECONDS)
    with ThreadPoolExecutor(len(services)) as pool:
        starting = [pool.submit(service.start, service.ready, READY_SECONDS) for service in services]
        try:
            with screen.step(
                "tenants, credentials", f"{len(TENANTS)} tenants, each API key tested and sealed"
            ):
                _subscribe(installation, sandbox, keys, folder)
            with screen.step("relay, consume", "a process each, until they say they are ready"):
                for one in starting:
                    one.result()
        except BaseException:
            for service in services:
                service.stop(within=_STOP_SECONDS)
            raise
    master = installation.env["AIACCOUNT_SYNC_MASTER_KEYS"].partition(":")[2]
    return Stage(url, sandbox, services, folder, (*keys.values(), master))


def _broker(stack: ExitStack, choice: BrokerChoice, screen: Screen) -> str:
    if choice is BrokerChoice.KAFKA and not kafka_jars.fetched():
        if lack := kafka_jars.why_not():
            raise ServerFailed(f"{lack}: --broker kafka needs both Java 17 and Maven")
        with screen.step("Maven", "Apache Kafka's jars, once"):
            kafka_jars.fetch()
    name, about = (
        ("Apache Kafka", "one node, KRaft")
        if choice is BrokerChoice.KAFKA
        else ("Tansu", "the embedded broker, speaks Kafka's protocol")
    )
    server = broker(choice)
    with screen.step(name, about):
        stack.enter_context(server)
    return server.bootstrap


def _subscribe(
    installation: Installation, sandbox: SandboxProcess, keys: dict[int, str], folder: Path
) -> None:
    """Enter each tenant and its key as a person would; some at a time."""
    file = folder / "codes.json"
    file.write_text(json.dumps(codes()), "utf-8")

    def enter(blogger: Blogger) -> None:
        key = keys[blogger.blogger_id]
        tenant = str(blogger.blogger_id)
        sandbox.put_company(blogger.books(key))
        settings = ("--company-name", blogger.name, "--cutover-date", _CUTOVER, "--codes", str(file))
        kol = ("--kol-mode", blogger.kol_mode, "--owner-kol-id", str(OWN_KOL))
        limits = ("--calls-per-minute", "0", "--calls-at-once", "0")  # a day is played in some seconds
        said = installation.run("tenants", "add", tenant, *settings, *kol, *limits)
        _log(folder, said + installation.run("credentials", "set", tenant, given=key))

    with ThreadPoolExecutor(_HANDS) as pool:
        list(pool.map(enter, TENANTS))


def _log(folder: Path, said: str) -> None:
    """Keep what a command printed, so that secrets are looked for there too."""
    with (folder / "commands.log").open("a", encoding="utf-8") as log:
        log.write(said)
