"""A port is given once, however the dice fall."""

import subprocess
import sys
from itertools import count

import pytest

from deploy.servers import port
from deploy.servers.port import FIRST, free_port

SAME_DICE = """
from itertools import count
from deploy.servers import port
port.secrets.randbelow = lambda _, numbers=count({number}): next(numbers)
print(port.free_port())
"""


def test_a_port_that_was_given_is_not_given_again_before_its_server_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = free_port()
    numbers = count(first - FIRST)
    monkeypatch.setattr(port.secrets, "randbelow", lambda _: next(numbers))
    assert free_port() > first


def test_nor_is_it_given_to_another_process() -> None:
    first = free_port()
    code = SAME_DICE.format(number=first - FIRST)
    second = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(second.stdout) > first
