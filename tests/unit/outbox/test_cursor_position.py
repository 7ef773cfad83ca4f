"""Where a chunk begins and ends, without a database."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outbox.cursor import Position, Row, chunk_of, running, xmax
from outbox.endpoints import Endpoint

AT = datetime(2026, 3, 1, tzinfo=UTC)
NEXT = "20:20:"


def row(xid: int, seq: int, aggregate_id: int, endpoint: str | None = None, lane: str = "live") -> Row:
    return (NEXT, str(xid), seq, "pos_transaction", aggregate_id, endpoint, lane, AT)


def test_a_snapshot_is_read_as_postgresql_writes_it() -> None:
    assert xmax("10:20:10,14,18") == 20
    assert running("10:20:10,14,18") == [10, 14, 18]
    assert running("10:10:") == []


@pytest.mark.parametrize(
    ("after", "start", "still_open"),
    [
        (None, (20, -(2**63)), [10, 14]),
        ((14, 3), (20, -(2**63)), [14]),
        ((20, 5), (20, 5), []),
        ((31, 1), (31, 1), []),
    ],
)
def test_a_search_begins_after_the_row_handled_last(
    after: tuple[int, int] | None, start: tuple[int, int], still_open: list[int]
) -> None:
    position = Position("10:20:10,14", "10:40:", after)
    assert position.start == start
    assert position.open == still_open


def test_no_rows_end_the_target() -> None:
    chunk = chunk_of([(NEXT, None, None, None, None, None, None, None)], Position("1:1:"), 3)  # type: ignore[list-item]
    assert (chunk.rows, chunk.envelopes, chunk.end, chunk.more) == (0, [], Position(NEXT), False)


def test_a_full_chunk_keeps_its_target() -> None:
    chunk = chunk_of([row(5, 1, 1), row(5, 2, 2)], Position("1:1:"), 2)
    assert chunk.end == Position("1:1:", NEXT, (5, 2))
    assert chunk.more


def test_a_chunk_that_is_not_full_ends_its_target() -> None:
    chunk = chunk_of([row(5, 1, 1)], Position("1:1:", NEXT, (4, 4)), 2)
    assert chunk.end == Position(NEXT)
    assert not chunk.more


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from([None, "pos_invoice"]), st.sampled_from(["live", "backfill"])
        ),
        min_size=1,
        max_size=12,
    )
)
def test_a_chunk_holds_each_aggregate_and_endpoint_once_and_urgent_if_any_was(
    changes: list[tuple[int, str | None, str]],
) -> None:
    rows = [row(5, seq, *change) for seq, change in enumerate(changes, 1)]
    chunk = chunk_of(rows, Position("1:1:"), 100)
    sent = {(each.aggregate_id, each.endpoint): each for each in chunk.envelopes}
    assert len(sent) == len(chunk.envelopes)
    assert set(sent) == {(number, endpoint) for number, endpoint, _ in changes}
    for (number, endpoint), envelope in sent.items():
        lanes = {lane for other, where, lane in changes if (other, where) == (number, endpoint)}
        assert envelope.lane == ("live" if "live" in lanes else "backfill")
        first = next(seq for seq, each in enumerate(changes, 1) if each[:2] == (number, endpoint))
        assert envelope.event_id == f"5-{first}"
        assert envelope.endpoint is None or envelope.endpoint is Endpoint.POS_INVOICE
