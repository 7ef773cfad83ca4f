"""How a chunk is read, sent and acknowledged before the cursor moves."""

import json

import psycopg
import pytest

from outbox.cursor import CHUNK_ROWS, search
from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.errors import BrokerError
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from outbox.statements import statements
from tests.integration.relay.conftest import Connect, MakeRelay
from tests.integration.relay.recorder import ENVIRONMENT, Recorder, change, drain

FEW_BLOCKS = 40


def standing(connection: psycopg.Connection) -> tuple[str, str | None, str | None]:
    """Return the cursor as it is written."""
    row = connection.execute(
        "select from_snapshot::text, target_snapshot::text, after_xid::text from aiaccount.relay_cursor"
    ).fetchone()
    assert row is not None
    return row


def test_a_change_becomes_a_message_with_its_identity(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    change(writer, 42, endpoint="pos_receipt")
    drain(relay)
    xid, seq, at = writer.execute("select xid::text, seq, created_at from aiaccount.outbox").fetchall()[0]
    (envelope,) = recorder.envelopes
    assert recorder.sent[0].topic == TOPICS[Aggregate.POS_TRANSACTION]
    assert envelope.aggregate is Aggregate.POS_TRANSACTION
    assert envelope.aggregate_id == 42
    assert envelope.endpoint is Endpoint.POS_RECEIPT
    assert envelope.event_id == f"{xid}-{seq}"
    assert envelope.created_at == at
    assert envelope.traceparent is not None


def test_an_aggregate_stands_once_in_a_chunk_for_each_endpoint_in_its_most_urgent_lane(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    change(writer, 1, 1, lane="backfill")
    change(writer, 1, endpoint="pos_invoice")
    change(writer, 1, 2)
    drain(relay)
    seen = [(each.aggregate_id, each.endpoint, each.lane) for each in recorder.envelopes]
    assert seen == [(1, None, "live"), (1, Endpoint.POS_INVOICE, "live"), (2, None, "live")]


def test_a_large_transaction_is_sent_in_chunks_and_each_row_once(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    relay = make_relay(recorder, chunk_rows=7)
    relay.run_once()
    with writer.transaction():
        change(writer, *range(50))
    assert drain(relay) == 8
    assert recorder.ids == list(range(50))


def test_a_restart_in_the_middle_of_a_target_goes_on_after_the_last_chunk(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    first = make_relay(recorder, chunk_rows=2)
    first.run_once()
    change(writer, 1, 2, 3, 4, 5)
    first.run_once()
    change(writer, 6)
    end_session(writer)
    second = make_relay(recorder, chunk_rows=2)
    drain(second)
    assert recorder.ids == [1, 2, 3, 4, 5, 6]


def end_session(writer: psycopg.Connection) -> None:
    """Cut the relay's session: what it has in memory is worth nothing."""
    writer.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and application_name = 'aiaccount-sync relay'"
    )


def test_what_is_not_acknowledged_does_not_move_the_cursor_and_is_sent_again(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    change(writer, 1)
    before = standing(writer)
    recorder.refusals = 1
    with pytest.raises(BrokerError):
        relay.run_once()
    assert standing(writer) == before
    relay.close()
    drain(relay)
    assert recorder.ids == [1, 1]
    assert standing(writer) != before


def test_a_chunk_that_was_read_ahead_is_not_passed_over_when_the_one_before_it_fails(
    make_relay: MakeRelay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    relay = make_relay(recorder, chunk_rows=2)
    relay.run_once()
    change(writer, 1, 2, 3, 4)
    recorder.refusals = 1
    with pytest.raises(BrokerError):
        relay.run_once()
    relay.close()
    drain(relay)
    assert recorder.ids == [1, 2, 1, 2, 3, 4]


def test_a_tick_that_finds_nothing_writes_nothing(relay: Relay, writer: psycopg.Connection) -> None:
    before = writer.execute("select ctid::text from aiaccount.relay_cursor").fetchone()
    writer.execute("create table elsewhere ()")
    for _ in range(5):
        relay.run_once()
    assert writer.execute("select ctid::text from aiaccount.relay_cursor").fetchone() == before


def test_the_cursor_is_found_again_when_its_row_was_moved(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    for _ in range(3):
        change(writer, 1)
        drain(relay)
    writer.execute("vacuum full aiaccount.relay_cursor")
    change(writer, 2)
    drain(relay)
    assert recorder.ids[-1] == 2
    assert standing(writer)[0].split(":")[0] != "0"


def test_reading_touches_only_the_right_edge_of_a_long_outbox(
    relay: Relay, writer: psycopg.Connection, connect: Connect
) -> None:
    open_for_long = connect()
    change(open_for_long, 1)
    writer.execute(
        "insert into aiaccount.outbox (aggregate_type, aggregate_id)"
        " select 'pos_transaction', n from generate_series(1, 30000) as n"
    )
    drain(relay)
    change(writer, 2)
    open_for_long.commit()
    leader = Leadership(writer.info.dsn, ENVIRONMENT)
    relay.close()
    cursor = leader.take()
    assert cursor is not None
    assert str(cursor.position.open) != "[]", "the old transaction was open in the snapshot"
    plan = cursor.session.execute(
        "explain (analyze, buffers, format json) " + statements("outbox", "cursor.sql")["read_chunk"],
        search(cursor.position, CHUNK_ROWS),
    ).fetchall()[0][0]
    touched = plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"]
    leader.drop()
    assert plan[0]["Plan"]["Actual Rows"] == 2
    assert touched < FEW_BLOCKS, json.dumps(plan)


def test_the_failpoints_of_a_chunk_are_passed_in_their_order(
    database: str, writer: psycopg.Connection
) -> None:
    passed: list[str] = []
    relay = Relay(
        Leadership(database, ENVIRONMENT), Recorder, ENVIRONMENT, watcher=RelayMetrics(), reach=passed.append
    )
    relay.run_once()
    passed.clear()
    change(writer, 1)
    while "relay.moved" not in passed:
        relay.run_once()
    relay.close()
    assert passed[-4:] == ["relay.read", "relay.sent", "relay.acknowledged", "relay.moved"]
