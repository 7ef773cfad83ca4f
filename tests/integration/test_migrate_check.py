"""Checking an installation names each thing that is wrong with it."""

import secrets
from collections.abc import Callable

import pytest

from outbox.errors import DatabaseError
from outbox.inspection import REVISION
from outbox.migrate import check, install
from tests.integration.capture.till import connected


@pytest.fixture
def problems(database: str) -> Callable[[str], list[str]]:
    """Give a function that breaks the installation by SQL and says what check finds."""

    def found(sabotage: str) -> list[str]:
        with connected(database) as conn:
            conn.execute(sabotage)
        return [str(problem) for problem in check(database, "test")]

    return found


FOUND = {
    "alter table pos_transactions disable trigger aiaccount_update": (
        "trigger aiaccount_update on pos_transactions: is disabled"
    ),
    "alter table pos_transactions enable always trigger aiaccount_insert": (
        "trigger aiaccount_insert on pos_transactions: is enabled always, also for replicas"
    ),
    "alter table kol_settlements enable replica trigger aiaccount_delete": (
        "trigger aiaccount_delete on kol_settlements: is enabled for replicas only"
    ),
    "drop trigger aiaccount_delete on pos_transaction_items": (
        "trigger aiaccount_delete on pos_transaction_items: is missing"
    ),
    "create or replace trigger aiaccount_delete after update on kol_settlements"
    " referencing old table as old_rows"
    " for each statement execute function aiaccount.capture_kol_settlements('lenient')": (
        "trigger aiaccount_delete on kol_settlements: is another trigger than this program's"
    ),
    "update aiaccount.installation set capture_mode = 'strict'": (
        "trigger aiaccount_insert on pos_transactions: has capture mode 'lenient', and"
        " the installation 'strict'"
    ),
    "create or replace function aiaccount.capture_truncate() returns trigger"
    " language plpgsql security definer set search_path = pg_catalog, pg_temp"
    " as $$ begin return null; end $$": (
        "function aiaccount.capture_truncate: has another body than this program's"
    ),
    "alter function aiaccount.capture_pos_transactions security invoker": (
        "function aiaccount.capture_pos_transactions: must be SECURITY DEFINER with a fixed search_path"
    ),
    "alter function aiaccount.capture_kol_settlements reset all": (
        "function aiaccount.capture_kol_settlements: must be SECURITY DEFINER with a fixed search_path"
    ),
    "alter function aiaccount.record_changes set lock_timeout = 0": (
        "function aiaccount.record_changes: must wait at most 50 ms for a lock, and has no such limit"
    ),
    "drop function aiaccount.record_changes": "function aiaccount.record_changes: is missing",
    "drop view aiaccount.pos_transaction_snapshot cascade": (
        "view aiaccount.pos_transaction_snapshot: is missing"
    ),
    "drop view aiaccount.kol_settlement_digest": "view aiaccount.kol_settlement_digest: is missing",
    "drop view aiaccount.kol_settlement_snapshot cascade;"
    " create view aiaccount.kol_settlement_snapshot as"
    " select 1::bigint as id, 1 as tenant_id, now()::date as business_date, '{}'::jsonb as snapshot": (
        "view aiaccount.kol_settlement_snapshot: has no column original_id"
    ),
    "drop table aiaccount.alerts": "table aiaccount.alerts: is missing",
    "drop table aiaccount.alembic_version": "table aiaccount.alembic_version: is missing",
    "update aiaccount.alembic_version set version_num = '0000'": (
        f"tables: are at revision 0000 and this program's at {REVISION}"
    ),
    "delete from aiaccount.relay_cursor": (
        "table aiaccount.relay_cursor: has no row, so the relay does not know where to start"
    ),
    "drop table aiaccount.installation cascade": "installation: AiAccount Sync is not installed",
    "update aiaccount.installation set environment = 'production'": (
        "installation: this database belongs to environment 'production' and this process to 'test'"
    ),
    "grant select on aiaccount.credentials to public": (
        "PUBLIC: has select on table aiaccount.credentials and must not"
    ),
    "grant execute on function aiaccount.utc to public": (
        "PUBLIC: has execute on function aiaccount.utc(timestamp with time zone) and must not"
    ),
    "grant usage on schema aiaccount to public": "PUBLIC: has usage on schema aiaccount and must not",
    "grant select on aiaccount.documents to aiaccount_relay": (
        "role aiaccount_relay: has select on table aiaccount.documents and must not"
    ),
    "grant select (ciphertext) on aiaccount.credentials to aiaccount_admin": (
        "role aiaccount_admin: has select (ciphertext) on table aiaccount.credentials and must not"
    ),
    "revoke update on aiaccount.tasks from aiaccount_consumer": (
        "role aiaccount_consumer: lacks update on table aiaccount.tasks"
    ),
    "grant update on pos_transactions to aiaccount_consumer": (
        "role aiaccount_consumer: has update on table pos_transactions and must not"
    ),
    "create table orders (id bigint); grant select on orders to public": (
        "role aiaccount_relay: may read orders, which is not ours"
    ),
    "alter table aiaccount.outbox owner to current_user": (
        "table aiaccount.outbox: belongs to postgres and must to aiaccount_owner"
    ),
    "alter function aiaccount.record_changes owner to current_user": (
        "function aiaccount.record_changes(text,bigint[]): belongs to postgres and must to aiaccount_capture"
    ),
    "alter schema aiaccount owner to current_user": "roles: are not set up in this database",
    "alter table aiaccount.documents disable row level security": (
        "table aiaccount.documents: lacks its row-level security, or has another"
    ),
    "create policy more on aiaccount.documents for select to aiaccount_reader using (true)": (
        "table aiaccount.documents: lacks its row-level security, or has another"
    ),
    "drop policy aiaccount_work on aiaccount.tasks": (
        "table aiaccount.tasks: lacks its row-level security, or has another"
    ),
    "create table more (id bigint); create or replace view aiaccount.kol_settlement_snapshot as"
    " select id, 1::bigint as tenant_id, now()::date as business_date, null::bigint as original_id,"
    " '{}'::jsonb as snapshot from more": (
        "view aiaccount.kol_settlement_snapshot: its owner aiaccount_owner may not read more"
    ),
    "drop table aiaccount.relay_cursor cascade": "table aiaccount.relay_cursor: is missing",
}


