"""What Kafka holds is lost, moved or made anew while relay and consumers go on."""

from collections.abc import Callable

import pytest

from deploy.servers.broker_server import BrokerServer
from outbox.endpoints import TOPICS, Aggregate
from tests.faults.groups import pass_over
from tests.faults.shop import Shop
from tests.faults.topics import add_partitions, ends, make_anew, records, throw_away
from tests.waiting import wait_for

SALES = TOPICS[Aggregate.POS_TRANSACTION]
SEEN_SECONDS = 60.0


@pytest.mark.parametrize(
    "loss", [pass_over, throw_away], ids=["offsets set to the latest", "retention throws records away"]
)
def test_what_no_group_ever_read_is_found_by_comparing_rows_with_what_was_handled(
    kafka_shop: Shop, kafka_server: BrokerServer, loss: Callable[[str], None]
) -> None:
    field = kafka_shop.trading()
    kafka_shop.consumers.stop()
    field.trade.go_on(10)
    field.trade.close()
    kafka_shop.passed()
    lost = field.ask("unclaimed")[0]
    assert lost
    loss(kafka_server.bootstrap)
    kafka_shop.start_consumers()
    kafka_shop.find_what_was_lost()
    field.trade.open()
    kafka_shop.well()


def test_partitions_that_are_added_are_written_to_and_read_and_a_key_may_move(
    kafka_shop: Shop, kafka_server: BrokerServer
) -> None:
    field = kafka_shop.trading()
    old = set(ends(kafka_server.bootstrap, SALES))
    add_partitions(kafka_server.bootstrap, 4)

    def used() -> bool:
        now = ends(kafka_server.bootstrap, SALES)
        return any(end for place, end in now.items() if place not in old)

    wait_for(used, SEEN_SECONDS, "records in the new partitions")
    field.do("due_now")
    kafka_shop.well()
    moved: dict[bytes, set[int]] = {}
    for record in records(kafka_server.bootstrap, SALES):
        moved.setdefault(record.key, set()).add(record.partition)
    assert any(len(places) > 1 for places in moved.values()), "no key has moved"


def test_topics_deleted_and_made_anew_under_relay_and_consumers_lose_nothing(
    kafka_shop: Shop, kafka_server: BrokerServer
) -> None:
    field = kafka_shop.trading()
    told = field.ask("recreated")[0]
    kafka_shop.consumers.pause()
    field.trade.go_on(30)
    assert field.ask("unclaimed")[0]
    make_anew(kafka_server.bootstrap)
    kafka_shop.consumers.resume()
    wait_for(lambda: field.ask("recreated")[0] >= told + 2, SEEN_SECONDS, "an alert of each topic")
    field.trade.close()
    kafka_shop.find_what_was_lost()
    field.trade.open()
    kafka_shop.well()
    assert field.ask("recreated")[0] == told + 2
