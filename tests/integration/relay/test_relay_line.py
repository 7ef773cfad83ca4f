"""The line between the relay that leads and PostgreSQL dies without a word, and another relay takes over.

Collected where this process may change routes only (Linux, root): a route that swallows packets is the one
honest way to a line that is dead and says nothing. A proxy would still answer the keepalives.
"""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.servers.postgres import PostgresServer
from outbox.errors import Fenced, ServiceError
from outbox.leadership import Leadership
from outbox.migrate import install
from tests.databases import cloned, create_ns16, template
from tests.integration.relay.recorder import ENVIRONMENT
from tests.waiting import wait_for

TAKE_OVER_SECONDS = 60.0
ELSEWHERE = f"127.66.{secrets.randbelow(250)}.{secrets.randbelow(250) + 1}"


@contextmanager
def swallowed(address: str) -> Iterator[None]:
    """Let every packet to this address vanish."""
    route = ["ip", "route", "%s", "blackhole", f"{address}/32", "table", "local"]
    subprocess.run([part.replace("%s", "add") for part in route], check=True)
    try:
        yield
    finally:
        subprocess.run([part.replace("%s", "del") for part in route], check=True)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL that listens at two addresses."""
    with PostgresServer(settings={"listen_addresses": f"127.0.0.1,{ELSEWHERE}"}) as server:
        yield server


def test_another_relay_takes_over_when_the_line_of_the_first_is_dead_and_says_nothing(
    server: PostgresServer,
) -> None:
    with (
        template(server.url, create_ns16, lambda url: install(url, ENVIRONMENT)) as name,
        cloned(server.url, name) as url,
    ):
        first = Leadership(url.replace("127.0.0.1", ELSEWHERE), ENVIRONMENT)
        cursor = first.take()
        assert cursor is not None
        second = Leadership(url, ENVIRONMENT)
        assert second.take() is None
        with swallowed(ELSEWHERE):
            wait_for(second.take, TAKE_OVER_SECONDS, "the second relay to lead")
            with pytest.raises((ServiceError, Fenced)):
                cursor.move(cursor.position)
        first.drop()
        second.drop()
