"""A client per test, and one sandbox for those that ask for its faults."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from consumers.client import AiAccountClient
from deploy.sandbox.client import SandboxProcess

Clients = Callable[[str], AiAccountClient]


@pytest.fixture
async def clients() -> AsyncIterator[Clients]:
    """Make clients and close them in the end."""
    made: list[AiAccountClient] = []

    def make(url: str) -> AiAccountClient:
        made.append(AiAccountClient(url, 4))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Give a sandbox without limits."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl", "--no-rate-limit") as process:
        yield process
