"""A process that stands still, or has a twin: what is another's by now is left to that one."""

from deploy.stack import Service
from outbox.endpoints import Endpoint
from tests.faults.book import pushes
from tests.faults.field import Field, killed, ready, stopped
from tests.waiting import wait_for

ACTS = 60
OVERTAKEN_SECONDS = 30.0


def overtaken(service: Service) -> bool:
    """Tell whether a consumer says that a delivery of its own was taken by another."""
    return "outcome=overtaken" in service.log.read_text("utf-8")


def slept_past_its_claim(field: Field, place: str) -> None:
    """Stop consumers at a place, let others do all their work, and wake them."""
    field.trade.play(ACTS)
    field.relay()
    sleeper = field.consumers("sleeper", Endpoint.POS_INVOICE, failpoints=place)
    stopped(sleeper)
    assert field.counts().claimed
    field.consumers("other")
    field.drain()
    asked = len(pushes(field.sandbox.book))
    sleeper.resume()
    wait_for(lambda: overtaken(sleeper), OVERTAKEN_SECONDS, "the sleeper to find itself overtaken")
    field.drain()
    assert len(pushes(field.sandbox.book)) == asked, "the sleeper sent something after its claim had ended"
    field.clean()
    sleeper.stop()
    assert sleeper.wait(1) == 0


def test_consumers_that_slept_between_intent_and_call_send_nothing_when_they_wake(field: Field) -> None:
    slept_past_its_claim(field, "intended=stop@5")


def test_consumers_that_slept_between_call_and_record_do_no_harm_when_they_wake(field: Field) -> None:
    slept_past_its_claim(field, "called=stop@5")


def test_a_relay_that_slept_in_its_lead_is_in_nobodys_way_once_it_is_gone(field: Field) -> None:
    field.trade.play(ACTS)
    sleeper = field.relay("sleeper", failpoints="relay.sent=stop")
    stopped(sleeper)
    field.consumers()
    standby = field.relay("standby")
    ready(standby)
    assert "aiaccount_sync_relay_leader 0.0" in standby.metrics()
    field.trade.open()
    sleeper.resume()
    field.trade.go_on(20)
    sleeper.kill()
    wait_for(lambda: "aiaccount_sync_relay_leader 1.0" in standby.metrics(), 30, "the standby to lead")
    field.trade.go_on(20)
    field.drain()
    field.clean()


def test_of_two_relays_and_two_sets_of_consumers_one_each_may_die(field: Field) -> None:
    relays = field.relay("relay-1"), field.relay("relay-2")
    ready(*relays)
    leads = [relay for relay in relays if "aiaccount_sync_relay_leader 1.0" in relay.metrics()]
    assert len(leads) == 1
    pair = field.consumers("consume-1"), field.consumers("consume-2")
    field.trade.open()
    ready(*pair)
    field.trade.go_on(40)
    leads[0].kill()
    pair[0].kill()
    killed(leads[0])
    killed(pair[0])
    field.trade.go_on(40)
    field.drain()
    field.clean()
