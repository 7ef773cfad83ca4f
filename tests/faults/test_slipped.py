"""What slips past the triggers is found within minutes, with nobody doing anything, and posted."""

import pytest

from tests.faults.field import Field, ready
from tests.faults.slips import Slip, all_handled, disabled, dropped, failing, replica, truncated
from tests.waiting import wait_for

ACTS = 40
FIND_SECONDS = 60.0
NEVER = 3600


def look_every(field: Field, seconds: int) -> None:
    """Let relays compare so often, and take a change to be on its way for a second."""
    field.installation.env["AIACCOUNT_SYNC_RECONCILE_SECONDS"] = str(seconds)
    field.installation.env["AIACCOUNT_SYNC_RECONCILE_GRACE_SECONDS"] = "1"
    field.installation.env["AIACCOUNT_SYNC_RECONCILE_SHARE"] = "0.5"


def slipped(field: Field, slip: Slip) -> None:
    """Trade, with some of it past the triggers; all of it is handled in the end, and nothing is wrong."""
    ready(field.relay(), field.consumers())
    field.trade.play(ACTS)
    wait_for(lambda: field.ask("looked") == (1,), FIND_SECONDS, "a first look at everything")
    with slip(field):
        field.trade.play(ACTS)
    field.trade.play(ACTS)
    wait_for(lambda: all_handled(field), FIND_SECONDS, "all to be handled as it stands")
    field.drain()
    field.clean()
    assert field.ask("missed")[0]


@pytest.mark.parametrize("slip", [disabled, replica, failing], ids=lambda slip: slip.__name__)
def test_what_no_trigger_saw_is_found_by_comparing_and_posted(field: Field, slip: Slip) -> None:
    look_every(field, 2)
    slipped(field, slip)


@pytest.mark.parametrize("slip", [dropped, truncated], ids=lambda slip: slip.__name__)
def test_what_an_alert_tells_of_is_looked_for_at_once_and_posted(field: Field, slip: Slip) -> None:
    look_every(field, NEVER)
    slipped(field, slip)
