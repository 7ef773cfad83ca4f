"""A key that AiAccount refuses from one moment on, while its tenant sells."""

from collections import Counter

from deploy.checker import render
from deploy.sandbox.defaults import company
from deploy.sandbox.endpoint import SCOPES
from tests.faults.book import lines
from tests.faults.field import Field, ready
from tests.waiting import wait_for

SALES = 60
AT_ONCE = 5
SEEN_SECONDS = 60.0


def test_a_key_that_is_revoked_is_tried_no_more_often_than_calls_may_be_under_way(field: Field) -> None:
    field.do("usual_calls_at_once")
    field.sandbox.add_fault("delay", seconds=0.3, match={"method": "POST"})
    ready(field.relay(), field.consumers("first"), field.consumers("second"))
    field.trade.sell(SALES)
    wait_for(lambda: field.counts().accepted > SALES // 2, SEEN_SECONDS, "sales to be posted")
    dead = field.subscribers[0]
    field.sandbox.patch_company(dead.company_id, keys=[])
    wait_for(lambda: field.ask("stopped")[0], SEEN_SECONDS, "the tenant to be stopped")
    field.trade.sell(SALES)
    wait_for(lambda: field.ask("blocked_by_the_key")[0] >= SALES // 6, SEEN_SECONDS, "its sales to be held")
    refused = Counter(line["status"] for line in lines(field.sandbox.book, "reply"))[401]
    assert 1 <= refused <= AT_ONCE
    keys = [{"key": dead.key, "scopes": list(SCOPES)}]
    field.sandbox.put_company(company(dead.company_id, dead.shop.name, keys=keys))
    field.sandbox.clear_faults()
    field.installation.run("credentials", "set", str(dead.tenant_id), given=f"{dead.key}\n")
    field.drain()
    verdict = field.verdict()
    assert verdict.clean, render(verdict)
    assert not verdict.pending, render(verdict)
