"""The trading day's time: twelve hours from ten in the morning, played in seconds."""

import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day

from deploy.till.till import ZONE

OPENS = time_of_day(10)
HOURS = 12


class TradingClock:
    """A clock that runs from opening to closing within `seconds`, and on at that pace; starts when made."""

    def __init__(self, day: date, seconds: float) -> None:
        self.day = day
        self._opening = datetime.combine(day, OPENS, ZONE)
        self._seconds = seconds
        self._started = time.monotonic()

    def __call__(self) -> datetime:
        """Return the time of the trading day, in UTC."""
        return (self._opening + timedelta(hours=HOURS) * self.part).astimezone(UTC)

    @property
    def part(self) -> float:
        """How much of the day has passed, from 0; more than 1 after closing."""
        return (time.monotonic() - self._started) / self._seconds

    @property
    def shown(self) -> str:
        """The hour and minute in Kuala Lumpur."""
        return f"{self().astimezone(ZONE):%H:%M}"

    def seconds_until(self, part: float) -> float:
        """Return how long it is until this part of the day, from 0 to 1, has passed; 0 where it has."""
        return max(0.0, self._started + part * self._seconds - time.monotonic())


def yesterday() -> date:
    """Return the day before today in Kuala Lumpur: a whole day that has been."""
    return datetime.now(ZONE).date() - timedelta(days=1)
