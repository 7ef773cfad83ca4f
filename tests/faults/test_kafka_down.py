"""Kafka goes away for a while, dies, or loses all that it had."""

import pytest

from deploy.servers.broker_server import BrokerServer
from deploy.servers.tansu import TansuServer
from tests.faults.field import Field, ready

ACTS = 40


def running(field: Field) -> None:
    """Let everything run under load, with some of it done."""
    ready(field.relay(), field.consumers())
    field.trade.open()
    field.trade.go_on(ACTS)


@pytest.mark.parametrize("hard", [False, True], ids=["stopped", "killed"])
def test_sales_made_while_kafka_is_away_are_posted_when_it_is_back(
    kafka_field: Field, own_broker: BrokerServer, *, hard: bool
) -> None:
    running(kafka_field)
    if isinstance(own_broker, TansuServer):  # it forgets all when it ends, so it only hangs
        own_broker.pause()
    elif hard:
        own_broker.kill()
    else:
        own_broker.stop()
    kafka_field.trade.go_on(ACTS)
    assert kafka_field.ask("open")[0] >= ACTS // 2, "something went to Kafka while it was away"
    if isinstance(own_broker, TansuServer):
        own_broker.resume()
    else:
        own_broker.start()
    kafka_field.trade.go_on(ACTS)
    kafka_field.drain()
    kafka_field.clean()