@pytest.mark.parametrize(("sabotage", "named"), FOUND.items(), ids=list(FOUND.values()))
def test_check_names(problems: Callable[[str], list[str]], sabotage: str, named: str) -> None:
    assert any(sentence.startswith(named) for sentence in problems(sabotage))


def test_check_names_both_faults_of_a_column(problems: Callable[[str], list[str]]) -> None:
    found = problems(
        "drop view aiaccount.kol_settlement_snapshot cascade;"
        " create view aiaccount.kol_settlement_snapshot as"
        " select 1 as id, 1::bigint as tenant_id, now()::date as business_date, '{}'::json as snapshot"
    )
    assert [sentence for sentence in found if sentence.startswith("view")] == [
        "view aiaccount.kol_settlement_snapshot: column id must be bigint and is integer",
        "view aiaccount.kol_settlement_snapshot: has no column original_id",
        "view aiaccount.kol_settlement_snapshot: column snapshot must be jsonb and is json",
        "view aiaccount.kol_settlement_digest: is missing",
    ]


def test_check_names_a_privilege_that_the_functions_owner_lacks(database: str) -> None:
    owner = f"owner_{secrets.token_hex(4)}"
    with connected(database) as conn:
        conn.execute(f"create role {owner}")
        try:
            conn.execute(f"alter function aiaccount.capture_kol_settlements owner to {owner}")
            found = [str(problem) for problem in check(database, "test")]
        finally:
            conn.execute("alter function aiaccount.capture_kol_settlements owner to aiaccount_capture")
            conn.execute(f"drop role {owner}")
    who = f"role {owner}: owns the capture functions and may not "
    assert f"{who}insert into aiaccount.outbox" in found
    assert f"{who}use schema aiaccount" in found
    assert len([sentence for sentence in found if sentence.startswith(who)]) == 5
    assert (
        f"function aiaccount.capture_kol_settlements(): belongs to {owner} and must to aiaccount_capture"
        in found
    )


@pytest.mark.parametrize(
    "sabotage",
    [
        sabotage
        for sabotage, named in FOUND.items()
        if named.startswith(("PUBLIC", "role", "roles")) or named.endswith(("aiaccount_owner", "has another"))
        if "orders" not in sabotage
    ],
)
def test_migrating_puts_right_what_check_names_of_the_roles(
    database: str, problems: Callable[[str], list[str]], sabotage: str
) -> None:
    assert problems(sabotage)
    install(database)
    assert check(database, "test") == []
    assert install(database) == []


def test_check_needs_a_database_that_answers() -> None:
    with pytest.raises(DatabaseError):
        check("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2", "test")
