"""Figures for people: every count, span of time and moment that a command prints is written here.

A moment is told in the zone of whoever it concerns, and by the day only where that is not today; in a row's
story to the second (`exact`), and of a run, which concerns many tenants, in UTC (`in_utc`). A span is told in
one unit; what is watched while it lasts, as a clock shows it (`lasting`).
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_UNITS = ((2 * DAY, DAY, "days"), (2 * HOUR, HOUR, "h"), (2 * MINUTE, MINUTE, "min"))


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: "1 row", "12 rows", "98,000 rows"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def span(time: timedelta) -> str:
    """Return a span of time in the unit that says enough: "40 s", "5 min", "3 h", "2 days"; at least 0."""
    for least, unit, name in _UNITS:
        if time >= least:
            return f"{time // unit:,} {name}"
    return f"{max(time, timedelta()) // timedelta(seconds=1)} s"


def lasting(time: timedelta) -> str:
    """Return a span of time as a clock shows it: "0:42", "12:05" or "3:07:00"."""
    hours, rest = divmod(time, HOUR)
    minutes, seconds = divmod(int(rest.total_seconds()), 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def exact(at: datetime, zone: str) -> str:
    """Return a moment to the second: "2026-05-15 14:30:00"."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"


def in_utc(at: datetime) -> str:
    """Return a moment in UTC: "2026-05-15 06:30 UTC"."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def moment(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return a moment with its day: "5/15 14:30"; of another year "2025-05-15 14:30"."""
    there = at.astimezone(zone)
    day = f"{there:%-m/%-d}" if there.year == now.astimezone(zone).year else f"{there:%Y-%m-%d}"
    return f"{day} {there:%H:%M}"


def since(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return a moment as short as can be: of today "14:02", else as `moment`."""
    there = at.astimezone(zone)
    return f"{there:%H:%M}" if there.date() == now.astimezone(zone).date() else moment(at, zone, now)
