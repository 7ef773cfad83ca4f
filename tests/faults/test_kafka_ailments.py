"""Kafka falls ill in every way that a broker, an operator or retention can bring about, under load."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.servers.broker_server import BrokerServer
from outbox.broker import GroupReader, Producer
from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.envelope import Message
from tests.faults.book import Line, pushes, repeated
from tests.faults.groups import begin_again
from tests.faults.shop import Shop
from tests.faults.topics import buried
from tests.waiting import wait_for

SALES = TOPICS[Aggregate.POS_TRANSACTION]
SEEN_SECONDS = 60.0
TIMES_OUT = 5
ROUNDS = 3


def number_of(line: Line) -> tuple[str, str, str]:
    """Return which document a push was of."""
    return line["endpoint"], line["key_company"], line["body"]["number"]


@pytest.mark.parametrize("hangs", [False, True], ids=["away", "hanging"])
def test_sales_made_until_every_time_out_has_run_out_several_times_are_posted(
    kafka_shop: Shop, kafka_server: BrokerServer, *, hangs: bool
) -> None:
    field, before = kafka_shop.trading(), kafka_shop.begun_anew()
    if hangs:
        kafka_server.pause()
    else:
        kafka_server.stop()
    wait_for(
        lambda: kafka_shop.begun_anew() >= before + TIMES_OUT, SEEN_SECONDS, "the relay to give up again"
    )
    assert field.ask("open")[0], "something went to Kafka while it was away"
    if hangs:
        kafka_server.resume()
    else:
        kafka_server.start()
    kafka_shop.well()
    assert kafka_shop.relay.running
    assert kafka_shop.consumers.running


def test_a_record_that_nobody_can_read_is_buried_by_each_group_and_holds_up_nothing(
    kafka_shop: Shop, kafka_server: BrokerServer
) -> None:
    kafka_shop.trading()
    before = len(buried(kafka_server.bootstrap))
    with Producer(kafka_server.bootstrap, "test") as producer:
        producer.send_all([Message(SALES, b"1", b"\xff", []), Message(SALES, b"", b"", [])])
    kafka_shop.well()
    assert len(buried(kafka_server.bootstrap)) == before + 4, "two records, two groups"


def test_members_that_come_and_go_all_the_time_lose_nothing_and_repeat_little(
    kafka_shop: Shop, kafka_server: BrokerServer
) -> None:
    field = kafka_shop.trading()
    before = len(repeated(field.sandbox.book))

    def come_and_go(endpoint: Endpoint) -> int:
        taken = 0
        for _ in range(ROUNDS):
            reader = GroupReader(
                *(
                    kafka_server.bootstrap,
                    f"aiaccount-sync.{endpoint}",
                    [TOPICS[endpoint.aggregate]],
                    "passer-by",
                ),
                session_timeout=3,
            )
            with reader:
                polls = iter(range(20))
                while not reader.assigned() and next(polls, None) is not None:
                    reader.poll(0.2)
                taken += bool(reader.assigned())
        return taken

    with ThreadPoolExecutor(len(Endpoint)) as threads:
        taken = list(threads.map(come_and_go, Endpoint))
    assert sum(taken) >= ROUNDS, "hardly a partition changed hands"
    kafka_shop.well()
    assert len(repeated(field.sandbox.book)) - before <= field.counts().accepted // 10


def test_groups_that_are_set_back_to_the_earliest_offsets_send_nothing_again(
    kafka_shop: Shop, kafka_server: BrokerServer
) -> None:
    field = kafka_shop.trading()
    kafka_shop.well()
    kafka_shop.consumers.stop()
    before = Counter(map(number_of, pushes(field.sandbox.book)))
    begin_again(kafka_server.bootstrap)
    kafka_shop.start_consumers()
    kafka_shop.trading()
    kafka_shop.well()
    after = Counter(map(number_of, pushes(field.sandbox.book)))
    assert {number: after[number] for number in before} == before
