"""The topics themselves: made once, by us, with a number of partitions that keys rely on."""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any
from uuid import UUID

from kafka.errors import KafkaError, TopicAlreadyExistsError

from outbox.broker.connection import admin
from outbox.endpoints import DEAD_LETTERS, TOPICS
from outbox.errors import BrokerError

DEAD_LETTER_PARTITIONS = 1
CONFIGS = MappingProxyType({"message.timestamp.type": "LogAppendTime"})
"""The broker's own time stands at a record: a sender's that is an hour ahead would be refused."""


def create_topics(bootstrap: str, partitions: int = 12, replication: int | None = None) -> list[str]:
    """Create the topics that are missing.

    Args:
        bootstrap: `host:port`, several with commas.
        partitions: Of each topic of changes; the dead letters have one.
        replication: Copies of each partition; none for the broker's own default.

    Returns:
        The names of those that were created; empty when all were there.

    Raises:
        BrokerError: The broker does not answer or refuses one; the message names it.
    """
    sizes = dict.fromkeys(TOPICS.values(), partitions) | {DEAD_LETTERS: DEAD_LETTER_PARTITIONS}
    wanted = {
        topic: {"num_partitions": size, "replication_factor": replication or -1, "configs": dict(CONFIGS)}
        for topic, size in sizes.items()
    }
    client = admin(bootstrap)
    try:
        answers = client.create_topics(wanted, raise_errors=False)["topics"]
        for answer in answers:
            if answer["error_code"] not in (0, TopicAlreadyExistsError.errno):
                raise BrokerError(
                    f"the topic {answer['name']} could not be created: {answer['error_message']}"
                )
        client.wait_for_topics(list(wanted))
    except KafkaError as error:
        raise BrokerError(f"the topics could not be created: {error}") from error
    finally:
        client.close()
    return [answer["name"] for answer in answers if answer["error_code"] == 0]


def check_topics(bootstrap: str) -> list[str]:
    """Return what is wrong with the topics, a sentence each; empty when all is well.

    Raises:
        BrokerError: The broker does not answer.
    """
    names = [*TOPICS.values(), DEAD_LETTERS]
    client = admin(bootstrap)
    try:
        found = {topic["name"]: topic for topic in client.describe_topics(names)}
    except KafkaError as error:
        raise BrokerError(f"the topics could not be looked at: {error}") from error
    finally:
        client.close()
    return [problem for name in names if (problem := _problem(name, found.get(name)))]


def topic_ids(cluster: Any, names: Iterable[str]) -> dict[str, UUID]:  # noqa: ANN401 - no types there
    """Return the ids of these topics, as a client's metadata hold them: one made anew bears another id.

    A topic that is not there, and one of a broker that gives no ids, has none.
    """
    return {name: found for name in names if (found := cluster.topic_id(name)) is not None and found.int}


def _problem(name: str, topic: dict[str, Any] | None) -> str | None:
    if topic is None or topic["error_code"]:
        return f"the topic {name} is missing"
    headless = [each["partition_index"] for each in topic["partitions"] if each["leader_id"] < 0]
    return f"the topic {name} has no leader for its partitions {headless}" if headless else None
