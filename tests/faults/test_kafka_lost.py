"""Kafka is lost whole: a fresh broker with empty topics stands in its place, and the cursor had moved on."""

import psycopg

from deploy.servers.broker import broker
from outbox.broker import create_topics
from outbox.endpoints import Endpoint
from tests.faults.field import Field, killed
from tests.faults.slips import all_handled
from tests.waiting import wait_for

SALES = 40
LATER = 15
PASS_SECONDS = 30.0
FIND_SECONDS = 60.0
_UNCLAIMED = """
    select count(*) from pos_transactions p
    where p.id not in (select aggregate_id from aiaccount.tasks where endpoint = 'pos_invoice')
"""


def unclaimed(field: Field) -> int:
    """Return of how many sales no consumer has ever claimed the invoice."""
    with psycopg.connect(field.database_url) as connection:
        return int(connection.execute(_UNCLAIMED).fetchall()[0][0])


def passed(field: Field) -> bool:
    """Tell whether the relay's cursor has passed all that was written."""
    return field.ask("open")[0] == 0


def test_what_only_kafka_knew_is_found_by_comparing_and_posted(kafka_field: Field) -> None:
    field = kafka_field
    field.trade.sell(SALES)
    relay = field.relay()
    killed(field.consumers("doomed", Endpoint.POS_INVOICE, failpoints="claimed=kill@5"))
    field.trade.sell(LATER)
    wait_for(lambda: passed(field), PASS_SECONDS, "the relay to pass all sales")
    assert field.counts().claimed
    relay.stop()
    assert unclaimed(field) >= LATER

    with broker() as fresh:
        create_topics(fresh.bootstrap)
        field.installation.env["KAFKA_BOOTSTRAP_SERVERS"] = fresh.bootstrap
        field.installation.env["AIACCOUNT_SYNC_RECONCILE_SECONDS"] = "2"
        field.installation.env["AIACCOUNT_SYNC_RECONCILE_GRACE_SECONDS"] = "2"
        field.heal()
        wait_for(lambda: all_handled(field), FIND_SECONDS, "what only Kafka knew to be found and handled")
        field.trade.play(SALES)
        field.drain()
        field.clean()
        field.end()


def test_after_a_restore_everything_is_compared_at_once(kafka_field: Field) -> None:
    field = kafka_field
    field.installation.env["AIACCOUNT_SYNC_RECONCILE_SECONDS"] = "3600"
    field.trade.sell(SALES)
    relay = field.relay()
    wait_for(lambda: passed(field), PASS_SECONDS, "the relay to pass all sales")
    wait_for(lambda: field.ask("looked") == (1,), PASS_SECONDS, "a look at everything")
    relay.stop()
    assert unclaimed(field) == SALES

    with broker() as fresh:
        create_topics(fresh.bootstrap)
        field.installation.env["KAFKA_BOOTSTRAP_SERVERS"] = fresh.bootstrap
        field.do("forget_the_timeline")
        field.do("forget_the_outbox")
        field.heal()
        wait_for(lambda: all_handled(field), FIND_SECONDS, "everything to be compared and handled")
        field.trade.play(SALES)
        field.drain()
        field.clean()
        field.end()
