"""The usual sale as programs play it: one transaction of seven statements, read from `sale.sql`."""

import re

import psycopg

from outbox.statements import statements

SALE = statements("tests.bench", "sale.sql")
OUTBOX_ROW = """
insert into aiaccount.outbox (aggregate_type, aggregate_id) values ('pos_transaction', %(sale_id)s::bigint)
"""


def ring_up(connection: psycopg.Connection, blogger: int, receipt_no: str) -> int:
    """Ring up a sale of 100.00 in cash, commit, and return its id."""
    given: dict[str, object] = {"blogger": blogger, "receipt_no": receipt_no}
    with connection.transaction():
        for name, statement in SALE.items():
            found = connection.execute(statement, given)
            if name == "open":
                (given["sale_id"],) = found.fetchall()[0]
    return int(str(given["sale_id"]))


def pgbench_script(*, outbox_row: bool) -> str:
    """Return the sale as a script of pgbench, with an outbox row that the application writes, or without."""
    lines = [r"\set n :n + 1", r"\set blogger 1", "begin;"]
    for name, statement in SALE.items():
        text = (
            statement.strip()
            .rstrip(";")
            .replace("%(receipt_no)s", "'POS' || :run || '-' || :client_id || '-' || :n")
        )
        lines.append(_plain(text) + (r" \gset" if name == "open" else ";"))
    if outbox_row:
        lines.append(_plain(OUTBOX_ROW) + ";")
    return "\n".join([*lines, "commit;", ""])


def _plain(statement: str) -> str:
    """Return a statement on one line, with pgbench's parameters instead of psycopg's."""
    return " ".join(re.sub(r"%\((\w+)\)s", r":\1", statement).split())
