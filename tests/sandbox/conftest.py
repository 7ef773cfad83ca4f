"""One sandbox for all tests of a worker, and a company of its own for each test."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from deploy.sandbox.client import SandboxProcess
from tests.sandbox.shop import Shop

_numbers = count(1)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl") as process:
        yield process


@pytest.fixture
def open_shop(sandbox: SandboxProcess) -> Callable[..., Shop]:
    """Return what opens a shop with a company of its own; fields given override the standard company's."""
    return lambda **overrides: Shop(sandbox, f"company-{next(_numbers)}", **overrides)


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    return open_shop()


@pytest.fixture
def own_book(tmp_path: Path) -> Path:
    """Return the path of a book that no other sandbox writes."""
    return tmp_path / "book.jsonl"
