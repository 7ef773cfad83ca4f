"""A person adds tenants and changes how they keep their books."""

import json
from pathlib import Path

import pytest

from tests.commandline import CommandLine

MEI = ("7", "--company-name", "美美直播 Sdn Bhd", "--cutover-date", "2026-01-01")


@pytest.fixture
def command(database: str) -> CommandLine:
    """Give the command line of a fresh installation."""
    return CommandLine(database)


def test_a_tenant_is_added_changed_and_listed(command: CommandLine, tmp_path: Path) -> None:
    codes = tmp_path / "codes.json"
    codes.write_text(json.dumps({"tax:none:0": "NT", "account:sales": "40000"}))
    added = command.done("tenants", "add", *MEI, "--kol-mode", "multi", "--codes", str(codes))
    assert "credentials set 7" in added
    command.done("tenants", "set", "7", "--code", "account:sales=40001", "--remove-code", "tax:none:0")
    command.done("tenants", "set", "7", "--day-cutoff-hour", "4", "--owner-kol-id", "10")
    (tenant,) = command.json("tenants", "list")
    assert tenant == {
        "tenant_id": 7,
        "company_name": "美美直播 Sdn Bhd",
        "cutover_date": "2026-01-01",
        "kol_mode": "multi",
        "owner_kol_id": 10,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 4,
        "codes": {"account:sales": "40001"},
        "active": True,
        "company_id": None,
        "calls_per_minute": 60,
        "calls_at_once": 5,
        "settings_version": 3,
    }
    assert "美美直播 Sdn Bhd" in command.done("tenants", "list")
    assert "as before" in command.done("tenants", "set", "7", "--owner-kol-id", "10")
    command.done("tenants", "set", "7", "--no-owner-kol", "--inactive")
    command.done("tenants", "set", "7", "--calls-per-minute", "300", "--calls-at-once", "0")
    (tenant,) = command.json("tenants", "list")
    assert (tenant["owner_kol_id"], tenant["active"]) == (None, False)
    assert (tenant["calls_per_minute"], tenant["calls_at_once"]) == (300, None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "7", "--company-name", "Mei", "--cutover-date", "1/1/2026"), "'1/1/2026' is not a date"),
        (("add", *MEI, "--timezone", "Asia/KL"), "no time zone 'Asia/KL'"),
        (("add", *MEI, "--code", "tax:sales:10.0=X"), "no code 'tax:sales:10.0'"),
        (("add", *MEI, "--code", "account:sales"), "KEY=CODE"),
        (("add", *MEI, "--codes", "nowhere.json"), "nowhere.json cannot be read: No such file"),
        (("set", "8", "--inactive"), "there is no tenant 8"),
    ],
)
def test_what_cannot_be_is_refused(command: CommandLine, arguments: tuple[str, ...], said: str) -> None:
    assert said in command.refused("tenants", *arguments, status=2)
    assert command.json("tenants", "list") == []


def test_another_environment_s_database_is_refused(command: CommandLine) -> None:
    refused = command.but(environment="production").refused("tenants", "add", *MEI, status=3)
    assert "belongs to environment 'test' and this process to 'production'" in refused


def test_a_database_without_an_installation_is_refused(bare_database: str) -> None:
    refused = CommandLine(bare_database).refused("tenants", "list", status=3)
    assert "run aiaccount-sync migrate" in refused


def test_a_database_that_cannot_be_reached_is_a_service_s_failure() -> None:
    refused = CommandLine("postgresql://127.0.0.1:1/none").refused("tenants", "list", status=4)
    assert "127.0.0.1" in refused


def test_debug_shows_where_an_error_comes_from(command: CommandLine) -> None:
    done = command.run("--debug", "tenants", "set", "8", "--inactive")
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("aiaccount-sync: there is no tenant 8")
