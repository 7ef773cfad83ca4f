"""The main job, end to end: what is sold and settled stands in AiAccount, and anybody can see how it goes."""

import time
import urllib.request
from collections.abc import Iterator
from functools import partial

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from deploy.stack import Service
from outbox.endpoints import Endpoint
from tests.faults.book import pushes
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 80
STOP_SECONDS = 15.0
LABELS = {"endpoint", "outcome", "code", "kind", "le"}
FRESH_SECONDS = 20.0
OK = 200


def samples(service: Service) -> list[Sample]:
    """Return what a process shows of itself."""
    families = text_string_to_metric_families(service.metrics())
    return [sample for family in families for sample in family.samples]


def is_zero(service: Service, name: str) -> bool:
    """Say whether a metric is there, or not, with nothing in it."""
    return shown(service, name) == 0


def shown(service: Service, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples with these labels."""
    return sum(
        sample.value
        for sample in samples(service)
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def names_of(field: Field) -> Iterator[str]:
    """Give everything that names a tenant or a document."""
    for one in field.subscribers:
        yield from (one.company_id, one.shop.name)
    for push in pushes(field.sandbox.book):
        yield push["body"]["number"]


def test_sales_and_settlements_are_posted_and_the_metrics_show_it(field: Field) -> None:
    relay, consumers = field.relay(), field.consumers()
    ready(relay, consumers)
    field.trade.play(ACTS)
    field.drain()
    verdict = field.clean()

    for endpoint in Endpoint:
        pushed = verdict.documents[endpoint]["pushed"]
        assert pushed
        # One delivery may post several, so it is seen once for each delivery.
        assert 0 < shown(consumers, "aiaccount_commit_to_accepted_seconds_count", endpoint=endpoint) <= pushed
        assert (
            shown(consumers, "aiaccount_attempt_seconds_count", endpoint=endpoint, code="created") == pushed
        )
        assert shown(consumers, "aiaccount_deliveries_total", endpoint=endpoint) >= pushed
    assert shown(relay, "aiaccount_sync_relay_leader") == 1
    assert shown(relay, "aiaccount_sync_relay_rows_total") == field.counts().written
    for gauge in ("outbox_unread_rows", "tasks_due", "tasks_overdue", "tenants_stopped"):
        name = f"aiaccount_sync_{gauge}"
        wait_for(partial(is_zero, relay, name), FRESH_SECONDS, f"{name} to be 0")
    wait_for(lambda: shown(consumers, "aiaccount_lag_records") == 0, FRESH_SECONDS, "no lag to be shown")


def test_no_label_names_a_tenant_or_a_document(field: Field) -> None:
    relay, consumers = field.relay(), field.consumers()
    field.trade.play(ACTS)
    field.drain()
    labels = [
        label
        for service in (relay, consumers)
        for sample in samples(service)
        for label in sample.labels.items()
    ]
    assert {name for name, _ in labels} <= LABELS
    values = {value for name, value in labels if name != "le"}
    assert values
    assert not values & set(names_of(field))
    assert not [value for value in values if any(mark.isdigit() for mark in value)]


def test_both_processes_say_that_they_live_and_end_with_status_0_when_told(field: Field) -> None:
    field.trade.open()
    for service in (field.relay(), field.consumers()):
        ready(service)
        for page in ("livez", "readyz"):
            with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/{page}", timeout=5) as reply:
                assert (reply.status, reply.read()) == (OK, b"ok\n")
        asked = time.monotonic()
        service.stop(within=STOP_SECONDS)
        assert service.wait(1) == 0, service.log_tail()
        assert time.monotonic() - asked < STOP_SECONDS
    field.settle()
