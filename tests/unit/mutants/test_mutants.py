"""The mutations can still be made: the code that they change stands where they look for it."""

import ast
import re
from pathlib import Path

import pytest

from tests.mutants.mutation import Edit, Mutation
from tests.mutants.table import MUTATIONS
from tests.mutants.tree import ROOT


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=lambda mutation: mutation.name)
def test_a_mutation_changes_what_stands_there_and_leaves_python_that_can_be_read(
    mutation: Mutation, tmp_path: Path
) -> None:
    for edit in mutation.edits:
        (tmp_path / edit.file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / edit.file).write_text((ROOT / edit.file).read_text("utf-8"), "utf-8")
    before = mutation.apply(tmp_path)
    assert before
    for path, text in before.items():
        assert path.read_text("utf-8") != text
        if path.suffix == ".py":
            ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=lambda mutation: mutation.name)
def test_an_edit_stays_within_the_statement_or_function_that_it_names(mutation: Mutation) -> None:
    for edit in mutation.edits:
        text = (ROOT / edit.file).read_text("utf-8")
        between = text[text.index(edit.after) + len(edit.after) : edit.place(text)]
        assert not re.search(r"^-- name:|^ *(async )?def ", between, re.MULTILINE), edit


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=lambda mutation: mutation.name)
def test_the_tests_that_a_mutation_names_exist(mutation: Mutation) -> None:
    assert mutation.tests
    for test in mutation.tests:
        file, name = test.split("[")[0].split("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), test


@pytest.mark.parametrize(("after", "old"), [("def twice", "x"), ("def gone", "x"), ("def once", "z")])
def test_an_edit_that_cannot_be_made_says_so(after: str, old: str) -> None:
    with pytest.raises(LookupError, match="stand"):
        Edit("file.py", after, old, "y").applied("def twice: x\ndef twice: x\ndef once: x\n")
