"""Whatever is wrong with capture, the sale commits, and the till's session is as it was."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from outbox.migrate import drop_triggers, install
from tests.integration.capture.till import (
    POS,
    Connection,
    alerts,
    clear,
    connected,
    item,
    one,
    rows,
    sale,
    settlement,
    usual_sale,
    warnings_of,
)

BREAK = {
    "the outbox is dropped": "drop table aiaccount.outbox cascade",
    "the outbox has another column": "alter table aiaccount.outbox rename aggregate_id to id",
    "the outbox refuses the row": "alter table aiaccount.outbox add check (aggregate_id < 0) not valid",
    "the sequence is at its end": "alter sequence aiaccount.outbox_seq_seq maxvalue 2;"
    " select setval('aiaccount.outbox_seq_seq', 2)",
    "the function that writes is gone": "drop function aiaccount.record_changes",
    "outbox and alerts are dropped": "drop table aiaccount.outbox, aiaccount.alerts cascade",
    "NS16 renamed a column": "alter table pos_transactions rename original_txn_id to refund_of",
    "the outbox is read-only": "create function stop() returns trigger language plpgsql"
    " as $$ begin raise 'no'; end $$;"
    " create trigger stop before insert on aiaccount.outbox for each row execute function stop()",
}


@contextmanager
def locked(url: str, *tables: str) -> Iterator[None]:
    """Hold the tables so that nobody else may even read them."""
    with connected(url) as other, other.transaction():
        other.execute(f"lock table {', '.join(tables)} in access exclusive mode")
        yield


@contextmanager
def role(conn: Connection) -> Iterator[str]:
    """Make a role without any privilege for a while."""
    name = f"role_{secrets.token_hex(4)}"
    conn.execute(f"create role {name}")
    try:
        yield name
    finally:
        conn.execute("reset role")
        conn.execute(f"drop owned by {name}")
        conn.execute(f"drop role {name}")


def plain_sale(till: Connection) -> int:
    """Insert a sale and update it in one transaction, naming no column that a test renames."""
    with till.transaction():
        sale_id: int = one(
            till,
            "insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)"
            " values (1, 'S1', %s, 1, 1) returning id",
            secrets.token_hex(6),
        )
        item(till, sale_id)
        till.execute("update pos_transactions set subtotal = 2 where id = %s", [sale_id])
    return sale_id


@pytest.mark.parametrize("sabotage", BREAK.values(), ids=BREAK.keys())
def test_a_sale_commits_with_one_warning_when(till: Connection, sabotage: str) -> None:
    plain_sale(till)
    plain_sale(till)
    till.execute(sabotage)
    heard = warnings_of(till)
    sale_id = plain_sale(till)
    assert one(till, "select subtotal from pos_transactions where id = %s", sale_id) == 2
    assert len(heard) == 1  # the rest of the transaction did not try again
    assert heard[0].startswith("AiAccount Sync could not capture a change of pos_transactions: ")
    if one(till, "select to_regclass('aiaccount.alerts') is not null"):
        assert [kind for kind, _ in alerts(till)] == ["capture_failed"]
    plain_sale(till)
    assert len(heard) == 2  # the next transaction does


def test_a_settlement_commits_when_the_outbox_is_gone(till: Connection) -> None:
    till.execute("drop table aiaccount.outbox cascade")
    heard = warnings_of(till)
    with till.transaction():
        settlement_id = settlement(till)
        till.execute("update kol_settlements set status = 'approved'")
    assert one(till, "select status from kol_settlements where id = %s", settlement_id) == "approved"
    assert len(heard) == 1
    assert alerts(till)[0][0] == "capture_failed"


def test_an_item_alone_commits_when_the_outbox_is_gone(till: Connection) -> None:
    sale_id = sale(till)
    till.execute("drop table aiaccount.outbox cascade")
    heard = warnings_of(till)
    item_id = item(till, sale_id)
    assert one(till, "select count(*) from pos_transaction_items where id = %s", item_id) == 1
    assert len(heard) == 1


def test_a_table_is_truncated_when_the_alerts_are_gone(till: Connection) -> None:
    sale(till)
    till.execute("drop table aiaccount.alerts")
    heard = warnings_of(till)
    till.execute("truncate pos_transactions cascade")
    assert one(till, "select count(*) from pos_transactions") == 0
    assert len(heard) == 2


@pytest.mark.parametrize("tables", [["aiaccount.outbox"], ["aiaccount.outbox", "aiaccount.alerts"]], ids=len)
def test_a_sale_commits_within_a_second_when_what_it_writes_is_locked(
    till: Connection, any_database: str, tables: list[str]
) -> None:
    usual_sale(till)
    heard = warnings_of(till)
    with locked(any_database, *tables):
        began = time.monotonic()
        sale_id = usual_sale(till)
        took = time.monotonic() - began
    assert took < 1
    assert one(till, "select status from pos_transactions where id = %s", sale_id) == "paid"
    assert len(heard) == 1
    assert "lock timeout" in heard[0]
    assert len(alerts(till)) == (len(tables) == 1)
    clear(till)
    assert rows(till) == []
    assert usual_sale(till) == rows(till)[0][1]


def test_a_sale_commits_when_the_functions_owner_lost_its_privileges(till: Connection) -> None:
    usual_sale(till)
    with role(till) as owner:
        till.execute(f"alter function aiaccount.capture_pos_transactions owner to {owner}")
        till.execute(f"alter function aiaccount.capture_pos_transaction_items owner to {owner}")
        heard = warnings_of(till)
        sale_id = usual_sale(till)
        assert one(till, "select status from pos_transactions where id = %s", sale_id) == "paid"
        assert len(heard) == 1
        till.execute("alter function aiaccount.capture_pos_transactions owner to current_user")
        till.execute("alter function aiaccount.capture_pos_transaction_items owner to current_user")


def test_who_sells_needs_no_privilege_on_anything_of_ours(till: Connection) -> None:
    with role(till) as seller:
        till.execute(
            f"grant insert, update, select, delete, truncate on all tables in schema public to {seller}"
        )
        till.execute(f"set role {seller}")
        sale_id = usual_sale(till)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            till.execute("select from aiaccount.outbox")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            till.execute("select aiaccount.record_changes('pos_transaction', '{1}')")
        till.execute("reset role")
        assert rows(till) == [(POS, sale_id)]


def test_no_search_path_and_no_temporary_table_leads_capture_astray(till: Connection) -> None:
    till.execute("create schema evil")
    for table in ("outbox", "alerts", "new_rows", "old_rows"):
        till.execute(f"create table evil.{table} (id int)")
        till.execute(f"create temp table {table} (id int)")
    for call in ("min(bigint)", "max(bigint)"):
        name = call.removesuffix("(bigint)")
        till.execute(f"create aggregate evil.{name} (bigint) (sfunc = int8pl, stype = bigint)")
    till.execute(
        "create function evil.set_config(text, text, boolean) returns text language plpgsql"
        " as $$ begin raise 'called'; end $$"
    )
    till.execute(
        "create function evil.same(bigint, bigint) returns boolean language plpgsql"
        " as $$ begin raise 'called'; end $$;"
        " create operator evil.= (leftarg = bigint, rightarg = bigint, function = evil.same)"
    )
    till.execute("set search_path = evil, pg_temp, public, pg_catalog")
    heard = warnings_of(till)
    with till.transaction():
        sale_id = sale(till)
        till.execute("update public.pos_transactions set subtotal = 12")
    assert heard == []
    assert rows(till) == [(POS, sale_id)]


def test_the_tills_own_lock_timeout_is_back_after_a_capture_that_worked_and_one_that_failed(
    till: Connection, any_database: str
) -> None:
    till.execute("set lock_timeout = '7s'")
    with till.transaction():
        till.execute("set local lock_timeout = '3s'")
        sale_id = sale(till)
        assert one(till, "show lock_timeout") == "3s"
    with locked(any_database, "aiaccount.outbox"), till.transaction():
        till.execute("set local lock_timeout = '4s'")
        item(till, sale_id)
        assert one(till, "show lock_timeout") == "4s"
    assert one(till, "show lock_timeout") == "7s"


def test_a_statement_timeout_ends_the_statement_as_it_always_does(
    till: Connection, any_database: str
) -> None:
    till.execute("set statement_timeout = '20ms'")
    with locked(any_database, "aiaccount.outbox"), pytest.raises(psycopg.errors.QueryCanceled):
        sale(till)
    till.execute("reset statement_timeout")
    assert one(till, "select count(*) from pos_transactions") == 0


def test_a_failure_in_a_savepoint_that_is_rolled_back_does_not_stop_the_rest(
    till: Connection, any_database: str
) -> None:
    heard = warnings_of(till)
    with till.transaction():
        with locked(any_database, "aiaccount.outbox"), till.transaction(force_rollback=True):
            sale(till)
        sale_id = sale(till)
    assert len(heard) == 1
    assert rows(till) == [(POS, sale_id)]
    assert alerts(till) == []  # what it told of did not happen


def test_in_strict_mode_the_sale_fails(till: Connection, any_database: str) -> None:
    install(any_database, capture_mode="strict")
    sale_id = usual_sale(till)
    assert rows(till) == [(POS, sale_id)]
    with locked(any_database, "aiaccount.outbox"):
        with pytest.raises(psycopg.errors.LockNotAvailable):
            item(till, sale_id)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            settlement(till)
        with pytest.raises(psycopg.errors.LockNotAvailable):
            sale(till)
    with locked(any_database, "aiaccount.alerts"), pytest.raises(psycopg.errors.LockNotAvailable):
        till.execute("truncate kol_settlements")
    assert one(till, "select count(*) from pos_transactions") == 1


def test_a_bulk_statement_beyond_temp_file_limit_fails_and_the_switch_lets_it_through(
    till: Connection, any_database: str
) -> None:
    bulk = (
        "insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)"
        " select 1, 'S1', 'B' || n || repeat('x', 200), 1, 1 from generate_series(1, 20000) as n"
    )
    till.execute("set work_mem = '64kB'")
    till.execute("set temp_file_limit = '1MB'")
    with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
        till.execute(bulk)
    drop_triggers(any_database)
    till.execute(bulk)
    assert rows(till) == []
    install(any_database)
    sale_id = usual_sale(till)
    assert rows(till) == [(POS, sale_id)]
