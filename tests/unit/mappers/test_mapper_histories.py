"""Properties of whole histories: rows edited at random, deliveries that are accepted, refused or in doubt."""

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mappers import Outcome, Push
from tests.unit.mappers.rows import (
    CANCELLED,
    PAIRS,
    VOIDED,
    Ledger,
    item,
    original,
    paid,
    refund,
    sale,
    settlement,
    tender,
)

Row = dict[str, Any] | None

stable = settings(max_examples=150, deadline=None, derandomize=True, database=None)

ONE, TWO = tender(1, "20.00"), tender(2, "30.00", "card")
SALES: list[Callable[[], Row]] = [
    sale,
    sale,
    lambda: sale(status="completed", amount_paid="0.00"),
    lambda: sale(status="completed", amount_paid="20.00"),
    lambda: sale(payment_method="card"),
    lambda: sale(tenders=[ONE, TWO]),
    lambda: sale(tenders=[TWO, ONE], status="completed"),
    lambda: sale(tenders=[ONE], status="completed"),
    lambda: sale(tenders=[TWO], status="completed"),
    lambda: sale(tenders=[{**ONE, "method": "duitnow"}, TWO]),
    lambda: sale(tenders=[ONE]),
    lambda: sale(**VOIDED),
    lambda: sale(**VOIDED),
    lambda: sale(tenders=[ONE, TWO], **VOIDED),
    lambda: sale(refunded="20.00", **VOIDED),
    lambda: sale(status="refunded", refunded="50.00"),
    lambda: sale(item(1, "70.00")),
    lambda: sale(item(1, "-70.00", quantity="-1")),
    lambda: sale(order_discount="50.00"),
    lambda: sale(total_amount="51.00"),
    lambda: sale(currency="SGD"),
    lambda: sale(currency="SGD", exchange_rate="3.30"),
    lambda: sale(customer_id=7, cashier_id=3),
    lambda: sale(receipt_no="POS2026050100009"),
    lambda: sale(receipt_no="POS2026050100009", **VOIDED),
    lambda: sale(status="open"),
    lambda: sale(platform_order_id=1),
    lambda: sale(payment_method="grabpay"),
    lambda: sale(completed_at="2025-01-01T00:00:00Z"),
    lambda: None,
]
REFUNDS: list[Callable[[], Row]] = [
    refund,
    refund,
    lambda: refund(known=False),
    lambda: refund(status="completed", amount_paid="5.00"),
    lambda: refund(tenders=[tender(1, "20.00")]),
    lambda: refund(**VOIDED),
    lambda: refund(item(1, "30.00")),
    lambda: refund(of=original(status="voided")),
    lambda: refund(of=original(owned=False)),
    lambda: refund(status="open"),
    lambda: None,
]
FIRST, SECOND = tender(1, "400.00", "bank_transfer"), tender(2, "600.00", "cash")
SETTLEMENTS: list[Callable[[], Row]] = [
    settlement,
    paid,
    paid,
    lambda: settlement(payments=[FIRST]),
    lambda: settlement(payments=[SECOND]),
    lambda: paid(payments=[FIRST, SECOND]),
    lambda: paid(payments=[FIRST]),
    lambda: paid(payments=[{**FIRST, "amount": "1000.00"}]),
    lambda: settlement(**CANCELLED),
    lambda: paid(payments=[FIRST], **CANCELLED),
    lambda: paid(commission_amount="1200.00"),
    lambda: paid(commission_amount="-10.00"),
    lambda: paid(commission_amount="0.00"),
    lambda: paid(wht_amount="20.00"),
    lambda: settlement(payee_kol_id=12),
    lambda: paid(settlement_no="KS202604-00077"),
    lambda: settlement(settlement_no="KS202604-00077", **CANCELLED),
    lambda: settlement(status="draft"),
    lambda: paid(payer_type="platform"),
    lambda: None,
]
FATES = st.sampled_from(["accepted", "accepted", "accepted", "in doubt", "refused", "not tried"])


def history(rows: list[Callable[[], Row]]) -> st.SearchStrategy[list[tuple[Row, int, list[str]]]]:
    """Draw steps: the row as it is now, which endpoint is delivered, and the fate of each push."""
    step = st.tuples(
        st.sampled_from(rows).map(lambda make: make()),
        st.integers(0, 1),
        st.lists(FATES, min_size=4, max_size=4),
    )
    return st.lists(step, min_size=1, max_size=8)


def check(ledger: Ledger, endpoint: str, row: Row) -> list[Outcome]:
    """Plan, and check what must hold of any plan."""
    outcomes = ledger.plan(endpoint, copy.deepcopy(row))
    assert outcomes == ledger.plan(endpoint, row)
    numbers = [outcome.number for outcome in outcomes]
    assert len(set(numbers)) == len(numbers)
    pushes = {outcome.number: outcome.document for outcome in outcomes if isinstance(outcome, Push)}
    own = [entry for entry in ledger.sent if entry.endpoint == endpoint and not entry.of_original]
    assert not {entry.number for entry in own if entry.state == "pushed"} & set(pushes)
    company = ledger.settings.company_name
    for entry in own:
        if entry.in_doubt:
            assert pushes[entry.number] == {**entry.document, "company_name": company}
    assert all(document["company_name"] == company for document in pushes.values())
    assert all(len(number) <= 20 for number in pushes)
    return outcomes


