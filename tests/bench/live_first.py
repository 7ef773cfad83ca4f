"""Live sales while a large backfill is under way, and one tenant's backfill beside another's.

One tenant has 100,000 old sales to be posted: tasks in the backfill's lane, put aside and taken up again from
turn to turn, so that all is measured in one run. Meanwhile the others' tills sell, and its own.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple

import psycopg

from deploy.sandbox.client import SandboxProcess
from outbox.endpoints import Endpoint
from outbox.statements import statements
from tests.bench.accepted import accepted, sell
from tests.bench.books import TENANTS, Books
from tests.bench.figures import Aim, Run, quantile
from tests.bench.machines import Machines, machines
from tests.waiting import wait_for

ABOUT = "live sales during a backfill of 100,000 rows, and a second backfill beside it"
FILLING, SECOND = 1, 2
OTHERS = range(3, TENANTS + 1)
OWN = range(FILLING, FILLING + 1)
OLD_ROWS, QUICK_OLD_ROWS = 100_000, 10_000
SECOND_ROWS, QUICK_SECOND_ROWS = 300, 60
SECONDS, QUICK_SECONDS = 25, 8
OTHERS_RATE, OWN_RATE = 4.0, 4.0
LATENCY_MS = 20
CALLS_A_MINUTE = 1_800
BACKFILL_SECONDS = 300.0
TWICE = Aim(2.0)
_SQL = statements("tests.bench", "live_first.sql")
_NAMES = ("others", "the same tenant")


class Live(NamedTuple):
    """The ms from commit to acceptance of live invoices: the other tenants', and the backfilling one's."""

    others: list[float]
    own: list[float]


def measure(run: Run) -> None:
    """Take turns: without the backfill and beside it, live sales and then a second tenant's backfill."""
    with (
        machines() as here,
        SandboxProcess(
            here.folder / "book.jsonl", "--no-rate-limit", "--latency-ms", str(LATENCY_MS)
        ) as sandbox,
    ):
        installation = here.installation(sandbox.url)
        Books(here.database, sandbox).enter_tenants(installation)
        rows = run.size(OLD_ROWS, QUICK_OLD_ROWS)
        with psycopg.connect(here.database, autocommit=True) as connection:
            connection.execute(_SQL["shares"], {"calls": CALLS_A_MINUTE})
            run.tell(f"{rows:,} sales of before, and their tasks, put aside")
            _old_sales(connection, FILLING, rows)
            connection.execute("vacuum analyze")
        with installation.relay(), installation.consumers():
            numbers = count(1)
            run.tell("some sales to warm up")
            accepted(here, sell(here, 2 * len(OTHERS), numbers, OTHERS_RATE, OTHERS))
            for number in range(run.rounds):
                _round(run, here, numbers, f"round {number + 1} of {run.rounds}:")


def _round(run: Run, here: Machines, numbers: "count[int]", told: str) -> None:
    seconds = run.size(SECONDS, QUICK_SECONDS)
    run.tell(f"{told} live sales for {seconds} s, no backfill")
    alone = _live(here, seconds, numbers)
    run.tell(f"{told} a second tenant's backfill, alone")
    second_alone = _second(run, here)
    with _under_way(here) as done:
        run.tell(f"{told} live sales for {seconds} s during the backfill")
        begun, before = time.monotonic(), done()
        beside = _live(here, seconds, numbers)
        rate = (done() - before) / (time.monotonic() - begun)
        run.tell(f"{told} a second tenant's backfill beside it")
        second_beside = _second(run, here)
    for name, usual, during in zip(_NAMES, alone, beside, strict=True):
        for share, quoted in ((0.5, "p50"), (0.99, "p99")):
            run.note(f"{name}, {quoted} without", "ms", quantile(usual, share))
            run.note(f"{name}, {quoted} during", "ms", quantile(during, share))
        ratio = quantile(during, 0.99) / quantile(usual, 0.99)
        run.note(f"{name}, p99 during / without", "", ratio, TWICE)
    run.note("backfilled meanwhile", "documents/s", rate)
    run.note("second backfill alone", "s", second_alone)
    run.note("second backfill beside", "s", second_beside)
    run.note("second backfill, beside / alone", "", second_beside / second_alone)


def _live(here: Machines, seconds: int, numbers: "count[int]") -> Live:
    """Sell at both rates at once, and wait until all of it is accepted."""
    sold: list[dict[int, float]] = [{}, {}]

    def ring(place: int, rate: float, tenants: range) -> None:
        sold[place] = sell(here, int(rate * seconds), numbers, rate, tenants)

    _at_once(lambda: ring(0, OTHERS_RATE, OTHERS), lambda: ring(1, OWN_RATE, OWN))
    others, own = (accepted(here, each)[Endpoint.POS_INVOICE] for each in sold)
    return Live(others, own)


def _second(run: Run, here: Machines) -> float:
    """Backfill old sales of the second tenant; return the seconds until each was accepted."""
    with psycopg.connect(here.database, autocommit=True) as connection:
        first = _old_sales(connection, SECOND, run.size(SECOND_ROWS, QUICK_SECOND_ROWS))
        begun = time.monotonic()
        connection.execute(_SQL["take_up"], {"tenant": SECOND})
        wait_for(
            lambda: connection.execute(_SQL["left"], {"tenant": SECOND, "first": first}).fetchone() == (0,),
            BACKFILL_SECONDS,
            "the second backfill to end",
        )
        return time.monotonic() - begun


@contextmanager
def _under_way(here: Machines) -> Iterator[Callable[[], int]]:
    """Take up the large backfill; give how many documents it has posted; put aside what is left of it."""
    with psycopg.connect(here.database, autocommit=True) as connection:

        def done() -> int:
            (documents,) = connection.execute(_SQL["done"], {"tenant": FILLING}).fetchone() or (0,)
            return int(documents)

        def at_rest() -> bool:
            connection.execute(_SQL["put_aside"], {"tenant": FILLING})
            return connection.execute(_SQL["busy"], {"tenant": FILLING}).fetchone() == (0,)

        connection.execute(_SQL["take_up"], {"tenant": FILLING})
        yield done
        if not connection.execute(_SQL["put_aside"], {"tenant": FILLING}).rowcount:
            raise RuntimeError("the backfill ended before it was measured: it needs more rows")
        wait_for(at_rest, BACKFILL_SECONDS, "what was at work to end")


def _old_sales(connection: psycopg.Connection, tenant: int, rows: int) -> int:
    """Write sales of before with their tasks, not due yet, and no capture; return the first's id."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")
        found = connection.execute(_SQL["old_sales"], {"tenant": tenant, "rows": rows}).fetchone()
    if found is None:
        raise RuntimeError("no sale was written")
    return int(found[0])


def _at_once(*works: Callable[[], None]) -> None:
    """Do some things at once; what one raises, is raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for doing in [pool.submit(work) for work in works]:
            doing.result()
