"""Try many more schedules than CI does, or the same with a part of the code taken out: `make stateful`."""

# ruff: noqa: T201 - it is a command

import argparse
import random
import sys
from contextlib import nullcontext

from tests.stateful.ablations import ABLATIONS
from tests.stateful.searching import search


def main() -> int:
    """Search, and say what was found; 1 where a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.stateful", description=__doc__)
    parser.add_argument("--schedules", type=int, default=20_000, help="how many to try (20000)")
    parser.add_argument("--steps", type=int, default=30, help="the most steps of each (30)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9), help="tries the same ones again")
    parser.add_argument("--ablation", choices=sorted(ABLATIONS), help="take this part of the code out")
    given = parser.parse_args()
    print(f"{given.schedules} schedules of up to {given.steps} steps, --seed {given.seed}", flush=True)
    with ABLATIONS[given.ablation]() if given.ablation else nullcontext():
        found = search(given.schedules, given.steps, given.seed, shrink=given.ablation is None)
    rate = found.schedules / found.seconds if found.seconds else 0.0
    print(f"{found.schedules} tried in {found.seconds:.0f} s of CPU, {rate:.0f} a second")
    if not found.broken:
        print("0 lost, 0 doubled, 0 reordered, 0 misdirected")
        return 0
    print(found.broken, found.steps, sep="\n\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
