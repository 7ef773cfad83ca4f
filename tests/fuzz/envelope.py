"""The envelope: bytes in a topic are one that would be written the same again, or a dead letter."""

import json
from datetime import UTC, datetime

from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.envelope import LANES, Envelope, decode, encode, source_of
from outbox.errors import EnvelopeError
from tests.fuzz.mutation import SEPARATOR

_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_ABSENT = b"-absent-"


def _seed(envelope: Envelope) -> bytes:
    message = encode(envelope, source_of("test"))
    headers = [part for name, value in message.headers for part in (name.encode(), value)]
    return SEPARATOR.join([message.topic.encode(), message.key, message.value, *headers])


_TIMES = (datetime(2026, 5, 1, 6, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC))
SEEDS = [
    _seed(Envelope(endpoint.aggregate, number, at, lane, "7-9", time, trace))
    for endpoint in Endpoint
    for number in (1, -(2**63), 2**63 - 1)
    for at in (endpoint, None)
    for lane, time, trace in zip(LANES, _TIMES, (_TRACE, None), strict=True)
]


def check(data: bytes) -> None:
    """Decode a message made of the parts of `data`: topic, key, value, then names and values of headers."""
    topic, key, value, *rest = [*data.split(SEPARATOR), b"", b"", b""][: max(3, data.count(SEPARATOR) + 1)]
    names = [name.decode("utf-8", "replace") for name in rest[::2]]
    headers = list(zip(names, (None if raw == _ABSENT else raw for raw in rest[1::2]), strict=False))
    absent = {_ABSENT: None}
    try:
        read = decode(
            topic.decode("utf-8", "replace"), absent.get(key, key), absent.get(value, value), headers
        )
    except EnvelopeError as error:
        assert str(error), "a dead letter has its reason"
        return
    assert isinstance(read.aggregate, Aggregate)
    assert TOPICS[read.aggregate] == topic.decode()
    assert key == b"%d" % read.aggregate_id, "a number is written in one way only"
    assert json.loads(value)[f"{read.aggregate}_id"] == read.aggregate_id
    assert -(2**63) <= read.aggregate_id < 2**63, "PostgreSQL holds it"
    assert read.endpoint is None or read.endpoint.aggregate is read.aggregate
    assert read.lane in LANES
    assert read.created_at.utcoffset() is not None
    message = encode(read, source_of("test"))
    assert decode(*message) == read, "what is read is what would be written"
