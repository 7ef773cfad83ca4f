"""Tasks that are due come into the outbox, live ones first, and come again if nobody claims them."""

import psycopg

from outbox.due import take_due
from outbox.endpoints import Endpoint
from outbox.relay import Relay
from tests.integration.relay.conftest import Connect
from tests.integration.relay.recorder import Recorder, drain


def owe(
    connection: psycopg.Connection,
    aggregate_id: int,
    *,
    endpoint: str = "pos_invoice",
    lane: str = "live",
    seconds: int = -1,
) -> None:
    """Write a task that is due in `seconds`."""
    connection.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, lane, due_at)"
        " values (%s, %s, %s, clock_timestamp() + make_interval(secs => %s))",
        [endpoint, aggregate_id, lane, seconds],
    )


def taken(connection: psycopg.Connection) -> list[int]:
    """Return the aggregates in the outbox, in order."""
    rows = connection.execute("select aggregate_id from aiaccount.outbox order by xid, seq").fetchall()
    return [aggregate_id for (aggregate_id,) in rows]


def test_a_due_task_is_sent_with_its_endpoint_and_lane(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    owe(writer, 3, endpoint="kol_payment", lane="backfill")
    owe(writer, 4, seconds=60)
    while not recorder.sent:
        relay.run_once()
    drain(relay)
    (envelope,) = recorder.envelopes
    assert (envelope.aggregate_id, envelope.endpoint, envelope.lane) == (3, Endpoint.KOL_PAYMENT, "backfill")
    assert recorder.sent[0].topic == "aiaccount.kol-settlements"


def test_live_tasks_are_taken_before_those_of_a_backfill_and_the_longest_due_first(
    writer: psycopg.Connection,
) -> None:
    for aggregate_id in range(1, 6):
        owe(writer, aggregate_id, lane="backfill", seconds=-100 + aggregate_id)
    owe(writer, 10, seconds=-2)
    owe(writer, 11, seconds=-3)
    assert take_due(writer, 4) == 4
    assert sorted(taken(writer)) == [1, 2, 10, 11]
    assert take_due(writer, 4) == 3
    assert take_due(writer, 4) == 0


def test_a_lease_is_five_minutes_and_doubles_up_to_an_hour_while_nobody_claims(
    writer: psycopg.Connection,
) -> None:
    owe(writer, 1)
    minutes = []
    for _ in range(6):
        take_due(writer)
        (left,) = writer.execute(
            "select round(extract(epoch from due_at - clock_timestamp()) / 60)::int from aiaccount.tasks"
        ).fetchall()[0]
        minutes.append(left)
        writer.execute("update aiaccount.tasks set due_at = now()")
    assert minutes == [5, 10, 20, 40, 60, 60]


def test_a_task_that_someone_has_locked_is_passed_over_and_waits_for_nobody(
    writer: psycopg.Connection, connect: Connect
) -> None:
    owe(writer, 1)
    owe(writer, 2)
    busy = connect()
    busy.execute("select from aiaccount.tasks where aggregate_id = 1 for update")
    assert take_due(writer) == 1
    assert taken(writer) == [2]


def test_an_empty_sweep_takes_no_transaction_id(writer: psycopg.Connection) -> None:
    owe(writer, 1, seconds=60)
    with writer.transaction():
        assert take_due(writer) == 0
        assert writer.execute("select pg_current_xact_id_if_assigned()").fetchall() == [(None,)]
