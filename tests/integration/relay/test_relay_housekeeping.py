"""Beside the relay: old rows go, and the gauges tell the truth."""

import threading

import psycopg

from outbox.cursor import prune
from outbox.housekeeping import Housekeeping
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.integration.relay.conftest import Connect
from tests.integration.relay.recorder import Recorder, change, drain
from tests.waiting import wait_for

DAY = 86_400.0


def age(connection: psycopg.Connection, days: int, *ids: int) -> None:
    """Let rows have been captured some days ago."""
    connection.execute(
        "update aiaccount.outbox set created_at = now() - make_interval(days => %s)"
        " where aggregate_id = any (%s)",
        [days, list(ids)],
    )


def left(connection: psycopg.Connection) -> list[int]:
    rows = connection.execute("select aggregate_id from aiaccount.outbox order by aggregate_id").fetchall()
    return [aggregate_id for (aggregate_id,) in rows]


def test_rows_older_than_a_day_that_the_cursor_has_passed_go_in_batches(
    relay: Relay, writer: psycopg.Connection
) -> None:
    change(writer, *range(10))
    drain(relay)
    age(writer, 2, *range(7))
    relay.close()
    assert prune(writer, DAY, 5) == 5
    assert prune(writer, DAY, 5) == 2
    assert prune(writer, DAY, 5) == 0
    assert left(writer) == [7, 8, 9]


def test_a_row_that_was_not_sent_stays_however_old(
    relay: Relay, recorder: Recorder, writer: psycopg.Connection, connect: Connect
) -> None:
    slow = connect()
    change(slow, 1)
    change(writer, 2)
    drain(relay)
    relay.close()
    slow.commit()
    age(writer, 9, 1, 2)
    prune(writer, DAY)
    assert 1 in left(writer)
    drain(relay)
    assert 1 in recorder.ids


def test_the_gauges_show_unread_rows_due_tasks_and_stopped_tenants(
    relay: Relay, writer: psycopg.Connection, connect: Connect
) -> None:
    slow = connect()
    change(slow, 1)
    change(writer, 2)
    drain(relay)
    slow.commit()
    relay.close()
    change(writer, 3, 4)
    age(writer, 1, 1)
    writer.execute(
        "insert into aiaccount.tenants (tenant_id, company_name, kol_mode, cutover_date)"
        " values (7, 'Kedai', 'single', '2026-01-01')"
    )
    writer.execute(
        "insert into aiaccount.stops (tenant_id, endpoint, code, reason, key_version, settings_version)"
        " values (7, '*', 'KEY', 'rejected', 1, 1), (7, 'kol_bill', 'KEY', 'rejected', 1, 1)"
    )
    writer.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, due_at, leases) values"
        " ('pos_invoice', 1, now(), 0), ('pos_invoice', 2, now() - interval '1 hour', 0),"
        " ('pos_invoice', 3, now() + interval '1 hour', 2), ('pos_invoice', 4, now() + interval '1 hour', 1)"
    )
    metrics = RelayMetrics()
    metrics.survey(writer)
    gauge = metrics.registry.get_sample_value
    assert gauge("aiaccount_sync_outbox_unread_rows") == 3
    assert gauge("aiaccount_sync_outbox_age_seconds") >= DAY
    assert gauge("aiaccount_sync_tasks_due") == 2
    assert gauge("aiaccount_sync_tasks_overdue") == 2
    assert gauge("aiaccount_sync_tenants_stopped") == 1


def test_housekeeping_goes_on_when_its_session_is_cut(database: str, writer: psycopg.Connection) -> None:
    metrics = RelayMetrics()
    keeping = Housekeeping(database, metrics)
    stop = threading.Event()
    thread = threading.Thread(target=keeping.run, args=[stop])
    thread.start()
    named = "from pg_stat_activity where application_name = 'aiaccount-sync housekeeping'"
    wait_for(lambda: writer.execute(f"select 1 {named}").fetchall(), 5, "its session")
    writer.execute(f"select pg_terminate_backend(pid, 5000) {named}")
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert keeping.run_once() == 0
    keeping.close()
