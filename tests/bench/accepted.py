"""From a sale's commit to AiAccount's acceptance: the whole pipeline beside bare posts of the same documents.

The relay and the consumers are processes, as they are run; tills ring up usual sales at a steady rate. The
yardstick posts the same invoices and receipts to the same sandbox at the same rate, with nothing around.
"""

import time
from itertools import count

import psycopg

from deploy.sandbox.client import SandboxProcess
from outbox.endpoints import Endpoint
from tests.bench.books import TENANTS, Books
from tests.bench.figures import Aim, Run, quantile
from tests.bench.isolated import isolated
from tests.bench.machines import Machines, machines
from tests.bench.pace import at_rate
from tests.bench.posting import post_at_rate
from tests.bench.sales import ring_up
from tests.bench.usage import Meter
from tests.waiting import wait_for

ABOUT = "commit to accepted at 100 sales a second and an API that answers in 5 ms, beside bare posts"
RATE = 100.0
SECONDS, QUICK_SECONDS = 20, 5
WARM_SALES = 200
WRITERS = 8
LATENCY_MS = 5
DRAIN_SECONDS = 120.0
POS = (Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT)
NAMES = ("invoice", "receipt")
_ACCEPTED = """
    select endpoint, aggregate_id, extract(epoch from accepted_at)::float from aiaccount.documents
    where accepted_at is not null and aggregate_id = any (%s)
"""


def measure(run: Run) -> None:
    """Ring up sales at the rate, wait until all of it is accepted, then post the same documents bare."""
    with (
        machines() as here,
        SandboxProcess(
            here.folder / "book.jsonl", "--no-rate-limit", "--latency-ms", str(LATENCY_MS)
        ) as sandbox,
    ):
        installation = here.installation(sandbox.url)
        books = Books(here.database, sandbox)
        books.enter_tenants(installation)
        with installation.relay() as relay, installation.consumers() as consumers:
            numbers = count(1)
            run.tell(f"{WARM_SALES} sales to warm up")
            accepted(here, sell(here, WARM_SALES, numbers))
            pids = {"relay": relay.pid, "consumers": consumers.pid}
            others = {"sandbox": sandbox.pid, "PostgreSQL": here.postgres.pid, "Kafka": here.kafka_pid}
            for number in range(run.rounds):
                seconds = run.size(SECONDS, QUICK_SECONDS)
                told = f"round {number + 1} of {run.rounds}:"
                run.tell(f"{told} {RATE:.0f} sales a second for {seconds} s")
                with Meter(pids | others) as meter:
                    committed = sell(here, int(RATE * seconds), numbers)
                    took = accepted(here, committed)
                run.tell(f"{told} the same documents, posted bare at the same rate")
                posts = books.posts(f"bare{number}", _ids(committed), POS)
                bare = isolated(post_at_rate, posts, RATE)
                for name, endpoint, alone in zip(NAMES, POS, bare.value.took, strict=True):
                    run.note(f"{name} p50", "ms", quantile(took[endpoint], 0.5), Aim(50))
                    run.note(f"{name} p99", "ms", quantile(took[endpoint], 0.99), Aim(250))
                    run.note(f"bare {name} p50", "ms", quantile(alone, 0.5))
                    run.note(f"bare {name} p99", "ms", quantile(alone, 0.99))
                for name in pids | others:
                    run.note(f"CPU of {name}", "% of a core", meter.share(name))
                run.note("consumers without a core", "% of the time", meter.starved("consumers"))
                for name in pids:
                    run.note(f"memory of {name}", "MB", meter.used[name].rss_mb)
                whole = sum(meter.used[name].rss_mb for name in pids)
                run.note("memory of relay and consumers", "MB", whole, Aim(250))


def sell(
    here: Machines,
    sales: int,
    numbers: "count[int]",
    rate: float = RATE,
    tenants: range = range(1, TENANTS + 1),
) -> dict[int, float]:
    """Ring up usual sales of these tenants in turn; return when each one's commit had returned, by its id."""
    committed: dict[int, float] = {}

    def ring(connection: psycopg.Connection, number: int) -> None:
        sale = ring_up(connection, tenants[number % len(tenants)], f"POS2026{number:09}")
        committed[sale] = time.time()

    at_rate(rate, [next(numbers) for _ in range(sales)], WRITERS, here.database, ring)
    return committed


def accepted(here: Machines, committed: dict[int, float]) -> dict[Endpoint, list[float]]:
    """Wait until each sale's two documents are accepted; return the ms from commit to acceptance."""
    ids = list(committed)
    with psycopg.connect(here.database, autocommit=True) as connection:

        def all_rows() -> list[tuple[str, int, float]]:
            rows = connection.execute(_ACCEPTED, [ids]).fetchall()
            return rows if len(rows) == 2 * len(committed) else []

        rows = wait_for(all_rows, DRAIN_SECONDS, "every document to be accepted")
    took: dict[Endpoint, list[float]] = {endpoint: [] for endpoint in POS}
    for endpoint, sale, at in rows:
        took[Endpoint(endpoint)].append(1000 * (at - committed[sale]))
    return took


def _ids(committed: dict[int, float]) -> range:
    return range(min(committed), max(committed) + 1)
