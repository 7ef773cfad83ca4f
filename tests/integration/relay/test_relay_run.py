"""The relay's loop: it goes on after errors, and ends in good order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from outbox.errors import BrokerError, InstallationError
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay, Tempo
from tests.integration.relay.recorder import ENVIRONMENT, Recorder, change
from tests.waiting import wait_for

QUICK = Tempo(standby=0.01, first_backoff=0.01, last_backoff=0.02)


@contextmanager
def running(relay: Relay) -> Iterator[threading.Event]:
    """Run the relay in a thread; end it and see that it ended."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=[stop])
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def metrics() -> RelayMetrics:
    return RelayMetrics()


@pytest.fixture
def looping(database: str, recorder: Recorder, metrics: RelayMetrics) -> Relay:
    return Relay(
        Leadership(database, ENVIRONMENT), lambda: recorder, ENVIRONMENT, watcher=metrics, tempo=QUICK
    )


def test_changes_are_sent_while_it_runs(
    looping: Relay, recorder: Recorder, metrics: RelayMetrics, writer: psycopg.Connection
) -> None:
    with running(looping):
        change(writer, 1)
        wait_for(lambda: recorder.ids == [1], 5, "the first message")
        change(writer, 2)
        wait_for(lambda: recorder.ids == [1, 2], 5, "the second message")
        assert metrics.ready()
        assert metrics.registry.get_sample_value("aiaccount_sync_relay_leader") == 1
    assert metrics.registry.get_sample_value("aiaccount_sync_relay_leader") == 0
    assert metrics.registry.get_sample_value("aiaccount_sync_relay_messages_total") == 2


def test_what_kafka_refuses_is_sent_until_it_takes_it(
    looping: Relay, recorder: Recorder, metrics: RelayMetrics, writer: psycopg.Connection
) -> None:
    recorder.refusals = 3
    change(writer, 1)
    with running(looping):
        wait_for(
            lambda: metrics.registry.get_sample_value("aiaccount_sync_relay_messages_total") == 1,
            5,
            "an acknowledged message",
        )
    assert recorder.ids == [1, 1, 1, 1]
    assert recorder.closed == 4
    assert (
        metrics.registry.get_sample_value("aiaccount_sync_relay_errors_total", {"kind": "BrokerError"}) == 3
    )


def test_it_goes_on_when_its_session_is_cut(
    looping: Relay, recorder: Recorder, metrics: RelayMetrics, writer: psycopg.Connection
) -> None:
    with running(looping):
        wait_for(metrics.ready, 5, "the lead")
        writer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and application_name = 'aiaccount-sync relay'"
        )
        change(writer, 1)
        wait_for(lambda: recorder.ids == [1], 5, "the message")
    failed = {"kind": "DatabaseError"}
    assert metrics.registry.get_sample_value("aiaccount_sync_relay_errors_total", failed) == 1


def test_a_sweep_that_fails_holds_up_nothing_that_was_written(
    looping: Relay, recorder: Recorder, metrics: RelayMetrics, writer: psycopg.Connection
) -> None:
    epoch = "select epoch from aiaccount.relay_cursor"
    writer.execute("alter table aiaccount.outbox add constraint no_room check (lane <> 'backfill')")
    writer.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, lane, due_at)"
        " values ('pos_invoice', 7, 'backfill', now())"
    )
    change(writer, 1)
    with running(looping):
        wait_for(lambda: recorder.ids == [1], 5, "the message")
        led = writer.execute(epoch).fetchall()
        failed = lambda: metrics.registry.get_sample_value("aiaccount_sync_relay_failed_sweeps_total")  # noqa: E731
        wait_for(lambda: failed() == 2, 10, "another sweep that fails")
        writer.execute("alter table aiaccount.outbox drop constraint no_room")
        wait_for(lambda: recorder.ids == [1, 7], 10, "what is due")
        assert writer.execute(epoch).fetchall() == led


def test_a_broker_that_is_not_there_at_first_is_waited_for(
    database: str, recorder: Recorder, writer: psycopg.Connection
) -> None:
    tries: list[int] = []

    def connect() -> Recorder:
        tries.append(1)
        if len(tries) < 3:
            raise BrokerError("no broker answers")
        return recorder

    relay = Relay(
        Leadership(database, ENVIRONMENT), connect, ENVIRONMENT, watcher=RelayMetrics(), tempo=QUICK
    )
    change(writer, 1)
    with running(relay):
        wait_for(lambda: recorder.ids == [1], 5, "the message")


def test_where_it_has_come_to_is_written_at_the_end(
    looping: Relay, metrics: RelayMetrics, writer: psycopg.Connection
) -> None:
    writer.execute("create table elsewhere ()")
    (now,) = writer.execute("select pg_snapshot_xmax(pg_current_snapshot())::text").fetchall()[0]
    with running(looping):
        wait_for(metrics.ready, 5, "the lead")
        idle = lambda: metrics.registry.get_sample_value("aiaccount_sync_relay_ticks_total") > 3  # noqa: E731
        wait_for(idle, 5, "some idle ticks")
    (handled,) = writer.execute(
        "select pg_snapshot_xmax(from_snapshot)::text from aiaccount.relay_cursor"
    ).fetchall()[0]
    assert int(handled) >= int(now)


def test_a_database_that_is_not_ours_ends_it(database: str) -> None:
    relay = Relay(Leadership(database, "production"), Recorder, "production", watcher=RelayMetrics())
    with pytest.raises(InstallationError):
        relay.run(threading.Event())
