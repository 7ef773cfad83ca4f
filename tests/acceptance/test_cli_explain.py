"""A person asks why a document is not there, and hears its story: the real command on the real stack."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from random import Random

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.stack.logins import as_login, login_of
from deploy.till import Numbers, Sale, Shopper, Till, price
from outbox.endpoints import Endpoint
from tests.faults.field import Field, ready
from tests.waiting import wait_for

DATABASE = "AIACCOUNT_SYNC_DATABASE_URL"
WIDTH = 80
SECONDS = 60.0
OK, USAGE = 0, 2
TENANT = 1
BROKEN_VIEW = """
    create or replace view aiaccount.pos_transaction_snapshot as
    select id, blogger_id as tenant_id, null::date as business_date, original_txn_id as original_id,
           to_jsonb(1 / (id - id)) as snapshot
      from pos_transactions
"""


@pytest.fixture
def running(field: Field) -> Field:
    """Give an installation with a relay and consumers."""
    ready(field.relay(), field.consumers())
    return field


@pytest.fixture
def till(field: Field) -> Iterator[Till]:
    """Give a till of the first tenant."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        yield Till(connection, TENANT, Numbers())


@pytest.fixture
def reader(field: Field) -> Iterator[str]:
    """Give the database's URL for a login that may read the first tenant."""
    name = f"reader_{secrets.token_hex(4)}"
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        connection.execute(f"create role {name} login in role aiaccount_reader")
        connection.execute("insert into aiaccount.readers values (%s, %s)", [name, TENANT])
        yield make_url(field.database_url).set(username=name).render_as_string(hide_password=False)
        connection.execute(f"drop role {name}")


