"""Date documents: an event's time in the tenant's zone, less its day's extra hours (common rule 2)."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mappers.fields import SnapshotError
from mappers.settings import Settings

_DAY = timedelta(days=1)


def business_date(moment: datetime, settings: Settings) -> date:
    """Give the date on which the tenant books a moment."""
    try:
        local = moment.astimezone(ZoneInfo(settings.timezone))
        day = local.date()
        # By the clock on the wall, so that a day ends at the same hour when the clocks change.
        return day - _DAY if local.hour < settings.day_cutoff_hour else day
    except OverflowError as error:
        raise SnapshotError(f"{moment.isoformat()} is outside the calendar") from error


def first_of(*moments: datetime | None, field: str) -> datetime:
    """Give the first moment that is known.

    Raises:
        SnapshotError: none is; the message names the last field asked.
    """
    for moment in moments:
        if moment is not None:
            return moment
    raise SnapshotError(f"{field} is missing")


def is_before_cutover(day: date, endpoint: str, settings: Settings) -> bool:
    """Say whether a date lies before the cut-over and in no wanted range of the endpoint (common rule 9)."""
    if day >= settings.cutover_date:
        return False
    return not any(start <= day <= end for start, end in settings.wanted.get(endpoint, ()))
