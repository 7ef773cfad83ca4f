"""The failure table names tests that there are, or says honestly why a row has none."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "reliability.md"
LEAST_ROWS = 60
_NAMED = re.compile(r"`((?:tests/[\w/]+\.py)?::\w+)(?:\[[^`]*\])?`")
_NOT_AUTOMATED = "not automated: "
_HEAD = ("what fails", "---")


def rows() -> list[tuple[str, str]]:
    """Return what fails and the test's cell, for each row of the failure table."""
    text = TABLE.read_text("utf-8").partition("## Failure table")[2].partition("\n## ")[0]
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| ")]
    assert all(len(cells) == 3 for cells in lines)
    return [(cells[0].strip(), cells[2].strip()) for cells in lines if cells[0].strip() not in _HEAD]


@cache
def of_file(file: str) -> frozenset[str]:
    """Return the names of a file's tests."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in found if node.name.startswith("test_"))


def test_the_table_has_rows_enough_and_none_twice() -> None:
    failing = [what for what, _ in rows()]
    assert len(failing) >= LEAST_ROWS
    assert len(set(failing)) == len(failing)


@pytest.mark.parametrize(("what", "cell"), rows(), ids=lambda text: text[:60])
def test_a_row_names_tests_that_there_are_or_says_why_it_is_not_automated(what: str, cell: str) -> None:
    named = _NAMED.findall(cell)
    file = ""
    for name in named:
        path, _, test = name.partition("::")
        file = path or file
        assert test in of_file(file), f"{what}: there is no {name}"
    if not named and "`make chaos`" not in cell:
        assert cell.startswith(_NOT_AUTOMATED), what
        assert len(cell) > len(_NOT_AUTOMATED) + 20, f"{what}: the reason is too short"
