"""The rules: all that people, tills, servers and processes may do to a run, in any order."""

# ruff: noqa: FBT001, PLR0913, PLR0917 - Hypothesis passes a rule's arguments by name

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from tests.stateful.promises import Promises, differences
from tests.stateful.shop import SALE_CHANGES, SETTLEMENT_CHANGES, Shop
from tests.stateful.worker import DOORS, PLACES
from tests.stateful.world import CODES, NAMES, TAXED, TENANTS, World

HOUR = 3600.0
PATIENCE = 40 * HOUR
"""Within which everything must have come right after all was mended: what is parked is tried daily."""
CALM = 10.0
"""Seconds after which a statement that failed was tried again: until then a claim stands in no table."""
ENDS = st.sampled_from([True, True, True, False, None])
PICKS = st.integers(0, 3)
WHO = st.integers(0, 1)
RELAY_PLACES = ("relay.due", "relay.read", "relay.sent", "relay.acknowledged", "relay.moved")
FAULTS: tuple[dict[str, Any], ...] = (
    {"behaviour": "timeout_after_storing"},
    {"behaviour": "timeout_before_storing"},
    {"behaviour": "reset_after_storing"},
    {"behaviour": "reset_before_storing"},
    {"behaviour": "lands_late", "seconds": 40},
    {"behaviour": "lands_late", "seconds": 5},
    {"behaviour": "delay", "seconds": 10},
    {"behaviour": "delay", "seconds": 40},
    {"behaviour": "half_reply"},
    {"behaviour": "status", "status": 503},
    {"behaviour": "status", "code": "TAX_CODE_MISSING"},
    {"behaviour": "status", "code": "PERIOD_LOCKED"},
    {"behaviour": "status", "code": "SCOPE_MISSING"},
    {"behaviour": "status", "code": "API_KEY_INVALID"},
    {"behaviour": "status", "code": "PAYLOAD_TOO_LARGE"},
    {"behaviour": "status_with_422_code"},
    {"behaviour": "created_then_500"},
    {"behaviour": "text_400"},
    {"behaviour": "rate_limited", "retry_after": 7},
    {"behaviour": "rate_limited", "form": "absent"},
    {"behaviour": "html"},
    {"behaviour": "empty"},
    {"behaviour": "invalid_json"},
    {"behaviour": "no_document_id"},
    {"behaviour": "wrong_company"},
    {"behaviour": "redirect"},
    {"behaviour": "in_progress"},
    {"behaviour": "silent_duplicate"},
)
TIMES = (1.0, 11.0, 45.0, 61.0, 130.0, 700.0, HOUR, 6 * HOUR, 80 * HOUR)


