"""The reading thread goes on whatever its client throws: it leaves the group and joins it again."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.metrics import ConsumerMetrics
from consumers.offsets import Partition
from consumers.reading import Reading
from outbox.endpoints import Endpoint
from outbox.errors import BrokerError
from outbox.failpoints import inert
from tests.waiting import wait_for


class Scripted:
    """A reader that fails as a test says, and then reads nothing."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.failed = 0
        self.closed = False
        self.polls = 0

    def poll(self, _: float) -> list[Any]:
        """Fail, or read nothing."""
        self.polls += 1
        if self.failures:
            self.failed += 1
            raise self.failures.pop(0)
        return []

    def commit(self, _: Mapping[Partition, int]) -> bool:
        """Commit nothing."""
        return True

    def lag(self) -> dict[Partition, int]:
        """Return none."""
        return {}

    def assigned(self) -> set[Partition]:
        """Return none."""
        return set()

    def close(self) -> None:
        """Note it; one that never worked fails once more."""
        self.closed = True
        if self.failed == self.polls:
            raise KeyError("gone")


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize(
    ("failures", "readers"),
    [
        pytest.param([KeyError("a partition that is there no more")], 2, id="an error unforeseen"),
        pytest.param([BrokerError("for a moment")], 1, id="an error that goes away"),
        pytest.param([BrokerError("again")] * 5, 2, id="an error that stays"),
    ],
)
def test_reading_goes_on_after(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, failures: list[Exception], readers: int
) -> None:
    monkeypatch.setattr("consumers.reading._AGAIN_SECONDS", 0.001)
    opened: list[Scripted] = []

    def open_reader(_: Callable[[set[Partition]], None]) -> Scripted:
        opened.append(Scripted() if opened else Scripted(*failures))
        return opened[-1]

    intake: Any = SimpleNamespace(backlog=0, in_flight=0, safe=[])
    reading = Reading(
        *(Endpoint.POS_INVOICE, open_reader, lambda *_: None, intake, loop),
        backlog=1,
        reach=inert,
        metrics=ConsumerMetrics(),
    )
    reading.start()
    try:
        wait_for(lambda: len(opened) == readers and opened[-1].polls > len(failures), 10, "reading to go on")
        assert reading.alive()
    finally:
        reading.stop()
        reading.join(10)
    assert [each.closed for each in opened] == [True] * readers
