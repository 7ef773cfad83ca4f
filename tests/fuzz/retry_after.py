"""`Retry-After`: a wait of zero or more, by the server's clock alone, or nothing."""

from consumers.retry_after import parse_retry_after
from tests.fuzz.mutation import SEPARATOR

_NOW = "Sun, 06 Nov 1994 08:49:37 GMT"
_DATES = (
    _NOW,
    "Sunday, 06-Nov-94 08:50:37 GMT",
    "Sun Nov  6 08:50:37 1994",
    "Fri, 31 Dec 9999 23:59:59 +0800",
)
SEEDS = [
    SEPARATOR.join((text.encode(), date.encode()))
    for text in (*_DATES, "0", "7", " 120 ", "999999999999999", "-1", "1.5", "soon", "3, 3")
    for date in (*_DATES, "")
]


def check(data: bytes) -> None:
    """Read a header and a date, as they come off the wire in Latin-1."""
    text, _, date = data.decode("latin-1").partition(SEPARATOR.decode())
    wait = parse_retry_after(text, date)
    digits = text.strip()
    if digits.isascii() and digits.isdigit():
        assert wait == (float(digits) if len(digits) < 16 else float("inf"))
        assert wait == parse_retry_after(text, None), "seconds need no clock"
        return
    assert parse_retry_after(text, None) is None, "a date needs the server's clock"
    if wait is None:
        return
    assert 0 <= wait < float("inf")
    assert parse_retry_after(text, text) == 0.0, "a date is no time from itself"
    assert parse_retry_after(date, date) == 0.0
    assert 0.0 in (wait, parse_retry_after(date, text)), "of two dates only one lies ahead"