class Schedules(RuleBasedStateMachine):
    """A run of the real code over servers in memory; the promises are held after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.shop = Shop(self.world)
        self.promises = Promises(self.world)

    @rule(
        tenant=WHO,
        net=st.sampled_from([20, 50]),
        kind=st.sampled_from(["open", "unpaid", "cash", "customer"]),
        taxed=st.booleans(),
        end=ENDS,
        go=st.booleans(),
    )
    def sell(self, tenant: int, net: int, kind: str, taxed: bool, end: bool | None, go: bool) -> None:
        """Write a sale."""
        self.shop.sell(tenant, net, kind, taxed=taxed, end=end)
        self._go(go)

    @precondition(lambda self: self.world.rows.of["pos_transaction"])
    @rule(how=st.sampled_from(SALE_CHANGES), pick=PICKS, end=ENDS, go=st.booleans())
    def change_sale(self, how: str, pick: int, end: bool | None, go: bool) -> None:
        """Change a sale or a refund."""
        self.shop.change_sale(how, pick, end=end)
        self._go(go)

    @precondition(lambda self: self.world.rows.of["pos_transaction"])
    @rule(pick=PICKS, paid=st.booleans(), end=ENDS, go=st.booleans())
    def refund(self, pick: int, paid: bool, end: bool | None, go: bool) -> None:
        """Refund a sale in part."""
        self.shop.refund(pick, paid=paid, end=end)
        self._go(go)

    @rule(tenant=WHO, approved=st.booleans(), end=ENDS, go=st.booleans())
    def settle(self, tenant: int, approved: bool, end: bool | None, go: bool) -> None:
        """Write a settlement."""
        self.shop.settle(tenant, approved=approved, end=end)
        self._go(go)

    @precondition(lambda self: self.world.rows.of["kol_settlement"])
    @rule(how=st.sampled_from(SETTLEMENT_CHANGES), pick=PICKS, end=ENDS, go=st.booleans())
    def change_settlement(self, how: str, pick: int, end: bool | None, go: bool) -> None:
        """Change a settlement."""
        self.shop.change_settlement(how, pick, end=end)
        self._go(go)

    def _go(self, go: bool) -> None:
        if go:
            self.world.work()

    @precondition(lambda self: self.world.changes.open)
    @rule(pick=PICKS, commit=st.booleans())
    def end_transaction(self, pick: int, commit: bool) -> None:
        """Commit or roll back a transaction that was left open."""
        transactions = self.world.changes.open
        self.world.end(transactions[pick % len(transactions)], commit=commit)

    @rule()
    def tick(self) -> None:
        """Let the relay tick once."""
        self.world.tick()

    @rule()
    def poll(self) -> None:
        """Let the workers read once."""
        self.world.poll()

    @rule()
    def work(self) -> None:
        """Let everything go on until it comes to rest."""
        self.world.work()

    @rule(seconds=st.sampled_from(TIMES))
    def wait(self, seconds: float) -> None:
        """Let time pass, start a worker for each that died, and let everything go on."""
        self.world.replace_dead()
        self.world.advance(seconds)
        self.world.work()

    @rule(
        faults=st.lists(
            st.tuples(st.sampled_from(FAULTS), st.sampled_from([1, 3, 4])), min_size=1, max_size=3
        ),
        who=WHO,
    )
    def misbehave(self, faults: list[tuple[dict[str, Any], int]], who: int) -> None:
        """Let AiAccount misbehave at the next pushes to a company, in one way and then in another."""
        match = {"company_id": f"C-{TENANTS[who]}", "method": "POST"}
        for behaviour, times in faults:
            self.world.server.sandbox.faults.add({**behaviour, "times": times, "match": match})

    @rule(latency=st.sampled_from([0.0, 0.0, 1.0, 20.0]))
    def slow_down(self, latency: float) -> None:
        """Let AiAccount take its time."""
        self.world.server.sandbox.latency = latency

    @rule(who=WHO, at=st.sampled_from(PLACES))
    def kill(self, who: int, at: str) -> None:
        """Have a worker die at a place."""
        self.world.workers[who].dies_at.add(at)

    @rule(who=WHO, at=st.sampled_from(DOORS))
    def stop(self, who: int, at: str) -> None:
        """Have a worker stand still at a door, and go on from there when it is told to."""
        self.world.workers[who].stops_at.add(at)

    @precondition(lambda self: any(worker.stopped for worker in self.world.workers))
    @rule(seconds=st.sampled_from([1.0, 35.0, 61.0, 130.0]), meanwhile=st.booleans())
    def go_on(self, seconds: float, meanwhile: bool) -> None:
        """Let those that stand still go on after a while, in which the others may have taken over."""
        if meanwhile:
            self.world.replace_dead()
        self.world.advance(seconds)
        self._go(meanwhile)
        for worker in self.world.workers:
            worker.go_on()
        self.world.loop.settle()

    @rule()
    def replace_dead(self) -> None:
        """Start workers for those that died, and share the partitions anew."""
        self.world.replace_dead()

    @rule(at=st.sampled_from(RELAY_PLACES))
    def kill_relay(self, at: str) -> None:
        """Have the relay die at a place."""
        self.world.kill_relay(at)

    @rule(when=st.sampled_from(["before", "after"]))
    def lose_database(self, when: str) -> None:
        """Let the next statement fail, or its answer be lost."""
        self.world.outages.add(when)

    @rule(what=st.sampled_from(["double", "drop", "rewind", "skip", "garbage", "refuse"]), pick=PICKS)
    def trouble_kafka(self, what: str, pick: int) -> None:
        """Let records repeat, get lost or be no records of ours; reset offsets; acknowledge nothing."""
        self.world.trouble_kafka(what, pick)

    @rule(what=st.sampled_from(["tax code", "period", "subscription", "name", "key"]), who=WHO)
    def spoil_company(self, what: str, who: int) -> None:
        """Let somebody change a company in AiAccount so that it refuses."""
        change = {
            "tax code": {"tax_codes": ["NT"]},
            "period": {"locked_until": "2026-05-31"},
            "subscription": {"subscription_active": False},
            "name": {"name": NAMES[TENANTS[who]] + " (Old)"},
            "key": {"keys": []},
        }[what]
        self.world.change_company(TENANTS[who], **change)

    @rule(what=st.sampled_from(["tax code", "period", "subscription", "name"]), who=WHO)
    def mend_company(self, what: str, who: int) -> None:
        """Let somebody put it right in AiAccount, and tell nobody."""
        change = {
            "tax code": {"tax_codes": ["NT", CODES[TAXED]]},
            "period": {"locked_until": None},
            "subscription": {"subscription_active": True},
            "name": {"name": NAMES[TENANTS[who]]},
        }[what]
        self.world.change_company(TENANTS[who], **change)

    @rule(what=st.sampled_from(["unmap", "map", "key", "wrong key", "forgive"]), who=WHO)
    def set_up(self, what: str, who: int) -> None:
        """Change a tenant's settings or key on our side."""
        tenant = TENANTS[who]
        match what:
            case "unmap":
                self.world.set_up(tenant, codes={key: code for key, code in CODES.items() if key != TAXED})
            case "map":
                self.world.set_up(tenant, codes=dict(CODES))
            case "key":
                self.world.enter_key(tenant)
            case "wrong key":
                self.world.enter_key(tenant, self.world.keys[TENANTS[1 - who]][0])
            case _:
                self.world.forgive(tenant)

    @rule(per_minute=st.sampled_from([None, 6, 60]), at_once=st.sampled_from([None, 1, 5]), who=WHO)
    def limit(self, per_minute: int | None, at_once: int | None, who: int) -> None:
        """Give a tenant another share of AiAccount."""
        self.world.limit(TENANTS[who], per_minute, at_once)

    @rule()
    def reconcile(self) -> None:
        """Make due what differs from what was handled."""
        self.world.changes.look_at_everything()

    def check_invariants(self, *args: Any) -> None:
        """Hold I2, I3 and I4 after every step."""
        super().check_invariants(*args)
        self.promises.hold()

    def teardown(self) -> None:
        """Mend everything, let time pass, and hold I1."""
        try:
            found = self.drain()
            assert not found, "\n".join(found)
        finally:
            self.world.end_run()

    def drain(self) -> Sequence[str]:
        """Mend everything and give it time; say what does not come right."""
        self.world.heal()
        self.world.advance(CALM)
        deadline = self.world.clock.now + PATIENCE
        while True:
            self.world.work()
            self.promises.hold()
            found = differences(self.world)
            at = self.world.next_due()
            if not found or at is None or at > deadline:
                return found
            self.world.advance(max(at - self.world.clock.now, 0.0) + 0.1)
