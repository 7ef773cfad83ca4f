"""What a row calls for in money, and why that and what was accepted differ."""

from decimal import Decimal

import pytest

from console.amounts import Entry, accepted, called_for, reason
from mappers import SnapshotError
from outbox.endpoints import Endpoint
from outbox.reconcile import Verdict

INVOICE, RECEIPT, BILL, PAYMENT = Endpoint
SALE = {
    "currency": "MYR",
    "status": "paid",
    "txn_type": "sale",
    "total_amount": "100.00",
    "amount_paid": "60.00",
    "tenders": None,
}
OWED = {
    "currency": "SGD",
    "status": "approved",
    "net_payable": "500.00",
    "wht_amount": "50.00",
    "payments": None,
}


@pytest.mark.parametrize(
    ("endpoint", "row", "amount"),
    [
        (INVOICE, SALE, "100.00"),
        (RECEIPT, SALE, "60.00"),
        (RECEIPT, SALE | {"tenders": [{"amount": "30.00"}, {"amount": 40}]}, "70.00"),
        (RECEIPT, SALE | {"tenders": []}, "60.00"),
        (INVOICE, SALE | {"txn_type": "refund", "status": "completed"}, "-100.00"),
        (RECEIPT, SALE | {"txn_type": "refund"}, "-60.00"),
        (INVOICE, SALE | {"status": "refunded"}, "100.00"),
        (INVOICE, SALE | {"status": "voided"}, "0"),
        (RECEIPT, SALE | {"status": "voided"}, "0"),
        (INVOICE, SALE | {"status": "open"}, "0"),
        (BILL, OWED, "450.00"),
        (PAYMENT, OWED, "0"),
        (PAYMENT, OWED | {"payments": [{"amount": "100.00"}]}, "100.00"),
        (PAYMENT, OWED | {"status": "paid"}, "450.00"),
        (PAYMENT, OWED | {"status": "paid", "net_payable": "-10.00"}, "0"),
        (BILL, OWED | {"net_payable": "-10.00"}, "-60.00"),
        (BILL, OWED | {"status": "cancelled"}, "0"),
        (PAYMENT, OWED | {"status": "draft", "payments": [{"amount": "1"}]}, "0"),
    ],
)
def test_a_row_calls_for_its_own_totals_with_a_sign(
    endpoint: Endpoint, row: dict[str, object], amount: str
) -> None:
    assert called_for(endpoint, row) == (row["currency"], Decimal(amount))


@pytest.mark.parametrize(
    "changed", [{"total_amount": "a lot"}, {"total_amount": None}, {"total_amount": "NaN"}], ids=str
)
def test_an_amount_that_cannot_be_read_is_an_error(changed: dict[str, object]) -> None:
    with pytest.raises(SnapshotError, match="is no amount"):
        called_for(INVOICE, SALE | changed)


@pytest.mark.parametrize("tenders", [{"amount": "1"}, [1], "x"], ids=str)
def test_tenders_that_are_no_list_of_objects_are_an_error(tenders: object) -> None:
    with pytest.raises(SnapshotError):
        called_for(RECEIPT, SALE | {"tenders": tenders})


def entry(
    state: str = "pushed", code: str | None = None, amount: str = "1.00", currency: str = "MYR"
) -> Entry:
    """Make a document in the ledger."""
    return Entry(7, "N", state, code, state in {"pushed", "conflict"}, currency, amount, "2026-05-01")


def test_currencies_are_never_added_together_and_only_what_was_accepted_counts() -> None:
    entries = [
        entry(amount="99.00"),
        entry("conflict", "AMENDED_AFTER_PUSH", "-9.00"),
        entry("blocked", "TAX_CODE_MISSING"),
        entry(currency="JPY", amount="1500"),
    ]
    assert accepted(entries) == {"MYR": Decimal("90.00"), "JPY": Decimal(1500)}


@pytest.mark.parametrize(
    ("verdict", "entries", "trouble", "said"),
    [
        (Verdict.MISSING, [], None, "missing: never looked at"),
        (Verdict.CHANGED, [entry("blocked", "NO_LINES")], None, "changed since it was looked at"),
        (Verdict.UNDERWAY, [], None, "under way"),
        (Verdict.HANDLED, [], "NOT_CONNECTED", "trouble NOT_CONNECTED"),
        (
            Verdict.HANDLED,
            [entry(), entry("waiting"), entry("parked", "TOTAL_MISMATCH")],
            None,
            "parked TOTAL_MISMATCH",
        ),
        (Verdict.HANDLED, [entry(), entry("waiting")], None, "waiting"),
        (Verdict.HANDLED, [entry()], None, None),
    ],
)
def test_a_difference_has_one_reason_the_worst(
    verdict: Verdict, entries: list[Entry], trouble: str | None, said: str | None
) -> None:
    assert reason(verdict, entries, trouble) == said
