"""Whether a relay is alive and ready, by its own clock."""

from outbox.errors import BrokerError
from outbox.metrics import STALLED_SECONDS, RelayMetrics
from outbox.relay import Tick


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_relay_is_ready_once_it_leads_or_stands_by_and_not_after_an_error() -> None:
    metrics = RelayMetrics()
    assert not metrics.ready()
    metrics.led(leading=False)
    assert metrics.ready()
    metrics.failed(BrokerError("gone"))
    assert not metrics.ready()
    metrics.ticked(Tick(leading=True), 0.001)
    assert metrics.ready()


def test_a_loop_that_does_not_turn_is_not_alive() -> None:
    clock = Clock()
    metrics = RelayMetrics(clock)
    clock.now += STALLED_SECONDS + 1
    assert not metrics.alive()
    metrics.ticked(Tick(leading=True), 0.001)
    assert metrics.alive()


def test_a_tick_is_counted() -> None:
    metrics = RelayMetrics()
    metrics.ticked(Tick(leading=True, rows=5, messages=3, tasks=2), 0.02)
    metrics.ticked(Tick(leading=True), 0.001)
    value = metrics.registry.get_sample_value
    assert value("aiaccount_sync_relay_ticks_total") == 2
    assert value("aiaccount_sync_relay_rows_total") == 5
    assert value("aiaccount_sync_relay_messages_total") == 3
    assert value("aiaccount_sync_relay_due_tasks_total") == 2
    assert value("aiaccount_sync_relay_tick_seconds_count") == 1
