"""How far each endpoint's consumer group is behind, asked from outside; nothing is joined or committed."""

import time
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    KafkaError,
    NotCoordinatorError,
)
from kafka.structs import TopicPartition

from outbox.broker.connection import PATIENCE_MS, admin, connect
from outbox.endpoints import TOPICS, Endpoint
from outbox.errors import BrokerError

LOOK_SECONDS = 2.0
_POLL_MS = 200
_NOT_YET = (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError)
_TRIES = 10
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Lag:
    """Records that a group has not passed, and the age of the oldest in seconds; none if it was not given."""

    endpoint: Endpoint
    records: int
    seconds: float | None


class Lags:
    """Keep the connections open between looks; after a `BrokerError` the next look opens them anew."""

    def __init__(self, bootstrap: str) -> None:
        """Connect to nothing yet; `bootstrap` is `host:port`, several with commas."""
        self._bootstrap = bootstrap
        self._admin: Any = None
        self._kafka: Any = None

    def look(self) -> list[Lag]:
        """Return each endpoint's lag.

        Raises:
            BrokerError: The broker does not answer, or a topic is missing.
        """
        try:
            if self._admin is None:
                self._admin = admin(self._bootstrap)
            if self._kafka is None:
                self._kafka = _reader(self._bootstrap)
            return [self._lag(endpoint) for endpoint in Endpoint]
        except (KafkaError, KeyError) as error:  # the client's own, for a partition that is there no more
            self.close()
            raise BrokerError(f"cannot ask for the lag: {error!r}") from error

    def close(self) -> None:
        """Let go of the connections."""
        kafka, self._kafka, client, self._admin = self._kafka, None, self._admin, None
        if kafka is not None:
            kafka.close(autocommit=False, timeout_ms=1_000)
        if client is not None:
            client.close()

    def _lag(self, endpoint: Endpoint) -> Lag:
        topic = TOPICS[endpoint.aggregate]
        numbers = self._kafka.partitions_for_topic(topic)
        if not numbers:
            raise BrokerError(f"the topic {topic} is missing")
        places = [TopicPartition(topic, number) for number in sorted(numbers)]
        committed = self._committed(endpoint.group, places)
        starts = self._kafka.beginning_offsets(places, timeout_ms=PATIENCE_MS)
        ends = self._kafka.end_offsets(places, timeout_ms=PATIENCE_MS)
        behind: dict[TopicPartition, int] = {}
        for place in places:
            passed = max(starts[place], committed[place].offset if place in committed else -1)
            if passed < ends[place]:
                behind[place] = passed
        records = sum(ends[place] - passed for place, passed in behind.items())
        return Lag(endpoint, records, self._oldest(behind) if behind else 0.0)

    def _committed(self, group: str, places: list[TopicPartition]) -> Any:  # noqa: ANN401 - no types there
        """Return the offsets by partition; a broker that never had a group makes itself ready first."""
        for _ in range(_TRIES):
            try:
                return self._admin.list_group_offsets({group: places})[group]
            except _NOT_YET:
                time.sleep(_PAUSE_SECONDS)
        return self._admin.list_group_offsets({group: places})[group]

    def _oldest(self, behind: dict[TopicPartition, int]) -> float | None:
        """Return the age of the oldest of the next records of these partitions."""
        self._kafka.assign(list(behind))
        self._kafka.resume(*behind)  # what is assigned again is still paused
        for place, offset in behind.items():
            self._kafka.seek(place, offset)
        written: dict[TopicPartition, int] = {}
        until = time.monotonic() + LOOK_SECONDS
        while len(written) < len(behind) and time.monotonic() < until:
            for place, records in self._kafka.poll(timeout_ms=_POLL_MS).items():
                written.setdefault(place, records[0].timestamp)
                self._kafka.pause(place)
        return max(0.0, time.time() - min(written.values()) / 1000) if written else None


def _reader(bootstrap: str) -> Any:  # noqa: ANN401 - no types there
    return connect(
        KafkaConsumer,
        bootstrap,
        client_id="aiaccount-sync-status",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        request_timeout_ms=PATIENCE_MS,
        bootstrap_timeout_ms=PATIENCE_MS,
        metrics_enabled=False,
    )
