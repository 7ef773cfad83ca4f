"""A sale takes one outbox row, however many statements write it, and rollbacks take nothing away."""

import pytest

from tests.integration.capture.till import (
    KOL,
    POS,
    Connection,
    clear,
    item,
    one,
    rows,
    sale,
    settlement,
    usual_sale,
)
from tests.integration.capture.tree import Tree

NEXT_ID = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def test_a_usual_sale_takes_one_row(till: Connection) -> None:
    assert [usual_sale(till) for _ in range(3)] == [sale_id for _, sale_id in rows(till)]


def test_a_usual_sale_takes_one_transaction_id_more_than_its_own(till: Connection) -> None:
    def taken() -> int:
        before = int(one(till, NEXT_ID))
        usual_sale(till)
        return int(one(till, NEXT_ID)) - before

    assert min(taken() for _ in range(5)) == 2  # the least: autovacuum may take one of its own


def test_a_refund_with_its_original_takes_one_row_each(till: Connection) -> None:
    original = usual_sale(till)
    clear(till)
    with till.transaction():
        refund = sale(till, original)
        item(till, refund)
        till.execute("update pos_transactions set total_amount = 9 where id = %s", [refund])
        item(till, refund)
    assert sorted(rows(till)) == [(POS, original), (POS, refund)]


def test_the_next_transaction_captures_the_same_sale_again(till: Connection) -> None:
    sale_id = usual_sale(till)
    item(till, sale_id)
    item(till, sale_id)
    assert rows(till) == [(POS, sale_id)] * 3


def test_two_sales_in_turn_are_both_captured(till: Connection) -> None:
    with till.transaction():
        first, second = sale(till), sale(till)
        for sale_id in (first, second, first, second):
            item(till, sale_id)
    assert set(rows(till)) == {(POS, first), (POS, second)}


def test_a_sale_and_a_settlement_of_the_same_id_are_both_captured(till: Connection) -> None:
    with till.transaction():
        sale_id, settlement_id = sale(till), settlement(till)
    assert sale_id == settlement_id
    assert set(rows(till)) == {(POS, sale_id), (KOL, settlement_id)}


def test_an_id_that_begins_like_the_one_captured_is_another(till: Connection) -> None:
    one_, *_, eleven, twelve = [sale(till) for _ in range(12)]
    assert (one_, eleven, twelve) == (1, 11, 12)
    clear(till)
    with till.transaction():
        for sale_id in (twelve, one_, eleven, one_):
            item(till, sale_id)
    assert rows(till) == [(POS, 12), (POS, 1), (POS, 11), (POS, 1)]


def test_a_setting_left_by_the_session_matches_nothing(till: Connection) -> None:
    till.execute("set aiaccount.captured = '1 pos_transaction 1'")
    sale_id = usual_sale(till)
    assert rows(till) == [(POS, sale_id)]


def test_a_setting_reset_in_the_middle_costs_a_row_and_loses_none(till: Connection) -> None:
    with till.transaction():
        sale_id = sale(till)
        till.execute("reset all")
        item(till, sale_id)
    assert rows(till) == [(POS, sale_id)] * 2


def test_a_rolled_back_savepoint_takes_the_guard_back_with_the_row(till: Connection) -> None:
    with till.transaction():
        first = sale(till)
        sale(till)
        clear(till)
        with till.transaction(force_rollback=True):
            item(till, first)
        item(till, first)
    assert rows(till) == [(POS, first)]


@pytest.mark.parametrize("hundred", range(0, 400, 100))
def test_random_trees_of_savepoints_name_exactly_what_their_committed_parts_changed(
    till: Connection, hundred: int
) -> None:
    for seed in range(hundred, hundred + 100):
        clear(till)
        tree = Tree(till, seed)
        keep = tree.random.random() < 0.9
        with till.transaction(force_rollback=not keep):
            changed = tree.grow(depth=3)
        assert set(rows(till)) == (changed if keep else set()), f"seed {seed}"
