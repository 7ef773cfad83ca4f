"""Commands run as logins with the role that their help names, and say so where a login has another."""

from collections.abc import Iterator

import pytest

from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company, key_of
from deploy.stack.logins import Login, as_login, make_logins
from tests.commandline import CommandLine

KEY = key_of("C7")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Give a sandbox with the company C7."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl", "--no-rate-limit") as sandbox:
        sandbox.put_company(company("C7", "Mei Live Sdn Bhd"))
        yield sandbox


@pytest.fixture
def console(database: str, sandbox: SandboxProcess) -> CommandLine:
    """Give the command line of a person whose login has the role aiaccount_admin."""
    make_logins(database)
    return CommandLine(as_login(database, Login.CONSOLE), api_url=sandbox.url)


def subscribed(console: CommandLine) -> None:
    console.done("tenants", "add", "7", "--company-name", "Mei Live Sdn Bhd", "--cutover-date", "2026-01-01")
    console.done("credentials", "set", "7", stdin=f"{KEY}\n")


def test_an_admin_enters_tenants_and_keys_and_lets_go_what_waits(console: CommandLine) -> None:
    subscribed(console)
    console.done("credentials", "set", "7", stdin=f"{KEY}\n")
    console.done("tenants", "set", "7", "--kol-mode", "multi")
    console.done("tenants", "list")
    console.done("credentials", "list")
    console.done("retry", "--all")
    assert "no row 1" in console.refused("preview", "--endpoint", "pos_invoice", "--id", "1", status=2)


@pytest.mark.parametrize("command", ["test", "rotate"])
def test_stored_keys_are_opened_by_who_has_the_role_for_it_and_the_refusal_says_which(
    console: CommandLine, database: str, command: str
) -> None:
    subscribed(console)
    ring = f"{_another_key()}\n{console.master_keys}"
    said = console.but(master_keys=ring).refused("credentials", command, status=3)
    assert "permission denied for table credentials" in said
    assert "--help names it" in said
    assert "aiaccount_keys" in console.done("credentials", command, "--help")
    officer = console.but(database=as_login(database, Login.KEYS), master_keys=ring)
    officer.done("credentials", command)


@pytest.mark.parametrize("login", [Login.RELAY, Login.CONSUMERS])
def test_the_logins_of_our_processes_enter_no_tenant_and_no_key(
    console: CommandLine, database: str, login: Login
) -> None:
    other = console.but(database=as_login(database, login))
    settings = ("--company-name", "Mei Live Sdn Bhd", "--cutover-date", "2026-01-01")
    assert "permission denied" in other.refused("tenants", "add", "7", *settings, status=3)


def test_what_an_administrator_must_run_is_printed(database: str) -> None:
    make_logins(database)
    assert CommandLine(database).done("migrate", "--print-roles").strip() == ""
    printed = CommandLine(as_login(database, Login.RELAY)).done("migrate", "--print-roles")
    assert printed.splitlines() == [
        "grant aiaccount_owner to sync_relay;",
        "grant aiaccount_capture to sync_relay;",
    ]


def _another_key() -> str:
    return CommandLine().master_keys.replace("k1:", "k2:", 1)
