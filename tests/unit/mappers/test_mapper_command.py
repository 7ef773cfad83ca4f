"""`python -m mappers`: one line in, one line out."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.unit.mappers.rows import FILE, NUMBER, sale


def run(source: bytes, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mappers", *arguments],
        input=source,
        capture_output=True,
        env={**os.environ, **environment},
        check=False,
        timeout=60,
    )


def line(**changes: object) -> bytes:
    plain: dict[str, Any] = {
        "endpoint": "pos_invoice",
        "settings": FILE["settings"],
        "snapshot": sale(),
        "sent": [],
    }
    return json.dumps({**plain, **changes}).encode()


def test_each_line_gives_a_line_of_outcomes_with_documents_in_full() -> None:
    name = FILE["settings"] | {"company_name": "美丽直播"}
    done = run(line(settings=name) + b"\n\n" + line(endpoint="pos_receipt"), LC_ALL="C", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    first, second = done.stdout.splitlines()
    (pushed,) = json.loads(first)
    assert pushed["push"]["company_name"] == "美丽直播"
    assert "美丽直播".encode() in first
    assert pushed["push"]["source"] == {"system": "NS16", "table": "pos_transactions", "id": "1"}
    assert json.loads(second) == [{"wait": f"{NUMBER}-R1"}]


def test_a_bad_line_is_named_by_its_number_and_the_others_go_on() -> None:
    broken = sale(status="lost\ud800")
    lines = [
        b"{",
        b"\xff",
        b"[]",
        line(endpoint="quotes"),
        line(snapshot=5),
        line(sent={}),
        line(settings={}),
        line(extra=1),
        b"{}",
        line().replace(b'"50.00"', b"NaN"),
        line(snapshot=broken),
        line(sent=[{"endpoint": "pos_invoice"}]),
        b"[" * 100_000,
        line(snapshot=None),
    ]
    done = run(b"\n".join(lines), LC_ALL="C", PYTHONUTF8="0")
    assert done.returncode == 1
    answers = [json.loads(answer) for answer in done.stdout.splitlines()]
    assert len(answers) == len(lines)
    assert [set(answer) for answer in answers[:-1]] == [{"error"}] * (len(lines) - 1)
    assert answers[-1] == []
    messages = done.stderr.decode().splitlines()
    assert len(messages) == len(lines) - 1
    assert [message.split(":")[0] for message in messages] == [f"line {n}" for n in range(1, len(lines))]
    assert "settings.tenant_id is missing" in messages[6]
    assert "pos_transaction.status" in messages[10]


def test_json_numbers_are_read_exactly() -> None:
    number = line().replace(b'"50.00"', b"0.10000000000000000001")
    (answer,) = json.loads(run(number).stdout)
    assert answer == {"block": "CURRENCY_PRECISION", "number": NUMBER}


def test_help_teaches_the_format() -> None:
    done = run(b"", "--help")
    assert done.returncode == 0
    for word in (b"endpoint", b"settings", b"snapshot", b"sent", b"conflict", b"exit\nstatus", b"example"):
        assert word in done.stdout
