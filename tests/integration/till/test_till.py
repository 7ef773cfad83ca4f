"""What the till writes is what NS16 writes: it passes the tables' checks, and the mappers post it."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import psycopg
import pytest

from deploy.till import CODES, SHOPS, Numbers, Payroll, Sale, Shopper, TaxRule, Till, item, price
from mappers.plan import plan
from mappers.settings import Settings

NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)
SETTINGS = Settings.from_json(
    {
        "tenant_id": 7,
        "company_name": "Mei Live Sdn Bhd",
        "kol_mode": "multi",
        "owner_kol_id": 10,
        "home_currency": "MYR",
        "timezone": "Asia/Kuala_Lumpur",
        "day_cutoff_hour": 0,
        "cutover_date": "2026-01-01",
        "wanted": {},
        "codes": dict(CODES),
    }
)
SALES_TAX = TaxRule("sales", Decimal(10))
SHIRTS = price([item("TS-01", "T-shirt", "45.00", 2), item("SK-05", "Socks", "12.30")], SALES_TAX)
Connection = psycopg.Connection[Any]


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """Give a connection to NS16's tables with the views."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def till(connection: Connection) -> Till:
    """Give a till whose clock stands at noon in Kuala Lumpur."""
    return Till(connection, 7, Numbers(), clock=lambda: NOON)


@pytest.fixture
def payroll(connection: Connection) -> Payroll:
    """Give a payroll whose clock stands there too."""
    return Payroll(connection, 7, Numbers(), clock=lambda: NOON)


def said(connection: Connection, endpoint: str, row: int) -> list[Any]:
    """Plan one endpoint's documents of a row of which nothing was sent, in the vectors' form."""
    view = "kol_settlement_snapshot" if endpoint.startswith("kol") else "pos_transaction_snapshot"
    found = connection.execute(f"select snapshot from aiaccount.{view} where id = %s", [row]).fetchone()
    return [outcome.to_json() for outcome in plan(endpoint, SETTINGS, found[0] if found else None, [])]


def pushed(connection: Connection, endpoint: str, row: int) -> dict[str, Any]:
    """Return the one document that a row calls for."""
    (outcome,) = said(connection, endpoint, row)
    assert "push" in outcome, outcome
    document: dict[str, Any] = outcome["push"]
    return document


@pytest.mark.parametrize("seed", range(4))
def test_every_basket_that_is_drawn_can_be_posted(connection: Connection, till: Till, seed: int) -> None:
    shopper, seen = Shopper(Random(seed)), Counter[str]()
    for turn in range(120):
        basket, tenders = shopper.purchase(SHOPS[turn % len(SHOPS)])
        sale = till.sell(basket, *tenders)
        document = pushed(connection, "pos_invoice", sale.id)
        assert Decimal(document["totals"]["total"]) == sale.total > 0
        waiting = said(connection, "pos_receipt", sale.id)
        assert waiting == [{"wait": f"{sale.receipt_no}-R{seq}"} for seq in range(1, len(tenders) + 1)]
        seen[basket.currency] += 1
        seen["split"] += len(tenders) > 1
        seen["rounded"] += basket.rounding != 0
        seen["discounted"] += basket.order_discount != 0
        seen["exchanged"] += any(line.quantity < 0 for line in basket.items)
        seen["gift"] += any(line.kind == "gift" for line in basket.items)
        seen["by line"] += basket.items[0].tax_amount is not None
    rare = ("MYR", "SGD", "JPY", "split", "rounded", "discounted", "exchanged", "gift", "by line")
    assert all(seen[kind] for kind in rare), seen


@pytest.mark.parametrize("seed", range(4))
def test_every_sale_and_most_of_its_lines_can_be_refunded(
    connection: Connection, till: Till, seed: int
) -> None:
    shopper = Shopper(Random(seed))
    for turn in range(40):
        basket, tenders = shopper.purchase(SHOPS[turn % len(SHOPS)])
        sale = till.sell(basket, *tenders)
        exchanged = any(line.quantity < 0 for line in basket.items)
        part = None if turn % 2 or exchanged else [0]
        back = till.refund(sale, part, tenders[0].method)
        read = "select snapshot from aiaccount.pos_transaction_snapshot where id = %s"
        (snapshot,) = connection.execute(read, [back.id]).fetchone() or ()
        (outcome,) = plan("pos_invoice", SETTINGS, snapshot | {"original": None}, [])
        document = outcome.to_json()["push"]
        assert document["document_type"] == "credit_note"
        assert Decimal(document["totals"]["total"]) == -back.total < 0
        assert Decimal(snapshot["original"]["refunded"]) <= Decimal(snapshot["original"]["refundable"])
        assert said(connection, "pos_invoice", back.id) == [{"wait": back.receipt_no}]


def test_a_usual_sale_is_seven_statements_in_one_transaction(connection: Connection, till: Till) -> None:
    heard: list[str] = []
    connection.execute("set client_min_messages = log")
    connection.execute("set log_statement = 'all'")
    connection.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    basket = price([item("A", "A", "1.00"), item("B", "B", "2.00"), item("C", "C", "3.00")])
    till.sell(basket, *basket.split("cash"))
    verbs = [re.search(r"\b(begin|insert|update|delete|commit)\b", line, re.IGNORECASE) for line in heard]
    words = [verb[0].lower() for verb in verbs if verb]
    assert words == ["begin", *["insert"] * 4, *["update"] * 3, "commit"], heard


