"""Run Apache Kafka itself: one node, KRaft, in a temporary directory."""

import subprocess
from functools import partial
from pathlib import Path

from deploy.servers import kafka_jars
from deploy.servers.broker_server import BrokerServer, answers
from deploy.servers.port import LOCALHOST, free_port
from deploy.servers.process import ServerFailed, ServerProcess, leashed

START_SECONDS = 120.0
HEAP = ("-Xmx512m", "-XX:+UseSerialGC")
BRIEF = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # for a JVM that lives a second

LOG4J = """\
log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %p %c{1}: %m%n
"""

# Small internal topics and group waits of zero: a group joins in a fraction of a second.
PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},PROXIED://{host}:{proxied_port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port},PROXIED://{host}:{behind},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={logs}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""


class KafkaServer(BrokerServer):
    """Apache Kafka, one node. Its data outlives a restart and a kill.

    Behind a proxy it has a listener for that one, beside the usual one.
    """

    def __init__(self, behind: int | None = None) -> None:
        self._proxied_port = free_port()
        create = partial(_create, proxied_port=self._proxied_port, behind=behind or self._proxied_port)
        super().__init__("Apache Kafka", create, answers, START_SECONDS)

    @property
    def proxied_port(self) -> int:
        """Where a proxy before the broker leads to; who does not come through it uses `port`."""
        return self._proxied_port


def _create(directory: Path, port: int, proxied_port: int, behind: int) -> ServerProcess:
    java = kafka_jars.find_java()
    if java is None:
        raise ServerFailed(kafka_jars.why_not() or "Java is not installed")
    classpath = f"{kafka_jars.fetch()}/*"
    properties = directory / "server.properties"
    properties.write_text(
        PROPERTIES.format(
            host=LOCALHOST,
            port=port,
            proxied_port=proxied_port,
            behind=behind,
            controller_port=free_port(),
            logs=directory / "logs",
        )
    )
    logging = directory / "log4j.properties"
    logging.write_text(LOG4J)
    run = [str(java), f"-Dlog4j.configuration=file:{logging}", "-cp", classpath]
    cluster = _storage_tool(run, "random-uuid").split()[-1]
    _storage_tool(run, "format", "--standalone", "-t", cluster, "-c", str(properties))
    return ServerProcess(
        "Kafka", [run[0], *HEAP, *run[1:], "kafka.Kafka", str(properties)], directory / "log"
    )


def _storage_tool(run: list[str], *arguments: str) -> str:
    said = subprocess.run(  # noqa: S603 - Java, with arguments of ours
        leashed([run[0], *BRIEF, *run[1:], "kafka.tools.StorageTool", *arguments]),
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        raise ServerFailed(f"Kafka's StorageTool failed:\n{said.stdout}{said.stderr}")
    return said.stdout
