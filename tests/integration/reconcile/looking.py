"""Let reconciliation look, in this process: all that is due, and what it found."""

from collections import Counter

from outbox.beside import IDLE_SECONDS
from outbox.looks import Pace, Reconciliation
from tests.integration.delivery.world import World


class Found(Counter[str]):
    """A watcher that counts."""

    def found(self, verdict: str, aggregates: int) -> None:
        """Count."""
        self[str(verdict)] += aggregates


HOURLY = Pace(seconds=3600, grace=0)


async def look(world: World, pace: Pace = HOURLY) -> dict[str, int]:
    """Look at everything from the start, as a process that has just begun would; return what it found."""
    await world.sql("update aiaccount.reconciliation set began_at = 'epoch', under_way = false")
    return looked(world.database, pace)


def looked(database: str, pace: Pace = HOURLY) -> dict[str, int]:
    """Let a new process look until no look is due; return what it found."""
    found = Found()
    looking = Reconciliation(database, lambda: True, found, pace)
    try:
        while looking.run_once() != IDLE_SECONDS:
            pass
    finally:
        looking.close()
    return dict(found)


async def alerts(world: World) -> list[str]:
    """Return the kinds of all alerts, in order."""
    return [row["kind"] for row in await world.sql("select kind from aiaccount.alerts order by id")]
