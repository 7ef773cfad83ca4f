"""Look at every state of the delivery protocol, and at what each part of it is for.

The model is of our code: tests/model/delivery.py has a function for each step of consumers/delivery.py and
of consumers/steps.sql, tests/model/around.py for the till, the sweep (outbox/due.sql), the reconciliation and
time, tests/model/mapping.py says in short what mappers/ say. tests/model/parts.py names for each part of the
protocol its sentence, where it stands in the code, and the promise that breaks without it.

What the model assumes: a transaction is one step; an attempt is over two minutes after it began (the world
"late" tries what happens if not); a sale whose customer changed is another document to AiAccount. What it
leaves out: several tenants, stops, rates, breakers, quick retries in place (they are one attempt), refunds of
other sales, a second process's clock that runs wrong. A wait has no deadline in it, though it has one of an
hour in the code, so that a lost wake shows.
"""

import argparse
import sys
import time
from collections.abc import Callable

from tests.model.explore import Exploration, Found
from tests.model.parts import PARTS, Part
from tests.model.scope import Scope
from tests.model.steps import DOUBT, PROMISES
from tests.model.tell import lines
from tests.model.worlds import LARGE, SMALL, WORLDS

_EPILOG = """\
worlds (--world):
{worlds}

parts (--without):
{parts}

Traces are the shortest there are: the search is breadth first. The small scope takes about a minute, the
large one hours and gigabytes. Of two states that differ only in which worker is which, one is looked at.

examples:
  python -m tests.model
  python -m tests.model --without 'look again'
  python -m tests.model --world late --without 'own look'
  python -m tests.model --ablation
  python -m tests.model --scope large

exit status:
  0  every promise holds, and with --ablation each part is needed as it says
  1  a promise breaks (so with --without, as a rule)
"""


def main() -> int:
    """Explore what is asked for and print what was found."""
    parser = _parser()
    asked = parser.parse_args()
    if asked.ablation:
        return _ablate()
    part = PARTS[asked.without] if asked.without else None
    worlds: tuple[Scope, ...] = LARGE if asked.scope == "large" else SMALL
    if part is not None and asked.scope is None:
        worlds = (WORLDS[part.world],)
    if asked.world:
        worlds = (WORLDS[asked.world],)
    broken = 0
    for world in worlds:
        scope = world.leaving_out(part.name) if part else world
        _say(f"{scope.name}: {scope.about}" + (f"; without: {part.name}" if part else ""))
        found = Exploration(scope, first=part is not None, tell=_teller(scope.name)).run()
        broken += _report(scope, found)
    return 1 if broken else 0


def _report(scope: Scope, found: Found) -> int:
    _say(f"  {found.states:,} states, {found.steps:,} steps, {found.seconds:.0f} s")
    for promise in PROMISES:
        if promise == DOUBT and scope.lands_late:
            continue
        if promise in found.broken:
            for line in lines(found.broken[promise]):
                _say(line)
        elif not scope.without:
            _say(f"  holds: {promise}")
    _say("")
    return len(found.broken)


def _ablate() -> int:
    """Leave out one part after the other."""
    unneeded = 0
    _say(f"{'without':26}{'world':20}{'steps':>5}  breaks")
    for part in PARTS.values():
        found = _without(part)
        trace = found.broken.get(part.breaks)
        unneeded += trace is None
        _say(
            f"{part.name:26}{part.world:20}{len(trace.steps) if trace else '-':>5}  "
            f"{part.breaks if trace else 'NOTHING: is it needed?'}"
        )
    return 1 if unneeded else 0


def _without(part: Part) -> Found:
    return Exploration(part.scope, (part.breaks,), first=True, tell=_teller(part.name)).run()


def _parser() -> argparse.ArgumentParser:
    worlds = "\n".join(f"  {scope.name:20}{scope.about}" for scope in WORLDS.values())
    parts = "\n".join(f"  {part.name:26}{part.says}" for part in PARTS.values())
    parser = argparse.ArgumentParser(
        prog="python -m tests.model",
        description=__doc__,
        epilog=_EPILOG.format(worlds=worlds, parts=parts),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scope", choices=("small", "large"), help="which worlds; small without it")
    parser.add_argument("--world", choices=WORLDS, metavar="WORLD", help="only this world")
    parser.add_argument(
        "--without",
        choices=PARTS,
        metavar="PART",
        help="leave a part out and stop at the first broken promise",
    )
    parser.add_argument("--ablation", action="store_true", help="leave out each part in turn: a table")
    return parser


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _teller(name: str) -> Callable[[str], None]:
    began = time.monotonic()

    def tell(line: str) -> None:
        sys.stderr.write(f"[{name} {time.monotonic() - began:4.0f} s] {line}\n")
        sys.stderr.flush()

    return tell


if __name__ == "__main__":
    sys.exit(main())
