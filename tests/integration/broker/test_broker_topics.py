"""Topics are made once and looked at."""

from kafka import KafkaAdminClient

from deploy.servers.broker import BrokerServer
from outbox.broker import check_topics, create_topics
from outbox.endpoints import DEAD_LETTERS, TOPICS
from tests.waiting import wait_for

NAMES = [*TOPICS.values(), DEAD_LETTERS]


def test_topics_are_named_as_missing_then_made_once(breakable: BrokerServer) -> None:
    at = breakable.bootstrap
    admin = KafkaAdminClient(bootstrap_servers=at)
    admin.delete_topics(NAMES)
    admin.close()
    missing = [f"the topic {name} is missing" for name in NAMES]
    wait_for(lambda: check_topics(at) == missing, 10, "the topics to be gone")
    assert sorted(create_topics(at, partitions=4, replication=1)) == sorted(NAMES)
    assert create_topics(at) == []
    assert check_topics(at) == []
