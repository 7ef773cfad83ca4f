"""PostgreSQL's primary dies and a standby takes its place: one that had everything, and one that lagged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from deploy.checker import Finding, Kind, render
from deploy.servers.postgres import PostgresServer
from tests.conftest import RunningBroker
from tests.faults.field import Field, ready
from tests.faults.ground import field_on, prepared
from tests.waiting import wait_for

ACTS = 40
SALES = 15
CATCH_UP_SECONDS = 30.0
RECEIPTS = "select 'C' || blogger_id, receipt_no from pos_transactions"
# A standby that lagged gives ids out again; the checker knows rows by their ids, so they go on elsewhere.
OTHER_IDS = "select setval(pg_get_serial_sequence('pos_transactions', 'id'), 1000000)"
TOGETHER = "alter system set synchronous_standby_names = '*'", "select pg_reload_conf()"
ALONE = "alter system set synchronous_standby_names = ''", "select pg_reload_conf()"


@contextmanager
def pair(
    primary: PostgresServer, broker: RunningBroker, folder: Path
) -> Iterator[tuple[Field, PostgresServer]]:
    """Give an installation whose addresses name a primary and its standby, as libpq takes them."""

    def both(url: str) -> str:
        hosts = f"host=127.0.0.1,127.0.0.1&port={primary.port},{standby.port}"
        return f"postgresql://postgres@/{url.rpartition('/')[2]}?{hosts}&target_session_attrs=read-write"

    with (
        prepared(primary.url, folder) as ground,
        PostgresServer(standby_of=primary.port) as standby,
        field_on(ground, broker.bootstrap, folder, address=both) as field,
    ):
        try:
            yield field, standby
        finally:
            field.end()
            primary.kill()
            primary.start()  # its databases are dropped there, and no commit waits for a standby
            tell(primary, *ALONE)


def tell(server: PostgresServer, *statements: str) -> None:
    """Run statements as the superuser."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def reanchored(field: Field) -> bool:
    """Tell whether the relay has begun anew on another timeline."""
    with psycopg.connect(field.database_url) as connection:
        found = connection.execute("select timeline_id from aiaccount.relay_cursor").fetchall()
        return found == [(2,)]


def receipts(url: str) -> set[tuple[str, str]]:
    """Return the company and the number of each receipt that stands in a database."""
    with psycopg.connect(url) as connection:
        return {(company, number) for company, number in connection.execute(RECEIPTS)}


def receipt_of(finding: Finding) -> tuple[str, str]:
    """Return the company and the number of the receipt that a finding is about."""
    place = finding.detail.partition(":")[0]
    return place.rpartition(" ")[2], finding.number.partition("-")[0]


def test_a_failover_to_a_synchronous_standby_loses_and_doubles_nothing(
    own_postgres: PostgresServer, broker_server: RunningBroker, tmp_path: Path
) -> None:
    with pair(own_postgres, broker_server, tmp_path) as (field, standby):
        tell(own_postgres, *TOGETHER)
        services = field.relay(), field.consumers()
        ready(*services)
        field.trade.open()
        field.trade.go_on(ACTS)
        own_postgres.kill()
        tell(standby, "select pg_promote()")
        field.trade.go_on(ACTS)
        wait_for(lambda: reanchored(field), CATCH_UP_SECONDS, "the relay to begin anew")
        field.drain()
        assert field.trade.interrupted, "the tills noticed nothing"
        assert all(service.running for service in services)
        field.clean()


def test_a_standby_that_lagged_or_an_older_backup_forgets_sales_that_were_posted_and_harms_no_other(
    own_postgres: PostgresServer, broker_server: RunningBroker, tmp_path: Path
) -> None:
    with pair(own_postgres, broker_server, tmp_path) as (field, standby):
        ready(field.relay(), field.consumers())
        field.trade.play(ACTS)
        field.drain()
        tell(own_postgres, *TOGETHER)
        field.trade.sell(1)  # the standby has it, and all before
        tell(own_postgres, *ALONE)
        tell(standby, "alter system set primary_conninfo = ''", "select pg_reload_conf()")
        field.trade.sell(SALES)
        field.drain()
        field.clean()
        before = receipts(field.database_url)
        own_postgres.kill()
        tell(standby, "select pg_promote()")
        wait_for(lambda: reanchored(field), CATCH_UP_SECONDS, "the relay to begin anew")
        forgotten = before - receipts(field.database_url)
        assert len(forgotten) == SALES
        with psycopg.connect(field.database_url, autocommit=True) as connection:
            connection.execute(OTHER_IDS)
        field.trade.sell(SALES)
        field.drain()
        verdict = field.verdict()
        # Their documents stand in the books without a row, as stated; every other row is posted once.
        assert {finding.kind for finding in verdict.findings} == {Kind.WRONG}, render(verdict)
        assert {finding.detail.rpartition(": ")[2] for finding in verdict.findings} == {
            "no row stands behind it"
        }
        assert set(map(receipt_of, verdict.findings)) == forgotten
        assert (verdict.pending, verdict.held) == (0, 0)
