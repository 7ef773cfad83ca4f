"""What commits when, and whether it is found: ours beside the two simpler cursors, which fail."""

import psycopg

from tests.integration.relay.conftest import Connect
from tests.integration.relay.cursors import ByOldestRunning, BySequence, MakeWay, SnapshotDiff
from tests.integration.relay.recorder import change


def commits_in_reverse_order(make: MakeWay, session: psycopg.Connection, connect: Connect) -> list[int]:
    way = make(session)
    first, second = connect(), connect()
    change(first, 1)
    change(second, 2)
    second.commit()
    way.tick()
    first.commit()
    way.tick()
    return way.ids


def beside_a_transaction_that_stays_open(
    make: MakeWay, session: psycopg.Connection, connect: Connect
) -> list[int]:
    way = make(session)
    bystander, till = connect(), connect()
    bystander.execute("select pg_current_xact_id()")
    change(till, 1)
    till.commit()
    way.tick()
    sent = list(way.ids)
    bystander.rollback()
    return sent


def a_prepared_transaction(make: MakeWay, session: psycopg.Connection, connect: Connect) -> list[int]:
    way = make(session)
    till, other = connect(), connect()
    xid = till.xid(0, f"till-{till.info.dbname}", "sale")
    till.tpc_begin(xid)
    change(till, 1)
    till.tpc_prepare()
    change(other, 2)
    other.commit()
    way.tick()
    assert 1 not in way.ids, "nothing is sent before it is committed"
    till.tpc_commit()
    way.tick()
    return way.ids


def test_commits_in_reverse_order_are_all_found(writer: psycopg.Connection, connect: Connect) -> None:
    assert commits_in_reverse_order(SnapshotDiff, writer, connect) == [2, 1]


def test_commits_in_reverse_order_lose_a_row_by_sequence(
    writer: psycopg.Connection, connect: Connect
) -> None:
    assert commits_in_reverse_order(BySequence, writer, connect) == [2]


def test_a_transaction_that_stays_open_holds_up_nobody(writer: psycopg.Connection, connect: Connect) -> None:
    assert beside_a_transaction_that_stays_open(SnapshotDiff, writer, connect) == [1]


def test_a_transaction_that_stays_open_stalls_the_oldest_running(
    writer: psycopg.Connection, connect: Connect
) -> None:
    assert beside_a_transaction_that_stays_open(ByOldestRunning, writer, connect) == []


def test_a_prepared_transaction_is_found_when_it_commits(
    writer: psycopg.Connection, connect: Connect
) -> None:
    assert a_prepared_transaction(SnapshotDiff, writer, connect) == [2, 1]


def test_a_prepared_transaction_is_lost_by_sequence(writer: psycopg.Connection, connect: Connect) -> None:
    assert a_prepared_transaction(BySequence, writer, connect) == [2]


def test_a_prepared_transaction_stalls_the_oldest_running(
    writer: psycopg.Connection, connect: Connect
) -> None:
    till, other = connect(), connect()
    way = ByOldestRunning(writer)
    till.tpc_begin(till.xid(0, f"stall-{till.info.dbname}", "sale"))
    change(till, 1)
    till.tpc_prepare()
    change(other, 2)
    other.commit()
    way.tick()
    assert way.ids == []
    till.tpc_rollback()


def test_what_is_rolled_back_is_never_sent(writer: psycopg.Connection, connect: Connect) -> None:
    way = SnapshotDiff(writer)
    till = connect()
    change(till, 1)
    way.tick()
    till.rollback()
    change(till, 2)
    till.execute("savepoint one")
    change(till, 3)
    till.execute("rollback to one")
    till.commit()
    way.tick()
    assert way.ids == [2]
