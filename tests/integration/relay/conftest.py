"""What the tests of the relay share: connections, and a relay that sends to a recorder."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest

from outbox.relay import Relay
from tests.integration.relay.recorder import Recorder, relay_to

# What a machine cannot show is not collected there; docs/reliability.md says which.
collect_ignore = [
    *([] if shutil.which("pgbouncer") else ["test_relay_pooled.py"]),
    *([] if os.geteuid() == 0 and shutil.which("ip") else ["test_relay_line.py"]),
]

Connect = Callable[[], psycopg.Connection]
MakeRelay = Callable[..., Relay]


@pytest.fixture
def database(any_database: str) -> str:
    """Give a fresh database on every PostgreSQL there is: the cursor rests on how each shows transactions."""
    return any_database


@pytest.fixture
def connect(database: str) -> Iterator[Connect]:
    """Give connections that are not in autocommit, closed at the end."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(database))


@pytest.fixture
def writer(database: str) -> Iterator[psycopg.Connection]:
    """Give a connection in autocommit."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def recorder() -> Recorder:
    """Give where the relay sends to."""
    return Recorder()


@pytest.fixture
def make_relay(database: str) -> Iterator[MakeRelay]:
    """Give relays of the test's database, closed at the end: where they send to, and rows in a chunk."""
    made: list[Relay] = []

    def make(recorder: Recorder, chunk_rows: int = 5_000) -> Relay:
        made.append(relay_to(recorder, database, chunk_rows))
        return made[-1]

    yield make
    for relay in made:
        relay.close()


@pytest.fixture
def relay(make_relay: MakeRelay, recorder: Recorder) -> Relay:
    """Give a relay that leads."""
    relay = make_relay(recorder)
    assert relay.run_once().leading
    return relay
