"""Dates that a person types (a cut-over, the ends of a backfill): one day as written, or a sentence."""

from datetime import date

from console.commands.tenants import read_date
from outbox.errors import UsageError

SEEDS = [
    b"2026-01-01",
    b"2024-02-29",
    b"0001-01-01",
    b"9999-12-31",
    b"20260101",
    b"2026-W01-1",
    b"01/02/2026",
]


def check(data: bytes) -> None:
    """Read a date."""
    text = data.decode("utf-8", "surrogateescape")  # as Python gives an argument of any bytes
    try:
        read = read_date(text)
    except UsageError as error:
        assert repr(text) in str(error), "the sentence quotes it, escaped"
        return
    assert type(read) is date
    assert text == read.isoformat(), "there is one way to write a day"
