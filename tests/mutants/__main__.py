"""Make our own code wrong in the places that matter, one after the other, and see that a test notices.

Each mutation of tests/mutants/table.py is made in a copy of the working tree; the tests that it names run
there, against a PostgreSQL of their own. They must pass without it and fail with it, by an assertion: code
that cannot be imported or run proves nothing.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from deploy.servers.postgres import PostgresServer
from tests.mutants.mutation import Mutation
from tests.mutants.table import MUTATIONS
from tests.mutants.tree import Tree

_EPILOG = """\
mutations (--only):
{mutations}

examples:
  make mutants
  python -m tests.mutants --only 'the call before the intent'

exit status:
  0  every mutation was caught
  1  one survived, or a test fails without any
"""


def main() -> int:
    """Try the mutations that are asked for and print a table of who caught them."""
    listed = "\n".join(f"  {mutation.name:52}{mutation.promise}" for mutation in MUTATIONS.values())
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants",
        description=__doc__,
        epilog=_EPILOG.format(mutations=listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", action="append", choices=MUTATIONS, metavar="NAME", help="this one; may be given again"
    )
    asked = parser.parse_args()
    chosen = [MUTATIONS[name] for name in dict.fromkeys(asked.only or MUTATIONS)]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, PostgresServer() as server:
        tree = Tree(Path(folder).resolve(), {"AIACCOUNT_SYNC_DATABASE_URL": server.url})
        tree.check()
        found = _try_all(tree, chosen, began)
    return _report(chosen, found)


def _try_all(tree: Tree, chosen: list[Mutation], began: float) -> dict[str, dict[str, str]]:
    tests = sorted({test for mutation in chosen for test in mutation.tests})
    _tell(began, f"{len(tests)} tests, without a mutation")
    failing = {test: outcome for test, outcome in tree.test(tests).items() if outcome != "passed"}
    if failing:
        return {"without a mutation": failing}
    found: dict[str, dict[str, str]] = {}
    for number, mutation in enumerate(chosen, 1):
        before = mutation.apply(tree.root)
        try:
            found[mutation.name] = tree.test(mutation.tests)
        finally:
            for path, text in before.items():
                path.write_text(text, "utf-8")
        said = "caught" if _is_caught(found[mutation.name]) else "SURVIVED"
        _tell(began, f"{number} of {len(chosen)}: {mutation.name}: {said}")
    return found


def _is_caught(outcomes: dict[str, str]) -> bool:
    return all(outcome == "caught" for outcome in outcomes.values())


def _report(chosen: list[Mutation], found: dict[str, dict[str, str]]) -> int:
    if failing := found.get("without a mutation"):
        for test, outcome in failing.items():
            _say(f"{test}: {outcome}, without a mutation")
        return 1
    for mutation in chosen:
        _say(f"{mutation.name}\n    {mutation.promise}")
        for test, outcome in found[mutation.name].items():
            _say(f"    {outcome if outcome == 'caught' else 'SURVIVED, ' + outcome}: {test}")
    survived = [mutation.name for mutation in chosen if not _is_caught(found[mutation.name])]
    _say(f"\n{len(chosen) - len(survived)} of {len(chosen)} mutations caught")
    return 1 if survived else 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _tell(began: float, line: str) -> None:
    sys.stderr.write(f"[mutants {time.monotonic() - began:4.0f} s] {line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
