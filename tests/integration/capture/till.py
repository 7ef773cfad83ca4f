"""What a till writes, and what the outbox holds of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import psycopg

NUMBERS = count(1)
POS, KOL = "pos_transaction", "kol_settlement"
Connection = psycopg.Connection[Any]


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Open a connection in autocommit."""
    with psycopg.connect(url, autocommit=True) as conn:
        yield conn


def one(conn: Connection, query: str, *params: object) -> Any:
    """Return the first column of the only row."""
    row = conn.execute(query, params).fetchone()
    assert row is not None
    return row[0]


def sale(conn: Connection, original: int | None = None, *, blogger: int = 1) -> int:
    """Open a sale, or the refund of one."""
    return int(
        one(
            conn,
            "insert into pos_transactions"
            " (blogger_id, store_code, receipt_no, txn_type, original_txn_id, subtotal, total_amount)"
            " values (%s, 'S1', %s, %s, %s, 10, 10) returning id",
            blogger,
            f"POS{next(NUMBERS)}",
            "refund" if original else "sale",
            original,
        )
    )


def item(conn: Connection, sale_id: int) -> int:
    """Add an item to a sale."""
    return int(
        one(
            conn,
            "insert into pos_transaction_items"
            " (transaction_id, line_no, description, quantity, unit_price, line_total)"
            " values (%s, %s, 'T-shirt', 1, 10, 10) returning id",
            sale_id,
            next(NUMBERS),
        )
    )


def settlement(conn: Connection) -> int:
    """Draft a KOL settlement."""
    return int(
        one(
            conn,
            "insert into kol_settlements (blogger_id, settlement_no, payer_type, payer_id, payee_kol_id,"
            " payee_name, period_start, period_end, gross_sales, commission_amount, net_payable)"
            " values (1, %s, 'blogger', 1, 11, 'Aisyah', '2026-04-01', '2026-04-30', 100, 15, 15)"
            " returning id",
            f"KS{next(NUMBERS)}",
        )
    )


def usual_sale(conn: Connection) -> int:
    """Ring up a sale as NS16 does: seven statements in one transaction."""
    with conn.transaction():
        sale_id = sale(conn)
        for _ in range(3):
            item(conn, sale_id)
        conn.execute("update pos_transactions set subtotal = 30, total_amount = 30 where id = %s", [sale_id])
        conn.execute(
            "update pos_transactions set status = 'completed', completed_at = now() where id = %s", [sale_id]
        )
        conn.execute(
            "update pos_transactions set status = 'paid', paid_at = now(), amount_paid = 30 where id = %s",
            [sale_id],
        )
    return sale_id


def rows(conn: Connection) -> list[tuple[str, int]]:
    """Return what the outbox holds, in order."""
    return conn.execute("select aggregate_type, aggregate_id from aiaccount.outbox order by seq").fetchall()


def clear(conn: Connection) -> None:
    """Empty the outbox."""
    conn.execute("delete from aiaccount.outbox")


def alerts(conn: Connection) -> list[tuple[str, str]]:
    """Return the alerts, in order."""
    return conn.execute("select kind, detail from aiaccount.alerts order by id").fetchall()


def warnings_of(conn: Connection) -> list[str]:
    """Collect what capture warns of on the connection from now on."""
    heard: list[str] = []

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        if (notice.message_primary or "").startswith("AiAccount Sync "):
            heard.append(str(notice.message_primary))

    conn.add_notice_handler(hear)
    return heard
