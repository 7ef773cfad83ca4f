"""Deliveries a second with a slow API: the consumers beside bare posts of the same bodies.

Sales wait in Kafka; the consumers are started and deliver their invoices. The yardsticks post the same
invoices with as many in flight: through httpx's transport called directly, which is what we call, through
httpx's client above it, and one at a time for each partition, as a plain consumer of Kafka would.
"""

import time

import psycopg

from deploy.sandbox.client import SandboxProcess
from outbox.endpoints import Endpoint
from tests.bench.books import TENANTS, Books
from tests.bench.figures import Aim, Run
from tests.bench.isolated import isolated
from tests.bench.machines import Machines, machines
from tests.bench.posting import Answers, Layer, post_all
from tests.bench.usage import Meter
from tests.waiting import wait_for

ABOUT = "deliveries a second with an API that answers in 100 ms, beside bare posts"
INVOICES, QUICK_INVOICES = 8_000, 2_000
FEW = 400
IN_FLIGHT = 256
PARTITIONS = 12
LATENCY_MS = 100
DRAIN_SECONDS = 180.0
POLL_SECONDS = 0.25
_FILL = """
with sale as (
  insert into pos_transactions (blogger_id, store_code, receipt_no, status, subtotal, total_amount,
    amount_paid, payment_method, completed_at, paid_at)
  select 1 + n %% %(tenants)s, 'S1', 'POS2026' || lpad((%(from)s + n)::text, 9, '0'), 'paid', 100, 100, 100,
    'cash', now(), now()
  from generate_series(1, %(sales)s) as n
  returning id
), item as (
  insert into pos_transaction_items
    (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
  select id, line.* from sale, (values (1, 'TS-01', 'T-shirt, white, M', 2, 25.00, 50.00),
                                       (2, 'MUG-07', 'Mug', 1, 19.90, 19.90),
                                       (3, 'CAP-02', 'Cap, black', 1, 30.10, 30.10)) as line
)
select min(id), max(id) + 1 from sale
"""
_RATE = """
select count(*), extract(epoch from max(accepted_at) - min(accepted_at))::float from aiaccount.documents
where endpoint = 'pos_invoice' and accepted_at is not null and aggregate_id between %s and %s
"""


def measure(run: Run) -> None:
    """Deliver what waits in Kafka, then post the same bodies in each of the other ways."""
    with (
        machines() as here,
        SandboxProcess(
            here.folder / "book.jsonl", "--no-rate-limit", "--latency-ms", str(LATENCY_MS)
        ) as sandbox,
    ):
        installation = here.installation(sandbox.url)
        books = Books(here.database, sandbox)
        books.enter_tenants(installation)
        invoices = run.size(INVOICES, QUICK_INVOICES)
        for number in range(run.rounds):
            told = f"round {number + 1} of {run.rounds}:"
            run.tell(f"{told} {invoices:,} sales go to Kafka")
            with installation.relay():
                ids = fill(here, invoices, number * invoices)
                here.wait_until_relayed()
            run.tell(f"{told} the consumers deliver them, {IN_FLIGHT} at once")
            watched = {"sandbox": sandbox.pid, "PostgreSQL": here.postgres.pid, "Kafka": here.kafka_pid}
            with (
                installation.consumers("consume", Endpoint.POS_INVOICE) as consumers,
                Meter({"consumers": consumers.pid} | watched) as meter,
            ):
                ours = delivered(here, ids)
            run.note("consumers", "deliveries/s", ours)
            for name in ("consumers", *watched):
                run.note(f"CPU of {name}", "us a delivery", 1e6 * meter.used[name].cpu_seconds / invoices)
            run.note("consumers without a core", "% of the time", meter.starved("consumers"))
            run.note("memory of consumers", "MB", meter.used["consumers"].rss_mb)
            rates = {}
            for layer in Layer:
                run.tell(f"{told} {layer.value}, {IN_FLIGHT} at once")
                posts = books.posts(f"{layer.name.lower()}{number}", ids, [Endpoint.POS_INVOICE])
                with Meter(watched) as meter:
                    bare = isolated(post_all, posts, IN_FLIGHT, layer)
                rates[layer] = rate_of(bare.value)
                run.note(layer.value, "posts/s", rates[layer])
                run.note(f"CPU of {layer.value}", "us a post", 1e6 * bare.used.cpu_seconds / invoices)
            run.tell(f"{told} one at a time for each of {PARTITIONS} partitions")
            posts = books.posts(f"single{number}", ids[:FEW], [Endpoint.POS_INVOICE])
            single = rate_of(isolated(post_all, posts, PARTITIONS, Layer.TRANSPORT).value)
            run.note("one at a time a partition", "posts/s", single)
            run.note("consumers / transport", "x", ours / rates[Layer.TRANSPORT], Aim(0.6, at_least=True))
            run.note("consumers / client", "x", ours / rates[Layer.CLIENT])
            run.note("consumers / one at a time", "x", ours / single)


def fill(here: Machines, sales: int, first: int) -> range:
    """Commit paid sales, with three items each, in one transaction; return their ids."""
    with psycopg.connect(here.database, autocommit=True) as connection:
        given = {"tenants": TENANTS, "from": first, "sales": sales}
        ((start, stop),) = connection.execute(_FILL, given).fetchall()
        connection.execute("vacuum analyze")
    return range(start, stop)


def delivered(here: Machines, ids: range) -> float:
    """Wait until every invoice is accepted; return how many were a second, from the first to the last."""
    with psycopg.connect(here.database, autocommit=True) as connection:

        def whole() -> float:
            time.sleep(POLL_SECONDS)  # to count is work, too
            ((count, seconds),) = connection.execute(_RATE, [ids.start, ids.stop - 1]).fetchall()
            return (count - 1) / seconds if count == len(ids) else 0.0

        return wait_for(whole, DRAIN_SECONDS, "every invoice to be accepted")


def rate_of(answers: Answers) -> float:
    """Return how many answers came a second, from the first to the last."""
    return (len(answers.at) - 1) / (max(answers.at) - min(answers.at))
