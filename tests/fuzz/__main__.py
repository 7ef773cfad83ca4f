"""Fuzz one noun, or all in turn: led by coverage, or a seed's cases again.

python -m tests.fuzz                        every noun for 60 s
python -m tests.fuzz envelope --seconds 600
python -m tests.fuzz envelope --seed 1 --case 4711    one case again
python -m tests.fuzz redactor --input crash-0a1b      what the fuzzer has written down
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["consumers", "outbox", "mappers", "console"]):
    from tests.fuzz.targets import TARGETS, run


def main() -> int:
    """Do what the arguments say; 0 where nothing was found."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("noun", nargs="?", choices=TARGETS, help="all of them, if none is named")
    parser.add_argument("--seconds", type=int, default=60, help="how long for each noun (60)")
    parser.add_argument("--seed", type=int, default=1, help="with --case: which of a seed's cases")
    parser.add_argument("--case", type=int, help="check one case of a seed")
    parser.add_argument("--input", type=Path, help="check the bytes of a file")
    given = parser.parse_args()
    if given.noun is None:
        return max([_child(noun, given.seconds) for noun in TARGETS])
    if given.case is not None:
        return run(given.noun, given.seed, given.case, given.case + 1) - 1
    if given.input is not None:
        TARGETS[given.noun].check(given.input.read_bytes())
        return 0
    _fuzz(given.noun, given.seconds)
    return 0


def _child(noun: str, seconds: int) -> int:
    """Fuzz a noun in a process of its own: the fuzzer ends the one that it runs in."""
    sys.stdout.write(f"{noun}: {seconds} s\n")
    sys.stdout.flush()
    return subprocess.call([sys.executable, "-m", "tests.fuzz", noun, "--seconds", str(seconds)])


def _fuzz(noun: str, seconds: int) -> None:
    """Let libFuzzer change the good inputs for as long as was asked; it ends the process."""
    target = TARGETS[noun]
    with tempfile.TemporaryDirectory(prefix="aiaccount-fuzz-") as corpus:
        for number, good in enumerate(target.seeds):
            Path(corpus, f"seed-{number}").write_bytes(good)
        options = [f"-max_total_time={seconds}", "-verbosity=0", "-print_final_stats=1", "-max_len=20000"]
        atheris.Setup([sys.argv[0], *options, corpus], target.check)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
