"""Choose between Apache Kafka and the embedded broker by what the machine has."""

import os
import sys
from enum import Enum
from typing import assert_never

from deploy.servers import kafka_jars
from deploy.servers.broker_server import BrokerServer
from deploy.servers.kafka import KafkaServer
from deploy.servers.process import ServerFailed
from deploy.servers.tansu import TansuServer

REQUIRE_KAFKA = "AIACCOUNT_SYNC_REQUIRE_KAFKA"


class BrokerChoice(Enum):
    """Which broker is run."""

    AUTO = "auto"
    KAFKA = "kafka"
    TANSU = "tansu"


def kafka_required() -> bool:
    """Tell whether the environment forbids the embedded broker in Kafka's place."""
    return os.environ.get(REQUIRE_KAFKA) == "1"


def broker(choice: BrokerChoice = BrokerChoice.AUTO, *, behind: int | None = None) -> BrokerServer:
    """Return a broker that is not started yet; AUTO is Kafka where Java and Maven or the jars are there.

    Falling back to the embedded broker is said in one line on standard error. `behind` is the port of a
    proxy before it, as `BrokerServer` says.

    Raises:
        ServerFailed: AIACCOUNT_SYNC_REQUIRE_KAFKA is 1 and Kafka cannot run here.
    """
    match choice:
        case BrokerChoice.KAFKA:
            return KafkaServer(behind)
        case BrokerChoice.TANSU:
            return TansuServer(behind)
        case BrokerChoice.AUTO:
            return _best(behind)
    assert_never(choice)


def _best(behind: int | None) -> BrokerServer:
    lack = kafka_jars.why_not()
    if lack is None:
        return KafkaServer(behind)
    if kafka_required():
        raise ServerFailed(f"{REQUIRE_KAFKA}=1, but {lack}")
    sys.stderr.write(f"{lack}: using the embedded broker (Tansu) instead of Apache Kafka\n")
    return TansuServer(behind)
