"""What runs on and on is installed, started and stopped from the shell."""

import json
import re
import signal
import threading
import urllib.request
from pathlib import Path

import psycopg

from tests.commandline import CommandLine
from tests.conftest import RunningBroker

START_SECONDS = 60
STOP_SECONDS = 30


def test_migrating_twice_leaves_an_installation_that_passes_its_check(
    bare_database: str, broker_server: RunningBroker
) -> None:
    command = CommandLine(bare_database, bootstrap=broker_server.bootstrap)
    (missing,) = command.json("migrate", "--check", "--no-topics", status=1)["problems"]
    assert "AiAccount Sync is not installed" in missing
    assert "Named the installation test." in command.done("migrate")
    assert command.done("migrate") == "Nothing to do: all is as it should be.\n"
    assert command.json("migrate", "--check") == {"problems": []}
    with psycopg.connect(bare_database) as connection:
        connection.execute("alter table pos_transactions disable trigger user")
    problems = command.json("migrate", "--check", "--no-topics", status=1)["problems"]
    assert any("pos_transactions" in problem for problem in problems)
    command.done("migrate", "--no-topics")
    assert command.done("migrate", "--check", "--no-topics") == "All is as it should be.\n"


def test_the_sandbox_serves_until_it_is_stopped(tmp_path: Path) -> None:
    process = CommandLine().start("sandbox", "--book", str(tmp_path / "book.jsonl"))
    try:
        assert process.stdout is not None
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found is not None
        with urllib.request.urlopen(f"{found[0]}/openapi.json", timeout=10) as reply:  # noqa: S310 - our own
            assert json.load(reply)["openapi"].startswith("3.")
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.communicate()


def test_relay_and_consumers_stop_at_once_with_status_0(database: str, broker_server: RunningBroker) -> None:
    command = CommandLine(
        database, bootstrap=broker_server.bootstrap, more={"AIACCOUNT_SYNC_RELAY_METRICS_PORT": "0"}
    )
    command.done("migrate")
    for arguments, sign in ((("relay",), "leads"), (("consume", "kol_bill"), "endpoints=kol_bill")):
        process = command.start(*arguments)
        watchdog = threading.Timer(START_SECONDS, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            assert any(sign in line for line in process.stdout), f"{arguments} never said {sign!r}"
            watchdog.cancel()
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=STOP_SECONDS)
            assert process.returncode == 0, said
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()
