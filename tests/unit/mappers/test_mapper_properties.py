"""Properties that hold for every row and every history of one."""

import copy
import decimal
import json
import os
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mappers import Push, canonical
from mappers.shares import shared
from tests.unit.mappers.rows import (
    FILE,
    Ledger,
    item,
    refund,
    sale,
)

stable = settings(max_examples=120, deadline=None, derandomize=True, database=None)
CENT = Decimal("0.01")


def money(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda cents: str(Decimal(cents).scaleb(-2)))


@st.composite
def sales(draw: st.DrawFn) -> dict[str, Any]:
    items = []
    for line_no in range(1, draw(st.integers(1, 5)) + 1):
        taxed = draw(st.sampled_from([{}, {"tax_type": "none"}, {"tax_amount": draw(money(0, 900))}]))
        total = draw(money(-2_000, 20_000))
        items.append(item(line_no, total, line_discount=draw(money(0, 500)), **taxed))
    header = {
        "order_discount": draw(money(0, 3_000)),
        "service_charge": draw(st.sampled_from(["0.00", "4.50"])),
        "tip_amount": draw(st.sampled_from(["0.00", "2.00"])),
        "rounding_adjustment": draw(money(-2, 2)),
        "tax_inclusive": draw(st.booleans()),
        "tax_type": "service",
        "tax_rate": "8.0000",
        "tax_amount": draw(money(0, 3_000)),
        "customer_id": draw(st.none() | st.integers(1, 9)),
    }
    if draw(st.booleans()):
        return sale(*items, **header)
    return refund(*items, of=None, known=False, **header)


def _floats(value: object) -> list[object]:
    if isinstance(value, dict):
        return [found for part in value.values() for found in _floats(part)]
    if isinstance(value, list | tuple):
        return [found for part in value for found in _floats(part)]
    return [value] if isinstance(value, float) else []


def _sum(lines: list[dict[str, str]], key: str) -> Decimal:
    return sum((Decimal(line[key]) for line in lines), Decimal(0))


@stable
@given(sales())
def test_totals_always_add_up_and_hold_no_float(snapshot: dict[str, Any]) -> None:
    for outcome in Ledger().plan("pos_invoice", snapshot):
        assert _floats(outcome.to_json()) == []
        if not isinstance(outcome, Push):
            continue
        document = outcome.document
        totals = {key: Decimal(amount) for key, amount in document["totals"].items()}
        assert totals["net"] + totals["tax"] + totals["rounding"] == totals["total"]
        assert _sum(document["lines"], "amount") == totals["net"]
        assert _sum(document["lines"], "tax_amount") == totals["tax"]
        row = snapshot["pos_transaction"]
        sign = -1 if row["txn_type"] == "refund" else 1
        assert totals["total"] == sign * Decimal(row["total_amount"])
        assert totals["tax"] == sign * Decimal(row["tax_amount"])
        given_away = _sum(snapshot["items"], "line_discount") + Decimal(row["order_discount"])
        assert sign * _sum(document["lines"], "discount") == given_away
        assert "-0.00" not in json.dumps(document)


@stable
@given(st.integers(-10_000, 10_000), st.lists(st.integers(-5_000, 5_000), min_size=1, max_size=8))
def test_shares_are_exact_and_each_within_one_unit(amount: int, weights: list[int]) -> None:
    whole = sum(weights)
    if whole == 0 or (amount < 0) is not (whole < 0):
        return
    shares = shared(amount * CENT, [weight * CENT for weight in weights], CENT)
    assert sum(shares) == amount * CENT
    remainders = []
    for share, weight in zip(shares, weights, strict=True):
        exact = Fraction(amount * weight, whole)
        assert share == share.quantize(CENT)
        assert abs(Fraction(share * 100) - exact) < 1
        remainders.append((exact - exact.__floor__(), Fraction(share * 100) > exact))
    raised = [remainder for remainder, up in remainders if up]
    kept = [remainder for remainder, up in remainders if not up and remainder]
    assert not raised or not kept or min(raised) >= max(kept)


@stable
@given(sales())
def test_the_process_does_not_matter(snapshot: dict[str, Any]) -> None:
    plain = [canonical(outcome.to_json()) for outcome in Ledger().plan("pos_invoice", snapshot)]
    strange = decimal.Context(prec=2, rounding=decimal.ROUND_UP, traps=[decimal.Inexact, decimal.Rounded])
    with decimal.localcontext(strange):
        again = [canonical(outcome.to_json()) for outcome in Ledger().plan("pos_invoice", snapshot)]
        untouched = decimal.getcontext()
        assert (untouched.prec, untouched.rounding) == (2, decimal.ROUND_UP)
    assert again == plain
    backwards = copy.deepcopy(snapshot)
    backwards["items"].reverse()
    assert [canonical(outcome.to_json()) for outcome in Ledger().plan("pos_invoice", backwards)] == plain


def test_another_zone_and_locale_give_the_same_bytes() -> None:
    rows = [
        sale(completed_at="2026-05-01T17:30:00Z"),
        sale(item(1, "3.33", description="T恤"), customer_id=1),
    ]
    request = {"endpoint": "pos_invoice", "settings": FILE["settings"], "sent": []}
    lines = [json.dumps({**request, "snapshot": row}) for row in rows]
    plans = [[outcome.to_json() for outcome in Ledger().plan("pos_invoice", row)] for row in rows]
    expected = b"".join(canonical(plan) + b"\n" for plan in plans)
    for environment in ({"TZ": "Pacific/Kiritimati", "LC_ALL": "C"}, {"TZ": "UTC", "LC_ALL": "de_DE.UTF-8"}):
        done = subprocess.run(
            [sys.executable, "-m", "mappers"],
            input="\n".join(lines).encode(),
            capture_output=True,
            env={**os.environ, **environment},
            check=True,
            timeout=60,
        )
        assert done.stdout == expected
