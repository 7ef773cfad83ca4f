import re
import signal
import subprocess
import sys

import psycopg
import pytest

from deploy.servers import kafka_jars
from deploy.servers.broker_server import answers
from deploy.servers.port import accepts

SERVERS = ["postgres", "tansu"] if kafka_jars.why_not() else ["postgres", "tansu", "kafka"]


def _answers(address: str) -> bool:
    if address.startswith("postgresql://"):
        with psycopg.connect(address):
            return True
    return answers(int(address.rpartition(":")[2]))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
@pytest.mark.parametrize("what", SERVERS)
def test_it_names_its_address_and_ends_when_told(what: str, stop: signal.Signals) -> None:
    command = [sys.executable, "-m", "deploy.servers", what]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            address = next(line.split("=", 1)[1].strip() for line in running.stdout if "=" in line)
            assert _answers(address)
            running.send_signal(stop)
            assert running.wait(30) == 0
        finally:
            running.kill()
    port = re.search(r":(\d+)", address)
    assert port
    assert not accepts(int(port[1]))
