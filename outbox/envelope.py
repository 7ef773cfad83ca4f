"""What travels over Kafka: "look at this aggregate", in CloudEvents' binary mode, and how it is read back.

A message holds ids only, no personal data and no amounts. Whatever bytes another client puts into the
topics, reading them gives an envelope or an `EnvelopeError` that says what is wrong, nothing else.
The encoder runs once a message on the relay's hot path, so what never changes is made once.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.errors import EnvelopeError

LANES = ("live", "backfill")

Headers = list[tuple[str, bytes]]
RawHeaders = Sequence[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """Say which aggregate to look at; without an endpoint, for all of the aggregate's endpoints.

    `event_id` is `<xid>-<seq>` of the outbox row, `lane` one of `LANES`, `created_at` aware and when the
    change was captured, `traceparent` as W3C Trace Context has it.
    """

    aggregate: Aggregate
    aggregate_id: int
    endpoint: Endpoint | None
    lane: str
    event_id: str
    created_at: datetime
    traceparent: str | None


class Message(NamedTuple):
    """What is handed to the producer."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


def source_of(environment: str) -> str:
    """Return the CloudEvents source of an environment's events."""
    return f"/ns16/{environment}"


def encode(envelope: Envelope, source: str) -> Message:
    """Encode an envelope; `source` comes from `source_of`."""
    shape = _SHAPES[envelope.aggregate]
    key = b"%d" % envelope.aggregate_id
    headers = [
        _SPECVERSION,
        ("ce_id", envelope.event_id.encode()),
        shape.type_header,
        ("ce_source", source.encode()),
        ("ce_subject", key),
        ("ce_time", envelope.created_at.isoformat().encode()),
        _CONTENT_TYPE,
        _LANE_HEADERS[envelope.lane],
    ]
    if envelope.endpoint is not None:
        headers.append(_ENDPOINT_HEADERS[envelope.endpoint])
    if envelope.traceparent is not None:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return Message(shape.topic, key, shape.value % key, headers)


def decode(topic: str, key: bytes | None, value: bytes | None, headers: RawHeaders) -> Envelope:
    """Read a message back.

    A header that is not known is passed over, and so is a `traceparent` that cannot be read (as W3C asks).

    Raises:
        EnvelopeError: The message cannot be read; the sentence names what is wrong.
    """
    aggregate = _AGGREGATES.get(topic)
    if aggregate is None:
        raise EnvelopeError(f"the topic {topic!r} is none of ours")
    aggregate_id = _number(key, "the key")
    named = dict(headers)
    if (version := _text(named, "ce_specversion")) != "1.0":
        raise EnvelopeError(f"the header ce_specversion is {version!r}, not '1.0'")
    if (kind := _text(named, "ce_type")) != _SHAPES[aggregate].type:
        raise EnvelopeError(f"the header ce_type is {kind!r}, not {_SHAPES[aggregate].type!r}")
    if named.get("ce_subject") != key:
        raise EnvelopeError("the header ce_subject differs from the key")
    if not _EVENT_ID.fullmatch(event_id := _text(named, "ce_id")):
        raise EnvelopeError(f"the header ce_id is {event_id!r}, not <xid>-<seq>")
    if (lane := _text(named, "lane")) not in LANES:
        raise EnvelopeError(f"the header lane is {lane!r}, none of {', '.join(LANES)}")
    _check_value(value, aggregate, aggregate_id)
    return Envelope(
        aggregate=aggregate,
        aggregate_id=aggregate_id,
        endpoint=_endpoint(named, aggregate),
        lane=lane,
        event_id=event_id,
        created_at=_time(named),
        traceparent=_traceparent(named),
    )


@dataclass(frozen=True)
class _Shape:
    """The parts of a message that an aggregate's type fixes."""

    topic: str
    type: str
    type_header: tuple[str, bytes]
    value: bytes


def _shape(aggregate: Aggregate) -> _Shape:
    kind = f"com.ns16.{aggregate}.changed"
    return _Shape(TOPICS[aggregate], kind, ("ce_type", kind.encode()), b'{"%s_id":%%b}' % aggregate.encode())


_SHAPES = MappingProxyType({aggregate: _shape(aggregate) for aggregate in Aggregate})
_AGGREGATES = MappingProxyType({topic: aggregate for aggregate, topic in TOPICS.items()})
_SPECVERSION = ("ce_specversion", b"1.0")
_CONTENT_TYPE = ("content-type", b"application/json")
_ENDPOINT_HEADERS = MappingProxyType({endpoint: ("endpoint", endpoint.encode()) for endpoint in Endpoint})
_LANE_HEADERS = MappingProxyType({lane: ("lane", lane.encode()) for lane in LANES})

_NUMBER = re.compile(rb"0|-?[1-9][0-9]{0,18}")
_EVENT_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}")
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_BIGINT = 2**63


def _number(key: bytes | None, what: str) -> int:
    if key is None:
        raise EnvelopeError(f"{what} is missing")
    if not _NUMBER.fullmatch(key) or not -_BIGINT <= (number := int(key)) < _BIGINT:
        raise EnvelopeError(f"{what} is {key[:40]!r}, not an aggregate's id")
    return number


def _text(headers: dict[str, bytes | None], name: str) -> str:
    raw = headers.get(name)
    if raw is None:
        raise EnvelopeError(f"the header {name} is missing")
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise EnvelopeError(f"the header {name} is not ASCII text") from None


def _endpoint(headers: dict[str, bytes | None], aggregate: Aggregate) -> Endpoint | None:
    if headers.get("endpoint") is None:
        return None
    text = _text(headers, "endpoint")
    endpoint = next((each for each in Endpoint if each == text), None)
    if endpoint is None or endpoint.aggregate is not aggregate:
        raise EnvelopeError(f"the header endpoint is {text!r}, which is no endpoint of a {aggregate}")
    return endpoint


def _time(headers: dict[str, bytes | None]) -> datetime:
    text = _text(headers, "ce_time")
    try:
        time = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise EnvelopeError(f"the header ce_time is {text!r}, not a time") from None
    if time.tzinfo is None:
        raise EnvelopeError(f"the header ce_time is {text!r}, without its offset from UTC")
    return time


def _traceparent(headers: dict[str, bytes | None]) -> str | None:
    raw = headers.get("traceparent")
    return raw.decode("ascii") if raw is not None and _TRACEPARENT.fullmatch(raw) else None


def _check_value(value: bytes | None, aggregate: Aggregate, aggregate_id: int) -> None:
    if value is None:
        raise EnvelopeError("the value is missing")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        raise EnvelopeError("the value is not JSON") from None
    if not isinstance(parsed, dict) or parsed.get(f"{aggregate}_id") != aggregate_id:
        raise EnvelopeError(f"the value does not name the {aggregate} of the key")
