"""What goes in comes out, and whatever else comes out is said in a sentence."""

import string
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.endpoints import TOPICS, Aggregate, Endpoint
from outbox.envelope import LANES, Envelope, Message, decode, encode, source_of
from outbox.errors import EnvelopeError

BIGINT = st.integers(-(2**63), 2**63 - 1)
ZONES = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
HEX = st.sampled_from("0123456789abcdef")


@st.composite
def envelopes(draw: st.DrawFn) -> Envelope:
    aggregate = draw(st.sampled_from(Aggregate))
    ours = [endpoint for endpoint in Endpoint if endpoint.aggregate is aggregate]
    trace = st.tuples(st.text(HEX, min_size=32, max_size=32), st.text(HEX, min_size=16, max_size=16))
    return Envelope(
        aggregate=aggregate,
        aggregate_id=draw(BIGINT),
        endpoint=draw(st.sampled_from([None, *ours])),
        lane=draw(st.sampled_from(LANES)),
        event_id=f"{draw(st.integers(0, 2**64 - 1))}-{draw(st.integers(0, 2**63 - 1))}",
        created_at=draw(st.datetimes(timezones=ZONES)),
        traceparent=draw(st.none() | trace.map(lambda ids: f"00-{ids[0]}-{ids[1]}-01")),
    )


SALE = Envelope(
    Aggregate.POS_TRANSACTION,
    42,
    Endpoint.POS_INVOICE,
    "live",
    "740-7",
    datetime(2026, 3, 1, 12, 30, 0, 123456, tzinfo=UTC),
    "00-000000000000000000000000000002e4-0000000000000007-01",
)


def complaint(
    topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> str | None:
    """Return what is wrong with a message; none where it can be read."""
    try:
        decode(topic, key, value, headers)
    except EnvelopeError as error:
        return str(error)
    return None


def having(message: Message, name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    """Return the headers with one of them replaced."""
    return [*((each, old) for each, old in message.headers if each != name), (name, value)]


def test_a_message_is_a_cloudevent_in_binary_mode_with_ids_only() -> None:
    message = encode(SALE, source_of("production"))
    assert message.topic == "aiaccount.pos-transactions"
    assert message.key == b"42"
    assert message.value == b'{"pos_transaction_id":42}'
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"740-7",
        "ce_type": b"com.ns16.pos_transaction.changed",
        "ce_source": b"/ns16/production",
        "ce_subject": b"42",
        "ce_time": b"2026-03-01T12:30:00.123456+00:00",
        "content-type": b"application/json",
        "lane": b"live",
        "endpoint": b"pos_invoice",
        "traceparent": b"00-000000000000000000000000000002e4-0000000000000007-01",
    }


@given(envelopes(), st.text(string.ascii_lowercase, min_size=1))
def test_every_envelope_comes_back_as_it_went(envelope: Envelope, environment: str) -> None:
    assert decode(*encode(envelope, source_of(environment))) == envelope


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([name for name, _ in encode(SALE, "/").headers]) | st.text(max_size=5),
        st.none()
        | st.binary(max_size=40)
        | st.sampled_from([value for _, value in encode(SALE, "/").headers]),
    ),
    max_size=14,
)


@given(
    st.sampled_from([*TOPICS.values(), "elsewhere"]),
    st.none() | st.binary(max_size=24) | st.just(b"42"),
    st.none() | st.binary(max_size=40) | st.just(b'{"pos_transaction_id":42}'),
    HEADERS,
)
def test_any_bytes_give_an_envelope_or_an_envelope_error(
    topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    assert complaint(topic, key, value, headers) != ""


@given(envelopes(), st.data())
def test_a_message_with_one_thing_changed_is_still_read_or_refused_by_name(
    envelope: Envelope, data: st.DataObject
) -> None:
    message = encode(envelope, "/ns16/test")
    name = data.draw(st.sampled_from([name for name, _ in message.headers]))
    headers = having(message, name, data.draw(st.none() | st.binary(max_size=60)))
    said = complaint(message.topic, message.key, message.value, headers)
    assert said is None or name in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ce_specversion", b"0.3", "ce_specversion is '0.3'"),
        ("ce_type", b"com.ns16.kol_settlement.changed", "ce_type"),
        ("ce_id", b"740", "ce_id is '740'"),
        ("ce_id", None, "ce_id is missing"),
        ("ce_id", b"\xff", "ce_id is not ASCII"),
        ("ce_subject", b"43", "ce_subject differs from the key"),
        ("ce_time", b"yesterday", "ce_time is 'yesterday'"),
        ("ce_time", b"2026-03-01T12:30:00", "without its offset"),
        ("lane", b"fast", "lane is 'fast'"),
        ("endpoint", b"kol_bill", "endpoint is 'kol_bill'"),
        ("endpoint", b"nowhere", "endpoint is 'nowhere'"),
    ],
)
def test_what_is_wrong_with_a_header_is_said(name: str, value: bytes | None, said: str) -> None:
    message = encode(SALE, "/ns16/test")
    with pytest.raises(EnvelopeError, match=said):
        decode(message.topic, message.key, message.value, having(message, name, value))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        (None, b"{}", "the key is missing"),
        (b"042", b"{}", "the key is b'042'"),
        (b"9223372036854775808", b"{}", "the key is"),
        (b"42", None, "the value is missing"),
        (b"42", b"{", "the value is not JSON"),
        (b"42", b"[" * 100_000, "the value is not JSON"),
        (b"42", b"9" * 5_000, "the value"),
        (b"42", b"{}", "does not name the pos_transaction"),
        (b"42", b'{"pos_transaction_id":43}', "does not name the pos_transaction"),
    ],
)
def test_what_is_wrong_with_a_key_or_value_is_said(key: bytes | None, value: bytes | None, said: str) -> None:
    message = encode(SALE, "/ns16/test")
    with pytest.raises(EnvelopeError, match=said):
        decode(message.topic, key, value, message.headers)


def test_a_trace_that_cannot_be_read_is_passed_over() -> None:
    message = encode(SALE, "/ns16/test")
    read = decode(message.topic, message.key, message.value, having(message, "traceparent", b"nonsense"))
    assert read.traceparent is None
