"""Bad input: 50,000 cases over all nouns, seeded, the same in every run.

`make fuzz` looks on, for longer and led by coverage.
"""

import pytest

from tests.fuzz.targets import TARGETS, run

CASES = 50_000
PARTS = 5
SEED = 1


def test_every_good_input_passes_its_own_check() -> None:
    for target in TARGETS.values():
        for good in target.seeds:
            target.check(good)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", TARGETS)
def test_no_bad_input_breaks_what_must_hold(name: str, part: int) -> None:
    each = -(-CASES // (len(TARGETS) * PARTS))
    assert run(name, SEED, part * each, (part + 1) * each) * len(TARGETS) * PARTS >= CASES
