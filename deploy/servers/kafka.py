"""Run Apache Kafka itself: one node, KRaft, in a temporary directory."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from deploy.servers import kafka_jars
from deploy.servers.answer import answers
from deploy.servers.port import LOCALHOST, free_port
from deploy.servers.process import ServerFailed, ServerProcess, leashed

START_SECONDS = 60.0
STOP_SECONDS = 20.0
HEAP = ("-Xmx512m", "-XX:+UseSerialGC")

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
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
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
"""


class KafkaServer:
    """Apache Kafka on 127.0.0.1; a context manager that runs it. Its data outlives a restart."""

    name = "Apache Kafka"

    def __init__(self) -> None:
        self._directory: Path | None = None
        self._process: ServerProcess | None = None
        self._port = 0

    @property
    def bootstrap(self) -> str:
        """The address for clients, ``host:port``; the same after a restart."""
        return f"{LOCALHOST}:{self._port}"

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    def start(self) -> None:
        """Format the storage where that was not done, start the server and wait until it answers.

        Raises:
            ServerFailed: it did not, or Java or Maven is missing; the message holds the end of its log.
        """
        if self._process is None:
            self._create()
        self._running().start(lambda: answers(self.bootstrap), START_SECONDS)

    def stop(self) -> None:
        """Stop the server in good order; its data stays until the context ends."""
        self._running().stop(within=STOP_SECONDS)

    def kill(self) -> None:
        """Kill the server with SIGKILL; its data stays."""
        self._running().kill()

    def pause(self) -> None:
        """Let the server hang: connections stand and nothing answers."""
        self._running().pause()

    def resume(self) -> None:
        """Let a paused server go on."""
        self._running().resume()

    def restart(self) -> None:
        """Stop the server and start it on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the server and remove all that it kept; no good order is needed for what is thrown away."""
        if self._process:
            self._process.kill()
            self._process = None
        if self._directory:
            shutil.rmtree(self._directory)
            self._directory = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise ServerFailed("Kafka was not started")
        return self._process

    def _create(self) -> None:
        java = kafka_jars.find_java()
        if java is None:
            raise ServerFailed(kafka_jars.why_not() or "Java is not installed")
        classpath = f"{kafka_jars.fetch()}/*"
        directory = Path(tempfile.mkdtemp(prefix="aiaccount-kafka-"))
        self._directory = directory
        self._port, controller_port = free_port(), free_port()
        properties = directory / "server.properties"
        properties.write_text(
            PROPERTIES.format(
                host=LOCALHOST, port=self._port, controller_port=controller_port, logs=directory / "logs"
            )
        )
        logging = directory / "log4j.properties"
        logging.write_text(LOG4J)
        run = [str(java), f"-Dlog4j.configuration=file:{logging}", "-cp", classpath]
        cluster = self._storage_tool(run, "random-uuid").strip()
        self._storage_tool(run, "format", "--standalone", "-t", cluster, "-c", str(properties))
        self._process = ServerProcess(
            "Kafka", [run[0], *HEAP, *run[1:], "kafka.Kafka", str(properties)], directory / "log"
        )

    @staticmethod
    def _storage_tool(run: list[str], *arguments: str) -> str:
        said = subprocess.run(  # noqa: S603 - Java, with arguments of ours
            leashed([*run, "kafka.tools.StorageTool", *arguments]),
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            raise ServerFailed(f"Kafka's StorageTool failed:\n{said.stdout}{said.stderr}")
        return said.stdout
