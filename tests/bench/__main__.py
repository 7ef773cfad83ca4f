"""Measure: each figure beside its yardstick in the same run. See docs/benchmarks.md."""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from statistics import median

from tests.bench import accepted, acknowledged, deliveries, drain, fairness, live_first, till
from tests.bench.figures import Figure, Run

BENCHMARKS: dict[str, tuple[str, Callable[[Run], None]]] = {
    "drain": (drain.ABOUT, drain.measure),
    "acknowledged": (acknowledged.ABOUT, acknowledged.measure),
    "accepted": (accepted.ABOUT, accepted.measure),
    "deliveries": (deliveries.ABOUT, deliveries.measure),
    "fairness": (fairness.ABOUT, fairness.measure),
    "live_first": (live_first.ABOUT, live_first.measure),
    "till": (till.ABOUT, till.measure),
}
ROUNDS = 3
_EPILOG = """\
benchmarks:
{list}

Each runs on an Apache Kafka and a PostgreSQL (fsync on) of its own, which end with it, and takes turns
with its yardstick round by round, so that a busy machine slows both. Nothing fails because a time is long:
an aim that is missed is named as missed, and the status is 0. All of it takes about half an hour, --quick
less. Figures go to standard output, progress to standard error.

examples:
  make bench
  python -m tests.bench --only drain --only till
  python -m tests.bench --quick --json > figures.json
"""


def main() -> None:
    """Run the benchmarks that are asked for and print their figures."""
    listed = "\n".join(f"  {name:14}{about}" for name, (about, _) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog=_EPILOG.format(list=listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=BENCHMARKS, metavar="NAME", help="this one; may be given again"
    )
    parser.add_argument(
        "--quick", action="store_true", help="smaller rounds: to see that it works, not how fast"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    found: dict[str, list[Figure]] = {}
    for name in dict.fromkeys(asked.only or BENCHMARKS):
        about, measure = BENCHMARKS[name]
        run = Run(ROUNDS, asked.quick, _teller(name))
        run.tell(about)
        measure(run)
        found[name] = list(run.figures.values())
        if not asked.json:
            sys.stdout.write(f"\n{name}: {about}\n{table(found[name])}\n\n")
            sys.stdout.flush()
    if asked.json:
        figures = {name: [figure.as_json() for figure in each] for name, each in found.items()}
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")


def table(figures: list[Figure]) -> str:
    """Lay figures out in columns: smallest, median and largest of the rounds, and the aim."""
    rows: list[tuple[str, ...]] = [("", "min", "median", "max", "", "aim")]
    for figure in figures:
        values = (min(figure.values), median(figure.values), max(figure.values))
        aim = f"{figure.aim} {'reached' if figure.met else 'MISSED'}" if figure.aim else ""
        rows.append((figure.name, *(_number(value) for value in values), figure.unit, aim))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        f"  {row[0]:{widths[0]}}"
        + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:4], widths[1:4], strict=True))
        + f"  {row[4]:{widths[4]}}  {row[5]}".rstrip()
        for row in rows
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _teller(name: str) -> Callable[[str], None]:
    begun = time.monotonic()

    def tell(line: str) -> None:
        sys.stderr.write(f"[{name} {time.monotonic() - begun:5.0f} s] {line}\n")
        sys.stderr.flush()

    return tell


if __name__ == "__main__":
    main()
