"""Reading as a group: offsets, pauses, members that come, go and die."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from deploy.servers.broker import BrokerServer
from outbox.broker import GroupReader, Place, Producer
from outbox.errors import BrokerError
from tests.integration.broker.talk import (
    JOIN_SECONDS,
    SESSION,
    TOPIC,
    fresh_group,
    fresh_ids,
    joined,
    keys,
    member,
    read_until,
    sale,
)
from tests.waiting import wait_for


@pytest.fixture
def producer(bootstrap: str) -> Iterator[Producer]:
    with Producer(bootstrap, "test") as producer:
        yield producer


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_group_goes_on_from_what_it_committed_and_from_the_earliest_at_first(
    bootstrap: str, producer: Producer
) -> None:
    group, wanted = fresh_group(), fresh_ids(40)
    producer.send_all([sale(number) for number in wanted])
    with member(bootstrap, group) as reader:
        read = read_until(reader, lambda read: set(wanted) <= set(keys(read)))
        ends: dict[Place, int] = {}
        for record in read:
            ends[record.topic, record.partition] = record.offset + 1
        assert sum(reader.lag().values()) >= len(wanted)
        assert reader.commit(ends)
        assert sum(reader.lag().values()) == 0
    later = fresh_ids(5)
    producer.send_all([sale(number) for number in later])
    with member(bootstrap, group) as reader:
        read = read_until(reader, lambda read: set(later) <= set(keys(read)))
        assert sorted(keys(read)) == later
        assert sum(reader.lag().values()) == len(later)


def test_what_was_read_and_not_committed_is_read_again(bootstrap: str, producer: Producer) -> None:
    group, wanted = fresh_group(), fresh_ids(3)
    producer.send_all([sale(number) for number in wanted])
    for _ in range(2):
        with member(bootstrap, group) as reader:
            read_until(reader, lambda read: set(wanted) <= set(keys(read)))


def test_a_paused_reader_reads_nothing_and_stays_in_its_group(bootstrap: str, producer: Producer) -> None:
    with member(bootstrap) as reader:
        read_until(reader, lambda read: bool(reader.assigned()) and sum(reader.lag().values()) == len(read))
        reader.pause()
        wanted = fresh_ids(5)
        producer.send_all([sale(number) for number in wanted])
        assert read_for_longer_than_a_session(reader) == []
        reader.resume()
        read = read_until(reader, lambda read: set(wanted) <= set(keys(read)))
        assert reader.commit({(record.topic, record.partition): record.offset + 1 for record in read})


def read_for_longer_than_a_session(reader: GroupReader) -> list[object]:
    """Poll for longer than a session lasts; return what was read."""
    read: list[object] = []
    polls = iter(range(int(SESSION * 1.5 / 0.2)))
    wait_for(
        lambda: read.extend(reader.poll(0.2)) or next(polls, None) is None, SESSION * 3, "a session's time"
    )
    return read


def test_a_pause_holds_for_partitions_that_come_later(
    bootstrap: str, producer: Producer, stack: ExitStack
) -> None:
    group = fresh_group()
    producer.send_all([sale(number) for number in fresh_ids(40)])
    reader = stack.enter_context(member(bootstrap, group))
    reader.pause()
    read: list[object] = []
    wait_for(lambda: read.extend(reader.poll(0.1)) or reader.assigned(), JOIN_SECONDS, "the group")
    for _ in range(10):
        read.extend(reader.poll(0.1))
    assert read == []


def test_a_second_member_takes_its_share_and_the_first_hears_what_it_lost(
    bootstrap: str, stack: ExitStack
) -> None:
    group, lost = fresh_group(), set[Place]()
    first = stack.enter_context(member(bootstrap, group, lost.update))
    wait_for(lambda: joined(first), JOIN_SECONDS, "the first")
    everything = first.assigned()
    assert not lost
    second = stack.enter_context(member(bootstrap, group))
    wait_for(lambda: joined(first, second), JOIN_SECONDS, "both")
    assert first.assigned() | second.assigned() == everything
    assert lost == everything - first.assigned()


def test_a_commit_of_a_partition_that_was_lost_is_passed_over(bootstrap: str, stack: ExitStack) -> None:
    group = fresh_group()
    first = stack.enter_context(member(bootstrap, group))
    wait_for(lambda: joined(first), JOIN_SECONDS, "the first")
    everything = first.assigned()
    second = stack.enter_context(member(bootstrap, group))
    wait_for(lambda: joined(first, second), JOIN_SECONDS, "both")
    assert second.commit(dict.fromkeys(second.assigned(), 0))
    before = second.lag()
    assert not first.commit(dict.fromkeys(everything, 1_000_000))
    assert second.lag() == before


def test_a_commit_while_the_group_rebalances_is_no_error(bootstrap: str, stack: ExitStack) -> None:
    group = fresh_group()
    first = stack.enter_context(member(bootstrap, group))
    wait_for(lambda: joined(first), JOIN_SECONDS, "the first")
    second = stack.enter_context(member(bootstrap, group))
    second.poll(0.5)
    assert first.commit(dict.fromkeys(first.assigned(), 0)) in {True, False}
    wait_for(lambda: joined(first, second), JOIN_SECONDS, "both")
    assert first.commit(dict.fromkeys(first.assigned(), 0))


def test_a_broker_that_hangs_ends_a_poll_in_time_and_is_an_error_for_a_commit(
    breakable: BrokerServer, stack: ExitStack
) -> None:
    reader = stack.enter_context(member(breakable.bootstrap))
    wait_for(lambda: joined(reader), JOIN_SECONDS, "the group")
    place = next(iter(reader.assigned()))
    breakable.pause()
    try:
        assert reader.poll(0.2) == []
        with pytest.raises(BrokerError):
            reader.commit({place: 0}, timeout_s=0.5)
    finally:
        breakable.resume()


def test_no_broker_is_an_error() -> None:
    with pytest.raises(BrokerError, match="no broker answers"):
        GroupReader("127.0.0.1:1", "group", [TOPIC], "test")
