"""The help teaches: each command says what it does, shows an example and what its exit status means."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = str(Path(sys.executable).with_name("aiaccount-sync"))
COMMANDS = [
    "",
    "migrate",
    "relay",
    "consume",
    "preview",
    "retry",
    "sandbox",
    "tenants add",
    "tenants set",
    "tenants list",
    "credentials set",
    "credentials test",
    "credentials rotate",
    "credentials list",
    "credentials master-key",
]


def aiaccount_sync(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command without any configuration."""
    return subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, env={}, check=False, timeout=60
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example_of_it_and_its_exit_statuses(command: str) -> None:
    done = aiaccount_sync(*command.split(), "--help")
    assert done.returncode == 0
    assert not done.stderr
    assert re.search(rf"Examples?:\n.*aiaccount-sync .*{command}", done.stdout, re.DOTALL)
    assert re.search(r"Exit status:\n +0  \w+", done.stdout)


def test_every_command_is_in_the_list_above_and_its_line_is_not_cut() -> None:
    for group in ([], ["tenants"], ["credentials"]):
        listed = aiaccount_sync(*group, "--help").stdout.partition("Commands:\n")[2].partition("\n\n")[0]
        names = [line.split()[0] for line in listed.splitlines()]
        wanted = {
            name.split()[len(group)] for name in COMMANDS if name.split()[: len(group)] == group and name
        }
        assert sorted(names) == sorted(wanted)
        assert "..." not in listed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["migrate"], "AIACCOUNT_SYNC_DATABASE_URL is not set"),
        (["tenants", "add", "x"], "Invalid value for 'TENANT'"),
        (["tenants", "list", "--tenant"], "No such option: --tenant"),
        (["preview", "--endpoint", "pos_invoice"], "Missing option '--id'"),
        (["preview", "--endpoint", "invoices", "--id", "1"], "Invalid value for '--endpoint'"),
        (["retry"], "say what to try again"),
        (["retry", "--state", "gone", "--all"], "there is no state 'gone'"),
        (["credentials", "set", "7"], "AIACCOUNT_SYNC_MASTER_KEYS"),
        (["credentials", "set", "7", "--new-company"], "belong together"),
        (["credentials", "master-key", "a b"], "the id 'a b' is not"),
        (["consume", "bills"], "Invalid value for 'ENDPOINTS"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_status_2(arguments: list[str], said: str) -> None:
    done = aiaccount_sync(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("aiaccount-sync: ")
    assert not done.stdout


def test_a_new_master_key_is_one_line_for_a_ring() -> None:
    done = aiaccount_sync("credentials", "master-key", "2026")
    assert done.returncode == 0
    assert re.fullmatch(r"2026:[A-Za-z0-9+/]{43}=\n", done.stdout)