def test_more_than_the_sale_is_not_given_back(till: Till) -> None:
    basket = price([item("A", "A", "9.00"), item("B", "B", "4.00", -1)])
    sale = till.sell(basket, *basket.split("cash"))
    with pytest.raises(ValueError, match="more than the sale"):
        till.refund(sale, [0])
    with pytest.raises(ValueError, match="nothing to give back"):
        till.refund(sale, [1])


def test_a_sale_that_is_paid_later_calls_for_its_receipt_then(connection: Connection, till: Till) -> None:
    sale = till.sell(SHIRTS)
    assert said(connection, "pos_receipt", sale.id) == []
    first, second = SHIRTS.split("duitnow", "card", first=Decimal(50))
    sale = till.take_payment(sale, first)
    assert said(connection, "pos_receipt", sale.id) == [{"wait": f"{sale.receipt_no}-R1"}]
    sale = till.take_payment(sale, second)
    assert said(connection, "pos_receipt", sale.id) == [
        {"wait": f"{sale.receipt_no}-R1"},
        {"wait": f"{sale.receipt_no}-R2"},
    ]
    assert connection.execute("select status, amount_paid from pos_transactions").fetchall() == [
        ("paid", Decimal("112.53"))
    ]


def test_a_parked_sale_gives_nothing_until_it_is_taken_up(connection: Connection, till: Till) -> None:
    parked = till.park(SHIRTS)
    assert said(connection, "pos_invoice", parked.id) == []
    other = price([item("TS-01", "T-shirt", "45.00", 1)], SALES_TAX)
    till.take_up(parked, other, *other.split("card"))
    assert pushed(connection, "pos_invoice", parked.id)["totals"]["total"] == "49.50"


def test_an_amended_sale_is_another_document_and_another_cashier_is_not(
    connection: Connection, till: Till
) -> None:
    sale = till.sell(SHIRTS, *SHIRTS.split("card"))
    before = pushed(connection, "pos_invoice", sale.id)
    till.change_cashier(sale, 9)
    assert pushed(connection, "pos_invoice", sale.id) == before
    other = replace(SHIRTS, order_discount=Decimal("2.30"))
    till.amend(sale, other, *other.split("card"))
    after = pushed(connection, "pos_invoice", sale.id)
    assert Decimal(after["totals"]["total"]) == Decimal(before["totals"]["total"]) - Decimal("2.30")


def test_what_must_not_be_posted_is_not(connection: Connection, till: Till) -> None:
    voided = till.void(till.sell(SHIRTS, *SHIRTS.split("cash")))
    assert said(connection, "pos_invoice", voided.id)[0]["skip"] == "VOIDED_BEFORE_PUSH"
    assert said(connection, "pos_invoice", till.hand_over_ecommerce(SHIRTS, 77).id) == []
    wrong = replace(SHIRTS, slip=Decimal("0.01"))
    slipped = till.sell(wrong, *wrong.split("cash"))
    assert said(connection, "pos_invoice", slipped.id)[0]["block"] == "SOURCE_TOTAL_MISMATCH"
    till.sell(SHIRTS, *SHIRTS.split("paylater"))


def test_a_settlement_lives_from_draft_to_cancelled(connection: Connection, payroll: Payroll) -> None:
    owed = replace(Shopper(Random(5)).commission(date(2026, 4, 30)), wht_rate=Decimal(2))
    draft = payroll.draft(owed)
    assert said(connection, "kol_bill", draft.id) == []
    approved = payroll.approve(draft)
    assert pushed(connection, "kol_bill", draft.id)["totals"]["total"] == str(owed.to_pay)
    half = payroll.pay(approved, 1, of=2)
    assert said(connection, "kol_payment", draft.id) == [{"wait": f"{draft.settlement_no}-P1"}]
    paid = payroll.pay(half, 2)
    assert sum(paid.payments) == owed.to_pay
    assert len(said(connection, "kol_payment", draft.id)) == 2
    back = payroll.take_back(paid)
    assert said(connection, "kol_payment", draft.id) == []
    payroll.pay(back)
    assert connection.execute("select status, payment_method from kol_settlements").fetchall() == [
        ("paid", "bank_transfer")
    ]
    payroll.cancel(back)
    assert said(connection, "kol_bill", draft.id)[0]["skip"] == "CANCELLED_BEFORE_PUSH"


def test_what_the_platform_owes_is_not_the_bloggers(connection: Connection, payroll: Payroll) -> None:
    theirs = payroll.settle(Shopper(Random(1)).commission(date(2026, 4, 30), platform=True))
    assert said(connection, "kol_bill", theirs.id) == []


def test_the_same_seed_draws_the_same_day() -> None:
    def day(seed: int) -> list[Any]:
        shopper = Shopper(Random(seed))
        return [shopper.purchase(shop) for shop in SHOPS * 5]

    assert day(1) == day(1) != day(2)


def test_two_tills_of_a_blogger_share_its_numbers(connection: Connection) -> None:
    numbers = Numbers()
    tills = [Till(connection, 7, numbers, clock=lambda: NOON) for _ in range(2)]
    sold: list[Sale] = [till.sell(SHIRTS) for till in tills]
    assert [sale.receipt_no for sale in sold] == ["POS2026050100001", "POS2026050100002"]
