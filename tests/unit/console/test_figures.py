"""Counts, spans and moments are written in one way everywhere."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.figures import counted, exact, in_utc, lasting, moment, since, span

KL = ZoneInfo("Asia/Kuala_Lumpur")
NOW = datetime(2026, 1, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_234_567, "1,234,567 rows")]
)
def test_a_count_has_its_noun_in_the_right_number(number: int, text: str) -> None:
    assert counted(number, "row") == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(seconds=-3), "0 s"),
        (timedelta(milliseconds=999), "0 s"),
        (timedelta(seconds=119), "119 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(minutes=119, seconds=59), "119 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=1_000), "1,000 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_says_enough(time: timedelta, text: str) -> None:
    assert span(time) == text


@pytest.mark.parametrize(
    ("at", "text", "short"),
    [
        (NOW, "1/1 09:00", "09:00"),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "1/1 00:00", "00:00"),
        (datetime(2025, 12, 31, 15, 59, tzinfo=UTC), "2025-12-31 23:59", "2025-12-31 23:59"),
        (datetime(2026, 1, 1, 16, 0, tzinfo=UTC), "1/2 00:00", "1/2 00:00"),
    ],
)
def test_a_moment_is_told_in_its_zone_with_the_day_where_that_is_not_today(
    at: datetime, text: str, short: str
) -> None:
    assert moment(at, KL, NOW) == text
    assert since(at, KL, NOW) == short


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (42.9, "0:42"),
        (725, "12:05"),
        (3_599, "59:59"),
        (11_220, "3:07:00"),
        (360_000, "100:00:00"),
    ],
)
def test_what_lasts_is_told_as_a_clock_shows_it(seconds: float, text: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == text


def test_a_moment_of_a_story_is_told_to_the_second_and_of_a_run_in_utc() -> None:
    at = datetime(2026, 5, 15, 6, 30, 59, tzinfo=UTC)
    assert exact(at, "Asia/Kuala_Lumpur") == "2026-05-15 14:30:59"
    assert in_utc(at.astimezone(KL)) == "2026-05-15 06:30 UTC"
