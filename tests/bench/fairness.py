"""One tenant in trouble beside many that are well: what the others notice.

Quiet tenants sell at a steady rate, alone and then beside a tenant that sells a hundred times as much as
each of them, or whose key is refused. Each tenant has the usual share of AiAccount. The yardstick is the same
noise in a database that nobody watches: what tills that busy cost the others on these machines without us.
"""

import threading
from collections.abc import Callable
from itertools import count
from typing import TypeVar

import psycopg

from consumers.keyring import parse_key_ring
from consumers.vault import PURPOSE, seal
from deploy.sandbox.client import SandboxProcess
from outbox.endpoints import Endpoint
from tests.bench.accepted import WRITERS, accepted, sell
from tests.bench.books import TENANTS, Books
from tests.bench.figures import Aim, Run, quantile
from tests.bench.machines import ENVIRONMENT, Machines, machines
from tests.bench.pace import at_rate
from tests.bench.sales import ring_up
from tests.databases import create_ns16, database_url

ABOUT = "the others' commit to accepted beside a tenant of 100 times the volume, also with a dead key"
QUIET = range(1, TENANTS)
NOISY = range(TENANTS, TENANTS + 1)
QUIET_RATE = 4.0
NOISY_RATE = 100 * QUIET_RATE / len(QUIET)
WARM_UP_SALES, QUICK_WARM_UP_SALES = 400, 40
SECONDS, QUICK_SECONDS = 60, 8
WARM_SECONDS, QUICK_WARM_SECONDS = 6, 2
"""So long everybody sells before it counts: the first sales over a new connection are slow to capture."""
LATENCY_MS = 20
Measured = TypeVar("Measured")
_SHARES = "update aiaccount.tenants set calls_per_minute = 60, calls_at_once = 5"
_KEY = "update aiaccount.credentials set version = 2, nonce = %s, ciphertext = %s where tenant_id = %s"
_FORGET = """
    update aiaccount.tasks
    set due_at = null, again = false, token = null, busy_until = null, calling_for = null, leases = 0
    where tenant_id = %s or tenant_id is null
"""


def measure(run: Run) -> None:
    """Take turns: the quiet tenants alone, beside the noisy one, beside one with a dead key."""
    with (
        machines() as here,
        SandboxProcess(here.folder / "book.jsonl", "--latency-ms", str(LATENCY_MS)) as sandbox,
    ):
        installation = here.installation(sandbox.url)
        Books(here.database, sandbox).enter_tenants(installation)
        _do(here, _SHARES)
        with installation.relay(), installation.consumers():
            numbers = count(1)
            run.tell("some sales of everybody to warm up")
            warm = run.size(WARM_UP_SALES, QUICK_WARM_UP_SALES)
            _beside(
                lambda: sell(here, warm, numbers, NOISY_RATE, NOISY),
                lambda: accepted(here, sell(here, len(QUIET), numbers, QUIET_RATE, QUIET)),
            )
            _do(here, _FORGET, NOISY[0])
            unwatched = _unwatched_database(here)
            for number in range(run.rounds):
                _round(run, here, unwatched, numbers, number)
            ring = parse_key_ring(installation.env["AIACCOUNT_SYNC_MASTER_KEYS"], "the benchmark")
            dead = seal(ring, ENVIRONMENT, NOISY[0], PURPOSE, 2, "a key that AiAccount does not know")
            _do(here, _KEY, dead.nonce, dead.ciphertext, NOISY[0])
            for number in range(run.rounds):
                _round(run, here, unwatched, numbers, number, "dead key, ")


def _round(  # noqa: PLR0913, PLR0917 - one round's circumstances
    run: Run, here: Machines, unwatched: str, numbers: "count[int]", number: int, kind: str = ""
) -> None:
    seconds, warm = run.size(SECONDS, QUICK_SECONDS), run.size(WARM_SECONDS, QUICK_WARM_SECONDS)
    noise = int(NOISY_RATE * (warm + seconds))
    told = f"{kind}round {number + 1} of {run.rounds}:"

    def quiet() -> list[float]:
        accepted(here, sell(here, int(QUIET_RATE * warm), numbers, QUIET_RATE, QUIET))
        sales = sell(here, int(QUIET_RATE * seconds), numbers, QUIET_RATE, QUIET)
        return accepted(here, sales)[Endpoint.POS_INVOICE]

    run.tell(f"{told} {len(QUIET)} tenants alone, {QUIET_RATE:.0f} sales a second in all, for {seconds} s")
    alone = quiet()
    run.tell(f"{told} the same beside as many unwatched sales as follow")
    sales = [next(numbers) for _ in range(noise)]
    unwatched_noise = _beside(lambda: at_rate(NOISY_RATE, sales, WRITERS, unwatched, _ring_up_noise), quiet)
    run.tell(f"{told} the same beside one tenant with {NOISY_RATE:.0f} sales a second")
    beside = _beside(lambda: sell(here, noise, numbers, NOISY_RATE, NOISY), quiet)
    _do(here, _FORGET, NOISY[0])
    for share, name in ((0.5, "p50"), (0.99, "p99")):
        run.note(f"{kind}invoice {name} alone", "ms", quantile(alone, share))
        run.note(f"{kind}invoice {name} beside unwatched sales", "ms", quantile(unwatched_noise, share))
        run.note(f"{kind}invoice {name} beside", "ms", quantile(beside, share))
        ratio = quantile(beside, share) / quantile(alone, share)
        run.note(f"{kind}{name}, beside / alone", "", ratio, Aim(1.1) if name == "p99" else None)
        ratio = quantile(beside, share) / quantile(unwatched_noise, share)
        run.note(f"{kind}{name}, beside / beside unwatched", "", ratio)


def _unwatched_database(here: Machines) -> str:
    """Make a database with NS16's tables on the same server, and nothing of ours; return its URL."""
    with psycopg.connect(here.postgres.url, autocommit=True) as connection:
        connection.execute("create database unwatched template template0")
    url = database_url(here.postgres.url, "unwatched")
    create_ns16(url)
    return url


def _ring_up_noise(connection: psycopg.Connection, number: int) -> None:
    ring_up(connection, NOISY[0], f"POS2026{number:09}")


def _beside(noise: Callable[[], object], measured: Callable[[], Measured]) -> Measured:
    """Measure while the noise is made in a thread; both are bounded in count."""
    thread = threading.Thread(target=noise, name="noise")
    thread.start()
    try:
        return measured()
    finally:
        thread.join()


def _do(here: Machines, statement: str, *given: object) -> None:
    with psycopg.connect(here.database, autocommit=True) as connection:
        connection.execute(statement, given or None)
