"""AiAccount is called no more often than a tenant may, and hardly at all while it is down."""

from collections import defaultdict
from datetime import datetime

from consumers.outage import LEAST_CALLS
from deploy.checker import render
from outbox.endpoints import Endpoint
from tests.faults.book import Line, lines, pushes
from tests.faults.field import Field, ready
from tests.waiting import wait_for

SALES = 24
AT_ONCE, PER_MINUTE, BURST = 2, 120, 10
MOVING_SECONDS = 40.0


def at(line: Line) -> float:
    """Return when a line was written, in seconds."""
    return datetime.fromisoformat(line["at"]).timestamp()


def clean(field: Field) -> None:
    """Drain, and check that every sale is in the books."""
    field.drain()
    verdict = field.verdict()
    assert verdict.clean, render(verdict)
    assert (verdict.pending, verdict.held) == (0, 0), render(verdict)
    assert verdict.documents[Endpoint.POS_INVOICE]["in the books"] >= SALES


def test_two_processes_keep_each_tenants_share_together(field: Field) -> None:
    field.do("share")
    field.sandbox.add_fault("delay", seconds=0.3, match={"method": "POST"})
    ready(field.relay(), field.consumers("first"), field.consumers("second"))
    field.trade.sell(SALES)
    clean(field)
    calls = defaultdict(list)
    ends = {line["request_id"]: at(line) for line in lines(field.sandbox.book, "reply")}
    for push in pushes(field.sandbox.book):
        calls[push["key_company"]].append((at(push), ends[push["request_id"]]))
    assert len(calls) == len(field.subscribers)
    every = 60 / (PER_MINUTE - BURST + 1)
    for times in calls.values():
        began = sorted(begin for begin, _ in times)
        for begin, _ in times:
            at_once = sum(other <= begin < end for other, end in times)
            assert at_once <= AT_ONCE
        for first, begin in enumerate(began):
            for last in range(first, len(began)):
                # A call begins a moment after it was given out, so two may come closer together.
                assert last - first + 1 <= BURST + (began[last] - begin) / every + 2


def test_an_endpoint_that_is_down_is_left_alone_and_everything_goes_when_it_is_back(field: Field) -> None:
    field.sandbox.add_fault("status", status=503, match={"endpoint": Endpoint.POS_INVOICE.value})
    ready(field.relay(), field.consumers("first"), field.consumers("second"))
    field.trade.sell(SALES * 5)
    wait_for(lambda: field.ask("held_by_the_outage")[0] >= SALES * 4, MOVING_SECONDS, "sales to be held")
    tried = [push for push in pushes(field.sandbox.book) if push["endpoint"] == Endpoint.POS_INVOICE.value]
    assert LEAST_CALLS <= len(tried) <= SALES * 5 * 1.1
    field.sandbox.clear_faults()
    field.do("probe_now")
    clean(field)
