"""How a client of Kafka comes to be, without leaving threads behind when no broker answers."""

import socket
from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import KafkaError
from kafka.net.compat import KafkaNetClient

from outbox.errors import BrokerError

METADATA_MAX_AGE_MS = 10_000
RECONNECT_MAX_MS = 1_000
PATIENCE_MS = 10_000
KNOCK_SECONDS = 5.0


def connect(client: Callable[..., Any], bootstrap: str, **settings: object) -> Any:  # noqa: ANN401 - no types there
    """Make one of kafka-python's clients.

    Raises:
        BrokerError: No broker answers at `bootstrap` (`host:port`, several with commas).
    """
    _knock(bootstrap)
    nets: list[KafkaNetClient] = []

    def net(**configs: object) -> KafkaNetClient:
        nets.append(KafkaNetClient(**configs))
        return nets[-1]

    try:
        return client(
            bootstrap_servers=bootstrap.split(","),
            kafka_client=net,
            reconnect_backoff_max_ms=RECONNECT_MAX_MS,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            **settings,
        )
    except KafkaError as error:
        # A client whose making failed has no close, yet its thread tries on for ever.
        for each in nets:
            each.close()
        raise BrokerError(f"no broker answers at {bootstrap}: {error}") from error


def _knock(bootstrap: str) -> None:
    """Raise `BrokerError` where nothing listens: the client would try for long and log much."""
    said: OSError | None = None
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), KNOCK_SECONDS).close()
        except OSError as error:
            said = error
        except ValueError as error:
            raise BrokerError(f"{bootstrap!r} is not host:port") from error
        else:
            return
    raise BrokerError(f"no broker answers at {bootstrap}: {said}")


def admin(bootstrap: str) -> Any:  # noqa: ANN401 - no types there
    """Make an admin client; else as `connect`."""
    return connect(
        KafkaAdminClient, bootstrap, request_timeout_ms=PATIENCE_MS, bootstrap_timeout_ms=PATIENCE_MS
    )
