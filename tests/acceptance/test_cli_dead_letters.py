"""What could not be read is listed, shown whole and sent again once."""

import secrets

import pytest

from outbox.broker import DeadLetter, Producer, Received, create_topics, dead_letter, dead_letters, replay
from outbox.endpoints import TOPICS, Aggregate
from outbox.errors import BrokerError
from tests.commandline import CommandLine
from tests.conftest import RunningBroker

TOPIC = TOPICS[Aggregate.POS_TRANSACTION]


@pytest.fixture
def command(database: str, broker_server: RunningBroker) -> CommandLine:
    """Give the command line of an installation with topics."""
    create_topics(broker_server.bootstrap, 3)
    return CommandLine(database, bootstrap=broker_server.bootstrap)


def buried(command: CommandLine, value: bytes, topic: str = TOPIC) -> DeadLetter:
    """Bury a record, and return its dead letter."""
    headers: list[tuple[str, bytes | None]] = [("ce_id", b"1-1"), ("lane", b"live")]
    with Producer(command.bootstrap, "test") as producer:
        dead_letter(producer, Received(topic, 2, 41, b"7", value, headers, 0), "the value is not JSON")
    return dead_letters(command.bootstrap)[-1]


def test_a_dead_letter_is_listed_shown_and_sent_again_once(command: CommandLine) -> None:
    mark = secrets.token_hex(4)
    value = b"\x00\xffodd-" + mark.encode()
    letter = buried(command, value)
    assert (letter.topic, letter.partition, letter.offset, letter.value) == (TOPIC, 2, 41, value)
    listed = command.done("dead-letters", "list")
    assert f"{letter.letter_id}  " in listed
    assert f"..odd-{mark}" in listed
    assert f"{TOPIC} 2-41" in listed
    shown = command.done("dead-letters", "show", letter.letter_id)
    assert "the value is not JSON" in shown
    assert "00 ff 6f 64 64" in shown
    assert "ce_id" in shown
    assert "Sent 1 again." in command.done("dead-letters", "replay", letter.letter_id)
    assert "Sent 0 again." in command.done("dead-letters", "replay", letter.letter_id)
    assert letter.letter_id not in command.json("dead-letters", "replay", "--all")["replayed"]
    assert f"{TOPIC} 2-41  replayed" in command.done("dead-letters", "list")
    (deed,) = [one for one in command.json("audit") if str(one["subject"]).startswith(f"{letter.letter_id}@")]
    assert (deed["action"], deed["succeeded"]) == ("dead-letters replay", True)


def test_what_comes_back_after_it_was_sent_again_is_not_sent_a_third_time(command: CommandLine) -> None:
    letter = buried(command, b"odd")
    headers = [*letter.headers, ("dead-letter-replay", letter.letter_id.encode())]
    with Producer(command.bootstrap, "test") as producer:
        dead_letter(producer, Received(TOPIC, 2, 42, b"7", b"odd", headers, 0), "the value is not JSON")
    back = dead_letters(command.bootstrap)[-1]
    assert back.before == letter.letter_id
    assert back.letter_id not in command.json("dead-letters", "replay", "--all")["replayed"]


def test_what_came_from_elsewhere_or_was_too_large_cannot_go_back(command: CommandLine) -> None:
    strange = buried(command, b"odd", "somebody.elses")
    refused = command.refused("dead-letters", "replay", strange.letter_id, status=4)
    assert "no topic of ours" in refused
    large = buried(command, b"x" * 950_000)
    assert large.left_out
    with Producer(command.bootstrap, "test") as producer, pytest.raises(BrokerError, match="too large"):
        replay(producer, large)
    failed = [one for one in command.json("audit") if not one["succeeded"]]
    assert [one["action"] for one in failed] == ["dead-letters replay"]


def test_what_is_not_there_is_said(command: CommandLine) -> None:
    assert "there is no dead letter 9-9" in command.refused("dead-letters", "show", "9-9", status=2)
    assert "give the ID" in command.refused("dead-letters", "replay", status=2)
    nowhere = command.but(bootstrap="127.0.0.1:1")
    assert "no broker answers" in nowhere.refused("dead-letters", "list", status=4)
