"""The durable schedule: how long a document that keeps failing waits."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.schedule import DAY, HOUR, PARK_AFTER, next_delay


@pytest.mark.parametrize(
    ("attempts", "longest"),
    [(1, 10), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (7, 3600), (1000, 3600), (0, 10), (-5, 10)],
)
def test_a_wait_is_half_to_whole_of_its_step(attempts: int, longest: float) -> None:
    waits = [next_delay(attempts, Random(seed)) for seed in range(200)]
    assert longest / 2 <= min(waits) < longest * 0.6
    assert longest * 0.9 < max(waits) <= longest


def test_it_ends_after_72_hours() -> None:
    assert (HOUR, DAY, PARK_AFTER) == (3600, 24 * 3600, 72 * 3600)


@given(st.integers(), st.integers())
def test_no_count_of_attempts_waits_for_less_than_5_s_or_more_than_an_hour(attempts: int, seed: int) -> None:
    assert 5 <= next_delay(attempts, Random(seed)) <= HOUR
