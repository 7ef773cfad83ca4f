"""Thousands of schedules of the real code: whatever happens in whatever order, the promises hold.

A failure prints its steps; Hypothesis keeps them and tries them first the next time. `make stateful` runs
many more.
"""

from hypothesis import HealthCheck, settings

from tests.stateful.machine import Schedules

SHORT, LONG = (1_500, 15), (500, 30)
"""How many schedules, of at most how many steps."""


class ManyShort(Schedules):
    """Many of few steps: what breaks here is easy to read."""


class SomeLong(Schedules):
    """Some of many steps."""


def _settings(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


TestManyShort = ManyShort.TestCase
TestManyShort.settings = _settings(*SHORT)
TestSomeLong = SomeLong.TestCase
TestSomeLong.settings = _settings(*LONG)
