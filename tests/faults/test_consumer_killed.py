"""A consumer is killed with SIGKILL at each step of its work, and another takes its place."""

import pytest

from outbox.endpoints import Endpoint
from tests.faults.book import duplicates, repeated
from tests.faults.field import Counts, Field, killed
from tests.faults.groups import committed

SALES = 60


def dead_at(field: Field, place: str) -> Counts:
    """Kill a consumer of invoices at this pass of a place; return how it left the database."""
    field.trade.sell(SALES)
    field.relay()
    killed(field.consumers("doomed", Endpoint.POS_INVOICE, failpoints=f"{place.replace('@', '=kill@')}"))
    left = field.counts()
    field.trade.play(SALES)
    field.trade.open()
    return left


def test_what_a_killed_consumer_had_read_and_not_claimed_is_read_again(field: Field) -> None:
    left = dead_at(field, "polled@1")
    assert (left.claimed, left.accepted) == (0, 0)
    field.settle()


@pytest.mark.parametrize("place", ["claimed@5", "read@5"])
def test_what_a_killed_consumer_had_claimed_is_taken_when_the_claim_ends(field: Field, place: str) -> None:
    assert dead_at(field, place).claimed
    field.settle()


def test_what_a_killed_consumer_meant_to_send_may_exist_until_it_is_sent_again(field: Field) -> None:
    left = dead_at(field, "intended@5")
    assert left.claimed
    assert left.in_doubt
    field.settle()


def test_what_a_killed_consumer_had_sent_and_not_recorded_is_sent_again_and_stands_once(
    field: Field,
) -> None:
    left = dead_at(field, "called@5")
    assert left.claimed
    assert left.in_doubt
    assert not repeated(field.sandbox.book)
    field.settle()
    assert repeated(field.sandbox.book)
    assert duplicates(field.sandbox.book)


def test_a_consumer_killed_before_it_commits_its_offsets_does_no_harm(field: Field) -> None:
    left = dead_at(field, "recorded@5")
    assert left.accepted
    field.settle()


def test_what_a_consumer_killed_after_its_commit_left_undone_is_found_by_the_claim(field: Field) -> None:
    before = committed(field.bootstrap, Endpoint.POS_INVOICE)
    field.trade.play(SALES)
    field.trade.open()
    field.relay()
    # The first commit only repeats where the group stood; at the second some offsets have moved.
    killed(field.consumers("doomed", Endpoint.POS_INVOICE, failpoints="committed=kill@2"))
    assert committed(field.bootstrap, Endpoint.POS_INVOICE) > before
    field.settle()
