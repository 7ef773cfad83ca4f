"""The servers that the pipeline stands on, reached through a proxy."""

from collections.abc import Iterator

import psycopg
import pytest

from deploy.proxy import Down, Proxy, Timeout
from deploy.servers import kafka_jars
from deploy.servers.broker import BrokerChoice, broker
from deploy.servers.broker_server import BrokerServer, answers
from deploy.servers.kafka import KafkaServer
from deploy.servers.port import free_port
from outbox.broker import GroupReader, Producer, create_topics
from outbox.endpoints import TOPICS, Endpoint
from outbox.envelope import Message
from outbox.errors import BrokerError
from tests.conftest import Running
from tests.waiting import wait_for

CHOICES = [BrokerChoice.TANSU] if kafka_jars.why_not() else [BrokerChoice.KAFKA, BrokerChoice.TANSU]
TOPIC = TOPICS[Endpoint.POS_INVOICE.aggregate]


@pytest.fixture(params=CHOICES, ids=lambda choice: choice.value)
def brokered(request: pytest.FixtureRequest) -> Iterator[tuple[BrokerServer, Proxy]]:
    """Give every broker there is, in turn, behind a proxy."""
    port = free_port()
    server = broker(request.param, behind=port)
    with Proxy(server.proxied_port, port=port) as proxy, server:
        yield server, proxy


def test_clients_of_a_broker_behind_a_proxy_stay_on_it(brokered: tuple[BrokerServer, Proxy]) -> None:
    server, proxy = brokered
    create_topics(proxy.address)
    producer = Producer(proxy.address, "test")
    messages = [Message(TOPIC, b"%d" % number, b"{}", []) for number in range(20)]
    with GroupReader(proxy.address, "test", [TOPIC], "test", session_timeout=6) as reader:
        producer.send_all(messages)
        came: list[object] = []
        wait_for(lambda: came.extend(reader.poll(0.2)) or len(came) >= 20, 30, "twenty messages")
        with proxy.under(Down()), pytest.raises(BrokerError):
            Producer(proxy.address, "another").close()
        with proxy.under(Down()):
            assert not answers(proxy.port)
            if isinstance(server, KafkaServer):
                assert answers(server.port), "who is not behind the proxy does not notice"
    wait_for(lambda: answers(proxy.port), 30, "the broker to be reached again")
    producer.close()


def test_a_session_of_postgresql_hangs_while_its_link_does(postgres_server: Running) -> None:
    info = psycopg.conninfo.conninfo_to_dict(postgres_server.url)
    with Proxy(int(info["port"] or 5432)) as proxy:
        url = psycopg.conninfo.make_conninfo(postgres_server.url, host="127.0.0.1", port=proxy.port)
        with psycopg.connect(url, autocommit=True) as connection:
            hung = proxy.add(Timeout())
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(url, connect_timeout=2)
            proxy.remove(hung)
            assert connection.execute("select 1").fetchone() == (1,)
            proxy.add(Down())
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
