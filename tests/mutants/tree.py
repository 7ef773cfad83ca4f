"""A copy of the tree, in which tests run against mutated code."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[2]
_OURS = ("outbox", "consumers", "mappers", "console", "deploy", "tests")
_ASSERTED = ("AssertionError", "assert ", "Failed: DID NOT RAISE")


class Tree:
    """A copy of what git knows of the working tree, under `folder`; `environment` is added for its tests."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.root = folder
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(folder)}

    def check(self) -> None:
        """Make sure that the copy's own modules are imported in it.

        Raises:
            RuntimeError: Another copy of them goes first.
        """
        code = f"import sys; [print(__import__(name).__path__[0]) for name in {_OURS!r}]"
        for line in self._run(sys.executable, "-c", code).stdout.splitlines():
            if not Path(line).is_relative_to(self.root):
                raise RuntimeError(f"{line} is imported instead of the copy in {self.root}")

    def test(self, tests: Sequence[str]) -> dict[str, str]:
        """Run tests; return for each what became of it.

        Returns:
            By the name that was asked for: "passed", "caught" (an assertion failed), or why it says nothing:
            an error of another kind, or no result. Of a test with parameters one case that catches is enough.
        """
        report = self.root / "report.xml"
        report.unlink(missing_ok=True)
        pytest = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--junitxml={report}"]
        ran = self._run(*pytest, *tests)
        if not report.exists():
            return dict.fromkeys(tests, f"did not run: {_short(ran.stdout + ran.stderr)}")
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
        return {test: _outcome(test, cases) for test in tests}

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.root, env=self._environment, capture_output=True, text=True, check=False
        )


def _outcome(test: str, cases: Sequence[ET.Element]) -> str:
    file, name = test.split("::")
    module = file.removesuffix(".py").replace("/", ".")
    mine = [
        case
        for case in cases
        if case.get("classname") == module
        and name in (case.get("name"), (case.get("name") or "").split("[")[0])
    ]
    outcomes = [_of(case) for case in mine]
    for wanted in ("caught", *sorted(set(outcomes) - {"passed"})):
        if wanted in outcomes:
            return wanted
    return "passed" if outcomes else "did not run: no such test"


def _of(case: ET.Element) -> str:
    failure, error = case.find("failure"), case.find("error")
    if failure is not None:
        said = failure.get("message") or ""
        return "caught" if said.startswith(_ASSERTED) else f"failed otherwise: {_short(said)}"
    if error is not None:
        return f"did not run: {_short(error.get('message') or '')}"
    return "passed" if case.find("skipped") is None else "did not run: skipped"


def _short(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0][:160] if lines else "it said nothing"
