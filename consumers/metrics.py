"""What the consumers count for ops. No tenant and no number ever stands in a label."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from outbox.endpoints import Endpoint

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class ConsumerMetrics:
    """The consumers' metrics, in a registry of their own."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.deliveries = Counter(
            "aiaccount_deliveries",
            "Deliveries by endpoint and outcome",
            ("endpoint", "outcome"),
            registry=self.registry,
        )
        self._attempts = Histogram(
            "aiaccount_attempt_seconds",
            "A push with its quick retries, by endpoint and code",
            ("endpoint", "code"),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._accepted = Histogram(
            "aiaccount_commit_to_accepted_seconds",
            "From the change's capture to AiAccount's acceptance",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.dead_letters = Counter(
            "aiaccount_dead_letters", "Messages that could not be read", registry=self.registry
        )
        self.lag = Gauge(
            "aiaccount_lag_records", "Records not read yet", ("endpoint",), registry=self.registry
        )
        self.lag_seconds = Gauge(
            "aiaccount_lag_seconds", "Age of the record read last", ("endpoint",), registry=self.registry
        )
        self.in_flight = Gauge(
            "aiaccount_in_flight",
            "Records whose delivery is under way",
            ("endpoint",),
            registry=self.registry,
        )

    def attempt(self, endpoint: Endpoint, code: str, seconds: float) -> None:
        """Count a push and how long it took."""
        self._attempts.labels(endpoint, code).observe(seconds)

    def accepted(self, endpoint: Endpoint, seconds: float) -> None:
        """Count an acceptance and how long it took from the change."""
        self._accepted.labels(endpoint).observe(seconds)
