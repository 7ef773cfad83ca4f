"""PostgreSQL is restarted under load, in good order and as by a power cut."""

from functools import partial

from deploy.servers.postgres import PostgresServer, Shutdown
from deploy.stack import Service
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 40


def test_restarts_of_postgresql_in_good_order_and_as_by_a_power_cut_lose_and_double_nothing(
    postgres_field: Field, own_postgres: PostgresServer
) -> None:
    field = postgres_field
    services = field.relay(), field.consumers()
    ready(*services)
    field.trade.open()
    field.trade.go_on(ACTS)
    for times, how in enumerate((Shutdown.FAST, Shutdown.IMMEDIATE), 1):
        own_postgres.restart(how)
        field.trade.go_on(ACTS)
        wait_for(partial(has_begun_anew, services[0], times), 30, "the relay to begin anew")
    field.drain()
    assert field.trade.interrupted, "the tills noticed nothing"
    assert all(service.running for service in services)
    field.clean()


def has_begun_anew(relay: Service, times: int) -> bool:
    """Say whether the relay has begun anew so often."""
    return begun_anew(relay) >= times


def begun_anew(relay: Service) -> int:
    """Return how often the relay has lost what it works with and begun anew."""
    return relay.log.read_text("utf-8").count("the relay begins anew")
