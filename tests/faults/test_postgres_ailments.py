"""PostgreSQL falls ill in every way that an operator or a busy night can bring about, under load."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest
from psycopg import sql

from deploy.servers.postgres import PostgresServer
from tests.conftest import RunningBroker
from tests.databases import database_url
from tests.faults.ground import field_on, prepared
from tests.faults.shop import Shop, opened
from tests.waiting import wait_for

SEEN_SECONDS = 45.0
TRY_SECONDS = 3.0
OURS = "application_name like 'aiaccount-sync%%' and datname = %s"
CUT = f"select pg_terminate_backend(pid) from pg_stat_activity where {OURS}"
WAITING = f"from pg_stat_activity where {OURS} and wait_event_type = 'Lock'"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Give a PostgreSQL that may fall ill, with room for few connections."""
    with PostgresServer(settings={"max_connections": "60"}) as server:
        yield server


@pytest.fixture(scope="module")
def shop(
    server: PostgresServer, broker_server: RunningBroker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Give a shop on it."""
    folder = tmp_path_factory.mktemp("postgres")
    with (
        prepared(server.url, folder) as ground,
        field_on(ground, broker_server.bootstrap, folder) as field,
        opened(field) as shop,
    ):
        yield shop


@contextmanager
def at(url: str) -> Iterator[psycopg.Connection]:
    """Give a connection in autocommit."""
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def name_of(shop: Shop) -> str:
    """Return the database's name."""
    with at(shop.field.database_url) as connection:
        return connection.info.dbname


def posted(shop: Shop) -> int:
    """Return how many documents were accepted."""
    return shop.field.counts().accepted


def test_a_database_that_is_read_only_for_a_while_takes_up_where_it_stood(
    shop: Shop, server: PostgresServer
) -> None:
    shop.trading()
    before = shop.begun_anew()
    database = name_of(shop)
    switch = sql.SQL("alter database {} set default_transaction_read_only = {}")
    with at(server.url) as admin:
        admin.execute(switch.format(sql.Identifier(database), sql.Literal("on")))
        admin.execute(CUT, [database])
        wait_for(lambda: shop.begun_anew() >= before + 3, SEEN_SECONDS, "the relay to begin anew")
        admin.execute(switch.format(sql.Identifier(database), sql.Literal("off")))
    shop.well()


def test_where_no_connection_is_left_all_waits_for_one(shop: Shop, server: PostgresServer) -> None:
    shop.trading()
    before, database = shop.begun_anew(), name_of(shop)
    with ExitStack() as stack:
        admin = stack.enter_context(at(server.url))

        def full() -> bool:
            try:
                stack.enter_context(psycopg.connect(database_url(server.url, "template1")))
            except psycopg.OperationalError:
                admin.execute(CUT, [database])
                return shop.begun_anew() >= before + 3
            return False

        wait_for(full, SEEN_SECONDS, "the relay to find no connection")
    shop.well()


def locked(shop: Shop, stuck: Callable[[], bool]) -> psycopg.Connection:
    """Lock what relay and consumers need, at a moment at which both are at work; return who holds the lock.

    Where the relay comes to wait first, consumers may have nothing to do: then it is tried again.
    """

    def tried() -> psycopg.Connection | None:
        shop.field.trade.go_on(10)
        locking = psycopg.connect(shop.field.database_url)
        locking.execute("lock table aiaccount.tasks, aiaccount.documents in access exclusive mode")
        until = time.monotonic() + TRY_SECONDS
        while time.monotonic() < until:
            if stuck():
                return locking
        locking.close()
        return None

    locking = wait_for(tried, SEEN_SECONDS, "relay and consumers to wait")
    assert locking is not None
    return locking


def test_statements_that_wait_for_locks_are_cancelled_or_their_server_processes_killed(
    shop: Shop, server: PostgresServer
) -> None:
    shop.trading()
    database = name_of(shop)
    with at(server.url) as admin:

        def stuck() -> bool:
            waiting = [name for (name,) in admin.execute(f"select application_name {WAITING}", [database])]
            return len(waiting) >= 3 and {"aiaccount-sync relay", "aiaccount-sync consume"} <= {*waiting}

        for end in ("pg_cancel_backend", "pg_terminate_backend"):
            with locked(shop, stuck):
                admin.execute(f"select {end}(pid) {WAITING}", [database])
                wait_for(stuck, SEEN_SECONDS, "them to wait again")
    shop.well()


def test_a_till_that_keeps_a_sale_open_holds_up_nobody_and_is_posted_when_it_commits(shop: Shop) -> None:
    field = shop.trading()
    field.trade.close()
    with psycopg.connect(field.database_url) as slow:
        field.trade.sell_on(slow)
        before = posted(shop)
        field.trade.sell(10)
        wait_for(lambda: posted(shop) >= before + 20, SEEN_SECONDS, "all others to be posted meanwhile")
        field.drain()
    field.trade.open()
    shop.well()
