"""What one benchmark runs on: a PostgreSQL that waits for its disk and an Apache Kafka, both its own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.servers.broker import BrokerChoice, broker
from deploy.servers.postgres import PostgresServer
from deploy.stack import Installation
from outbox.broker import create_topics
from outbox.migrate import install
from tests.databases import create_ns16, database_url
from tests.waiting import wait_for

ENVIRONMENT = "bench"
_PASSED = """
    select not exists (
      select from aiaccount.outbox as o, aiaccount.relay_cursor as c
      where o.xid >= pg_snapshot_xmin(c.from_snapshot) and not pg_visible_in_snapshot(o.xid, c.from_snapshot))
"""


@dataclass(frozen=True)
class Machines:
    """The servers, with their process ids, a database with all of ours, and a folder for logs and books."""

    postgres: PostgresServer
    database: str
    bootstrap: str
    kafka_pid: int
    folder: Path

    def installation(self, api_url: str) -> Installation:
        """Return the commands and processes of an installation on them."""
        return Installation(self.database, self.bootstrap, api_url, self.folder, environment=ENVIRONMENT)

    def wait_until_relayed(self, seconds: float = 60.0) -> None:
        """Wait until the relay's cursor has passed every row of the outbox."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            wait_for(
                lambda: connection.execute(_PASSED).fetchone() == (True,),
                seconds,
                "the relay to have sent everything",
            )


@contextmanager
def machines() -> Iterator[Machines]:
    """Run the servers, install into them, and end them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aiaccount-bench-")))
        postgres = stack.enter_context(PostgresServer(durable=True))
        kafka = stack.enter_context(broker(BrokerChoice.KAFKA))
        create_topics(kafka.bootstrap)
        database = new_database(postgres, "bench")
        yield Machines(postgres, database, kafka.bootstrap, kafka.pid, folder)


def new_database(postgres: PostgresServer, name: str) -> str:
    """Make a database with NS16's tables and all of ours, and return its URL."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    url = database_url(postgres.url, name)
    create_ns16(url)
    install(url, ENVIRONMENT)
    return url
