"""Every error ends in one line and in the exit status that the help promises."""

import pytest

from console.exits import exit_of, sentence
from consumers.secret import Secret
from outbox.errors import (
    BrokerError,
    DatabaseError,
    EnvelopeError,
    Fenced,
    InstallationError,
    SyncError,
    UsageError,
    VaultError,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), 2),
        (InstallationError("x"), 3),
        (VaultError("x"), 3),
        (DatabaseError("x"), 4),
        (BrokerError("x"), 4),
        (Fenced("x"), 1),
        (EnvelopeError("x"), 1),
        (SyncError("x"), 1),
        (KeyboardInterrupt(), 130),
        (ValueError("x"), 70),
    ],
)
def test_each_error_has_its_exit_status(error: BaseException, status: int) -> None:
    assert exit_of(error) == status


def test_an_error_is_one_line() -> None:
    assert (
        sentence(DatabaseError("refused\n\tIs it running?"), debug=False)
        == "aiaccount-sync: refused Is it running?"
    )


def test_a_bug_is_called_one() -> None:
    assert sentence(KeyError("x"), debug=False).startswith("aiaccount-sync: a bug of ours (KeyError:")


def test_a_traceback_is_shown_only_when_asked_for_and_without_secrets() -> None:
    secret = Secret("sk-live-5rT9vQ2m")

    def fail() -> None:
        raise ValueError(f"a header of {secret.reveal()}")

    with pytest.raises(ValueError, match="a header") as caught:
        fail()
    shown = sentence(caught.value, debug=True)
    assert "Traceback" in shown
    assert "in fail" in shown
    assert secret.reveal() not in shown
