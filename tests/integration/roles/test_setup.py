"""The roles come about whoever migrates: a superuser, who may make roles, or who may not and asks for it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.servers.postgres import PostgresServer
from outbox.migrate import administration, check, install
from outbox.roles import ROLES
from tests.conftest import Running
from tests.databases import create_ns16, drop
from tests.integration.capture.till import alerts, connected, rows, usual_sale

LEFT = "Left the roles alone, for {} may not make them"


@contextmanager
def ns16_of(server: str, attributes: str) -> Iterator[str]:
    """Make NS16's database for a login with these attributes, which owns it; give its URL for that login."""
    name = f"ns16_{secrets.token_hex(4)}"
    url = make_url(server).set(database=name)
    own = url.set(username=name).render_as_string()
    with connected(server) as conn:
        conn.execute(f"create role {name} login {attributes}")
        conn.execute(f"create database {name} owner {name} template template0")
        try:
            with connected(url.render_as_string()) as inside:
                inside.execute(f"grant all on schema public to {name}")
            create_ns16(own)
            yield own
        finally:
            drop(server, name)
            conn.execute(f"drop role {name}")


@pytest.fixture
def owned(any_postgres: Running) -> Iterator[str]:
    """Give NS16's database for its owner, who may make no roles, on a server that has them."""
    with connected(any_postgres.url) as server:
        for role in ROLES:
            with suppress(psycopg.errors.DuplicateObject):
                server.execute(f"create role {role} nologin")
    with ns16_of(any_postgres.url, "") as url:
        yield url


def administer(url: str) -> None:
    """Run what an administrator is asked to run."""
    with connected(make_url(url).set(username="postgres").render_as_string()) as conn:
        for statement in administration(url):
            conn.execute(statement)


def name_in(url: str) -> str:
    return str(make_url(url).username)


def test_who_may_not_make_roles_says_what_an_administrator_must_run_and_goes_on(owned: str) -> None:
    assert any(said.startswith(LEFT.format(name_in(owned))) for said in install(owned))
    with connected(owned) as till:
        usual_sale(till)
        assert rows(till)
    assert [str(problem).partition(":")[0] for problem in check(owned, "test")] == ["roles"]
    administer(owned)
    assert [said.partition(" ")[0] for said in install(owned)] == ["Put"]
    assert check(owned, "test") == []
    assert administration(owned) == []
    assert install(owned) == []


def test_who_owns_no_table_of_ns16_alone_is_told_what_is_left(owned: str) -> None:
    administer(owned)
    with connected(make_url(owned).set(username="postgres").render_as_string()) as conn:
        conn.execute("alter table kol_settlements owner to postgres")
        conn.execute(f"grant select, trigger on kol_settlements to {name_in(owned)}")
    done = install(owned)
    assert any("may not put 1 more right" in said for said in done), done
    assert administration(owned) == ["grant SELECT on table kol_settlements to aiaccount_owner"]
    administer(owned)
    assert check(owned, "test") == []


def test_who_may_make_roles_needs_nobody_and_installs_twice_in_a_server(own_postgres: PostgresServer) -> None:
    with ns16_of(own_postgres.url, "createrole") as url:
        assert "Made the roles." in install(url)
        assert check(url, "test") == []
        assert install(url) == []
        with ns16_of(own_postgres.url, "superuser") as other:
            assert "Made the roles." not in install(other)
            assert check(other, "test") == []
        with connected(own_postgres.url) as server:
            server.execute(f"drop owned by {', '.join(ROLES)}")
    with connected(own_postgres.url) as server:
        server.execute(f"drop role {', '.join(ROLES)}")  # nothing of them is left anywhere


def test_a_later_migration_by_no_superuser_upgrades_what_the_roles_own(
    owned: str,
) -> None:
    administer(owned)
    install(owned)
    with connected(make_url(owned).set(username="postgres").render_as_string()) as conn:
        conn.execute("drop function aiaccount.raise_alert; drop view aiaccount.kol_settlement_digest")
    install(owned)
    assert check(owned, "test") == []


def test_a_till_with_rights_on_its_own_tables_alone_sells_and_is_captured(database: str) -> None:
    name = f"till_{secrets.token_hex(4)}"
    with connected(database) as conn:
        conn.execute(f"create role {name} login; grant all on all tables in schema public to {name}")
        try:
            with connected(make_url(database).set(username=name).render_as_string()) as till:
                sale_id = usual_sale(till)
                till.execute("truncate kol_settlements")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    till.execute("select from aiaccount.outbox")
            assert rows(conn) == [("pos_transaction", sale_id)]
            assert [kind for kind, _ in alerts(conn)] == ["truncate"]
        finally:
            conn.execute(f"drop owned by {name}; drop role {name}")


def test_a_failed_capture_is_told_by_a_role_that_may_only_do_that(database: str) -> None:
    with connected(database) as conn:
        conn.execute("revoke insert on aiaccount.outbox from aiaccount_capture")
        usual_sale(conn)
        assert {kind for kind, _ in alerts(conn)} == {"capture_failed"}
        install(database)
        usual_sale(conn)
        assert len(rows(conn)) == 1
