"""A relay behind PgBouncer: a pool that keeps sessions will do, one that changes servers is refused.

Collected where PgBouncer is installed only; see conftest.py.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.servers.port import accepts
from deploy.servers.postgres import UNPRIVILEGED
from deploy.servers.process import ServerProcess
from deploy.servers.temporary import TemporaryServer
from outbox.errors import InstallationError
from outbox.leadership import Leadership
from tests.integration.relay.recorder import ENVIRONMENT

SETTINGS = """
[databases]
* = host=127.0.0.1 port={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
auth_file = {users}
pool_mode = {mode}
default_pool_size = 5
ignore_startup_parameters = extra_float_digits,options
"""


def _create(directory: Path, port: int, server: int, mode: str) -> ServerProcess:
    settings, users = directory / "pgbouncer.ini", directory / "users"
    users.write_text('"postgres" ""\n')
    settings.write_text(SETTINGS.format(server=server, port=port, users=users, mode=mode))
    for path in (directory, settings, users):
        shutil.chown(path, UNPRIVILEGED[-1])
    command = ["pgbouncer", str(settings)]
    return ServerProcess("PgBouncer", command, directory.with_suffix(".log"), user=UNPRIVILEGED[-1])


@contextmanager
def pooled(url: str, mode: str) -> Iterator[str]:
    """Give the database's URL through a pool of this mode."""
    place = make_url(url)
    create = partial(_create, server=place.port or 5432, mode=mode)
    with TemporaryServer("PgBouncer", create, accepts, 10) as pool:
        named = place.set(port=pool.port, username="postgres")
        yield named.render_as_string(hide_password=False)


def lead(url: str) -> Leadership:
    """Take the lead through this URL."""
    leadership = Leadership(url, ENVIRONMENT)
    assert leadership.take() is not None
    return leadership


def test_a_pool_that_changes_servers_between_transactions_is_refused(database: str) -> None:
    with (
        pooled(database, "transaction") as url,
        pytest.raises(InstallationError, match="transaction pooling"),
    ):
        lead(url)


def test_a_pool_that_keeps_sessions_will_do(database: str) -> None:
    with pooled(database, "session") as url:
        leadership = lead(url)
        with psycopg.connect(database) as connection:
            assert connection.execute("select epoch from aiaccount.relay_cursor").fetchall() == [(1,)]
        leadership.drop()
