"""Migrating installs, upgrades and repairs, twice and while tills write, and refuses what is not its own."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import psycopg
import pytest

from outbox.errors import DatabaseError, InstallationError, UsageError
from outbox.inspection import REVISION
from outbox.installation import verify
from outbox.migrate import check, drop_triggers, install
from tests.integration.capture.till import POS, alerts, connected, one, rows, sale, usual_sale
from tests.waiting import wait_for

_BEFORE_0012 = """
drop view aiaccount.pulse, aiaccount.unheard;
drop function aiaccount.lease_of, aiaccount.due_since;
drop index aiaccount.documents_final, aiaccount.documents_unsettled;
drop index aiaccount.tasks_due_by_tenant, aiaccount.tasks_troubled;
create index documents_open on aiaccount.documents (tenant_id);
create index tasks_due_by_tenant on aiaccount.tasks (tenant_id, lane, due_at);
alter table aiaccount.relay_cursor drop led_by, drop led_at;
update aiaccount.alembic_version set version_num = '0011';
"""


def test_a_first_install_says_what_it_did_and_leaves_nothing_wrong(bare_database: str) -> None:
    done = " ".join(install(bare_database, "staging"))
    for said in (
        f"revision {REVISION}",
        "staging",
        "cursor",
        "functions",
        "pos_transaction_snapshot",
        "kol_settlements",
    ):
        assert said in done
    assert check(bare_database, "staging") == []


def test_a_second_install_has_nothing_to_do_and_changes_nothing(database: str) -> None:
    def state() -> object:
        with connected(database) as conn:
            cursor = conn.execute("select * from aiaccount.relay_cursor").fetchall()
            triggers = conn.execute("select oid, xmin::text from pg_trigger order by 1").fetchall()
            views = conn.execute("select relname, xmin::text from pg_class where relkind = 'v' order by 1")
            return cursor, triggers, views.fetchall()

    before = state()
    assert install(database) == []
    assert state() == before


def test_the_relay_starts_before_the_first_captured_change(database: str) -> None:
    with connected(database) as conn:
        usual_sale(conn)
        seen = "pg_visible_in_snapshot(xid, from_snapshot)"
        assert (
            one(conn, f"select count(*) from aiaccount.outbox, aiaccount.relay_cursor where not {seen}") == 1
        )
        assert one(conn, "select epoch from aiaccount.relay_cursor") == 0
        assert one(
            conn,
            "select c.system_identifier = s.system_identifier and c.timeline_id = p.timeline_id"
            " from aiaccount.relay_cursor as c, pg_control_system() as s, pg_control_checkpoint() as p",
        )


def test_another_environments_database_is_refused_and_left_alone(database: str) -> None:
    drop_triggers(database)
    with pytest.raises(
        InstallationError, match="belongs to environment 'test' and this process to 'production'"
    ):
        install(database, "production")
    with connected(database) as conn:
        assert one(conn, "select count(*) from pg_trigger where tgname like 'aiaccount%%'") == 0
        with pytest.raises(InstallationError, match=r"'test'.*'production'"):
            verify(conn, "production")
        verify(conn, "test")


def test_a_process_refuses_a_database_without_an_installation(bare_database: str) -> None:
    with connected(bare_database) as conn:
        with pytest.raises(InstallationError, match="run aiaccount-sync migrate"):
            verify(conn, "test")
        with conn.transaction():
            with pytest.raises(InstallationError):
                verify(conn, "test")
            assert one(conn, "select 1") == 1  # the caller's transaction is unharmed


def test_a_database_that_is_not_ns16s_is_refused_before_anything_is_written(bare_database: str) -> None:
    with connected(bare_database) as conn:
        conn.execute("drop table kol_settlements")
        with pytest.raises(InstallationError, match="no table kol_settlements"):
            install(bare_database)
        assert one(conn, "select to_regnamespace('aiaccount') is null")


@pytest.mark.parametrize("environment", ["", "Production", "a b", "x" * 41])
def test_a_name_that_cannot_be_is_refused(bare_database: str, environment: str) -> None:
    with pytest.raises(UsageError, match="lower-case"):
        install(bare_database, environment)


def test_a_capture_mode_that_cannot_be_is_refused(bare_database: str) -> None:
    with pytest.raises(UsageError, match="neither lenient nor strict"):
        install(bare_database, capture_mode="loose")


def test_a_server_that_is_not_there_is_a_database_error() -> None:
    with pytest.raises(DatabaseError):
        install("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")


def test_the_capture_mode_is_kept_until_another_is_asked_for(database: str) -> None:
    assert "Set the capture mode to strict." in install(database, capture_mode="strict")
    assert install(database) == []
    assert check(database, "test") == []
    with connected(database) as conn:
        assert one(conn, "select capture_mode from aiaccount.installation") == "strict"
        assert alerts(conn) == []  # nothing went uncaptured


def test_the_switch_drops_the_triggers_and_install_puts_them_back_with_an_alert(database: str) -> None:
    assert len(drop_triggers(database)) == 3
    assert drop_triggers(database) == []
    with connected(database) as conn:
        usual_sale(conn)
        assert rows(conn) == []
        assert len(install(database)) == 3
        assert [kind for kind, _ in alerts(conn)] == ["capture_restored"] * 3
        sale_id = usual_sale(conn)
        assert rows(conn) == [(POS, sale_id)]


def test_an_older_installation_is_brought_up_to_date_with_its_rows(database: str) -> None:
    with connected(database) as conn:
        sale_id = usual_sale(conn)
        conn.execute(
            "create or replace function aiaccount.capture_pos_transactions() returns trigger"
            " language plpgsql as $$ begin return null; end $$;"
            " drop function aiaccount.raise_alert;"
            " drop view aiaccount.kol_settlement_snapshot cascade"
        )
        done = install(database)
        assert done[:3] == [
            "Wrote 2 functions.",
            "Wrote view aiaccount.kol_settlement_snapshot.",
            "Wrote view aiaccount.kol_settlement_digest.",
        ]
        assert len(done) == 4
        assert re.fullmatch(r"Put \d+ privileges, owners and policies right\.", done[3])
        assert check(database, "test") == []
        assert rows(conn) == [(POS, sale_id)]
        sale(conn)
        assert len(rows(conn)) == 2


@pytest.mark.parametrize("order", [("tasks", "documents"), ("documents", "tasks"), ("relay_cursor", "tasks")])
def test_upgrading_cancels_nobody_who_uses_its_tables_in_whatever_order(
    database: str, order: tuple[str, str]
) -> None:
    first, then = (f"lock table aiaccount.{table} in row exclusive mode" for table in order)
    with connected(database) as conn:
        conn.execute(_BEFORE_0012)
        with ThreadPoolExecutor(1) as pool, connected(database) as consumer:
            with consumer.transaction():
                consumer.execute(first)
                upgrade = pool.submit(install, database)
                waits = "select count(*) from pg_locks where relation = %s::regclass and not granted"
                wait_for(
                    lambda: one(conn, waits, f"aiaccount.{order[0]}"), 20, "an upgrade that waits for a table"
                )
                consumer.execute(then)
            assert f"Brought the tables to revision {REVISION}." in upgrade.result(60)
    assert check(database, "test") == []


def test_a_view_that_was_replaced_for_another_schema_is_left_alone(database: str) -> None:
    own = (
        "create or replace view aiaccount.kol_settlement_snapshot as select id, blogger_id as tenant_id,"
        " period_end as business_date, null::bigint as original_id, '{}'::jsonb as snapshot"
        " from kol_settlements"
    )
    with connected(database) as conn:
        conn.execute(own)
        assert install(database) == [
            "Left view aiaccount.kol_settlement_snapshot as it is: it was replaced by hand."
        ]
        assert "payee" not in one(
            conn, "select pg_get_viewdef('aiaccount.kol_settlement_snapshot'::regclass)"
        )
    assert check(database, "test") == []


def test_a_view_of_an_older_program_is_written_anew(database: str) -> None:
    with connected(database) as conn:
        comment = one(conn, "select obj_description('aiaccount.kol_settlement_snapshot'::regclass)")
        old = comment.rsplit(" ", 1)[0] + " 0123"
        conn.execute(f"comment on view aiaccount.kol_settlement_snapshot is '{old}'")
        assert install(database) == ["Wrote view aiaccount.kol_settlement_snapshot."]
        assert one(conn, "select obj_description('aiaccount.kol_settlement_snapshot'::regclass)") == comment


def test_two_installs_at_once_both_end_well(bare_database: str) -> None:
    done: list[list[str]] = []
    threads = [threading.Thread(target=lambda: done.append(install(bare_database))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, done)) == [False, True]
    assert check(bare_database, "test") == []


def test_installing_while_tills_write_fails_no_sale_and_ends(bare_database: str) -> None:
    stop = threading.Event()
    sold, failed = count(), []

    def sell() -> None:
        with connected(bare_database) as conn:
            while not stop.is_set():
                try:
                    usual_sale(conn)
                    next(sold)
                except psycopg.Error as error:
                    failed.append(error)

    tills = [threading.Thread(target=sell) for _ in range(4)]
    for till in tills:
        till.start()
    try:
        with connected(bare_database) as conn:
            wait_for(lambda: one(conn, "select count(*) from pos_transactions") > 20, 20, "tills that sell")
            for mode in ("lenient", "strict", "lenient"):
                install(bare_database, capture_mode=mode)
                drop_triggers(bare_database)
            install(bare_database)
            captured = len(rows(conn))
            wait_for(lambda: len(rows(conn)) > captured + 20, 20, "sales that are captured")
    finally:
        stop.set()
        for till in tills:
            till.join()
    assert failed == []
    assert check(bare_database, "test") == []


def test_a_table_that_is_never_free_is_named_and_delays_a_sale_by_little(database: str) -> None:
    drop_triggers(database)
    with connected(database) as busy, busy.transaction():
        sale(busy)
        with pytest.raises(DatabaseError, match="table pos_transactions was not free"):
            install(database, patience=0.3)
    with connected(database) as conn:
        assert one(conn, "select count(*) from pos_transactions") == 1
    install(database)
    assert check(database, "test") == []
