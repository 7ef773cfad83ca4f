"""A topic that is deleted and made anew under a reader and a producer that go on."""

from contextlib import ExitStack
from typing import Any

import pytest
from kafka import KafkaAdminClient

from deploy.servers.broker import BrokerServer
from outbox.broker import Place, Producer, create_topics
from tests.integration.broker.talk import (
    JOIN_SECONDS,
    TOPIC,
    fresh_group,
    fresh_ids,
    keys,
    member,
    read_until,
    sale,
)
from tests.waiting import wait_for

OLD = 40
NEW = 200


def made_anew(bootstrap: str) -> None:
    """Delete the topic and make it again, at once."""
    client: Any = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        client.delete_topics([TOPIC])
    finally:
        client.close()
    wait_for(lambda: TOPIC in create_topics(bootstrap, partitions=4), 20, "the topic to be made anew")


def test_a_reader_reads_a_topic_made_anew_from_its_beginning_and_commits_there(
    breakable: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbox.broker.connection.METADATA_MAX_AGE_MS", 2_000)
    group, lost, old, new = fresh_group(), set[Place](), fresh_ids(OLD), fresh_ids(NEW)
    with ExitStack() as stack:
        producer = stack.enter_context(Producer(breakable.bootstrap, "test"))
        reader = stack.enter_context(member(breakable.bootstrap, group, lost.update))
        producer.send_all([sale(number) for number in old])
        read = read_until(reader, lambda read: set(old) <= set(keys(read)))
        assert reader.commit({(each.topic, each.partition): each.offset + 1 for each in read})
        before = dict(producer.topics())
        lost.clear()
        made_anew(breakable.bootstrap)
        # Fuller than the old one: what stands at the offsets that were passed is not passed over.
        producer.send_all([sale(number) for number in new])
        read = read_until(reader, lambda read: set(new) <= set(keys(read)))
        assert set(keys(read)) == set(new)
        assert {(each.topic, each.partition) for each in read} <= lost
        wait_for(lambda: producer.topics() != before, JOIN_SECONDS, "the producer to learn the new topic")
        ends: dict[Place, int] = {}
        for each in read:
            ends[each.topic, each.partition] = max(ends.get((each.topic, each.partition), 0), each.offset + 1)
        assert sum(ends.values()) == NEW, "the offsets are not those of the new topic"
        assert reader.commit(ends)
        assert sum(reader.lag().values()) == 0
