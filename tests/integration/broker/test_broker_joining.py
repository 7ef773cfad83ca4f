"""A member joins its group again because its topic has more partitions, and that ends between two polls."""

import secrets
import time
from contextlib import closing

import pytest
from kafka import KafkaAdminClient

from deploy.servers.broker import BrokerChoice, BrokerServer
from outbox.broker import GroupReader
from tests.integration.broker.talk import JOIN_SECONDS, SESSION, fresh_group, joined
from tests.waiting import wait_for

REST_SECONDS = 0.05
"""Longer than Kafka takes to confirm what a member has shared out."""


@pytest.mark.parametrize("breakable", [BrokerChoice.KAFKA], ids=["kafka"], indirect=True)
def test_a_join_that_ends_between_two_polls_is_taken(
    breakable: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outbox.broker.connection.METADATA_MAX_AGE_MS", 1_000)
    bootstrap, topic = breakable.bootstrap, f"joining-{secrets.token_hex(4)}"
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as client:
        client.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}})
        client.wait_for_topics([topic])
        with GroupReader(bootstrap, fresh_group(), [topic], "test", session_timeout=SESSION) as reader:
            wait_for(lambda: joined(reader), JOIN_SECONDS, "the group")
            client.create_partitions({topic: 3})

            def learnt() -> bool:
                reader.poll(0)
                time.sleep(REST_SECONDS)
                return len(reader.assigned()) == 3

            wait_for(learnt, JOIN_SECONDS, "the third partition")
