"""Every way to change a row names its aggregate, and nothing else does."""

from collections.abc import Callable

import pytest

from tests.integration.capture.till import (
    KOL,
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
)

MERGE = """
merge into pos_transactions as t
using (values (%(seen)s, 'M1'), (%(gone)s, 'M2'), (null::bigint, 'M3')) as s (id, receipt_no) on t.id = s.id
when matched and s.id = %(gone)s then delete
when matched then update set subtotal = 11
when not matched then insert (blogger_id, store_code, receipt_no, subtotal, total_amount)
  values (1, 'S1', s.receipt_no, 1, 1)
"""
UPSERT = """
insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)
select 1, 'S1', receipt_no, 5, 5 from unnest(%s::text[]) as receipt_no
on conflict (blogger_id, receipt_no) do update set subtotal = excluded.subtotal
"""


def test_insert_update_and_delete_of_a_sale_each_name_it(till: Connection) -> None:
    sale_id = sale(till)
    till.execute("update pos_transactions set subtotal = 11 where id = %s", [sale_id])
    till.execute("delete from pos_transactions where id = %s", [sale_id])
    assert rows(till) == [(POS, sale_id)] * 3


def test_insert_update_and_delete_of_an_item_each_name_its_sale(till: Connection) -> None:
    sale_id = sale(till)
    clear(till)
    item_id = item(till, sale_id)
    till.execute("update pos_transaction_items set quantity = 2 where id = %s", [item_id])
    till.execute("delete from pos_transaction_items where id = %s", [item_id])
    assert rows(till) == [(POS, sale_id)] * 3


def test_insert_update_and_delete_of_a_settlement_each_name_it(till: Connection) -> None:
    settlement_id = settlement(till)
    till.execute("update kol_settlements set status = 'approved' where id = %s", [settlement_id])
    till.execute("delete from kol_settlements where id = %s", [settlement_id])
    assert rows(till) == [(KOL, settlement_id)] * 3


def test_what_touches_no_row_captures_nothing_and_takes_no_transaction_id(till: Connection) -> None:
    with till.transaction():
        till.execute("update pos_transactions set subtotal = 11 where id = -1")
        till.execute("delete from pos_transaction_items where id = -1")
        till.execute("update kol_settlements set status = 'approved' where id = -1")
        assert one(till, "select pg_current_xact_id_if_assigned()") is None
    assert rows(till) == []


@pytest.mark.parametrize(
    ("table", "make"),
    [("pos_transactions", sale), ("kol_settlements", settlement)],
    ids=["sale", "settlement"],
)
def test_an_update_that_changes_nothing_is_not_captured(
    till: Connection, table: str, make: Callable[[Connection], int]
) -> None:
    make(till)
    other = make(till)
    clear(till)
    till.execute(f"update {table} set status = status, updated_at = updated_at")
    assert rows(till) == []
    till.execute(f"update {table} set currency = case when id = {other} then 'SGD' else currency end")
    assert [row[1] for row in rows(till)] == [other]


def test_an_item_update_that_changes_nothing_is_not_captured(till: Connection) -> None:
    item(till, sale(till))
    clear(till)
    till.execute("update pos_transaction_items set quantity = quantity")
    assert rows(till) == []


def test_a_no_op_update_followed_by_a_real_one_in_the_same_transaction_is_captured(till: Connection) -> None:
    sale_id = sale(till)
    clear(till)
    with till.transaction():
        till.execute("update pos_transactions set subtotal = subtotal")
        till.execute("update pos_transactions set subtotal = 12")
    assert rows(till) == [(POS, sale_id)]


def test_a_column_of_a_type_without_equality_disturbs_nothing(till: Connection) -> None:
    till.execute("alter table pos_transactions add column extra json, add column spot point")
    sale_id = sale(till)
    clear(till)
    till.execute("update pos_transactions set extra = extra, spot = spot")
    assert rows(till) == []
    till.execute("""update pos_transactions set extra = '{"a": 1}', spot = '(1,2)'""")
    assert rows(till) == [(POS, sale_id)]


def test_an_item_moved_to_another_sale_names_both(till: Connection) -> None:
    left, joined = sale(till), sale(till)
    item_id = item(till, left)
    clear(till)
    till.execute("update pos_transaction_items set transaction_id = %s where id = %s", [joined, item_id])
    assert sorted(rows(till)) == [(POS, left), (POS, joined)]


def test_a_refund_names_its_original_as_it_was_and_as_it_is(till: Connection) -> None:
    first, second = sale(till), sale(till)
    clear(till)
    refund = sale(till, first)
    assert sorted(rows(till)) == [(POS, first), (POS, refund)]
    clear(till)
    till.execute("update pos_transactions set original_txn_id = %s where id = %s", [second, refund])
    assert sorted(rows(till)) == [(POS, first), (POS, second), (POS, refund)]
    clear(till)
    till.execute("delete from pos_transactions where id = %s", [refund])
    assert sorted(rows(till)) == [(POS, second), (POS, refund)]


def test_a_refund_in_the_transaction_of_its_sale_names_both(till: Connection) -> None:
    with till.transaction():
        first, second = sale(till), sale(till)
        clear(till)
        refund = sale(till, first)
        till.execute("update pos_transactions set subtotal = 11 where id = %s", [refund])
        till.execute("update pos_transactions set original_txn_id = %s where id = %s", [second, refund])
    assert set(rows(till)) == {(POS, first), (POS, second), (POS, refund)}


def test_a_changed_primary_key_names_the_old_and_the_new(till: Connection) -> None:
    sale_id = sale(till)
    clear(till)
    with till.transaction():
        till.execute("update pos_transactions set subtotal = 11")
        till.execute("alter table pos_transactions alter id set generated by default")
        till.execute("update pos_transactions set id = 1000 + id")
    assert set(rows(till)) == {(POS, sale_id), (POS, 1000 + sale_id)}