def explain(
    field: Field, *arguments: str, status: int = OK, url: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person at the console, or as whoever the URL names."""
    login = login_of(("explain",))
    assert login is not None
    done = subprocess.run(
        [sys.executable, "-m", "console", "explain", *arguments],
        env={**field.installation.env, DATABASE: url or as_login(field.database_url, login)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == status, done
    if "--raw" not in arguments:
        assert max(map(len, done.stdout.splitlines()), default=0) <= WIDTH, done.stdout
    assert "\x1b" not in done.stdout
    for subscriber in field.subscribers:
        assert subscriber.key not in done.stdout + done.stderr
    return done


def told(field: Field, *arguments: str, url: str | None = None) -> str:
    """Return the story as one line, so that no test hangs on where a line ends."""
    return " ".join(explain(field, *arguments, url=url).stdout.split())


def sold(till: Till, field: Field) -> Sale:
    """Sell something that is paid at once."""
    basket, tenders = Shopper(Random(1)).purchase(field.subscribers[0].shop)
    return till.sell(basket, *tenders)


def until(field: Field, number: str, condition: str) -> None:
    """Wait until the ledger's entry of a document is as it should be."""
    query = f"select count(*) from aiaccount.documents where number = %s and {condition}"
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        wait_for(
            lambda: connection.execute(query, [number]).fetchone() == (1,), SECONDS, f"{number}: {condition}"
        )


def test_a_document_that_went_at_the_second_try_tells_both(running: Field, till: Till) -> None:
    running.sandbox.add_fault("status", status=503, times=3, match={"endpoint": Endpoint.POS_INVOICE.value})
    sale = sold(till, running)
    until(running, sale.receipt_no, "attempts > 0 and verdict = 'retry'")
    assert "in doubt" in told(running, sale.receipt_no)
    running.do("bring_near")
    until(running, sale.receipt_no, "accepted_at is not null")
    until(running, f"{sale.receipt_no}-R1", "accepted_at is not null")
    story = told(running, sale.receipt_no)
    assert f"{sale.receipt_no}, sales invoice: pushed should be as it was sent" in story
    assert "no clear answer, HTTP_5XX" in story
    assert "accepted, created" in story
    assert f"{sale.receipt_no}-R1, sales receipt: pushed" in story
    assert "Asia/Kuala_Lumpur" in story
    alone = told(running, f"{sale.receipt_no}-R1")
    assert f"{sale.receipt_no}, sales invoice" not in alone


def test_raw_is_the_document_as_it_was_sent_or_would_be(field: Field, till: Till) -> None:
    sale = sold(till, field)
    before = explain(field, sale.receipt_no, "--raw")
    assert "as it would be sent now" in before.stderr
    assert json.loads(before.stdout)["number"] == sale.receipt_no
    assert "was not sent" in explain(field, f"{sale.receipt_no}-R1", "--raw", status=USAGE).stderr
    ready(field.relay(), field.consumers())
    until(field, sale.receipt_no, "accepted_at is not null")
    after = explain(field, sale.receipt_no, "--raw")
    assert "as it was sent" in after.stderr
    (stored,) = [one for one in field.sandbox.documents() if one["number"] == sale.receipt_no]
    assert json.loads(after.stdout) == stored["document"]


def test_a_missing_tax_code_says_where_to_add_it_and_its_receipt_what_it_waits_for(
    running: Field, till: Till
) -> None:
    company = running.subscribers[0].company_id
    running.sandbox.patch_company(company, tax_codes=[])
    sale = sold(till, running)
    until(running, sale.receipt_no, "verdict = 'block'")
    until(running, f"{sale.receipt_no}-R1", "verdict = 'wait'")
    story = told(running, sale.receipt_no)
    assert "TAX_CODE_MISSING: the company has no such tax code in AiAccount" in story
    assert "add it to the company's tax codes" in story
    assert "refused, TAX_CODE_MISSING" in story
    assert "it is tried again at" in story
    receipt = told(running, f"{sale.receipt_no}-R1")
    assert "it hangs on another that was not accepted yet" in receipt
    assert "it goes once the document that it hangs on was accepted" in receipt


def test_a_conflict_points_to_resolve(running: Field, till: Till) -> None:
    sale = sold(till, running)
    until(running, sale.receipt_no, "accepted_at is not null")
    other = price(sale.basket.items[:1], currency=sale.basket.currency)
    till.amend(sale, other, *other.split("card"))
    until(running, sale.receipt_no, "state = 'conflict'")
    story = told(running, sale.receipt_no)
    assert "AMENDED_AFTER_PUSH: it was sent, and its row says something else now" in story
    assert f"`aiaccount-sync resolve {sale.receipt_no}`" in story
    assert "nothing until a person decides" in story


def test_a_stopped_tenant_is_told_with_its_key(running: Field, till: Till) -> None:
    running.sandbox.patch_company(running.subscribers[0].company_id, keys=[])
    sale = sold(till, running)
    until(running, sale.receipt_no, "code = 'API_KEY_INVALID'")
    story = told(running, sale.receipt_no)
    assert "the tenant is stopped everywhere since" in story
    assert "`aiaccount-sync credentials set 1`" in story


def test_a_sale_before_the_cut_over_says_how_to_backfill_its_day(running: Field, till: Till) -> None:
    running.installation.run("tenants", "set", str(TENANT), "--cutover-date", "2099-01-01")
    sale = sold(till, running)
    until(running, sale.receipt_no, "code = 'BEFORE_CUTOVER'")
    story = told(running, sale.receipt_no)
    assert "BEFORE_CUTOVER" in story
    day = sale.receipt_no[3:11]
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    assert f"`aiaccount-sync backfill --tenant 1 --endpoint pos_invoice --from {date} --to {date}`" in story


def test_what_is_open_or_not_the_tenants_own_or_unknown_is_said_as_such(field: Field, till: Till) -> None:
    basket = Shopper(Random(1)).basket(field.subscribers[0].shop)
    parked = till.park(basket)
    assert "Open: nothing is posted until it is completed." in told(field, parked.receipt_no)
    order = till.hand_over_ecommerce(basket, 77)
    assert "NOT_OWNED" in told(field, order.receipt_no)
    refused = explain(field, "POS2026010199999", status=USAGE).stderr
    assert "neither a document in the ledger nor a receipt_no of pos_transactions" in refused
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        stranger = Till(connection, 99, Numbers(500)).sell(basket)
        assert "The blogger did not subscribe" in told(field, stranger.receipt_no)
        other = Till(connection, 2, Numbers()).park(basket)
    assert other.receipt_no == parked.receipt_no
    several = explain(field, parked.receipt_no, status=USAGE).stderr
    assert "several tenants have" in several
    assert "--tenant" in several
    assert "tenant 2" in told(field, parked.receipt_no, "--tenant", "2")


def test_a_reader_is_told_what_the_ledger_holds_of_its_own_tenant(
    running: Field, till: Till, reader: str
) -> None:
    sale = sold(till, running)
    until(running, sale.receipt_no, "accepted_at is not null")
    story = told(running, sale.receipt_no, url=reader)
    assert "pushed" in story
    assert "accepted, created" in story
    assert "shown to aiaccount_admin" in story
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        other = Till(connection, 2, Numbers(700)).sell(sale.basket)
    until(running, other.receipt_no, "accepted_at is not null")
    refused = explain(running, other.receipt_no, status=USAGE, url=reader).stderr
    assert "that this login may read" in refused


def test_a_row_that_breaks_the_mapper_or_its_view_is_explained_too(field: Field, till: Till) -> None:
    sale = sold(till, field)
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        connection.execute("""update pos_transactions set tenders = '"cash"' where id = %s""", [sale.id])
        story = told(field, sale.receipt_no)
        assert "MAPPING_FAILED: the row cannot be mapped" in story
        assert "tenders" in story
        connection.execute(
            "update pos_transactions set tenders = null, completed_at = 'infinity' where id = %s", [sale.id]
        )
        assert "MAPPING_FAILED" in told(field, sale.receipt_no)
        connection.execute(BROKEN_VIEW)
        broken = told(field, sale.receipt_no)
    assert "READ_FAILED: the row cannot be read: it breaks the snapshot view. division by zero" in broken
