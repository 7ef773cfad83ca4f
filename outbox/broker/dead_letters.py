"""What cannot be read is kept, with where it came from and why, for a person to look at."""

from outbox.broker.group import Received
from outbox.broker.producer import Producer
from outbox.endpoints import DEAD_LETTERS
from outbox.envelope import Message

LARGEST = 900_000


def dead_letter(producer: Producer, received: Received, reason: str) -> None:
    """Copy a record that cannot be read to the dead letters, bytes as they are, with where from and why.

    A value too large to be copied with its headers is left out, and a header says so.

    Raises:
        BrokerError: The copy was not acknowledged.
    """
    headers = [(name, value or b"") for name, value in received.headers]
    size = len(received.value or b"") + sum(len(name) + len(value) for name, value in headers)
    value = received.value or b""
    if size > LARGEST:
        value, headers = b"", [("dead-letter-left-out", b"value and headers, %d bytes" % size)]
    headers += [
        ("dead-letter-topic", received.topic.encode()),
        ("dead-letter-partition", b"%d" % received.partition),
        ("dead-letter-offset", b"%d" % received.offset),
        ("dead-letter-reason", reason.encode()),
    ]
    producer.send_all([Message(DEAD_LETTERS, received.key or b"", value, headers)])
