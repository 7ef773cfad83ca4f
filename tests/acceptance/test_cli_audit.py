"""Whatever a person does or tries is on record: who, what and whether it failed, and never an API key."""

from collections.abc import Iterator

import psycopg
import pytest

from console.entering import person
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company, key_of
from tests.commandline import CommandLine

CANARY = "aia_canary_that_is_refused_51c"
KEY = key_of("C7")


@pytest.fixture
def command(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """Give the command line of an installation whose AiAccount knows the company C7."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl", "--no-rate-limit") as sandbox:
        sandbox.put_company(company("C7", "Mei Live Sdn Bhd"))
        yield CommandLine(database, api_url=sandbox.url)


def test_what_was_done_and_what_failed_is_on_record_without_a_key(command: CommandLine) -> None:
    added = ("tenants", "add", "7", "--company-name", "Mei Live Sdn Bhd", "--cutover-date", "2026-01-01")
    command.done(*added)
    command.refused(*added, status=2)
    command.refused("credentials", "set", "7", stdin=CANARY, status=1)
    command.refused("credentials", "set", "9", stdin=CANARY, status=2)
    command.done("credentials", "set", "7", stdin=KEY)
    command.done("credentials", "test", "--tenant", "7")
    command.done("tenants", "set", "7", "--code", "account:sales=40000", "--day-cutoff-hour", "4")
    command.refused("tenants", "set", "7", "--timezone", "Mars/Olympus", status=2)
    command.done("retry", "--all")
    command.done("retry", "--dry-run")
    command.done("migrate", "--no-topics", "--capture-mode", "strict")
    command.done("migrate", "--drop-triggers")
    found = command.json("audit")
    assert [(one["action"], one["tenant_id"], one["succeeded"]) for one in found] == [
        ("tenants add", 7, True),
        ("tenants add", 7, False),
        ("credentials set", 7, False),
        ("credentials set", 9, False),
        ("credentials set", 7, True),
        ("credentials test", 7, True),
        ("tenants set", 7, True),
        ("tenants set", 7, False),
        ("retry", None, True),
        ("migrate --capture-mode strict", None, True),
        ("migrate --drop-triggers", None, True),
    ]
    assert {one["actor"] for one in found} == {person()}
    assert found[2]["detail"]["code"] == "API_KEY_INVALID"
    assert found[6]["detail"] == {
        "codes": [{}, {"account:sales": "40000"}],
        "day_cutoff_hour": [0, 4],
        "settings_version": [3, 4],
    }
    said = command.done("audit", "--tenant", "9")
    assert "credentials set tenant 9 FAILED" in said
    assert "tenants add" not in said
    shown = command.done("audit")
    assert max(map(len, shown.splitlines())) <= 80
    with psycopg.connect(command.database) as connection:
        kept = str(connection.execute("select a::text from aiaccount.audit a").fetchall())
    assert not {CANARY, KEY} & {key for key in (CANARY, KEY) if key in shown + str(found) + kept}


def test_a_key_that_cannot_be_opened_is_a_failed_test_on_record(command: CommandLine) -> None:
    command.done("tenants", "add", "7", "--company-name", "Mei Live Sdn Bhd", "--cutover-date", "2026-01-01")
    command.done("credentials", "set", "7", stdin=KEY)
    other = CommandLine(command.database, api_url=command.api_url)
    assert other.run("credentials", "test").returncode == 1
    last = command.json("audit", "--last", "1")[0]
    assert (last["action"], last["succeeded"], last["detail"]["code"]) == (
        "credentials test",
        False,
        "NOT_OPENED",
    )


def test_a_time_that_is_none_is_refused(command: CommandLine) -> None:
    assert "'yesterday' is not a time" in command.refused("audit", "--since", "yesterday", status=2)
    assert command.json("audit", "--since", "2100-01-01") == []
