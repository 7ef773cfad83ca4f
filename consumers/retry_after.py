"""`Retry-After`, in seconds or as an HTTP date (RFC 9110, 10.2.3)."""

import email.utils
import math
from datetime import UTC, datetime

MAX_WAIT = 86_400.0
"""A server that asks for more than a day is asked again after a day: the tenant would never hear of it."""


def parse_retry_after(text: str | None, server_date: str | None) -> float | None:
    """Return how long to wait.

    Args:
        text: The header's value; None where it is absent.
        server_date: The same reply's `Date`. A date to wait for is read by the clock of the server that named
            it: ours may be wrong.

    Returns:
        Seconds from now, zero or more; None where the header is absent or cannot be read, or is a date and
        the server does not tell its time.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 16 else math.inf  # noqa: PLR2004 - more digits than any clock has
    until, now = _date(text), _date(server_date or "")
    return None if until is None or now is None else max(0.0, (until - now).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text.strip())
        if date.tzinfo is None:  # asctime's form, and "-0000": UTC, whatever the machine's zone
            date = date.replace(tzinfo=UTC)
        return date.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
