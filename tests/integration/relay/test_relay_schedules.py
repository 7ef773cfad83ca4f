"""A thousand random schedules: all that is committed is sent, and nothing before it is."""

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import psycopg
import pytest

from outbox.errors import BrokerError
from outbox.metrics import RelayMetrics
from outbox.relay import Relay
from tests.integration.relay.cursors import BySequence
from tests.integration.relay.recorder import HeldLead, Recorder, change, drain

SCHEDULES = 1_000
STEPS = 12
TILLS = 3
TILLS_SHARE = 0.6
ENDING_SHARE = 0.5


@dataclass
class Till:
    """A connection, and what its transaction has written so far."""

    connection: psycopg.Connection
    written: list[int] = field(default_factory=list)
    prepared: bool = False


@dataclass
class Shop:
    """Tills that write at random, and what of it is committed and rolled back."""

    tills: list[Till]
    chance: random.Random
    next_id: int
    committed: set[int] = field(default_factory=set)
    rolled_back: set[int] = field(default_factory=set)

    def step(self) -> None:
        """Let one till do something that it can do now."""
        till = self.chance.choice(self.tills)
        if till.prepared or (till.written and self.chance.random() < ENDING_SHARE):
            self.end(till)
        else:
            if not till.written:
                till.connection.execute("begin")
            change(till.connection, self.next_id)
            till.written.append(self.next_id)
            self.next_id += 1

    def end(self, till: Till) -> None:
        """Commit, roll back or prepare."""
        verb = self.chance.choice(["commit", "commit", "rollback", *([] if till.prepared else ["prepare"])])
        if verb == "prepare":
            till.connection.execute(f"prepare transaction '{self._name(till)}'")
            till.prepared = True
            return
        till.connection.execute(f"{verb} prepared '{self._name(till)}'" if till.prepared else verb)
        (self.committed if verb == "commit" else self.rolled_back).update(till.written)
        till.prepared, till.written = False, []

    def close(self) -> None:
        """End every transaction."""
        for till in self.tills:
            while till.written:
                self.end(till)

    def _name(self, till: Till) -> str:
        return f"{till.connection.info.dbname}-{self.tills.index(till)}"


class CrashingRelay:
    """Our relay, in small chunks, that now and then gets no acknowledgement, or dies and begins anew."""

    def __init__(self, session: psycopg.Connection, chance: random.Random) -> None:
        self.session = session
        self.chance = chance
        self.recorder = Recorder()
        self.watcher = RelayMetrics()
        self.begin()

    def begin(self) -> None:
        """Begin with nothing in memory."""
        self.relay = Relay(
            HeldLead(self.session),
            lambda: self.recorder,
            "test",
            watcher=self.watcher,
            chunk_rows=self.chance.randint(1, 3),
        )

    def step(self) -> None:
        """Tick, fail or die."""
        match self.chance.randrange(6):
            case 0:
                self.begin()
            case 1:
                self.recorder.refusals = 1
                try:
                    self.relay.run_once()
                except BrokerError:
                    self.begin()
                self.recorder.refusals = 0
            case _:
                self.relay.run_once()

    def finish(self) -> None:
        """Send all that there is."""
        drain(self.relay)

    @property
    def ids(self) -> list[int]:
        """What was sent."""
        return self.recorder.ids


class TickingSequence(BySequence):
    """The cursor over `seq`, in the same schedules; it never crashes."""

    def step(self) -> None:
        """Tick."""
        self.tick()

    def finish(self) -> None:
        """Tick."""
        self.tick()


@pytest.fixture
def tills(database: str) -> Iterator[list[psycopg.Connection]]:
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(database, autocommit=True)) for _ in range(TILLS)]
        yield connections


def play(
    seed: int,
    tills: list[psycopg.Connection],
    make: Callable[[random.Random], CrashingRelay | TickingSequence],
) -> set[int]:
    """Play one schedule; return what was committed and never sent."""
    chance = random.Random(seed)
    shop = Shop([Till(connection) for connection in tills], chance, next_id=seed * STEPS + 1)
    relay = make(chance)
    for _ in range(STEPS):
        actor = shop if chance.random() < TILLS_SHARE else relay
        actor.step()
        early = set(relay.ids) - shop.committed
        assert not early, f"seed {seed}: {early} sent before the commit"
    shop.close()
    relay.finish()
    assert not set(relay.ids) & shop.rolled_back, f"seed {seed}: sent what was rolled back"
    return shop.committed - set(relay.ids)


def test_a_thousand_random_schedules_lose_nothing(
    writer: psycopg.Connection, tills: list[psycopg.Connection]
) -> None:
    for seed in range(SCHEDULES):
        lost = play(seed, tills, lambda chance: CrashingRelay(writer, chance))
        assert not lost, f"seed {seed}: lost {lost}"


def test_the_schedules_find_the_loss_of_a_cursor_over_seq(
    writer: psycopg.Connection, tills: list[psycopg.Connection]
) -> None:
    def losing(seed: int) -> bool:
        return bool(play(seed, tills, lambda _: TickingSequence(writer)))

    assert any(losing(seed) for seed in range(SCHEDULES))
