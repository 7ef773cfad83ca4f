"""Servers and databases for tests.

Each xdist worker starts servers of its own when a test first asks for them, so workers share neither
topics nor roles. AIACCOUNT_SYNC_DATABASE_URL and KAFKA_BOOTSTRAP_SERVERS replace them by servers that
run already; the first must be a superuser's. Tests in tests/unit need no server and get none.
"""

import importlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import HealthCheck, settings

from deploy.servers.broker import broker
from deploy.servers.broker_server import BrokerServer
from deploy.servers.postgres import Binaries, PostgresServer, machine_binaries
from tests.databases import cloned, create_ns16, template

if TYPE_CHECKING:
    from tests.faults.ground import Ground

DATABASE_URL = "AIACCOUNT_SYNC_DATABASE_URL"
UNIT = Path(__file__).parent / "unit"
SERVERS = {
    "any_postgres",
    "broker_server",
    "own_broker",
    "own_postgres",
    "postgres_server",
    "postgres_servers",
}


@dataclass(frozen=True)
class Running:
    """A PostgreSQL that runs: the URL of the database to connect to first."""

    url: str


@dataclass(frozen=True)
class RunningBroker:
    """A broker that runs: its name for people and its address for clients."""

    name: str
    bootstrap: str


class Template(Protocol):
    """A function that names a database to clone."""

    def __call__(self, url: str, *, installed: bool) -> str:
        """Name it on the server at ``url``: NS16's tables, with all of ours or without."""
        ...


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker that every test outside tests/unit gets, and let no property fail for being slow.

    And have whatever a test starts hear Ctrl-C, as it does in a terminal: what a shell's script puts into the
    background ignores it, and so would its children.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    usual = settings.get_profile(settings.get_current_profile_name())
    settings.register_profile("unhurried", usual, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")
    config.addinivalue_line("markers", "service: needs servers; all tests but those in tests/unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that need servers, and refuse a unit test that asks for one."""
    for item in items:
        if not item.path.is_relative_to(UNIT):
            item.add_marker("service")
        elif asked := SERVERS.intersection(getattr(item, "fixturenames", ())):
            raise pytest.UsageError(f"{item.nodeid} is a unit test and asks for {', '.join(sorted(asked))}")


def _flavours() -> list[Binaries]:
    if DATABASE_URL in os.environ:
        return [Binaries.AUTO]
    return [Binaries.MACHINE, Binaries.WHEEL] if machine_binaries() else [Binaries.WHEEL]


@pytest.fixture(scope="session")
def postgres_servers() -> Iterator[Callable[[Binaries], Running]]:
    """Give a running PostgreSQL of the binaries asked for, each started once."""
    with ExitStack() as stack:

        @cache
        def server(binaries: Binaries) -> Running:
            if url := os.environ.get(DATABASE_URL):
                return Running(url)
            return Running(stack.enter_context(PostgresServer(binaries)).url)

        yield server


@pytest.fixture(scope="session")
def postgres_server(postgres_servers: Callable[[Binaries], Running]) -> Running:
    """Give the PostgreSQL that most tests use: the environment's, else the machine's, else the wheel's."""
    return postgres_servers(_flavours()[0])


@pytest.fixture(scope="session", params=_flavours(), ids=lambda binaries: binaries.value)
def any_postgres(request: pytest.FixtureRequest, postgres_servers: Callable[[Binaries], Running]) -> Running:
    """Give every PostgreSQL there is, in turn: the machine's and the wheel's."""
    return postgres_servers(request.param)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """Give a PostgreSQL that belongs to one test, which may stop and kill it."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def broker_server() -> Iterator[RunningBroker]:
    """Give a running broker: the environment's, else Apache Kafka, else the embedded one."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield RunningBroker("the environment's broker", bootstrap)
        return
    with broker() as server:
        yield RunningBroker(server.name, server.bootstrap)


@pytest.fixture
def own_broker() -> Iterator[BrokerServer]:
    """Give a broker that belongs to one test, which may stop, pause and kill it."""
    with broker() as server:
        yield server


def _install(url: str) -> None:
    importlib.import_module("outbox.migrate").install(url)


@pytest.fixture(scope="session")
def template_name() -> Iterator[Template]:
    """Name the template database on a server, made when a test first needs it."""
    with ExitStack() as stack:

        @cache
        def named(url: str, *, installed: bool) -> str:
            steps = (create_ns16, _install) if installed else (create_ns16,)
            return stack.enter_context(template(url, *steps))

        yield named


@pytest.fixture
def database(postgres_server: Running, template_name: Template) -> Iterator[str]:
    """Give the URL of a fresh database with NS16's tables and all of ours."""
    with cloned(postgres_server.url, template_name(postgres_server.url, installed=True)) as url:
        yield url


@pytest.fixture
def bare_database(postgres_server: Running, template_name: Template) -> Iterator[str]:
    """Give the URL of a fresh database with NS16's tables and nothing of ours."""
    with cloned(postgres_server.url, template_name(postgres_server.url, installed=False)) as url:
        yield url


@pytest.fixture
def any_database(any_postgres: Running, template_name: Template) -> Iterator[str]:
    """Give what ``database`` gives on every PostgreSQL there is, in turn."""
    with cloned(any_postgres.url, template_name(any_postgres.url, installed=True)) as url:
        yield url


@pytest.fixture(scope="session")
def ground(postgres_server: Running, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Ground]":
    """Give a database to clone in which tenants and their keys were entered by hand."""
    with importlib.import_module("tests.faults.ground").prepared(
        postgres_server.url, tmp_path_factory.mktemp("ground")
    ) as ground:
        yield ground
