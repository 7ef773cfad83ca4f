"""A consumer process: the real intake, readings and deliveries of all four endpoints, over servers in memory.

It dies or is stopped where it is told to, at a failpoint or at a door to one of the servers. A dead one never
comes through a door again; a stopped one goes on where it stood, however late.
"""

import asyncio
from functools import partial
from random import Random

from consumers.accounts import Accounts
from consumers.delivery import Claim, Tools, deliver
from consumers.intake import Intake
from consumers.keyring import parse_key_ring
from consumers.metrics import ConsumerMetrics
from consumers.pushing import Pusher
from consumers.reading import Reading
from consumers.steps import Steps
from consumers.stops import Stops
from outbox.endpoints import Endpoint
from tests.stateful.aiaccount import AiAccount, Client
from tests.stateful.database import Database
from tests.stateful.kafka import Log, Member
from tests.stateful.servers import Outages, Pool
from tests.stateful.virtual import Clock, VirtualLoop

CLAIM_SECONDS = 60.0
IN_FLIGHT = 4
PLACES = (
    "claim",
    "claimed",
    "read",
    "tenants",
    "intend",
    "intended",
    "call",
    "replied",
    "look_up",
    "called",
    "record",
    "recorded",
    "polled",
    "committed",
)
"""Where a worker can die; at those that are no failpoint (they wait for a server) it can also be stopped."""
DOORS = ("claim", "read", "tenants", "intend", "call", "replied", "look_up", "record")
ENVIRONMENT = "test"
RING = parse_key_ring("k1:" + "A" * 43 + "=", "the test")
_METRICS = ConsumerMetrics()


class Worker:
    """One process; `skew` sets its monotonic clock apart from everybody's."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a process is connected to
        self,
        loop: VirtualLoop,
        clock: Clock,
        database: Database,
        outages: Outages,
        log: Log,
        server: AiAccount,
        random: Random,
    ) -> None:
        self._clock = clock
        self._skew = random.uniform(-500, 500)
        self._thawed = asyncio.Event()
        self._thawed.set()
        self.dead = False
        self.dies_at: set[str] = set()
        self.stops_at: set[str] = set()
        self._graves: list[object] = []
        steps = Steps(Pool(database, self._gate, outages), random, CLAIM_SECONDS)  # type: ignore[arg-type]
        tools = Tools(
            steps=steps,
            accounts=Accounts(steps, RING, ENVIRONMENT),
            pusher=Pusher(Client(server, self._gate, self.now), self.now, random),
            stops=Stops(),
            clock=self.now,
            random=random,
            reach=self._reach,
            metrics=_METRICS,
        )
        self.members: dict[Endpoint, Member] = {}
        self._readings: dict[Endpoint, Reading] = {}
        for endpoint in Endpoint:
            intake = Intake(
                endpoint,
                steps,
                partial(_carry_out, tools=tools),
                clock=self.now,
                claim_seconds=CLAIM_SECONDS,
                in_flight=IN_FLIGHT,
            )
            reading = Reading(
                endpoint,
                _never,
                lambda record, _: self._graves.append(record),
                intake,
                loop,
                backlog=IN_FLIGHT * 2,
                reach=self._reach,
                metrics=_METRICS,
            )
            self.members[endpoint] = Member(log, endpoint, reading._lost)  # noqa: SLF001 - as its thread does
            self._readings[endpoint] = reading

    def now(self) -> float:
        """Return the worker's monotonic clock."""
        return self._clock.now + self._skew

    @property
    def stopped(self) -> bool:
        """Whether it stands still and does not know it."""
        return not self._thawed.is_set()

    @property
    def runs(self) -> bool:
        """Whether it is neither dead nor stopped."""
        return not self.dead and not self.stopped

    def poll(self) -> int:
        """Read once at each endpoint, hand over and commit; return how many records came."""
        found = 0
        for endpoint, reading in self._readings.items():
            if self.runs:
                found += reading.run_once(self.members[endpoint])
        return found

    def stop(self) -> None:
        """Stand still, as after SIGSTOP."""
        self._thawed.clear()

    def go_on(self) -> None:
        """Go on, as after SIGCONT."""
        self.stops_at.clear()
        self._thawed.set()

    def die(self) -> None:
        """Die, as after SIGKILL: nothing comes through a door any more."""
        self.dead = True

    def _reach(self, name: str) -> None:
        if name in self.dies_at:
            self.die()

    async def _gate(self, name: str) -> None:
        self._reach(name)
        if name in self.stops_at:
            self.stops_at.clear()
            self.stop()
        await self._thawed.wait()
        while self.dead:
            await asyncio.Event().wait()


async def _carry_out(claim: Claim, *, tools: Tools) -> None:
    await deliver(claim, tools)


def _never(on_lost: object) -> Member:
    raise AssertionError(f"the reading's thread never runs here: {on_lost}")
