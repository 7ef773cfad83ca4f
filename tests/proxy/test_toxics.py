"""Each toxic on a real socket: what it does, in which direction, and that it ends when it is taken off."""

import pytest

from deploy.proxy import (
    Bandwidth,
    Direction,
    Down,
    Latency,
    Limit,
    Reset,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
)
from tests.proxy.ends import Ends, Link, at_least, closed, heard, reset, silent

LONG = 600.0
UP, DOWN = Direction.UPSTREAM, Direction.DOWNSTREAM


@pytest.mark.parametrize(
    "toxic", [Latency(LONG), Timeout(), Slicer(1, pause=LONG)], ids=["latency", "timeout", "slicer"]
)
@pytest.mark.parametrize("half", [UP, DOWN], ids=["upstream", "downstream"])
def test_what_is_held_back_in_one_direction_comes_when_the_toxic_is_taken_off(
    link: Link, ends: Ends, toxic: Toxic, half: Direction
) -> None:
    sender, receiver = (ends.client, ends.server) if half is UP else (ends.server, ends.client)
    with link.proxy.under(toxic, half):
        sender.sendall(b"hello")
        receiver.sendall(b"the other way")
        assert heard(sender, 13) == b"the other way"
        assert silent(receiver)
    assert heard(receiver, 5) == b"hello"


def test_a_toxic_for_both_directions_is_on_both(link: Link, ends: Ends) -> None:
    with link.proxy.under(Timeout()):
        ends.client.sendall(b"there")
        ends.server.sendall(b"back")
        assert silent(ends.server)
        assert silent(ends.client)
    assert (heard(ends.server, 5), heard(ends.client, 4)) == (b"there", b"back")


def test_latency_is_waited_for_and_jitter_changes_no_order(link: Link, ends: Ends) -> None:
    link.proxy.add(Latency(0.1, jitter=0.1), UP)
    said = [b"%04d" % number for number in range(40)]
    for word in said:
        ends.client.sendall(word)
    assert heard(ends.server, 160) == b"".join(said)
    link.proxy.add(Latency(0.3), UP)
    with at_least(0.3):
        ends.client.sendall(b"later")
        heard(ends.server, 5)


def test_latency_delays_what_is_said_together_only_once(link: Link, ends: Ends) -> None:
    link.proxy.add(Latency(0.5), UP)
    for _ in range(400):
        ends.client.sendall(b"x")
    assert len(heard(ends.server, 400)) == 400  # one after the other they would take 200 s


def test_down_resets_what_is_connected_and_refuses_what_comes(link: Link, ends: Ends) -> None:
    number = link.proxy.add(Down())
    assert reset(ends.client)
    assert reset(ends.server)
    with pytest.raises(ConnectionRefusedError), link.connected():
        pass
    assert link.proxy.connections == 0
    link.proxy.remove(number)
    with link.connected() as again:
        again.client.sendall(b"back")
        assert heard(again.server, 4) == b"back"


def test_a_timeout_with_an_end_closes_the_connection_then(link: Link, ends: Ends) -> None:
    link.proxy.add(Timeout(0.2), DOWN)
    with at_least(0.2):
        ends.server.sendall(b"never heard")
        assert closed(ends.client)
    assert closed(ends.server)


@pytest.mark.parametrize("half", Direction, ids=lambda half: half.value)
def test_a_reset_is_seen_where_it_is_put_and_a_close_elsewhere(
    link: Link, ends: Ends, half: Direction
) -> None:
    link.proxy.add(Reset(), half)
    assert reset(ends.server) is (half is not DOWN)
    assert reset(ends.client) is (half is not UP)


def test_a_reset_may_come_later_and_be_called_off(link: Link, ends: Ends) -> None:
    with at_least(0.2), link.proxy.under(Reset(0.2)):
        assert reset(ends.client)
    with link.connected() as spared:
        with link.proxy.under(Reset(LONG)):
            spared.client.sendall(b"on")
            assert heard(spared.server, 2) == b"on"
        spared.client.sendall(b"on")
        assert heard(spared.server, 2) == b"on"


def test_a_slow_close_holds_back_the_end_and_nothing_else(link: Link, ends: Ends) -> None:
    with link.proxy.under(SlowClose(LONG), UP):
        ends.client.sendall(b"bye")
        ends.client.close()
        assert heard(ends.server, 3) == b"bye"
        assert silent(ends.server)
    assert closed(ends.server)


def test_bandwidth_is_shared_out_over_time(link: Link, ends: Ends) -> None:
    link.proxy.add(Bandwidth(20_000), DOWN)
    with at_least(0.5):
        ends.server.sendall(b"x" * 10_000)
        assert len(heard(ends.client, 10_000)) == 10_000


def test_a_slicer_cuts_into_pieces_and_loses_none(link: Link, ends: Ends) -> None:
    link.proxy.add(Slicer(10, spread=3, pause=0.01), UP)
    said = bytes(range(200))
    with at_least(0.01 * 200 / 13):
        ends.client.sendall(said)
        assert heard(ends.server, 200) == said


def test_a_limit_lets_so_many_bytes_through_each_connection_and_closes_it(link: Link, ends: Ends) -> None:
    ends.client.sendall(b"before")
    assert heard(ends.server, 6) == b"before"
    link.proxy.add(Limit(10), UP)
    ends.server.sendall(b"no limit this way")
    assert heard(ends.client, 17) == b"no limit this way"
    ends.client.sendall(b"0123456789 and more")
    assert heard(ends.server, 100) == b"0123456789"
    with link.connected() as another:
        another.client.sendall(b"0123")
        assert heard(another.server, 4) == b"0123"
        another.client.sendall(b"456789")
        assert heard(another.server, 100) == b"456789"


def test_all_toxics_are_taken_off_at_once(link: Link) -> None:
    for toxic in (Latency(LONG), Timeout(), Bandwidth(1), Reset(LONG), Down()):
        link.proxy.add(toxic)
    link.proxy.clear()
    with link.connected() as again:
        again.client.sendall(b"well")
        assert heard(again.server, 4) == b"well"
