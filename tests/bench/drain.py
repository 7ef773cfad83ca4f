"""A full outbox goes to Kafka: the relay beside bare kafka-python with the same messages.

Both run in a process of their own, with idempotence, acks=all and the same batch settings. kafka-python is
given its messages ready-made; the relay reads them from PostgreSQL, encodes them and moves its cursor.
"""

import time
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
from kafka import KafkaProducer

from outbox.broker import Producer
from outbox.broker.producer import BATCH_BYTES
from outbox.endpoints import Aggregate
from outbox.envelope import Envelope, Message, encode, source_of
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.bench.figures import Aim, Run
from tests.bench.isolated import isolated
from tests.bench.machines import ENVIRONMENT, Machines, machines

ABOUT = "drain 100,000 outbox rows, beside bare kafka-python"
ROWS = 100_000
QUICK_ROWS = 20_000
_FILL = """
do $$ begin
  for n in 1..{rows} loop
    insert into aiaccount.outbox (aggregate_type, aggregate_id) values ('pos_transaction', n);
    commit;
  end loop;
end $$
"""


def measure(run: Run) -> None:
    """Drain the outbox and send the same, by turns."""
    rows = run.size(ROWS, QUICK_ROWS)
    with machines() as here:
        for number in range(run.rounds):
            run.tell(f"round {number + 1} of {run.rounds}: committing {rows:,} rows, each by itself")
            fill(here, rows)
            run.tell("kafka-python sends them")
            bare = isolated(send_bare, here.bootstrap, rows)
            run.tell("the relay drains the outbox")
            ours = isolated(drain, here.database, here.bootstrap, rows)
            run.note("relay", "rows/s", rows / ours.value)
            run.note("kafka-python", "messages/s", rows / bare.value)
            run.note("relay / kafka-python", "x", bare.value / ours.value, Aim(0.8, at_least=True))
            for name, side in (("relay", ours), ("kafka-python", bare)):
                run.note(f"CPU of {name}", "us a message", 1e6 * side.used.cpu_seconds / rows)
                run.note(f"memory of {name}", "MB", side.used.rss_mb)


def fill(here: Machines, rows: int) -> None:
    """Commit rows of the outbox, each in a transaction of its own."""
    with psycopg.connect(here.database, autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        connection.execute(_FILL.format(rows=rows))
        connection.execute("vacuum analyze aiaccount.outbox")


def drain(database: str, bootstrap: str, rows: int) -> float:
    """Run a relay until it has sent as many rows; return the seconds from its first tick on."""
    relay = Relay(
        Leadership(database, ENVIRONMENT),
        lambda: Producer(bootstrap, "bench-relay"),
        ENVIRONMENT,
        watcher=RelayMetrics(),
    )
    try:
        begun, sent = time.monotonic(), 0
        while sent < rows:
            sent += relay.run_once().rows
        return time.monotonic() - begun
    finally:
        relay.close()


def send_bare(bootstrap: str, rows: int) -> float:
    """Send as many messages with kafka-python alone; return the seconds from its connecting on."""
    ready = messages(rows)
    begun = time.monotonic()
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        batch_size=BATCH_BYTES,
        linger_ms=0,
        metrics_enabled=False,
    )
    try:
        futures = [producer.send(topic, value, key, headers) for topic, key, value, headers in ready]
        for future in futures:
            future.get(60)
        return time.monotonic() - begun
    finally:
        producer.close()


def messages(rows: int) -> list[Message]:
    """Make the messages that the relay makes of `fill`'s rows."""
    change = Envelope(Aggregate.POS_TRANSACTION, 0, None, "live", "", datetime.now(UTC), None)
    source = source_of(ENVIRONMENT)
    return [
        encode(
            replace(
                change,
                aggregate_id=n,
                event_id=f"{n + 1000}-{n}",
                traceparent=f"00-{n + 1000:016x}{n:016x}-{n:016x}-01",
            ),
            source,
        )
        for n in range(1, rows + 1)
    ]
