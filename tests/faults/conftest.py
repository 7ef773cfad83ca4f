"""Fixtures of the fault tests: an installation on servers that are shared, or on some of its own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.servers import kafka_jars
from deploy.servers.broker import BrokerChoice, broker
from deploy.servers.broker_server import BrokerServer
from deploy.servers.postgres import PostgresServer
from tests.conftest import RunningBroker
from tests.faults.field import Field
from tests.faults.ground import Ground, field_on, prepared
from tests.faults.shop import Shop, opened

# The embedded broker knows nothing of retention, of more partitions and of offsets that are set back.
# A small disk is mounted by root only.
collect_ignore = [
    *([] if kafka_jars.why_not() is None else ["test_kafka_ailments.py", "test_kafka_topics.py"]),
    *([] if os.geteuid() == 0 and shutil.which("mount") else ["test_disk_full.py"]),
]


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


@pytest.fixture(scope="module")
def kafka_server() -> Iterator[BrokerServer]:
    """Give an Apache Kafka that may fall ill."""
    with broker(BrokerChoice.KAFKA) as server:
        yield server


@pytest.fixture(scope="module")
def kafka_shop(
    ground: Ground, kafka_server: BrokerServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shop]:
    """Give a shop on it, whose relay waits 3 s for an acknowledgement and not 30."""
    with field_on(ground, kafka_server.bootstrap, tmp_path_factory.mktemp("kafka")) as field:
        field.installation.env["AIACCOUNT_SYNC_SEND_SECONDS"] = "3"
        with opened(field) as shop:
            yield shop