def test_a_bulk_statement_names_each_aggregate_once(till: Connection) -> None:
    till.execute(
        "insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)"
        " select 1, 'S1', 'B' || n, 1, 1 from generate_series(1, 5000) as n"
    )
    ids = [row[0] for row in till.execute("select id from pos_transactions order by id")]
    assert sorted(rows(till)) == [(POS, i) for i in ids]
    clear(till)
    till.execute(
        "insert into pos_transaction_items"
        " (transaction_id, line_no, description, quantity, unit_price, line_total)"
        " select id, line, 'x', 1, 1, 1 from pos_transactions, generate_series(1, 2) as line"
    )
    assert sorted(rows(till)) == [(POS, i) for i in ids]
    clear(till)
    till.execute("update pos_transaction_items set quantity = case when line_no = 1 then 2 else quantity end")
    assert sorted(rows(till)) == [(POS, i) for i in ids]
    clear(till)
    till.execute("delete from pos_transactions")
    assert sorted(rows(till)) == sorted([(POS, i) for i in ids] * 2)  # the cascade is a statement of its own


def test_a_bulk_update_after_a_single_one_on_the_same_connection_is_not_planned_badly(
    till: Connection,
) -> None:
    item(till, sale(till))
    till.execute("update pos_transaction_items set quantity = 3")
    till.execute("update pos_transactions set subtotal = 3")
    till.execute(
        "insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)"
        " select 1, 'S1', 'B' || n, 1, 1 from generate_series(1, 30000) as n"
    )
    clear(till)
    till.execute("update pos_transactions set subtotal = 4")
    assert len(rows(till)) == 30_001


def test_copy_is_captured(till: Connection) -> None:
    with till.cursor() as cursor:
        columns = "blogger_id, store_code, receipt_no, subtotal, total_amount"
        with cursor.copy(f"copy pos_transactions ({columns}) from stdin") as copy:
            for n in range(3):
                copy.write_row((1, "S1", f"C{n}", 1, 1))
    ids = [row[0] for row in till.execute("select id from pos_transactions order by id")]
    assert sorted(rows(till)) == [(POS, i) for i in ids]
    assert len(ids) == 3


def test_merge_is_captured_in_each_of_its_branches(till: Connection) -> None:
    seen, gone = sale(till), sale(till)
    clear(till)
    till.execute(MERGE, {"seen": seen, "gone": gone})
    new = one(till, "select id from pos_transactions where receipt_no = 'M3'")
    assert set(rows(till)) == {(POS, seen), (POS, gone), (POS, new)}


def test_on_conflict_is_captured_for_inserted_and_for_updated_rows(till: Connection) -> None:
    till.execute(UPSERT, [["U1"]])
    clear(till)
    till.execute("update pos_transactions set subtotal = 1")
    clear(till)
    till.execute(UPSERT, [["U1", "U2"]])
    ids = [row[0] for row in till.execute("select id from pos_transactions")]
    assert sorted(rows(till)) == sorted((POS, i) for i in ids)
    clear(till)
    till.execute("""insert into pos_transactions (blogger_id, store_code, receipt_no, subtotal, total_amount)
        values (1, 'S1', 'U1', 9, 9) on conflict do nothing""")
    assert rows(till) == []


def test_a_statement_that_writes_both_tables_names_the_sale(till: Connection) -> None:
    sale_id = one(
        till,
        "with header as (insert into pos_transactions"
        " (blogger_id, store_code, receipt_no, subtotal, total_amount) values (1, 'S1', 'W1', 1, 1)"
        " returning id)"
        " insert into pos_transaction_items"
        " (transaction_id, line_no, description, quantity, unit_price, line_total)"
        " select id, 1, 'x', 1, 1, 1 from header returning transaction_id",
    )
    assert set(rows(till)) == {(POS, sale_id)}


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_every_isolation_level_is_captured(till: Connection, level: str) -> None:
    with till.transaction():
        till.execute(f"set transaction isolation level {level}")
        sale_id = sale(till)
        item(till, sale_id)
    assert rows(till) == [(POS, sale_id)]


def test_a_prepared_transaction_is_captured_when_it_is_committed(till: Connection, any_database: str) -> None:
    till.execute("begin")
    sale_id = sale(till)
    xid = one(till, "select pg_current_xact_id()::text")
    till.execute("prepare transaction 'sale'")
    other = sale(till)
    assert rows(till) == [(POS, other)]
    with connected(any_database) as second:
        second.execute("commit prepared 'sale'")
    assert set(rows(till)) == {(POS, sale_id), (POS, other)}
    assert one(till, "select xid::text from aiaccount.outbox where aggregate_id = %s", sale_id) == xid


def test_truncate_raises_an_alert_for_each_table(till: Connection) -> None:
    item(till, sale(till))
    till.execute("truncate pos_transactions cascade")
    till.execute("truncate kol_settlements")
    assert [kind for kind, _ in alerts(till)] == ["truncate"] * 3
    assert "public.pos_transaction_items" in " ".join(detail for _, detail in alerts(till))


def test_a_restore_as_a_replica_fires_nothing(till: Connection) -> None:
    till.execute("set session_replication_role = replica")
    sale(till)
    assert rows(till) == []


def test_rows_are_live_for_all_endpoints_and_under_the_transactions_id(till: Connection) -> None:
    with till.transaction():
        with till.transaction():
            sale(till)
        xid = one(till, "select pg_current_xact_id()::text")
    found = till.execute("select xid::text, endpoint, lane from aiaccount.outbox").fetchall()
    assert found == [(xid, None, "live")]
