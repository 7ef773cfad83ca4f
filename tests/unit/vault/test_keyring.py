"""Master keys come from exactly one place, and what is wrong with them is said clearly."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from consumers.keyring import KeyRing, new_master_key, parse_key_ring, read_key_ring
from outbox.environment import read_config
from outbox.errors import UsageError, VaultError

NAME = "AIACCOUNT_SYNC_MASTER_KEYS"
KEY = "A" * 43 + "="  # 32 zero bytes: a case's name must be the same in every worker


def ring_of(**variables: str) -> KeyRing:
    """Read the ring that these variables (`keys`, `file`, `command`) name."""
    names = {"keys": NAME, "file": f"{NAME}_FILE", "command": f"{NAME}_COMMAND"}
    return read_key_ring(read_config({names[name]: value for name, value in variables.items()}))


def test_the_first_key_seals_and_every_key_opens() -> None:
    first, second = new_master_key("2026"), new_master_key("2025")
    ring = ring_of(keys=f"{first},{second}")
    assert ring.sealing_id == "2026"
    assert ring.key_ids == ("2026", "2025")
    assert len({ring.key("2026"), ring.key("2025")}) == 2


def test_a_file_may_have_comments_and_a_key_a_line(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# of production\n{new_master_key('b')}  # since May\n\n{new_master_key('a')}\n")
    assert ring_of(file=str(path)).key_ids == ("b", "a")


def test_a_command_prints_the_ring() -> None:
    code = f"print({new_master_key('c')!r})"
    assert ring_of(command=shlex.join([sys.executable, "-c", code])).key_ids == ("c",)


def test_a_command_is_not_given_to_a_shell(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="entry 1"):
        ring_of(command=f"echo a; touch {tmp_path}/made")
    assert not (tmp_path / "made").exists()


def test_none_or_two_sources_are_refused() -> None:
    with pytest.raises(UsageError, match=r"exactly one of .*; none is set"):
        ring_of()
    with pytest.raises(UsageError, match=r"exactly one of .*; 2 are set"):
        ring_of(keys=new_master_key("a"), file="/nowhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no master key"),
        ("# nothing", "holds no master key"),
        ("abc", "entry 1 .* is not of the form id:base64"),
        ("a:!!!!", "entry 1 .* is not base64"),
        ("a:c2hvcnQ=", "entry 1 .* has 5 bytes and not 32"),
        (f"a b:{KEY}", "id of entry 1 .* is not 1 to 40 letters"),
        (f"a:{KEY},b", "entry 2 .* is not of the form"),
        (f"a:{KEY},a:{KEY}", "two master keys .* have the id 'a'"),
    ],
)
def test_what_is_wrong_with_a_ring_is_said(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_key_ring(text, "the test")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    with pytest.raises(VaultError, match=re.escape(f"{path} cannot be read: No such file")):
        ring_of(file=path)


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        ("no-such-program-here", VaultError, "cannot be run: No such file"),
        (shlex.join([sys.executable, "-c", "raise SystemExit(3)"]), VaultError, "exit status 3"),
        ("", UsageError, "is empty"),
        ("echo 'a", UsageError, "a quote that is not closed"),
    ],
)
def test_a_command_that_fails_is_said(command: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        ring_of(command=command)


def test_what_a_failing_command_printed_is_not_repeated() -> None:
    code = "import sys; print('k1:leak'); print('leak', file=sys.stderr); sys.exit(1)"
    with pytest.raises(VaultError) as caught:
        ring_of(command=shlex.join([sys.executable, "-c", code]))
    assert "leak" not in str(caught.value)


def test_a_new_master_key_is_a_ring_of_its_own_and_never_the_same() -> None:
    lines = {new_master_key("k1") for _ in range(100)}
    assert len(lines) == 100
    assert {parse_key_ring(line, "the test").key_ids for line in lines} == {("k1",)}
    with pytest.raises(UsageError, match="the id 'a b' is not"):
        new_master_key("a b")
