"""Fixtures of the acceptance tests: an installation with tenants, as the fault tests use it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningBroker
from tests.faults.field import Field
from tests.faults.ground import Ground, field_on


@pytest.fixture
def field(ground: Ground, broker_server: RunningBroker, tmp_path: Path) -> Iterator[Field]:
    """Give an installation in which nothing runs yet but the sandbox."""
    with field_on(ground, broker_server.bootstrap, tmp_path) as field:
        yield field
