"""While AiAccount hangs, what is not begun stays in Kafka, and no partition is lost."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import pytest
from kafka import KafkaConsumer

from consumers.delivery import Claim
from consumers.intake import Intake
from consumers.metrics import ConsumerMetrics
from consumers.reading import Reading
from deploy.servers.broker import BrokerChoice
from outbox.broker import GroupReader, Place, Producer, Received
from outbox.endpoints import Endpoint
from outbox.failpoints import inert
from tests.integration.broker.conftest import CHOICES
from tests.integration.broker.talk import SESSION, TOPIC, fresh_group, fresh_ids, sale
from tests.waiting import wait_for_async

RECORDS = 50_000
AT_ONCE = 20
BACKLOG = 40
POLLED = 500
POLL_INTERVAL_SECONDS = 5
HANGING_POLLS = 60
"""Of a fifth of a second each: longer than a session and a poll interval together."""
GOES_ON = 2_000
SECONDS = 90.0


class Claims:
    """Claims every task at once, and counts."""

    def __init__(self) -> None:
        self.claims = self
        self.claimed: set[int] = set()

    async def ask(self, row: dict[str, str]) -> UUID:
        """Claim."""
        self.claimed.add(int(row["aggregate_id"]))
        return UUID(row["token"])


class Counting(GroupReader):
    """Counts its polls."""

    polls = 0

    def poll(self, timeout_s: float) -> list[Received]:
        """Poll."""
        self.polls += 1
        return super().poll(timeout_s)


def never_buried(record: Received, reason: str) -> None:
    raise AssertionError(f"{record} was buried: {reason}")


async def test_50_000_records_stay_in_kafka_while_calls_hang_past_session_and_poll_time_out(
    shared_brokers: Callable[[BrokerChoice], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KafkaConsumer.DEFAULT_CONFIG, "max_poll_interval_ms", POLL_INTERVAL_SECONDS * 1000)
    bootstrap, wanted, group = shared_brokers(CHOICES[0]), fresh_ids(RECORDS), fresh_group()
    with Producer(bootstrap, "test") as producer:
        producer.send_all(sale(number) for number in wanted)
    answered, steps, lost, readers = asyncio.Event(), Claims(), set[Place](), list[Counting]()

    async def hang(_: Claim) -> None:
        await answered.wait()

    def open_reader(on_lost: Callable[[set[Place]], None]) -> Counting:
        def both(places: set[Place]) -> None:
            lost.update(places)
            on_lost(places)

        readers.append(Counting(bootstrap, group, [TOPIC], "test", session_timeout=SESSION, on_lost=both))
        return readers[-1]

    intake = Intake(
        Endpoint.POS_INVOICE, steps, hang, clock=time.monotonic, claim_seconds=60, in_flight=AT_ONCE
    )
    reading = Reading(
        *(Endpoint.POS_INVOICE, open_reader, never_buried, intake, asyncio.get_running_loop()),
        backlog=BACKLOG,
        reach=inert,
        metrics=ConsumerMetrics(),
    )

    async def full() -> bool:
        return intake.backlog > BACKLOG

    async def hung_for_long() -> bool:
        return readers[0].polls >= since + HANGING_POLLS

    async def going_on() -> bool:
        return len(steps.claimed) >= before + GOES_ON

    with ExitStack() as stack:
        stack.callback(reading.join, 10)
        stack.callback(reading.stop)
        reading.start()
        await wait_for_async(full, SECONDS, "the backlog")
        since = readers[0].polls
        await wait_for_async(hung_for_long, SECONDS, "polls while calls hang")
        assert intake.in_flight == AT_ONCE
        assert intake.backlog <= BACKLOG + 2 * POLLED, "more than one poll too many was read"
        assert not lost, "the group took partitions away"
        before = len(steps.claimed)
        answered.set()
        await wait_for_async(going_on, SECONDS, "reading to go on")
        assert not lost
        assert len(readers) == 1
