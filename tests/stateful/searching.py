"""Search for a schedule that breaks a promise."""

import time
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.machine import Schedules


@dataclass(frozen=True)
class Search:
    """How many schedules were tried, in how many seconds of CPU, and what broke: empty for nothing."""

    schedules: int
    seconds: float
    broken: str
    steps: str


def search(schedules: int, steps: int, number: int | None, *, shrink: bool) -> Search:
    """Try schedules until one breaks a promise; a `number` is a seed, None always tries the same ones."""
    tried = 0

    class Counted(Schedules):
        """The machine, counted."""

        def __init__(self) -> None:
            nonlocal tried
            super().__init__()
            tried += 1

    how = settings(
        max_examples=schedules,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=number is None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    if number is not None:
        Counted = seed(number)(Counted)  # type: ignore[misc]  # noqa: N806 - it is the same class
    began = time.process_time()
    try:
        run_state_machine_as_test(Counted, settings=how)
    except Exception as error:  # noqa: BLE001 - whatever broke is what was searched for
        notes = "\n".join(getattr(error, "__notes__", []))
        return Search(tried, time.process_time() - began, f"{type(error).__name__}: {error}", notes)
    return Search(tried, time.process_time() - began, "", "")
