"""Watching a run: how often its rows are counted, and that its end is seen at once."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from console import watching
from outbox.environment import read_config
from outbox.runs import Counts, Motion, Run

COUNTING_SECONDS = 4.0
ENDS_AFTER = 30.0
ASKED = datetime(2026, 5, 15, 6, 30, tzinfo=UTC)
RUN = Run(7, "anna", ASKED, date(2026, 5, 1), date(2026, 5, 31), ASKED, None, None, None, (7,), ())


class Clock:
    """A clock that only sleeping and counting move."""

    now = 0.0

    def monotonic(self) -> float:
        """Say what time it is."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds


def test_a_run_that_takes_long_to_count_is_counted_seldom_but_its_end_is_seen_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, counted = Clock(), []

    def run_now(*_: object) -> Run:
        return replace(RUN, finished_at=ASKED) if clock.now >= ENDS_AFTER else RUN

    def look(*_: object) -> watching.Seen:
        counted.append(clock.now)
        clock.sleep(COUNTING_SECONDS)
        return watching.Seen(run_now(), Counts({}, {}), Motion(0, 0, 0))

    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching, "look", look)
    monkeypatch.setattr(watching, "transaction", lambda _: nullcontext())
    monkeypatch.setattr(watching.runs, "get", run_now)
    seen = watching.watch(read_config({}), RUN.id)
    assert seen.run.over
    assert counted == [0.0, ENDS_AFTER], "not while it goes on, and then without delay"


def test_a_run_that_is_quick_to_count_is_counted_every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, counted = Clock(), []

    def look(*_: object) -> watching.Seen:
        counted.append(clock.now)
        finished = ASKED if len(counted) == 4 else None
        return watching.Seen(replace(RUN, finished_at=finished), Counts({}, {}), Motion(0, 0, 0))

    monkeypatch.setattr(watching, "time", clock)
    monkeypatch.setattr(watching, "look", look)
    watching.watch(read_config({}), RUN.id)
    assert counted == [0.0, 1.0, 2.0, 3.0]
