"""What the benchmarks say of what they measured."""

import pytest

from tests.bench.__main__ import table
from tests.bench.figures import Aim, Run, quantile


def test_the_median_of_the_rounds_decides_whether_an_aim_is_reached() -> None:
    run = Run(rounds=3, quick=False, tell=lambda _: None)
    for value in (0.5, 0.9, 0.7):
        run.note("ratio", "x", value, Aim(0.6, at_least=True))
        run.note("wait", "ms", value, Aim(0.6))
    ratio, wait = run.figures.values()
    assert (ratio.met, wait.met) == (True, False)
    assert ratio.as_json() == {
        "name": "ratio",
        "unit": "x",
        "min": 0.5,
        "median": 0.7,
        "max": 0.9,
        "values": [0.5, 0.9, 0.7],
        "aim": ">= 0.6",
        "met": True,
    }


def test_the_table_names_a_missed_aim_and_leaves_a_figure_without_one_alone() -> None:
    run = Run(rounds=1, quick=False, tell=lambda _: None)
    run.note("rate", "rows/s", 12345.6)
    run.note("ratio", "x", 0.4321, Aim(0.6, at_least=True))
    _, rate, ratio = table(list(run.figures.values())).splitlines()
    assert rate.split() == ["rate", "12,346", "12,346", "12,346", "rows/s"]
    assert ratio.split() == ["ratio", "0.432", "0.432", "0.432", "x", ">=", "0.6", "MISSED"]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([float(n) for n in range(100, 0, -1)], share) == value
