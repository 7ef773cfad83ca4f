"""The arguments of a backfill, one a line: two days in order that are meant, or a sentence."""

from datetime import date, timedelta

from console.commands.backfill import YEAR_DAYS, read_range
from outbox.errors import UsageError

TODAY = date(2026, 5, 15)
SEEDS = [
    b"2026-05-01\n2026-05-31\n",
    b"2026-05-31\n2026-05-01\n",
    b"2025-01-01\n2026-05-15\nyes",
    b"2026-05-16\n2026-12-31\n",
    b"0001-01-01\n9999-12-31\nyes",
    b"9999-12-31\n9999-12-31\n",
    b"2026-02-30\n01/03/2026\n",
]


def check(data: bytes) -> None:
    """Read a range."""
    first, _, rest = data.decode("utf-8", "surrogateescape").partition("\n")
    last, _, yes = rest.partition("\n")
    try:
        begin, end = read_range(first, last, TODAY, yes=yes == "yes")
    except UsageError as error:
        said = str(error)
        assert any(word in said for word in ("--from", "--to", "--yes")), "the sentence names the option"
        return
    assert (begin.isoformat(), end.isoformat()) == (first, last), "there is one way to write a day"
    assert begin <= end
    assert begin <= TODAY + timedelta(days=1)
    assert yes == "yes" or (end - begin).days < YEAR_DAYS
