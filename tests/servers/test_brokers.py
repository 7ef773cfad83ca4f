from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from deploy.servers import broker as brokers
from deploy.servers import kafka_jars
from deploy.servers.broker import BrokerChoice, broker
from deploy.servers.broker_server import BrokerServer, answers
from deploy.servers.kafka import KafkaServer
from deploy.servers.process import ServerFailed, alive, family
from outbox.broker import GroupReader
from tests.waiting import wait_for

CHOICES = [BrokerChoice.TANSU] if kafka_jars.why_not() else [BrokerChoice.KAFKA, BrokerChoice.TANSU]


@pytest.fixture(scope="module", params=CHOICES, ids=lambda choice: choice.value)
def server(request: pytest.FixtureRequest) -> Iterator[BrokerServer]:
    with broker(request.param) as running:
        yield running


def _create(server: BrokerServer, topic: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=server.bootstrap)
    try:
        admin.create_topics({topic: {"num_partitions": 2, "replication_factor": 1}})
        admin.wait_for_topics([topic])
    finally:
        admin.close()


def _topics(server: BrokerServer) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=server.bootstrap)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _send(server: BrokerServer, topic: str, count: int) -> None:
    producer = KafkaProducer(bootstrap_servers=server.bootstrap, acks="all")
    try:
        for future in [producer.send(topic, key=b"%d" % n, value=b"%d" % n) for n in range(count)]:
            future.get(timeout=20)
    finally:
        producer.close()


def _read_in_a_group(server: BrokerServer, topic: str, count: int) -> list[int]:
    values: list[int] = []
    with GroupReader(server.bootstrap, f"readers-of-{topic}", [topic], "test") as reader:

        def all_here() -> bool:
            values.extend(int(record.value or b"-1") for record in reader.poll(0.2))
            return len(values) >= count

        wait_for(all_here, 30, f"{count} messages in a group")
    return sorted(values)


def test_what_is_sent_is_read_in_a_group(server: BrokerServer) -> None:
    _create(server, "smoke")
    _send(server, "smoke", 50)
    assert _read_in_a_group(server, "smoke", 50) == list(range(50))


def test_it_comes_back_on_its_port_and_leaves_no_process(server: BrokerServer) -> None:
    address = server.bootstrap
    _create(server, "kept")
    _send(server, "kept", 5)
    seen = family(server.pid)
    server.stop()
    assert not any(alive(process) for process in seen)
    assert not answers(server.port)
    server.start()
    seen = family(server.pid)
    server.kill()
    assert not any(alive(process) for process in seen)
    server.start()
    assert server.bootstrap == address
    if isinstance(server, KafkaServer):
        assert _read_in_a_group(server, "kept", 5) == list(range(5))
    else:
        assert _topics(server) == set()


def test_a_paused_broker_answers_nobody_until_it_is_resumed(server: BrokerServer) -> None:
    server.pause()
    assert not answers(server.port)
    server.resume()
    wait_for(lambda: answers(server.port), 20, "the resumed broker to answer")


def test_without_java_auto_is_the_embedded_broker_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(brokers.REQUIRE_KAFKA, raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    assert broker().name == "Tansu, the embedded broker"
    assert capsys.readouterr().err == (
        "Java 17 or later is not installed: using the embedded broker (Tansu) instead of Apache Kafka\n"
    )


def test_where_kafka_is_required_its_lack_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(brokers.REQUIRE_KAFKA, "1")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServerFailed, match="but Java 17 or later is not installed"):
        broker()
