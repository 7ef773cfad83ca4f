"""Metrics and health, asked over a socket."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry, Gauge

from outbox.health import Health


@dataclass
class State:
    """What the process would say of itself."""

    ready: bool = True
    alive: bool = True


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
def health(state: State) -> Iterator[Health]:
    registry = CollectorRegistry()
    Gauge("leader", "1 while it leads", registry=registry).set(1)
    with Health(registry, ready=lambda: state.ready, alive=lambda: state.alive) as health:
        yield health


def ask(health: Health, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", health.port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_metrics_are_shown_in_prometheus_text(health: Health) -> None:
    status, body = ask(health, "/metrics")
    assert status == 200
    assert b"leader 1.0" in body


@pytest.mark.parametrize(("path", "field"), [("/livez", "alive"), ("/readyz", "ready")])
def test_health_is_200_or_503(health: Health, state: State, path: str, field: str) -> None:
    assert ask(health, path) == (200, b"ok\n")
    setattr(state, field, False)
    assert ask(health, path) == (503, b"not ok\n")


def test_nothing_else_is_served(health: Health) -> None:
    assert ask(health, "/etc/passwd")[0] == 404


def test_a_closed_port_is_free_again(state: State) -> None:
    first = Health(CollectorRegistry(), ready=lambda: state.ready, alive=lambda: state.alive)
    first.start()
    first.close()
    with Health(CollectorRegistry(), ready=lambda: True, alive=lambda: True, port=first.port) as second:
        assert ask(second, "/livez")[0] == 200
