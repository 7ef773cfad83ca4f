"""A fresh world for each test: a cloned database and a sandbox of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.sandbox.client import SandboxProcess
from tests.integration.delivery.world import World


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxProcess]:
    """Give a sandbox without limits, with an empty book."""
    with SandboxProcess(tmp_path / "book.jsonl", "--no-rate-limit") as process:
        yield process


@pytest.fixture
async def world(database: str, sandbox: SandboxProcess) -> AsyncIterator[World]:
    """Give a world with one tenant whose key is sealed."""
    async with World(database, sandbox) as it:
        yield it
