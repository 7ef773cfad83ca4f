"""Kafka is lost whole: a fresh broker with empty topics stands in its place, and the cursor had moved on."""

import psycopg

from deploy.checker import Finding, Kind
from deploy.servers.broker import broker
from outbox.broker import create_topics
from outbox.endpoints import Endpoint
from tests.faults.field import Field, killed
from tests.waiting import wait_for

SALES = 40
LATER = 15
PASS_SECONDS = 30.0
_UNCLAIMED = """
    select 'C' || p.blogger_id, p.receipt_no from pos_transactions p
    where p.id not in (select aggregate_id from aiaccount.tasks where endpoint = 'pos_invoice')
"""


def unclaimed(field: Field) -> set[tuple[str, str]]:
    """Return the company and the number of the sales whose invoices no consumer has ever claimed."""
    with psycopg.connect(field.database_url) as connection:
        return {(company, number) for company, number in connection.execute(_UNCLAIMED)}


def sale_of(finding: Finding) -> tuple[str, str]:
    """Return the company and the number of the sale that a finding is about."""
    place = finding.detail.partition(":")[0]
    return place.rpartition(" ")[2], finding.number.partition("-")[0]


def passed(field: Field) -> bool:
    """Tell whether the relay's cursor has passed all that was written."""
    return field.ask("open")[0] == 0


def test_what_was_claimed_is_posted_without_kafkas_memory_and_the_rest_is_named_as_lost(
    kafka_field: Field,
) -> None:
    field = kafka_field
    field.trade.sell(SALES)
    relay = field.relay()
    killed(field.consumers("doomed", Endpoint.POS_INVOICE, failpoints="claimed=kill@5"))
    field.trade.sell(LATER)
    wait_for(lambda: passed(field), PASS_SECONDS, "the relay to pass all sales")
    assert field.counts().claimed
    relay.stop()
    forgotten = unclaimed(field)
    assert len(forgotten) >= LATER

    with broker() as fresh:
        create_topics(fresh.bootstrap)
        field.installation.env["KAFKA_BOOTSTRAP_SERVERS"] = fresh.bootstrap
        field.heal()
        field.drain()
        # Claims are found by their deadline. What only Kafka knew is not: until reconciliation or a new look.
        verdict = field.verdict()
        assert {finding.kind for finding in verdict.findings} == {Kind.LOST}
        assert set(map(sale_of, verdict.lost)) == forgotten
        assert unclaimed(field) == forgotten

        # A cursor of another timeline, as after a restore, is what looks at everything today.
        field.end()
        field.do("forget_the_timeline")
        field.trade.play(SALES)
        field.settle()
        field.end()