def deliver(ledger: Ledger, endpoint: str, row: Row, fates: list[str]) -> None:
    for outcome, fate in zip(check(ledger, endpoint, row), fates, strict=False):
        if not isinstance(outcome, Push):
            continue
        before = {entry.number: entry for entry in ledger.sent}
        attempt = type(ledger).entry(endpoint, outcome, row)
        if outcome.number in before:
            attempt = before[outcome.number]
        if fate == "refused":
            ledger.sent = [entry for entry in ledger.sent if entry.number != outcome.number]
        elif fate != "not tried":
            ledger.record(attempt)
            if fate == "in doubt":
                ledger.doubt(outcome.number)
            else:
                ledger.accept(outcome.number)


def settle(ledger: Ledger, kind: str, row: Row) -> list[Outcome]:
    """Accept everything until nothing is left to push; it ends within a few rounds."""
    for _ in range(5):
        left = [outcome for endpoint in PAIRS[kind] for outcome in check(ledger, endpoint, row)]
        if not any(isinstance(outcome, Push) for outcome in left):
            return left
        for endpoint in PAIRS[kind]:
            deliver(ledger, endpoint, row, ["accepted"] * 20)
    raise AssertionError([str(outcome) for outcome in left])


def accepted(ledger: Ledger, endpoint: str) -> Decimal:
    own = [entry.document for entry in ledger.sent if entry.endpoint == endpoint and not entry.of_original]
    return sum(
        (
            Decimal(document["totals"]["total"] if "totals" in document else document["amount"])
            for document in own
        ),
        Decimal(0),
    )


@stable
@given(history(SALES))
def test_a_sale_settles_and_the_books_say_what_its_row_says(steps: list[tuple[Row, int, list[str]]]) -> None:
    ledger = Ledger()
    for row, endpoint, fates in steps:
        deliver(ledger, PAIRS["pos"][endpoint], row, fates)
    row = steps[-1][0]
    if settle(ledger, "pos", row) == []:
        header = {} if row is None else row["pos_transaction"]
        live = bool(header) and header["status"] not in {"voided", "open"} and not header["platform_order_id"]
        assert accepted(ledger, "pos_invoice") == (Decimal(header["total_amount"]) if live else 0)
        tendered = sum(Decimal(entry["amount"]) for entry in header.get("tenders") or [])
        paid_in = tendered or Decimal(header.get("amount_paid", 0))
        assert accepted(ledger, "pos_receipt") == (paid_in if live else 0)


@stable
@given(history(REFUNDS), st.sampled_from(["pushed", "in_doubt", "unsent"]))
def test_a_refund_settles_and_the_books_say_what_its_row_says(
    steps: list[tuple[Row, int, list[str]]],
    of: Any,  # a Literal
) -> None:
    ledger = Ledger() if of == "unsent" else Ledger().post("pos_invoice", sale(), of).as_original()
    for row, endpoint, fates in steps:
        deliver(ledger, PAIRS["pos"][endpoint], row, fates)
    row = steps[-1][0]
    if settle(ledger, "pos", row) == [] and row is not None:
        header = row["pos_transaction"]
        live = header["status"] not in {"voided", "open"}
        assert accepted(ledger, "pos_invoice") == (-Decimal(header["total_amount"]) if live else 0)
        assert accepted(ledger, "pos_receipt") == (-Decimal(header["amount_paid"]) if live else 0)


@stable
@given(history(SETTLEMENTS))
def test_a_settlement_settles_and_the_books_say_what_its_row_says(
    steps: list[tuple[Row, int, list[str]]],
) -> None:
    ledger = Ledger()
    for row, endpoint, fates in steps:
        deliver(ledger, PAIRS["kol"][endpoint], row, fates)
    row = steps[-1][0]
    if settle(ledger, "kol", row) == [] and row is not None:
        header = row["kol_settlement"]
        live = header["status"] in {"approved", "paid"} and header["payer_type"] == "blogger"
        total = Decimal(header["net_payable"]) - Decimal(header["wht_amount"])
        assert accepted(ledger, "kol_bill") == (total if live else 0)
        entries = sum(Decimal(entry["amount"]) for entry in header["payments"] or [])
        due = entries or (total if header["status"] == "paid" else Decimal(0))
        assert accepted(ledger, "kol_payment") == (due if live else 0)


@stable
@given(history(SALES))
def test_a_certain_refusal_leaves_no_trace(steps: list[tuple[Row, int, list[str]]]) -> None:
    refused, never = Ledger(), Ledger()
    for row, endpoint, _ in steps:
        name = PAIRS["pos"][endpoint]
        deliver(refused, name, row, ["refused"] * 20)
        assert refused.plan(name, row) == never.plan(name, row)
