"""From a commit to Kafka's acknowledgement: the relay beside a program that sends its own messages.

The yardstick hands each message to kafka-python right after its commit: it is as fast as the bare client,
and loses the message whenever it dies in between.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

import psycopg
from kafka import KafkaProducer

from outbox.broker import Pending, Producer
from outbox.broker.producer import BATCH_BYTES
from outbox.endpoints import TOPICS, Aggregate
from outbox.envelope import Message
from outbox.health import Health
from outbox.housekeeping import Housekeeping
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.bench.drain import messages
from tests.bench.figures import Aim, Run, quantile
from tests.bench.machines import ENVIRONMENT, Machines, machines
from tests.bench.pace import at_rate
from tests.bench.usage import Meter

ABOUT = "commit to Kafka's acknowledgement at 200 commits a second, beside sending after the commit"
RATE = 200.0
SECONDS, QUICK_SECONDS = 20, 4
WRITERS = 8
ANSWER_SECONDS = 60
_CHANGE = "insert into aiaccount.outbox (aggregate_type, aggregate_id) values ('pos_transaction', %s)"


def measure(run: Run) -> None:
    """Commit at a steady rate, with the relay and with kafka-python, by turns; then watch an idle relay."""
    seconds = run.size(SECONDS, QUICK_SECONDS)
    with machines() as here, RelayProcess(here) as relay:
        first = 1
        for number in range(run.rounds):
            told = f"round {number + 1} of {run.rounds}:"
            run.tell(f"{told} {RATE:.0f} commits a second for {seconds} s, relayed")
            ids = range(first, first + int(RATE * seconds))
            with Meter({"relay": relay.pid}) as meter:
                committed = commit(here, ids)
                here.wait_until_relayed()
            acknowledged = relay.acknowledged()
            _note(run, "relay", [1000 * (acknowledged[id_] - committed[id_]) for id_ in ids], (5, 12))
            run.note("CPU of the relay", "% of a core", meter.share("relay"), Aim(33.3))
            run.note("memory of the relay", "MB", meter.used["relay"].rss_mb)
            first = ids.stop
            run.tell(f"{told} the same, sent by kafka-python after each commit")
            _note(run, "kafka-python", send_after_commit(here, first, int(RATE * seconds)), None)
            here.wait_until_relayed()
            relay.acknowledged()
            first += int(RATE * seconds)
            run.tell(f"{told} {seconds} s of nothing to relay")
            with Meter({"relay": relay.pid}) as meter:
                threading.Event().wait(seconds)
            run.note("CPU of an idle relay", "% of a core", meter.share("relay"), Aim(2.0))


def _note(run: Run, name: str, latencies: list[float], aims: tuple[float, float] | None) -> None:
    for share, label in enumerate(("p50", "p99")):
        value = quantile(latencies, (0.5, 0.99)[share])
        run.note(f"{name} {label}", "ms", value, Aim(aims[share]) if aims else None)


def commit(here: Machines, ids: Iterable[int]) -> dict[int, float]:
    """Commit a row of the outbox for each id, at the rate; return when each commit had returned."""
    committed: dict[int, float] = {}

    def change(connection: psycopg.Connection, aggregate_id: int) -> None:
        connection.execute(_CHANGE, [aggregate_id])
        committed[aggregate_id] = time.monotonic()

    at_rate(RATE, ids, WRITERS, here.database, change)
    return committed


def send_after_commit(here: Machines, first: int, count: int) -> list[float]:
    """Commit at the rate, send each message right after; return the milliseconds to its acknowledgement."""
    ready = dict(enumerate(messages(count), first))
    took: dict[int, float] = {}
    producer = KafkaProducer(
        bootstrap_servers=here.bootstrap,
        acks="all",
        enable_idempotence=True,
        batch_size=BATCH_BYTES,
        linger_ms=0,
        metrics_enabled=False,
    )

    def change(connection: psycopg.Connection, aggregate_id: int) -> None:
        connection.execute(_CHANGE, [aggregate_id])
        committed = time.monotonic()
        topic, key, value, headers = ready[aggregate_id]
        future = producer.send(topic, value, key, headers)
        future.add_callback(lambda _: took.__setitem__(aggregate_id, 1000 * (time.monotonic() - committed)))
        futures.append(future)

    futures: list[Any] = []
    try:
        producer.partitions_for(TOPICS[Aggregate.POS_TRANSACTION])
        at_rate(RATE, ready, WRITERS, here.database, change)
        for future in futures:
            future.get(ANSWER_SECONDS)
    finally:
        producer.close()
    return list(took.values())


class RelayProcess:
    """A relay put together as `aiaccount-sync relay` does; it also notes when messages are acknowledged."""

    def __init__(self, here: Machines) -> None:
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_relay, args=(here.database, here.bootstrap, theirs), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.send("stop")
        self._process.join(ANSWER_SECONDS)
        self._process.kill()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    def acknowledged(self) -> dict[int, float]:
        """Return when each aggregate was acknowledged since the last call."""
        self._ours.send("tell")
        if not self._ours.poll(ANSWER_SECONDS):
            raise TimeoutError("the relay's process does not answer")
        told: dict[int, float] = self._ours.recv()
        return told


class Noting:
    """A producer that notes, on the system's monotonic clock, when each message was acknowledged."""

    def __init__(self, bootstrap: str, noted: dict[int, float]) -> None:
        self._producer = Producer(bootstrap, "bench-relay")
        self._noted = noted

    def send(self, messages: Iterable[Message]) -> "Noted":
        """Hand messages over."""
        listed = list(messages)
        return Noted(self._producer.send(listed), [int(message.key) for message in listed], self._noted)

    def topics(self) -> Mapping[str, str]:
        """Return the topics' ids."""
        return self._producer.topics()

    def close(self) -> None:
        """Close it."""
        self._producer.close()


class Noted:
    """Messages in flight, noted once they are all acknowledged."""

    def __init__(self, pending: Pending, ids: list[int], noted: dict[int, float]) -> None:
        self._pending = pending
        self._ids = ids
        self._noted = noted

    def wait(self) -> None:
        """Wait for every acknowledgement, and note the time."""
        self._pending.wait()
        self._noted.update(dict.fromkeys(self._ids, time.monotonic()))


def _relay(database: str, bootstrap: str, orders: Connection) -> None:
    stop, metrics = threading.Event(), RelayMetrics()
    noted: dict[int, float] = {}
    relay = Relay(
        Leadership(database, ENVIRONMENT), lambda: Noting(bootstrap, noted), ENVIRONMENT, watcher=metrics
    )
    working = [
        threading.Thread(target=relay.run, args=(stop,)),
        threading.Thread(target=Housekeeping(database, metrics).run, args=(stop,)),
    ]
    with Health(metrics.registry, ready=metrics.ready, alive=metrics.alive):
        for thread in working:
            thread.start()
        try:
            while orders.recv() == "tell":
                orders.send(dict(noted))
                noted.clear()
        except EOFError:
            pass
        stop.set()
        for thread in working:
            thread.join()
