"""The latency that the demo shows is from the commit to the line of the book."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo.latency import Latency, measure, percentile

NOON = datetime(2026, 5, 1, 4, tzinfo=UTC)


def stored(endpoint: str, number: str, row: str, ms: int, table: str = "pos_transactions") -> str:
    document = {"source": {"system": "NS16", "table": table, "id": row}}
    at = (NOON + timedelta(milliseconds=ms)).isoformat()
    return json.dumps(
        {"kind": "stored", "at": at, "endpoint": endpoint, "number": number, "document": document}
    )


def test_invoices_and_bills_are_measured_from_the_commit_that_called_for_them(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    lines = [
        json.dumps({"kind": "request", "at": NOON.isoformat()}),
        stored("pos_invoice", "POS1", "1", 100),
        stored("pos_receipt", "POS1-R1", "1", 900),
        stored("pos_invoice", "POS1-V1", "1", 5_000),
        stored("pos_invoice", "POS2", "2", 300),
        stored("kol_bill", "KS1", "1", 200, "kol_settlements"),
        stored("pos_invoice", "POS9", "9", 800),
    ]
    book.write_text("\n".join(lines) + "\n", "utf-8")
    called_for = {
        ("pos_transactions", "1"): NOON,
        ("pos_transactions", "2"): NOON + timedelta(milliseconds=50),
        ("kol_settlements", "1"): NOON,
    }
    assert measure(book, called_for) == Latency(3, 0.2, 0.25, 0.25)


def test_nothing_stored_has_no_latency(tmp_path: Path) -> None:
    book = tmp_path / "book.jsonl"
    book.write_text("", "utf-8")
    assert measure(book, {}) is None


@pytest.mark.parametrize(("part", "expected"), [(50, 50.0), (95, 95.0), (99, 99.0), (1, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(part: int, expected: float) -> None:
    assert percentile([float(value) for value in range(1, 101)], part) == expected
    assert percentile([7.0], part) == 7.0
