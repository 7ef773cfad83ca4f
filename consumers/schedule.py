"""When to try again: the durable schedule of a document that keeps failing.

Times are in seconds. The delays are wide enough that an outage of an hour costs a handful of calls, and the
first is short enough that nobody notices a hiccup.
"""

from random import Random

DELAYS = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
HOUR = 3600.0
DAY = 86_400.0
PARK_AFTER = 72 * HOUR
PROBE_AFTER = 900.0
"""How often what the books refuse is tried; the statements say it as 15 minutes."""


def next_delay(attempts: int, random: Random) -> float:
    """Return the wait before the next attempt.

    Args:
        attempts: How many attempts were made and counted, 1 or more.
        random: Where the jitter comes from; it takes away up to half, so that what failed together does not
            come back together.

    Returns:
        Seconds: half to whole of 10 s, 30 s, 2 min, 10 min, 30 min, 1 h, then hourly.
    """
    delay = DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]
    return delay * random.uniform(0.5, 1.0)
