"""Run the consumers of some endpoints in this process, until told to stop."""

import asyncio
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from random import Random

import psycopg
import uvloop

from consumers.accounts import Accounts
from consumers.claim import Claim, Tools
from consumers.client import AiAccountClient
from consumers.delivery import deliver
from consumers.intake import Intake
from consumers.keyring import KeyRing
from consumers.metrics import ConsumerMetrics
from consumers.offsets import Partition
from consumers.pushing import Pusher
from consumers.reading import Reading
from consumers.steps import Steps, open_pool
from consumers.stops import Stops
from outbox.broker import GroupReader, Producer, Received, dead_letter
from outbox.endpoints import TOPICS, Endpoint
from outbox.environment import Config
from outbox.errors import DatabaseError
from outbox.failpoints import failpoints
from outbox.health import Health
from outbox.installation import verify

log = logging.getLogger("aiaccount.consume")

POOL = 8
DRAIN_SECONDS = 40.0
GARBAGE_AFTER = 50_000
"""Objects made, less those gone, after which cycles are looked for: Python's 700 come with every delivery."""


def run(config: Config, endpoints: Sequence[Endpoint], ring: KeyRing) -> None:
    """Deliver the documents of these endpoints until SIGTERM or SIGINT; what is under way is finished first.

    Raises:
        UsageError: A setting is missing.
        InstallationError: The database is not this environment's.
        ServiceError: The database or the broker cannot be reached at the start.
    """
    url = config.require_database()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            verify(connection, config.require_environment())
    except psycopg.OperationalError as error:
        raise DatabaseError(f"cannot reach the database: {error}") from error
    uvloop.run(_run(config, endpoints, ring))


async def _run(config: Config, endpoints: Sequence[Endpoint], ring: KeyRing) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    random, metrics, reach = Random(), ConsumerMetrics(), failpoints(config.failpoints)  # noqa: S311 - jitter
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(config.require_database(), POOL))
        client = AiAccountClient(config.require_api_url(), config.in_flight * len(endpoints))
        stack.push_async_callback(client.aclose)
        steps = Steps(pool, random, config.claim_seconds)
        tools = Tools(
            steps=steps,
            accounts=Accounts(steps, ring, config.require_environment()),
            pusher=Pusher(client, time.monotonic, random, config.attempt_seconds),
            stops=Stops(),
            clock=time.monotonic,
            random=random,
            reach=reach,
            metrics=metrics,
        )
        graves = Graves(config.bootstrap_servers)
        stack.callback(graves.close)
        intakes, readings = [], []
        for endpoint in endpoints:
            intake = Intake(
                endpoint,
                steps,
                partial(_deliver, tools=tools),
                clock=time.monotonic,
                claim_seconds=config.claim_seconds,
                in_flight=config.in_flight,
            )
            reading = Reading(
                endpoint,
                partial(_open_reader, config, endpoint),
                graves.bury,
                intake,
                loop,
                backlog=config.in_flight * 2,
                reach=reach,
                metrics=metrics,
            )
            intakes.append(intake)
            readings.append(reading)
        health = stack.enter_context(
            Health(
                metrics.registry,
                ready=lambda: all(reading.ready for reading in readings),
                alive=lambda: all(reading.alive() for reading in readings),
                host=config.metrics_host,
                port=config.consumer_metrics_port,
            )
        )
        gc.collect()
        gc.freeze()  # what stays for ever is not looked through again
        gc.set_threshold(GARBAGE_AFTER, 10, 10)
        for reading in readings:
            reading.start()
        log.info("consumes", extra={"endpoints": ",".join(endpoints), "metrics_port": health.port})
        await stopped.wait()
        log.info("stops: what is under way is finished first")
        await asyncio.gather(*(intake.drain(DRAIN_SECONDS) for intake in intakes))
        for reading in readings:
            reading.stop()
        await asyncio.to_thread(_join, readings)


async def _deliver(claim: Claim, *, tools: Tools) -> None:
    await deliver(claim, tools)


def _join(readings: Sequence[Reading]) -> None:
    for reading in readings:
        reading.join(10)


def _open_reader(
    config: Config, endpoint: Endpoint, on_lost: Callable[[set[Partition]], None]
) -> GroupReader:
    """Join the endpoint's consumer group."""
    return GroupReader(
        config.bootstrap_servers,
        endpoint.group,
        [TOPICS[endpoint.aggregate]],
        f"aiaccount-sync-{endpoint}-{socket.gethostname()}",
        session_timeout=config.session_seconds,
        on_lost=on_lost,
    )


class Graves:
    """Send what cannot be read to the dead letters; the producer is opened when the first one comes."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._lock = threading.Lock()
        self._producer: Producer | None = None

    def bury(self, record: Received, reason: str) -> None:
        """Send a record with its origin and the reason; raises `BrokerError` if that cannot be done now."""
        with self._lock:
            if self._producer is None:
                self._producer = Producer(self._bootstrap, "aiaccount-sync-dead-letters")
            dead_letter(self._producer, record, reason)
        place = f"{record.topic}/{record.partition}/{record.offset}"
        log.warning("dead letter", extra={"origin": place, "reason": reason})

    def close(self) -> None:
        """Close the producer, if there is one."""
        if self._producer is not None:
            self._producer.close()
