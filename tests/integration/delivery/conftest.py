"""A fresh world for each test: a cloned database, and a company of its own in the sandbox."""

from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.sandbox.client import SandboxProcess
from tests.integration.delivery.world import World


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Give a sandbox without limits; each world has a company of its own in it."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl", "--no-rate-limit") as process:
        yield process


@pytest.fixture
async def world(database: str, sandbox: SandboxProcess) -> AsyncIterator[World]:
    """Give a world with one tenant whose key is sealed."""
    async with World(database, sandbox) as it:
        yield it
