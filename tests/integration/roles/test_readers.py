"""A person who reads sees the tenants that are named for the login, whatever the login sets or tries."""

import json

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.integration.capture.till import Connection, connected
from tests.integration.roles.conftest import Login
from tests.integration.roles.matrix import SEEN_BY_READERS_OF_EVERY_TENANT, SEEN_BY_TENANT

TENANTS = (7, 8)
ROWS = """
insert into aiaccount.tenants (tenant_id, company_id, company_name, kol_mode, cutover_date)
values (%(tenant)s, 'C' || %(tenant)s, 'Kedai ' || %(tenant)s, 'single', '2026-01-01');
insert into aiaccount.wanted_ranges values (%(tenant)s, 'pos_invoice', '2026-01-01', '2026-01-31');
insert into aiaccount.stops (tenant_id, endpoint, code, reason, key_version, settings_version)
values (%(tenant)s, '*', 'API_KEY_INVALID', 'refused', 1, 1);
insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id)
values ('pos_invoice', %(tenant)s, %(tenant)s);
insert into aiaccount.documents (company_id, endpoint, aggregate_id, number, tenant_id)
values ('C' || %(tenant)s, 'pos_invoice', %(tenant)s, 'POS1', %(tenant)s);
insert into aiaccount.breakers (tenant_id, endpoint, code, value, reason, probe_at)
values (%(tenant)s, 'pos_invoice', 'TAX_CODE_MISSING', 'SR', 'missing', now());
insert into aiaccount.attempts
  (company_id, endpoint, aggregate_id, number, tenant_id, began_at, seconds, calls, treatment, code, reason)
select company_id, endpoint, aggregate_id, number, tenant_id, now(), 0.1, 1, 'retry', 'HTTP_503', 'busy'
from aiaccount.documents where tenant_id = %(tenant)s;
"""
OF_NOBODY_YET = "insert into aiaccount.tasks (endpoint, aggregate_id) values ('pos_invoice', 1)"


@pytest.fixture
def filled(database: str) -> str:
    """Give a database in which two tenants have a row in every table of theirs."""
    with psycopg.connect(database, autocommit=True, cursor_factory=psycopg.ClientCursor) as conn:
        for tenant in TENANTS:
            conn.execute(ROWS, {"tenant": tenant})
        conn.execute(OF_NOBODY_YET)
        conn.execute("insert into aiaccount.alerts (kind, detail) values ('truncate', 'of all tenants')")
        for table in SEEN_BY_TENANT:
            assert conn.execute(f"select count(distinct tenant_id) from aiaccount.{table}").fetchone() == (
                2,
            ), table
    return database


def may_read(database: str, url: str, tenant: int | None) -> None:
    with connected(database) as conn:
        conn.execute("insert into aiaccount.readers values (%s, %s)", [make_url(url).username, tenant])


def seen(conn: Connection, table: str) -> list[int | None]:
    found = conn.execute(f"select tenant_id from aiaccount.{table} order by tenant_id nulls last")
    return [tenant for (tenant,) in found]


def test_a_reader_sees_the_rows_of_its_tenant_alone(filled: str, login: Login) -> None:
    url = login("reader")
    may_read(filled, url, 7)
    with connected(url) as conn:
        for table in SEEN_BY_TENANT:
            assert seen(conn, table) == [7], table
        for table in SEEN_BY_READERS_OF_EVERY_TENANT:
            assert conn.execute(f"select count(*) from aiaccount.{table}").fetchone() == (0,)


def test_a_reader_of_every_tenant_sees_all_and_the_alerts(filled: str, login: Login) -> None:
    url = login("reader")
    may_read(filled, url, None)
    with connected(url) as conn:
        for table in SEEN_BY_TENANT - {"tasks"}:
            assert seen(conn, table) == [7, 8], table
        assert seen(conn, "tasks") == [7, 8, None]
        for table in SEEN_BY_READERS_OF_EVERY_TENANT:
            assert conn.execute(f"select count(*) from aiaccount.{table}").fetchone() == (1,)


def test_a_reader_that_no_line_names_sees_nothing(filled: str, login: Login) -> None:
    may_read(filled, login("reader"), 7)
    with connected(login("reader")) as conn:
        for table in SEEN_BY_TENANT:
            assert seen(conn, table) == [], table


@pytest.mark.parametrize(
    "trick",
    [
        "set aiaccount.tenant = '8'",
        "set row_security = off",
        "insert into aiaccount.readers values (current_user, 8)",
        "update aiaccount.documents set tenant_id = 7",
        "set session authorization postgres",
        "set role aiaccount_admin",
        "create view pg_temp.readable as select 8::bigint as tenant_id; set search_path = pg_temp, aiaccount",
        "set role aiaccount_reader",
    ],
)
def test_nothing_that_a_reader_says_shows_it_more(filled: str, login: Login, trick: str) -> None:
    url = login("reader")
    may_read(filled, url, 7)
    with connected(url) as conn:
        try:
            conn.execute(trick)
        except psycopg.errors.InsufficientPrivilege:
            refused = True
        else:
            refused = False
        try:
            told = seen(conn, "documents")
        except psycopg.errors.InsufficientPrivilege:  # row_security = off: an error instead of a filter
            told = []
        assert told in ([7], []), refused


def test_a_function_that_tells_what_it_is_shown_is_shown_no_other_tenants_row(
    filled: str, login: Login
) -> None:
    url = login("reader")
    may_read(filled, url, 7)
    told: list[str] = []
    with connected(url) as conn:
        conn.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        conn.execute(
            "create function pg_temp.tell(tenant bigint) returns boolean language plpgsql cost 0.0000001"
            " as $$ begin raise notice '%', tenant; return true; end $$"
        )
        conn.execute("select from aiaccount.documents where pg_temp.tell(tenant_id)")
    assert told == ["7"]


def test_what_a_tenants_reader_reads_of_a_ledger_goes_by_the_tenants_index(filled: str, login: Login) -> None:
    url = login("reader")
    may_read(filled, url, 7)
    with connected(filled) as conn:
        conn.execute(
            "insert into aiaccount.documents"
            " (company_id, endpoint, aggregate_id, number, tenant_id, verdict, code)"
            " select 'C' || n % 100, 'pos_invoice', n, 'N' || n, n % 100, 'block', 'X'"
            " from generate_series(1000, 9000) as n"
        )
        conn.execute("analyze aiaccount.documents")
    with connected(url) as conn:
        query = (
            "explain (format json) select number from aiaccount.documents"
            " where tenant_id = 7 and accepted_at is null and verdict = 'block'"
        )
        plan = json.dumps(conn.execute(query).fetchall()[0][0])
    assert "documents_unsettled" in plan or "documents_blocked" in plan


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("role", ["relay", "consumer", "admin"])
def test_our_processes_see_every_tenants_rows_and_their_plans_have_no_filter_more(
    login: Login, role: str
) -> None:
    with connected(login(role)) as conn:
        query = "select count(tenant_id) from aiaccount.tasks"
        assert conn.execute(query).fetchone() == (2,)
        plan = conn.execute(f"explain (verbose) {query}").fetchall()
        assert "readable" not in str(plan)
        assert "Filter" not in str(plan)
