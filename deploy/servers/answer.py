"""Ask whether a Kafka broker is ready for work."""

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.servers.port import accepts

PATIENCE_MS = 2_000


def answers(bootstrap: str) -> bool:
    """Tell whether the broker at ``bootstrap`` (``host:port``) names itself as one of its cluster."""
    if not accepts(int(bootstrap.rpartition(":")[2])):
        return False
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=bootstrap, bootstrap_timeout_ms=PATIENCE_MS, request_timeout_ms=PATIENCE_MS
        )
    except KafkaError:
        return False
    try:
        return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        admin.close()
