"""A person asks what would be posted for a sale, and lets go what waits."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.engine import make_url

from outbox.tenants import Tenant, add
from tests.commandline import CommandLine

CODES = {"tax:none:0": "NT", "account:sales": "40000", "payment:cash:MYR": "12100"}
SALE = """
    insert into pos_transactions (blogger_id, store_code, receipt_no, status, source, subtotal, total_amount,
                                  amount_paid, payment_method, completed_at, paid_at)
    values (7, 'S1', %(number)s, 'paid', %(source)s, 50, 50, 50, 'cash', '2026-05-01 06:00Z',
            '2026-05-01 06:00Z')
    returning id
"""
ITEM = """
    insert into pos_transaction_items (transaction_id, line_no, description, quantity, unit_price, line_total)
    values (%(sale)s, 1, 'T-shirt', 2, 25, 50)
"""


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """Give a connection in autocommit to the command line's database, with the tenant 7."""
    engine = create_engine(make_url(database).set(drivername="postgresql+psycopg"), poolclass=NullPool)
    with engine.begin() as to:
        add(to, Tenant(7, "Mei Live Sdn Bhd", date(2026, 1, 1), company_id="C7", codes=CODES))
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def command(database: str) -> CommandLine:
    """Give the command line."""
    return CommandLine(database)


def sold(connection: psycopg.Connection, number: str, source: str = "pos") -> str:
    """Sell two T-shirts; return the sale's id."""
    row = connection.execute(SALE, {"number": number, "source": source}).fetchone()
    assert row is not None
    connection.execute(ITEM, {"sale": row[0]})
    return str(row[0])


def test_a_preview_shows_the_document_or_why_none_and_sends_nothing(
    command: CommandLine, connection: psycopg.Connection
) -> None:
    sale = sold(connection, "POS2026050100001")
    invoice = ("preview", "--endpoint", "pos_invoice", "--id", sale)
    shown = command.done(*invoice)
    assert "push POS2026050100001:" in shown
    assert '"total": "50.00"' in shown
    (outcome,) = command.json("preview", "--endpoint", "pos_receipt", "--id", sale)["outcomes"]
    assert outcome == {"wait": "POS2026050100001-R1"}
    command.done("tenants", "set", "7", "--remove-code", "account:sales", "--inactive")
    blocked = command.run(*invoice)
    assert blocked.returncode == 1
    assert "ACCOUNT_UNMAPPED account:sales: the tenant's codes lack this key" in blocked.stdout
    assert "the tenant is inactive" in blocked.stdout
    counted = "select (select count(*) from aiaccount.documents) + (select count(*) from aiaccount.tasks)"
    assert connection.execute(counted).fetchone() == (0,)


def test_a_row_that_is_not_the_tenants_own_has_no_preview(
    command: CommandLine, connection: psycopg.Connection
) -> None:
    pickup = sold(connection, "POS2026050100002", "ecommerce_pickup")
    for row in (pickup, "999999"):
        assert f"no row {row}" in command.refused(
            "preview", "--endpoint", "pos_invoice", "--id", row, status=2
        )


def test_retry_lists_first_and_then_lets_go(command: CommandLine, connection: psycopg.Connection) -> None:
    connection.execute(
        "insert into aiaccount.tasks (endpoint, aggregate_id, tenant_id, due_at)"
        " values ('pos_invoice', 1, 7, now() + interval '1 hour')"
    )
    connection.execute(
        "insert into aiaccount.documents"
        " (company_id, endpoint, aggregate_id, number, tenant_id, verdict, code, reason) values"
        " ('C7', 'pos_invoice', 1, 'N1', 7, 'block', 'TAX_CODE_MISSING', 'no tax code MY-SALES10')"
    )
    due = "select due_at <= now() from aiaccount.tasks"
    listed = command.done("retry", "--tenant", "7", "--dry-run")
    assert "no tax code MY-SALES10" in listed
    assert connection.execute(due).fetchone() == (False,)
    assert command.json("retry", "--reason", "ACCOUNT_MISSING")["held"] == []
    assert connection.execute(due).fetchone() == (False,)
    freed = command.json("retry", "--reason", "TAX_CODE_MISSING")["due_now"]
    assert freed == {"tasks": 1, "documents": 1, "stops": 0}
    assert connection.execute(due).fetchone() == (True,)
