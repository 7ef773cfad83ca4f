"""A key comes from a prompt or a pipe, and only as what a header can carry."""

import io
import sys

import pytest

from console.entering import enter_key, person
from outbox.errors import UsageError


def test_a_key_is_read_from_standard_input_without_its_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("sk-live-5rT9vQ2m\r\n"))
    assert enter_key("key: ").reveal() == "sk-live-5rT9vQ2m"


@pytest.mark.parametrize(
    "text", ["", "\n", "two words", "zwei\nzeilen", "schlüssel", "tab\tbed", "x" * 5000, "nul\0"]
)
def test_what_no_header_can_carry_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    with pytest.raises(UsageError) as caught:
        enter_key("key: ")
    assert not text.strip() or text.strip() not in str(caught.value)


def test_somebody_runs_this() -> None:
    assert person()
