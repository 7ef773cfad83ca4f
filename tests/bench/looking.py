"""What reconciliation costs: a page of 1,000 rows, and all of a million, on a PostgreSQL of its own.

`python -m tests.bench.looking [ROWS]` fills a database with sales of three lines that were handled, compares
all of them page by page, and prints what a page took and what share of a core the rotation takes.
"""

import statistics
import sys
import time

import psutil
import psycopg

from deploy.servers.postgres import PostgresServer
from outbox.endpoints import Aggregate
from outbox.migrate import install
from outbox.reconcile import FIRST_ID, PAGE_ROWS, open_reconciliation, read_page
from tests.databases import create_ns16

ROWS = 1_000_000
TENANTS = 50
_FILL = """
set session_replication_role = replica;
insert into aiaccount.tenants (tenant_id, company_name, kol_mode, cutover_date)
select n, 'Kedai ' || n, 'single', '2026-01-01' from generate_series(1, %(tenants)s) as n;
insert into pos_transactions (blogger_id, store_code, receipt_no, status, subtotal, total_amount, amount_paid,
                              payment_method, completed_at, paid_at)
select 1 + n %% %(tenants)s, 'S1', 'POS' || n, 'paid', 100, 100, 100, 'cash', t, t
from generate_series(1, %(rows)s) as n,
     lateral (select timestamptz '2026-01-01' + n * interval '10 seconds') as at (t);
insert into pos_transaction_items
  (transaction_id, line_no, sku, description, quantity, unit_price, line_total)
select t.id, line.no, 'TS-01', 'T-shirt, white, M', 1, line.total, line.total
from pos_transactions as t, (values (1, 50), (2, 30), (3, 20)) as line (no, total);
insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, digest)
select e.endpoint, v.id, v.tenant_id, sha256(convert_to(v.snapshot::text, 'UTF8'))
from aiaccount.pos_transaction_snapshot as v, unnest(array['pos_invoice', 'pos_receipt']) as e (endpoint);
"""


def main(rows: int) -> None:
    """Fill, compare with small and with large pages, and print."""
    with PostgresServer() as server:
        create_ns16(server.url)
        install(server.url)
        with psycopg.ClientCursor(psycopg.connect(server.url, autocommit=True)) as cursor:
            cursor.execute(_FILL, {"rows": rows, "tenants": TENANTS})
            cursor.connection.close()
        print(f"{rows:,} sales of three lines, all of them handled")  # noqa: T201 - it prints
        for size in (PAGE_ROWS, 1_000):
            measure(server.url, rows, size)


def measure(url: str, rows: int, size: int) -> None:
    """Compare all, page by page, and print the time on the clock and on the server's processor."""
    session = open_reconciliation(url)
    server = psutil.Process(session.info.backend_pid)
    before = sum(server.cpu_times()[:2])
    took, after = [], FIRST_ID
    while True:
        began = time.perf_counter()
        page = read_page(session, Aggregate.POS_TRANSACTION, after, rows=size)
        took.append(time.perf_counter() - began)
        assert not page.standings, "all was handled"
        if page.ends is None:
            break
        after = page.ends
    worked = sum(server.cpu_times()[:2]) - before
    session.close()
    a_page, million = worked / rows * size, worked / rows * 1e6
    print(  # noqa: T201 - it prints
        f"pages of {size:,}: median {statistics.median(took) * 1e3:.0f} ms on the clock, longest"
        f" {max(took) * 1e3:.0f} ms; {a_page * 1e3:.0f} ms of a core each\n"
        f"a million rows: {million:.0f} s of a core; at a share of 5 % {million / 0.05 / 60:.0f} min,"
        f" at 25 % (an alert) {million / 0.25 / 60:.0f} min"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
