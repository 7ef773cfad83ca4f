"""Sending: a message counts as sent when all in-sync replicas have it, and every one is asked for."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Self

from kafka import KafkaProducer
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from outbox.broker.connection import connect
from outbox.broker.topics import topic_ids
from outbox.envelope import Message
from outbox.errors import BrokerError

BATCH_BYTES = 256 * 1024
CACHED_KEYS = 100_000


class Pending:
    """Messages that were handed over and are not acknowledged yet."""

    def __init__(self, producer: KafkaProducer, futures: list[Any], patience: float) -> None:
        self._producer = producer
        self._futures = futures
        self._patience = patience

    def wait(self) -> None:
        """Wait until every message is acknowledged.

        Raises:
            BrokerError: One was not; the message names the first. Any of the others may be in Kafka.
        """
        deadline = time.monotonic() + self._patience
        try:
            for future in self._futures:
                if not future.is_done or future.exception is not None:
                    future.get(max(0.0, deadline - time.monotonic()))
        except KafkaError as error:
            raise BrokerError(f"a message was not acknowledged: {error}") from error


class Producer:
    """Send messages with acks=all and idempotence. After a `BrokerError`, close it and make another.

    What is in flight is bounded by the caller, who waits for one `Pending` before the next but one.
    """

    def __init__(self, bootstrap: str, client_id: str, *, patience: float = 30.0) -> None:
        """Connect.

        Args:
            bootstrap: `host:port`, several with commas.
            client_id: How the broker's log names us.
            patience: Seconds after which a message counts as not acknowledged.

        Raises:
            BrokerError: No broker answers.
        """
        self._patience = patience
        self._places: dict[tuple[str, bytes], int] = {}
        self._sizes: dict[str, int] = {}
        self._kafka = connect(
            KafkaProducer,
            bootstrap,
            client_id=client_id,
            acks="all",
            enable_idempotence=True,
            allow_auto_create_topics=False,
            batch_size=BATCH_BYTES,
            linger_ms=0,
            request_timeout_ms=int(patience * 1000 / 3),
            delivery_timeout_ms=int(patience * 1000),
            max_block_ms=int(patience * 1000 / 3),
            bootstrap_timeout_ms=int(patience * 1000 / 3),
            metrics_enabled=False,
        )

    def send(self, messages: Iterable[Message]) -> Pending:
        """Hand messages over without waiting for their acknowledgements.

        Raises:
            BrokerError: The broker or a topic is not there. Some of the messages may be in Kafka.
        """
        kafka_send = self._kafka.send
        places = self._places
        futures = []
        try:
            self._learn_sizes()
            for topic, key, value, headers in messages:
                place = places.get((topic, key))
                if place is None:
                    place = self._place(topic, key)
                futures.append(kafka_send(topic, value, key, headers, place))
        except (KafkaError, ValueError) as error:
            raise BrokerError(f"a message could not be handed to Kafka: {error}") from error
        return Pending(self._kafka, futures, self._patience + 1)

    def send_all(self, messages: Iterable[Message]) -> None:
        """Send messages and wait until every one is acknowledged.

        Raises:
            BrokerError: One was not; the message names the first.
        """
        self.send(messages).wait()

    def topics(self) -> Mapping[str, str]:
        """Return the ids of the topics that were sent to, by name; empty where the broker gives none.

        They are what was learnt last: ten seconds ago at most, sooner where something failed.
        """
        found = topic_ids(self._kafka._metadata, self._sizes)  # noqa: SLF001 - there is no public way
        return {name: str(each) for name, each in found.items()}

    def close(self) -> None:
        """Close the connection. What is not acknowledged by now is given up."""
        try:
            self._kafka.close(timeout=0)
        except KafkaError:
            # A close that cannot flush leaves the sender's thread running, so end that by force first.
            self._kafka._sender.force_close()  # noqa: SLF001 - there is no public way
            self._kafka._sender.join(timeout=5)  # noqa: SLF001 - the same
            self._kafka.close(timeout=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _learn_sizes(self) -> None:
        """Forget the partitions of keys when a topic's number of partitions has changed."""
        for topic, size in self._sizes.items():
            if len(self._kafka.partitions_for(topic)) != size:
                self._sizes.clear()
                self._places.clear()
                break

    def _place(self, topic: str, key: bytes) -> int:
        size = self._sizes.get(topic)
        if size is None:
            size = self._sizes[topic] = len(self._kafka.partitions_for(topic))
        if len(self._places) >= CACHED_KEYS:
            self._places.clear()
        place: int = (murmur2(key) & 0x7FFFFFFF) % size
        self._places[topic, key] = place
        return place
