"""Fixtures of the fault tests: an installation on servers that are shared, or on some of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers.broker_server import BrokerServer
from deploy.servers.postgres import PostgresServer
from tests.conftest import RunningBroker
from tests.faults.field import Field
from tests.faults.ground import Ground, field_on, prepared


@pytest.fixture
def field(ground: Ground, broker_server: RunningBroker, tmp_path: Path) -> Iterator[Field]:
    """Give an installation on shared servers, for faults of our own processes and of AiAccount."""
    with field_on(ground, broker_server.bootstrap, tmp_path) as field:
        yield field


@pytest.fixture
def kafka_field(ground: Ground, own_broker: BrokerServer, tmp_path: Path) -> Iterator[Field]:
    """Give an installation whose broker may be stopped and killed."""
    with field_on(ground, own_broker.bootstrap, tmp_path) as field:
        yield field


@pytest.fixture
def postgres_field(
    own_postgres: PostgresServer, broker_server: RunningBroker, tmp_path: Path
) -> Iterator[Field]:
    """Give an installation whose PostgreSQL may be stopped and killed."""
    with (
        prepared(own_postgres.url, tmp_path) as ground,
        field_on(ground, broker_server.bootstrap, tmp_path) as field,
    ):
        yield field
