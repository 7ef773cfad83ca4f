"""The configuration, read from the environment: the only module that looks there.

Every setting has a default that suits one machine, but for the database, the environment's name and the
master keys: those a person must say.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from outbox.errors import UsageError


@dataclass(frozen=True)
class Config:
    """Say where the servers are and how hard to work; times are in seconds.

    `claim_seconds` is how long a worker holds a task, `attempt_seconds` how long one call of AiAccount may
    take, `session_seconds` how long Kafka waits for a silent consumer (none for the usual six) and
    `send_seconds` how long the relay waits until a message counts as not acknowledged. The rows of the last
    `reconcile_days` are compared every `reconcile_seconds`; a captured change is taken to be on its way for
    `reconcile_grace_seconds`; and comparing takes `reconcile_share` of a core at most.
    """

    database_url: str
    environment: str
    bootstrap_servers: str
    api_url: str
    master_keys: str | None = field(repr=False)
    master_keys_file: str | None
    master_keys_command: str | None
    metrics_host: str
    relay_metrics_port: int
    consumer_metrics_port: int
    in_flight: int
    claim_seconds: float
    attempt_seconds: float
    session_seconds: float | None
    send_seconds: float
    reconcile_seconds: float
    reconcile_days: float
    reconcile_grace_seconds: float
    reconcile_share: float
    failpoints: str

    def require_database(self) -> str:
        """Return the database's URL, or raise `UsageError` if it is not set."""
        return _required(self.database_url, "AIACCOUNT_SYNC_DATABASE_URL", "postgresql://user@host/ns16")

    def require_environment(self) -> str:
        """Return the environment's name, or raise `UsageError` if it is not set."""
        return _required(self.environment, "AIACCOUNT_SYNC_ENVIRONMENT", "production")

    def require_api_url(self) -> str:
        """Return AiAccount's base URL, or raise `UsageError` if it is not set."""
        return _required(self.api_url, "AIACCOUNT_SYNC_API_URL", "https://aiaccount.example")


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration.

    Raises:
        UsageError: A number is not one, or not in its range; the message names the variable.
    """
    get = environ.get
    return Config(
        database_url=get("AIACCOUNT_SYNC_DATABASE_URL", ""),
        environment=get("AIACCOUNT_SYNC_ENVIRONMENT", ""),
        bootstrap_servers=get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
        api_url=get("AIACCOUNT_SYNC_API_URL", "").rstrip("/"),
        master_keys=get("AIACCOUNT_SYNC_MASTER_KEYS"),
        master_keys_file=get("AIACCOUNT_SYNC_MASTER_KEYS_FILE"),
        master_keys_command=get("AIACCOUNT_SYNC_MASTER_KEYS_COMMAND"),
        metrics_host=get("AIACCOUNT_SYNC_METRICS_HOST", "127.0.0.1"),
        relay_metrics_port=int(_number(environ, "AIACCOUNT_SYNC_RELAY_METRICS_PORT", 9101, 0, 65535)),
        consumer_metrics_port=int(_number(environ, "AIACCOUNT_SYNC_CONSUMER_METRICS_PORT", 9102, 0, 65535)),
        in_flight=int(_number(environ, "AIACCOUNT_SYNC_IN_FLIGHT", 256, 1, 4096)),
        claim_seconds=_number(environ, "AIACCOUNT_SYNC_CLAIM_SECONDS", 60, 0.5, 3600),
        attempt_seconds=_number(environ, "AIACCOUNT_SYNC_ATTEMPT_SECONDS", 15, 0.5, 30),
        session_seconds=_number(environ, "AIACCOUNT_SYNC_SESSION_SECONDS", 0, 0, 300) or None,
        send_seconds=_number(environ, "AIACCOUNT_SYNC_SEND_SECONDS", 30, 1, 300),
        reconcile_seconds=_number(environ, "AIACCOUNT_SYNC_RECONCILE_SECONDS", 180, 0.5, 86_400),
        reconcile_days=_number(environ, "AIACCOUNT_SYNC_RECONCILE_DAYS", 3, 0, 365),
        reconcile_grace_seconds=_number(environ, "AIACCOUNT_SYNC_RECONCILE_GRACE_SECONDS", 120, 0, 3600),
        reconcile_share=_number(environ, "AIACCOUNT_SYNC_RECONCILE_SHARE", 0.05, 0.001, 1),
        failpoints=get("AIACCOUNT_SYNC_FAILPOINTS", ""),
    )


def _required(value: str, name: str, example: str) -> str:
    if not value:
        raise UsageError(f"{name} is not set (for example {name}={example})")
    return value


def _number(environ: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environ.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{name}={text!r} is not a number") from None
    if not low <= value <= high:
        raise UsageError(f"{name}={text} must lie between {low:g} and {high:g}")
    return value
