"""Every code that can stand in the ledger is explained once, with what a person can do, and no other is."""

import re
from pathlib import Path

from console.reasons import REASONS, advice, meaning
from consumers import judge
from consumers.outcomes import classify
from consumers.reply import Reply
from deploy.sandbox.problem import Code
from mappers import endpoints
from outbox.migrations import sql
from tests.unit.consumers.test_api_page import OUTSIDE

CODE = re.compile(r"""["']([A-Z]+(?:_[A-Z]+)+|TIMEOUT|SUPERSEDED|PACED|ADOPTED|created|duplicate)["']""")
STATUSES = {f"HTTP_{digit}XX" for digit in range(1, 6)}
NO_CODES = {"AIACCOUNT_SYNC_MASTER_KEYS", "DOCUMENT_NOT_FOUND"}
"""What is no code of the ledger: the name of a variable, and that nothing stands there."""


def given(*packages: Path) -> set[str]:
    """Return every code in the sources, of Python and SQL, of these packages."""
    sources = [path for package in packages for kind in ("*.py", "*.sql") for path in package.glob(kind)]
    return {code for path in sources for code in CODE.findall(path.read_text("utf-8"))} - NO_CODES


def test_every_code_of_the_mappers_the_consumers_and_the_views_has_a_reason_and_no_other_has() -> None:
    packages = (Path(judge.__file__).parent, Path(endpoints.__file__).parent, Path(sql.__file__).parent)
    assert given(*packages) | STATUSES == set(REASONS)


def test_every_code_of_the_api_page_has_a_reason() -> None:
    assert {code.value for code in set(Code) - OUTSIDE} <= set(REASONS)


def test_whatever_status_a_server_sends_there_is_something_to_say_of_it() -> None:
    for status in range(100, 1000):
        assert meaning(classify(Reply(status, {}, b""), {}).code), status


def test_each_advice_is_one_plain_text_that_names_the_document_asked_about() -> None:
    for code, reason in REASONS.items():
        said = advice(code, tenant=7, number="N1", endpoint="kol_bill", date="2026-05-01")
        assert said.endswith((".", ").")), code
        assert "{" not in said, code
        assert reason.means[0].islower() or reason.means.startswith("AiAccount"), code
        assert not reason.means.endswith("."), code
        assert "\n" not in said + reason.means, code


def test_a_command_in_an_advice_is_one_that_there_is() -> None:
    named = {
        command
        for reason in REASONS.values()
        for command in re.findall(r"aiaccount-sync ([\w-]+)", reason.act)
    }
    assert named <= {"tenants", "credentials", "retry", "resolve", "audit", "backfill"}


def test_a_code_that_there_is_not_means_nothing() -> None:
    assert not meaning("NO_SUCH_CODE")
    assert not advice("NO_SUCH_CODE", tenant=7, number="N1", endpoint="kol_bill")
