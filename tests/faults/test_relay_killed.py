"""The relay is killed with SIGKILL at each step of its work, and another takes over."""

import pytest

from tests.faults.field import Field, killed
from tests.faults.groups import produced
from tests.waiting import wait_for

ACTS = 40
PASS_SECONDS = 30.0


@pytest.mark.parametrize("place", ["relay.read", "relay.sent", "relay.acknowledged"])
def test_what_a_killed_relay_had_read_and_not_passed_is_sent_by_the_next(field: Field, place: str) -> None:
    field.trade.play(ACTS)
    field.trade.open()
    written = field.counts().written
    killed(field.relay("doomed", failpoints=f"{place}=kill"))
    assert field.ask("open")[0] >= written, "the cursor moved before all was acknowledged"
    field.settle()


def test_what_a_killed_relay_had_passed_is_not_sent_again(field: Field) -> None:
    before = produced(field.bootstrap)
    field.trade.play(ACTS)
    killed(field.relay("doomed", failpoints="relay.moved=kill"))
    sent = produced(field.bootstrap)
    assert sent > before
    field.relay("next")
    wait_for(lambda: field.ask("open")[0] == 0, PASS_SECONDS, "the next relay to pass all that was written")
    assert produced(field.bootstrap) == sent
    field.consumers()
    field.drain()
    field.clean()


def test_tasks_that_a_killed_relay_took_when_due_are_sent_by_the_next(field: Field) -> None:
    first = field.relay("first"), field.consumers("first-consume")
    field.trade.play(ACTS)
    field.drain()
    for service in first:
        service.stop()
    due = field.do("due_now")
    killed(field.relay("doomed", failpoints="relay.due=kill"))
    assert field.counts().leased == due
    field.trade.open()
    field.settle()
