"""What the brokers have in common: where clients find one, and when it is ready for work."""

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from deploy.servers.port import LOCALHOST, accepts
from deploy.servers.temporary import TemporaryServer

PATIENCE_MS = 2_000


class BrokerServer(TemporaryServer):
    """A broker on 127.0.0.1 that speaks Kafka's protocol; a context manager that runs it.

    A broker tells its clients where to find it, so a proxy before it works only where the broker names the
    proxy: a broker that is made `behind` a port tells that port to who comes through `proxied_port`.
    """

    @property
    def proxied_port(self) -> int:
        """Where a proxy before the broker leads to."""
        return self.port

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``host:port``; the same after a restart."""
        return f"{LOCALHOST}:{self.port}"


def answers(port: int) -> bool:
    """Tell whether the broker at ``port`` names itself as one of its cluster."""
    if not accepts(port):
        return False
    try:
        admin = KafkaAdminClient(
            bootstrap_servers=f"{LOCALHOST}:{port}",
            bootstrap_timeout_ms=PATIENCE_MS,
            request_timeout_ms=PATIENCE_MS,
        )
    except KafkaError:
        return False
    try:
        return bool(admin.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        admin.close()
