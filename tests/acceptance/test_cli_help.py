"""The command as it is installed: help, a refusal and a new master key need no configuration."""

import re

from tests.commandline import CommandLine


def test_the_installed_command_helps_and_refuses() -> None:
    command = CommandLine()
    assert "Usage: aiaccount-sync [OPTIONS] COMMAND" in command.done("--help")
    assert "AIACCOUNT_SYNC_DATABASE_URL is not set" in command.refused("tenants", "list", status=2)


def test_a_new_master_key_is_one_line_for_a_ring() -> None:
    made = CommandLine().done("credentials", "master-key", "2026")
    assert re.fullmatch(r"2026:[A-Za-z0-9+/]{43}=\n", made)
