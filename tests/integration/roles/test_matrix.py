"""No role can do more than its work needs: a matrix says so of every table, view and function there is."""

from contextlib import suppress

import psycopg
import pytest

from outbox.migrate import check
from outbox.roles import NAMES, ROLES
from outbox.statements import statements
from tests.integration.capture.till import Connection, connected
from tests.integration.roles.conftest import Login
from tests.integration.roles.matrix import (
    FUNCTIONS,
    NS16_TABLES,
    SEEN_BY_EVERY_READER,
    SEEN_BY_READERS_OF_EVERY_TENANT,
    SEEN_BY_TENANT,
    TABLES,
)

LETTERS = {"select": "r", "insert": "a", "update": "w", "delete": "d"}
MORE = ("truncate", "references", "trigger")
NS16_MORE = (
    "create table orders (id bigint, total numeric); create table commissions (id bigint, owed numeric)"
)
WHO = (*NAMES, "nobody")  # who has no role at all, so has what PUBLIC has


@pytest.fixture
def ns16(database: str) -> str:
    """Give a database in which NS16 has tables that are none of our business."""
    with connected(database) as conn:
        conn.execute(NS16_MORE)
        conn.execute("grant usage on schema public to public")
    return database


def rights(conn: Connection, role: str, table: str) -> str:
    """Return what a role may do with a table, as the matrix writes it."""
    whole = [
        privilege
        for privilege in (*LETTERS, *MORE)
        if conn.execute("select has_table_privilege(%s, %s, %s)", (role, table, privilege)).fetchone()
        == (True,)
    ]
    some = {
        privilege: [
            name
            for (name,) in conn.execute(
                "select attname from pg_attribute where attrelid = %(table)s::regclass and attnum > 0"
                " and not attisdropped and has_column_privilege(%(role)s, attrelid, attnum, %(privilege)s)"
                " order by attname",
                {"table": table, "role": role, "privilege": privilege},
            )
        ]
        for privilege in ("select", "insert", "update")
        if privilege not in whole
    }
    said = "".join(LETTERS.get(privilege, privilege.upper()) for privilege in whole)
    parts = [said, *(f"{LETTERS[name]}({' '.join(columns)})" for name, columns in some.items() if columns)]
    return " ".join(filter(None, parts))


def there(conn: Connection, schema: str) -> set[str]:
    found = conn.execute(
        "select relname from pg_class"
        " where relnamespace = to_regnamespace(%s) and relkind in ('r', 'p', 'v', 'm', 'f')",
        [schema],
    )
    return {name for (name,) in found}


def full(role: str) -> str:
    return "sync_nobody" if role == "nobody" else f"aiaccount_{role}"


@pytest.fixture
def nobody(database: str) -> str:
    """Make sure that there is a login without any role."""
    with connected(database) as conn, suppress(psycopg.errors.DuplicateObject):
        conn.execute("create role sync_nobody login")
    return "sync_nobody"


@pytest.mark.usefixtures("nobody")
def test_every_table_and_view_of_ours_is_in_the_matrix_and_as_it_says(ns16: str) -> None:
    with connected(ns16) as conn:
        assert there(conn, "aiaccount") == set(TABLES)
        for table, granted in TABLES.items():
            roles = [role for role in WHO if role != "owner"]
            found = {role: rights(conn, full(role), f"aiaccount.{table}") for role in roles}
            assert {role: may for role, may in found.items() if may} == granted, table


@pytest.mark.usefixtures("nobody")
def test_nobody_of_ours_reads_a_table_of_ns16_but_the_owner_of_the_views_and_those_three_alone(
    ns16: str,
) -> None:
    with connected(ns16) as conn:
        assert there(conn, "public") == set(NS16_TABLES)
        for table, granted in NS16_TABLES.items():
            found = {role: rights(conn, full(role), table) for role in WHO}
            assert {role: may for role, may in found.items() if may} == granted, table


@pytest.mark.usefixtures("ns16")
@pytest.mark.parametrize("role", [name for name in NAMES if name != "owner"])
def test_a_login_of_any_role_is_refused_what_it_asks_of_ns16(login: Login, role: str) -> None:
    with connected(login(role)) as conn:
        for table in NS16_TABLES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select from {table}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"delete from {table}")


