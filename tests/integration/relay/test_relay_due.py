"""Tasks that are due come into the outbox, live ones first, and come again if nobody claims them."""

import psycopg
import pytest

from outbox.due import MOST_TASKS, take_due
from outbox.endpoints import Endpoint
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from outbox.sweep import SWEEP_REST_SECONDS, SWEEP_SECONDS
from tests.integration.relay.conftest import Connect
from tests.integration.relay.recorder import ENVIRONMENT, Recorder, drain


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


def subscribe(
    connection: psycopg.Connection, tenant_id: int, per_minute: int | None = 60, at_once: int | None = 5
) -> None:
    """Enter a tenant with a share of AiAccount."""
    connection.execute(
        "insert into aiaccount.tenants"
        " (tenant_id, company_name, kol_mode, cutover_date, calls_per_minute, calls_at_once)"
        " values (%s, 'A shop', 'single', '2026-01-01', %s, %s)",
        [tenant_id, per_minute, at_once],
    )


def owe_many(connection: psycopg.Connection, tenant_id: int, count: int, lane: str = "live") -> None:
    """Write tasks of a tenant that have been due since long."""
    connection.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, lane, due_at)"
        " select 'pos_invoice', %s * 100000 + n, %s, %s, now() - interval '1 hour'"
        " from generate_series(1, %s) as n",
        [tenant_id, tenant_id, lane, count],
    )


def by_tenant(connection: psycopg.Connection) -> dict[int, int]:
    """Return how many tasks of each tenant are in the outbox."""
    counted = connection.execute(
        "select aggregate_id / 100000, count(*) from aiaccount.outbox group by 1 order by 1"
    )
    return dict(counted.fetchall())


def test_a_tenant_with_much_to_do_stands_in_nobodys_way(writer: psycopg.Connection) -> None:
    subscribe(writer, 1)
    subscribe(writer, 2)
    owe_many(writer, 1, 5_000)
    owe_many(writer, 2, 1)
    take_due(writer)
    assert by_tenant(writer) == {1: 21, 2: 1}, "five calls are left: four tasks for each, and one"


def test_what_is_out_already_counts(writer: psycopg.Connection) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 5_000)
    assert take_due(writer) == 21
    assert take_due(writer) == 0
    writer.execute("update aiaccount.tasks set due_at = null, leases = 0 where aggregate_id <= 100010")
    assert take_due(writer) == 10


def test_a_lease_that_has_run_out_does_not_count(writer: psycopg.Connection) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 21)
    assert take_due(writer) == 21
    writer.execute("update aiaccount.tasks set due_at = now()")
    assert take_due(writer) == 21


PACED = """
    insert into aiaccount.documents
      (company_id, endpoint, aggregate_id, number, tenant_id, verdict, code, next_at)
    values ('C1', 'kol_bill', 9, 'KS1', 1, 'retry', 'PACED', now() + %s::interval)
"""


def test_while_documents_wait_for_their_call_just_as_many_are_taken_as_there_are_calls(
    writer: psycopg.Connection,
) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 5_000)
    writer.execute(PACED, ["1 second"])
    assert take_due(writer) == 5
    assert take_due(writer) == 0, "each of them may ask for a call"
    writer.execute(
        "update aiaccount.tasks"
        " set token = gen_random_uuid(), busy_until = due_at, calling_for = 1, leases = 0"
        " where aggregate_id in (100001, 100002)"
    )
    writer.execute(
        "insert into aiaccount.paces (tenant_id, spent_until)"
        " select 1, now() + 2 * every from aiaccount.shares"
    )
    assert take_due(writer) == 0, "two have theirs, three are left, and three ask"
    writer.execute("update aiaccount.tasks set due_at = null, leases = 0 where aggregate_id = 100003")
    assert take_due(writer) == 1


@pytest.mark.parametrize("since", ["-11 minutes", None])
def test_what_waited_for_its_call_long_ago_holds_up_nothing(
    writer: psycopg.Connection, since: str | None
) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 100)
    writer.execute(PACED, [since])
    assert take_due(writer) == 21


def test_what_nobody_claims_holds_up_what_waits_for_its_call_for_ten_seconds(
    writer: psycopg.Connection,
) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 100)
    writer.execute(PACED, ["1 second"])
    assert take_due(writer) == 5
    writer.execute("update aiaccount.tasks set due_at = due_at - interval '11 seconds' where leases > 0")
    assert take_due(writer) == 5


