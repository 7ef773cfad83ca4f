"""One kill in peace, with the settings of production: what is sent again, and how soon all goes on."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.checker import Verdict
from outbox.statements import statements
from tests.chaos.arena import Arena, Servers, arena
from tests.chaos.schedule import Target
from tests.faults.book import pushes, repeated
from tests.faults.field import ready
from tests.waiting import wait_for

IN_FLIGHT = 16
"""Of a process at each endpoint: small, so that the bound says something, yet nothing waits for it."""
ENDPOINTS = 2
"""At which there is work, for all that is made here are sales: invoices and receipts."""
CLAIM_SECONDS = 12.0
LATENCY_MS = 150.0
BEFORE, AFTER = 200, 60
BUSY_SECONDS, GO_ON_SECONDS = 120.0, 240.0
_SQL = statements("tests.chaos", "takeover.sql")
Connection = psycopg.Connection[tuple[object, ...]]


@dataclass(frozen=True)
class Takeover:
    """What came of the kill.

    Attributes:
        pushed: Documents that were pushed in all.
        in_doubt: Documents that were under way in both processes when one was killed.
        again: Documents that were pushed more than once.
        claimed: Tasks that the dead process had claimed.
        claims_seconds: From the kill until the last of those was handled.
        fresh: Sales that were made right after the kill.
        fresh_seconds: From a sale until its invoice was accepted, each.
        verdict: The checker's, at the end.
    """

    pushed: int
    in_doubt: frozenset[str]
    again: frozenset[str]
    claimed: int
    claims_seconds: float
    fresh: int
    fresh_seconds: tuple[float, ...]
    verdict: Verdict

    @property
    def bounded(self) -> bool:
        """Tell whether only what was under way was sent again, and no more than one process may have."""
        return self.again <= self.in_doubt and len(self.again) <= IN_FLIGHT * ENDPOINTS


def take_over(shared: Servers, folder: Path, tell: Callable[[str], None]) -> Takeover:
    """Kill one of two sets of consumers in the middle of its work, and see the other go on."""
    settings = {
        "AIACCOUNT_SYNC_SESSION_SECONDS": None,
        "AIACCOUNT_SYNC_ATTEMPT_SECONDS": "5",
        "AIACCOUNT_SYNC_CLAIM_SECONDS": str(CLAIM_SECONDS),
        "AIACCOUNT_SYNC_IN_FLIGHT": str(IN_FLIGHT),
    }
    with arena(shared, folder, **settings) as ring:
        field = ring.field
        field.sandbox.set_latency(LATENCY_MS)
        ring.launch()
        ready(*ring.ours.values())
        field.trade.sell(BEFORE)
        wait_for(lambda: _busy(field.ask("counts")[1]), BUSY_SECONDS, "deliveries to be under way")
        ring.ours[Target.CONSUMERS_1].kill()
        at = time.time()
        with psycopg.connect(field.database_url, autocommit=True) as connection:
            tell(f"kill -9 {Target.CONSUMERS_1} of two, in the middle of {BEFORE} sales")
            in_doubt = {str(row[0]) for row in connection.execute(_SQL["in_doubt"])}
            held = {row[0] for row in connection.execute(_SQL["claims"])}
            last = connection.execute(_SQL["last_sale"]).fetchone()
            field.trade.sell(AFTER)
            dead = held & _still_claimed(connection, at)
            fresh = wait_for(
                lambda: _all_accepted(connection, last),
                GO_ON_SECONDS,
                "the sales after the kill to be posted",
            )
            wait_for(
                lambda: not _tokens(connection) & dead, GO_ON_SECONDS, "the dead one's claims to be taken"
            )
            claims_seconds = time.time() - at
        return _judged(ring, in_doubt, len(dead), claims_seconds, fresh)


def _judged(
    ring: Arena, in_doubt: set[str], claimed: int, claims_seconds: float, fresh: tuple[float, ...]
) -> Takeover:
    ring.heal()
    ring.field.drain()
    book = ring.field.sandbox.book
    return Takeover(
        len(pushes(book)),
        frozenset(in_doubt),
        frozenset(repeated(book)),
        claimed,
        claims_seconds,
        len(fresh),
        fresh,
        ring.field.verdict(),
    )


def _busy(claimed: int) -> bool:
    return claimed >= IN_FLIGHT


def _tokens(connection: Connection) -> set[object]:
    return {row[0] for row in connection.execute(_SQL["claims"])}


def _still_claimed(connection: Connection, at: float) -> set[object]:
    """Return the claims that outlast every delivery of the living."""
    wait_for(lambda: time.time() > at + 3, 10, "the deliveries of the living to be over")
    return _tokens(connection)


def _all_accepted(connection: Connection, last: tuple[object, ...] | None) -> tuple[float, ...]:
    """Return the seconds that each invoice of the sales after `last` took; nothing while one is missing."""
    rows = connection.execute(_SQL["accepted_since"], {"last": last and last[0]}).fetchall()
    took = [row[0] for row in rows]
    done = len(took) >= AFTER and None not in took
    return tuple(float(seconds) for seconds in took if isinstance(seconds, float)) if done else ()
