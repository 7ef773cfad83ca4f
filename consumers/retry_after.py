"""`Retry-After`, in seconds or as an HTTP date (RFC 9110, 10.2.3)."""

import email.utils
import math
from datetime import UTC

MAX_WAIT = 86_400.0
"""A server that asks for more than a day is asked again after a day: the tenant would never hear of it."""


def parse_retry_after(text: str | None, now: float) -> float | None:
    """Return how long to wait.

    Args:
        text: The header's value; None where it is absent.
        now: Seconds since 1970.

    Returns:
        Seconds from now, zero or more; None where the header is absent or cannot be read.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 16 else math.inf  # noqa: PLR2004 - more digits than any clock has
    try:
        date = email.utils.parsedate_to_datetime(text)
        if date.tzinfo is None:  # asctime's form, and "-0000": UTC, whatever the machine's zone
            date = date.replace(tzinfo=UTC)
        return max(0.0, date.timestamp() - now)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