def test_a_tenant_without_limits_is_taken_as_it_comes(writer: psycopg.Connection) -> None:
    subscribe(writer, 1, None, None)
    owe_many(writer, 1, 300)
    assert take_due(writer) == 300


def test_a_tenant_whose_limits_were_lifted_is_taken_as_it_comes_whatever_waited(
    writer: psycopg.Connection,
) -> None:
    subscribe(writer, 1, None, None)
    owe_many(writer, 1, 300)
    writer.execute(PACED, ["1 second"])
    assert take_due(writer) == 300


@pytest.mark.parametrize("pace", ["spent_until", "closed_until"])
def test_a_tenant_that_may_not_be_called_now_is_left_where_it_is(
    writer: psycopg.Connection, pace: str
) -> None:
    """Its share is used up, or AiAccount said to wait."""
    for tenant_id in (1, 2):
        subscribe(writer, tenant_id)
        owe_many(writer, tenant_id, 3)
    row = "values (1, now() + interval '30 seconds')"
    writer.execute(f"insert into aiaccount.paces (tenant_id, {pace}) {row}")
    take_due(writer)
    assert by_tenant(writer) == {2: 3}


def test_of_an_endpoint_that_is_down_nothing_is_taken_until_it_may_be_probed(
    writer: psycopg.Connection,
) -> None:
    subscribe(writer, 1)
    owe_many(writer, 1, 3)
    owe(writer, 7, endpoint="kol_bill")
    writer.execute("update aiaccount.tasks set tenant_id = 1")
    writer.execute(
        "insert into aiaccount.outages (endpoint, reason, probe_at)"
        " values ('pos_invoice', 'HTTP 503', now() + interval '30 seconds')"
    )
    take_due(writer)
    assert taken(writer) == [7]
    writer.execute("update aiaccount.outages set probe_at = now()")
    assert take_due(writer) == 3


def test_of_backfills_there_is_a_bound_in_all_and_each_has_its_part(writer: psycopg.Connection) -> None:
    for tenant_id in (1, 2, 3):
        subscribe(writer, tenant_id, None, None)
        owe_many(writer, tenant_id, 1_000, "backfill")
    owe_many(writer, 4, 5)
    subscribe(writer, 4, None, None)
    take_due(writer, backfill=30)
    counted = by_tenant(writer)
    assert counted.pop(4) == 5, "live sales are not bounded by it"
    assert sum(counted.values()) == 30
    assert min(counted.get(tenant_id, 0) for tenant_id in (1, 2, 3)) >= 8, "none takes the others' part"
    assert take_due(writer, backfill=30) == 0, "so many are under way"


def test_a_backfill_leaves_the_rest_of_a_share_to_live_tasks(writer: psycopg.Connection) -> None:
    subscribe(writer, 1, 24, None)  # two calls, one of them for live ones only
    owe_many(writer, 1, 100, "backfill")
    assert take_due(writer) == 5
    writer.execute(
        "insert into aiaccount.paces (tenant_id, spent_until) select 1, now() + every from aiaccount.shares"
    )
    writer.execute("update aiaccount.tasks set due_at = null, leases = 0 where leases > 0")
    assert take_due(writer) == 0
    writer.execute("update aiaccount.tasks set lane = 'live' where aggregate_id > 100090")
    assert take_due(writer) == 5


def test_a_sweep_that_a_lock_held_up_does_not_keep_the_next_one_waiting(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, swept = [0.0], [0]

    def held_up(_: psycopg.Connection) -> int:
        now[0] += 45.0
        swept[0] += 1
        return 0

    monkeypatch.setattr("outbox.sweep.take_due", held_up)
    lead = Leadership(database, ENVIRONMENT)
    relay = Relay(lead, Recorder, ENVIRONMENT, watcher=RelayMetrics(), clock=lambda: now[0])
    try:
        for _ in range(3):
            assert relay.run_once().leading
            now[0] += SWEEP_REST_SECONDS + 2 * SWEEP_SECONDS
    finally:
        relay.close()
    assert swept == [3]


def test_of_100_000_due_tasks_a_tick_takes_few(relay: Relay, writer: psycopg.Connection) -> None:
    writer.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, due_at)"
        " select 'pos_invoice', number, number % 7, now() from generate_series(1, 100000) as number"
    )
    tick = relay.run_once()
    assert 0 < tick.tasks <= MOST_TASKS
    assert tick.rows <= MOST_TASKS