@pytest.mark.usefixtures("nobody")
def test_every_function_of_ours_is_in_the_matrix_and_as_it_says(database: str) -> None:
    with connected(database) as conn:
        found = {
            str(name): frozenset(
                role
                for role in WHO
                if conn.execute(
                    "select has_function_privilege(%s, %s::oid, 'execute')", (full(role), oid)
                ).fetchone()
                == (True,)
            )
            for oid, name in conn.execute(
                "select oid, proname from pg_proc where pronamespace = 'aiaccount'::regnamespace"
            )
        }
        assert found == FUNCTIONS


def test_a_function_that_runs_as_its_owner_has_a_fixed_path_and_an_owner_that_reads_nothing(
    database: str,
) -> None:
    with connected(database) as conn:
        definers = conn.execute(
            "select proname, pg_get_userbyid(proowner), proconfig from pg_proc"
            " where pronamespace = 'aiaccount'::regnamespace and prosecdef"
        ).fetchall()
    assert {name for name, _, _ in definers} == {name for name in FUNCTIONS if name.startswith("capture_")}
    assert {(owner, *config) for _, owner, config in definers} == {
        ("aiaccount_capture", "search_path=pg_catalog, pg_temp")
    }
    assert not any("r" in granted.get("capture", "") for granted in TABLES.values())


@pytest.mark.usefixtures("nobody")
def test_no_role_of_ours_may_make_anything_in_our_schema_but_its_owner(database: str) -> None:
    with connected(database) as conn:
        for role in WHO:
            usage, create = conn.execute(
                "select has_schema_privilege(%(role)s, 'aiaccount', 'usage'),"
                " has_schema_privilege(%(role)s, 'aiaccount', 'create')",
                {"role": full(role)},
            ).fetchall()[0]
            assert (usage, create) == (role != "nobody", role == "owner"), role


def test_no_role_of_ours_can_log_in_or_do_more_than_it_is_granted(database: str) -> None:
    with connected(database) as conn:
        found = conn.execute(
            "select distinct rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"
            " from pg_roles where rolname = any (%s)",
            [[*ROLES]],
        ).fetchall()
        assert found == [(False,) * 6]
        within = (
            "select count(*) from pg_auth_members"
            " where member in (select oid from pg_roles where rolname = any (%s))"
        )
        assert conn.execute(within, [[*ROLES]]).fetchone() == (0,)


def test_whatever_a_reader_may_select_is_seen_by_tenant_or_holds_nothing_of_one(database: str) -> None:
    readable = {table for table, granted in TABLES.items() if "reader" in granted}
    assert readable == SEEN_BY_TENANT | SEEN_BY_READERS_OF_EVERY_TENANT | SEEN_BY_EVERY_READER
    with connected(database) as conn:
        secured = {
            name
            for (name,) in conn.execute(
                "select relname from pg_class"
                " where relnamespace = 'aiaccount'::regnamespace and relrowsecurity"
            )
        }
        assert secured == SEEN_BY_TENANT | SEEN_BY_READERS_OF_EVERY_TENANT
        of_a_tenant = {
            name
            for (name,) in conn.execute(
                "select attrelid::regclass::text from pg_attribute join pg_class on pg_class.oid = attrelid"
                " where relnamespace = 'aiaccount'::regnamespace and relkind = 'r' and attname = 'tenant_id'"
            )
        }
        assert not {f"aiaccount.{name}" for name in SEEN_BY_EVERY_READER} & of_a_tenant


def test_a_table_that_nobody_was_granted_anything_on_is_closed_and_named(database: str, login: Login) -> None:
    with connected(database) as conn:
        conn.execute("create table aiaccount.forgotten (id bigint)")
    for role in ("relay", "consumer", "admin", "keys", "reader"):
        with connected(login(role)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("select from aiaccount.forgotten")
    assert "table aiaccount.forgotten: is not in outbox/roles.sql: nobody may use it" in map(
        str, check(database, "test")
    )


def test_every_line_of_the_roles_speaks_of_something_that_is_there(database: str) -> None:
    with connected(database) as conn:
        lines = conn.execute(statements("outbox", "roles.sql")["granted"]).fetchall()
        for _, thing, _ in lines:
            kind, _, name = thing.partition(" ")
            find = {"schema": "to_regnamespace", "function": "to_regprocedure"}.get(kind, "to_regclass")
            assert conn.execute(f"select {find}(%s) is not null", [name]).fetchone() == (True,), thing
