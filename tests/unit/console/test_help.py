"""The help teaches: each command says what it does, shows an example and what its exit status means."""

import logging
import os
import re
from collections.abc import Iterator

import pytest

from console.main import run

COMMANDS = [
    "",
    "migrate",
    "relay",
    "consume",
    "status",
    "preview",
    "retry",
    "resolve",
    "explain",
    "audit",
    "dead-letters list",
    "dead-letters show",
    "dead-letters replay",
    "reconcile",
    "backfill",
    "runs list",
    "runs show",
    "runs cancel",
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


@pytest.fixture(autouse=True)
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the configuration away, and put the root logger back afterwards."""
    for name in [name for name in os.environ if name.startswith("AIACCOUNT_SYNC_")]:
        monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example_of_it_and_its_exit_statuses(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*command.split(), "--help"]) == 0
    done = capsys.readouterr()
    assert not done.err
    assert re.search(rf"Examples?:\n.*aiaccount-sync .*{command}", done.out, re.DOTALL)
    assert re.search(r"Exit status:\n +0  \w+", done.out)


def test_every_command_is_in_the_list_above_and_its_line_is_not_cut(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for group in ([], ["tenants"], ["credentials"], ["dead-letters"], ["runs"]):
        assert run([*group, "--help"]) == 0
        listed = capsys.readouterr().out.partition("Commands:\n")[2].partition("\n\n")[0]
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
        (["consume", "bills"], "'bills' is not one of"),
    ],
)
def test_what_cannot_be_is_one_line_and_exit_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    done = capsys.readouterr()
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert done.err.startswith("aiaccount-sync: ")
    assert not done.out
