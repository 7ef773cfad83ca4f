"""Brokers: each test of the client runs on Apache Kafka, where that can run, and on the embedded one."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from deploy.servers import kafka_jars
from deploy.servers.broker import BrokerChoice, BrokerServer, broker
from outbox.broker import create_topics

CHOICES = [BrokerChoice.KAFKA, BrokerChoice.TANSU] if kafka_jars.why_not() is None else [BrokerChoice.TANSU]

# The embedded broker never shares a topic's partitions out again among the same members.
collect_ignore = [] if BrokerChoice.KAFKA in CHOICES else ["test_broker_joining.py"]


@pytest.fixture(scope="session")
def shared_brokers() -> Iterator[Callable[[BrokerChoice], str]]:
    """Give the address of a running broker with our topics, each started once."""
    with ExitStack() as stack:

        @cache
        def address(choice: BrokerChoice) -> str:
            bootstrap = stack.enter_context(broker(choice)).bootstrap
            create_topics(bootstrap, partitions=4)
            return bootstrap

        yield address


@pytest.fixture(params=CHOICES, ids=lambda choice: choice.value)
def bootstrap(request: pytest.FixtureRequest, shared_brokers: Callable[[BrokerChoice], str]) -> str:
    """Give the address of each broker there is, in turn."""
    return shared_brokers(request.param)


@pytest.fixture(scope="session")
def breakable_brokers() -> Iterator[Callable[[BrokerChoice], BrokerServer]]:
    """Give a broker that tests may break, one of each kind."""
    with ExitStack() as stack:

        @cache
        def server(choice: BrokerChoice) -> BrokerServer:
            server = stack.enter_context(broker(choice))
            create_topics(server.bootstrap, partitions=4)
            return server

        yield server


@pytest.fixture(params=CHOICES, ids=lambda choice: choice.value)
def breakable(
    request: pytest.FixtureRequest, breakable_brokers: Callable[[BrokerChoice], BrokerServer]
) -> BrokerServer:
    """Give each broker there is, in turn, with our topics, for a test to break and to mend."""
    return breakable_brokers(request.param)
