"""Give a clean world to break."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.integration.checker.day import fill
from tests.integration.checker.world import TABLES, World


@pytest.fixture
def empty_world(bare_database: str, tmp_path: Path) -> Iterator[World]:
    """Give the tables, and nothing in them."""
    with psycopg.connect(bare_database, autocommit=True) as connection:
        for file in TABLES:
            connection.execute(file.read_bytes())
        yield World(bare_database, tmp_path / "book.jsonl", connection)


@pytest.fixture
def world(empty_world: World) -> World:
    """Give a day that was handled without a fault."""
    fill(empty_world)
    return empty_world
