"""What is sent is acknowledged, or an error says that it is not."""

import threading
from contextlib import nullcontext

import psycopg
import pytest
from kafka.partitioner.default import DefaultPartitioner

from deploy.servers.broker import BrokerServer
from outbox.broker import GroupReader, Producer, Received, create_topics, dead_letter
from outbox.broker.connection import admin
from outbox.endpoints import DEAD_LETTERS
from outbox.envelope import Message, decode
from outbox.errors import BrokerError
from outbox.leadership import Leadership
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.integration.broker.talk import (
    SESSION,
    TOPIC,
    fresh_group,
    fresh_ids,
    keys,
    member,
    read_until,
    sale,
)

EMBEDDED_CLUSTER = "tansu_cluster"


def test_what_was_sent_is_read_back_as_it_was(bootstrap: str) -> None:
    wanted = fresh_ids(300)
    messages = [sale(number) for number in wanted]
    with Producer(bootstrap, "test") as producer:
        producer.send_all(messages)
    with member(bootstrap) as reader:
        read = read_until(reader, lambda read: set(wanted) <= set(keys(read)))
    found = {int(each.key or b""): each for each in read}
    for message, number in zip(messages, wanted, strict=True):
        received = found[number]
        assert (received.topic, received.key, received.value) == message[:3]
        assert received.headers == message.headers
        assert decode(received.topic, received.key, received.value, received.headers).aggregate_id == number


class Four:
    """A cluster whose topics have four partitions."""

    def topics(self) -> set[str]:
        """Return the only topic."""
        return {TOPIC}

    def partitions_for_topic(self, _: str) -> set[int]:
        """Return the four."""
        return {0, 1, 2, 3}

    available_partitions_for_topic = partitions_for_topic


def test_keys_land_where_every_other_client_would_put_them(bootstrap: str) -> None:
    wanted = fresh_ids(40)
    with Producer(bootstrap, "test") as producer:
        producer.send_all([sale(number) for number in wanted])
    with member(bootstrap) as reader:
        read = read_until(reader, lambda read: set(wanted) <= set(keys(read)))
    place = DefaultPartitioner().partition
    for record in read:
        assert record.partition == place(TOPIC, None, record.key, None, None, Four())


def test_two_chunks_may_be_in_flight(bootstrap: str) -> None:
    first, second = fresh_ids(50), fresh_ids(50)
    with Producer(bootstrap, "test") as producer:
        one = producer.send(sale(number) for number in first)
        two = producer.send(sale(number) for number in second)
        one.wait()
        two.wait()
    with member(bootstrap) as reader:
        read_until(reader, lambda read: {*first, *second} <= set(keys(read)))


def test_a_topic_that_is_not_there_is_an_error_and_is_not_made(bootstrap: str) -> None:
    nowhere = f"aiaccount.nowhere-{fresh_group()}"
    embedded = cluster(bootstrap) == EMBEDDED_CLUSTER
    # The embedded broker makes every topic that it is asked about, whatever the client says.
    said = nullcontext() if embedded else pytest.raises(BrokerError)
    with Producer(bootstrap, "test", patience=3) as producer:
        for _ in range(2):
            with said:
                producer.send_all([Message(nowhere, b"1", b"{}", [])])


def cluster(bootstrap: str) -> str:
    """Return the cluster's name."""
    client = admin(bootstrap)
    try:
        return str(client.describe_cluster()["cluster_id"])
    finally:
        client.close()


def test_a_message_that_is_too_large_is_an_error(bootstrap: str) -> None:
    with Producer(bootstrap, "test", patience=5) as producer, pytest.raises(BrokerError):
        producer.send_all([Message(TOPIC, b"1", b"x" * 2_000_000, [])])


def test_a_broker_that_hangs_is_an_error_in_time_and_the_close_waits_for_nobody(
    breakable: BrokerServer,
) -> None:
    before = set(threading.enumerate())
    producer = Producer(breakable.bootstrap, "test", patience=1.5)
    producer.send_all([sale(1)])
    breakable.pause()
    try:
        pending = producer.send([sale(2)])
        producer.close()
        with pytest.raises(BrokerError):
            pending.wait()
    finally:
        breakable.resume()
    assert set(threading.enumerate()) <= before


def test_a_stopped_broker_is_an_error_the_cursor_stays_and_nothing_is_lost(
    breakable: BrokerServer, database: str
) -> None:
    def producer() -> Producer:
        return Producer(breakable.bootstrap, "test", patience=1.5)

    before = set(threading.enumerate())
    (sold,) = fresh_ids(1)
    relay = Relay(Leadership(database, "test"), producer, "test", watcher=RelayMetrics())
    with psycopg.connect(database, autocommit=True) as writer:

        def cursor() -> object:
            return writer.execute("select from_snapshot::text from aiaccount.relay_cursor").fetchone()

        def sell() -> None:
            writer.execute(
                "insert into aiaccount.outbox (aggregate_type, aggregate_id) values ('pos_transaction', %s)",
                [sold],
            )

        sell()
        assert relay.run_once().messages == 1
        breakable.stop()
        stood = cursor()
        sell()
        with pytest.raises(BrokerError, match="not acknowledged"):
            relay.run_once()
        relay.close()
        with pytest.raises(BrokerError, match="no broker answers"):
            relay.run_once()
        assert cursor() == stood
        relay.close()
        assert set(threading.enumerate()) <= before
        breakable.start()
        create_topics(breakable.bootstrap)
        assert relay.run_once().messages == 1
        assert cursor() != stood
        relay.close()
    with member(breakable.bootstrap) as reader:
        read_until(reader, lambda read: sold in keys(read))


def test_a_dead_letter_keeps_the_bytes_and_says_where_from_and_why(bootstrap: str) -> None:
    (mark,) = fresh_ids(1)
    odd = Received(TOPIC, 3, 17, b"%d" % mark, b"\xff\x00", [("ce_id", None), ("x", b"\xfe")], 0)
    huge = odd._replace(value=b"x" * 1_000_000, offset=18)
    with Producer(bootstrap, "test") as producer:
        dead_letter(producer, odd, "the header ce_id is missing")
        dead_letter(producer, huge, "the value is not JSON")
    with GroupReader(bootstrap, fresh_group(), [DEAD_LETTERS], "test", session_timeout=SESSION) as reader:
        read = read_until(reader, lambda read: keys(read).count(mark) == 2)
    kept, left_out = [record for record in read if record.key == b"%d" % mark]
    assert kept.value == b"\xff\x00"
    assert dict(kept.headers) == {
        "ce_id": b"",
        "x": b"\xfe",
        "dead-letter-topic": TOPIC.encode(),
        "dead-letter-partition": b"3",
        "dead-letter-offset": b"17",
        "dead-letter-reason": b"the header ce_id is missing",
    }
    assert left_out.value == b""
    assert dict(left_out.headers)["dead-letter-offset"] == b"18"
