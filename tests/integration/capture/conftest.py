"""A till's connection to every PostgreSQL there is."""

from collections.abc import Iterator

import pytest

from tests.integration.capture.till import Connection, connected


@pytest.fixture
def till(any_database: str) -> Iterator[Connection]:
    """Give a connection in autocommit to a fresh database with capture on; a capture that hangs fails."""
    with connected(any_database) as conn:
        conn.execute("set statement_timeout = '20s'")
        yield conn
