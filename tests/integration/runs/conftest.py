"""A world with one tenant, as the deliveries have it, whose rows lie before its cut-over."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from tests.integration.delivery.conftest import sandbox, world

__all__ = ["sandbox", "world"]


@pytest.fixture
def engine(database: str) -> Iterator[Engine]:
    """Give an engine on the world's database."""
    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"))
    yield engine
    engine.dispose()
