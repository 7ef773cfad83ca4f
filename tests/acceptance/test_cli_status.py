"""A person asks what is going on, as a process against an installation that works, or does not."""

import fcntl
import json
import os
import pty
import re
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.stack.logins import Login, as_login
from outbox.endpoints import Endpoint
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 40
WIDTH = 80
SECONDS = 30.0
DATABASE = "AIACCOUNT_SYNC_DATABASE_URL"
OK, WRONG, USAGE, INSTALLATION = 0, 1, 2, 3
ROWS_OF_THE_DAY = """
    with own as (select d.tenant_id, d.endpoint, (d.accepted_at at time zone t.timezone)::date as day
                   from aiaccount.documents d join aiaccount.tenants t using (tenant_id)
                  where d.accepted_at is not null)
    select tenant_id, endpoint, count(*) from own
     where day = (select max(day) from own x where x.tenant_id = own.tenant_id and x.endpoint = own.endpoint)
     group by tenant_id, endpoint
"""
STOPPED_A_MINUTE_AGO = "update aiaccount.relay_cursor set moved_at = now() - interval '1 minute'"


def command(field: Field, *arguments: str, login: str | None = None, **more: str) -> dict[str, Any]:
    """Return how to run the command as an admin, or as another login."""
    url = as_login(field.database_url, Login.CONSOLE)
    if login is not None:
        url = make_url(field.database_url).set(username=login).render_as_string()
    return {
        "args": [sys.executable, "-m", "console", "status", *arguments],
        "env": {**field.installation.env, DATABASE: url, **more},
        "text": True,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
    }


def run(field: Field, *arguments: str, status: int = OK, **more: Any) -> str:
    """Run it to its end and return what it printed, which fits a terminal and has no colours."""
    done = subprocess.run(**command(field, *arguments, **more), check=False, timeout=60)
    assert done.returncode == status, done
    said = str(done.stdout if status != USAGE else done.stderr)
    assert "\x1b" not in said
    if "--json" not in arguments and status != USAGE:
        assert max(map(len, said.splitlines())) <= WIDTH, said
    return said


def asked(field: Field, *arguments: str, status: int = OK, **more: Any) -> Any:
    """Return the JSON document."""
    return json.loads(run(field, *arguments, "--json", status=status, **more))


def pills(found: Any) -> dict[tuple[int, str], dict[str, str]]:
    """Return the pills by tenant and endpoint."""
    return {
        (tenant["tenant_id"], each["endpoint"]): each["pill"]
        for tenant in found["tenants"]
        for each in tenant["endpoints"]
    }


def sql(field: Field, text: str) -> list[tuple[Any, ...]]:
    """Run a statement; return its rows."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        cursor = connection.execute(text)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def reader(field: Field) -> Iterator[str]:
    """Give a login that may read the tenant 2."""
    name = f"sync_{secrets.token_hex(4)}"
    sql(field, f"create role {name} login in role aiaccount_reader")
    sql(field, f"insert into aiaccount.readers values ('{name}', 2)")
    yield name
    sql(field, f"drop role {name}")


def test_before_the_first_sale_there_is_no_data(field: Field) -> None:
    ready(field.relay(), field.consumers())
    said = run(field)
    assert said.count("No data to push") == len(field.subscribers) * len(Endpoint)
    assert "0 rows not in Kafka yet" in said
    assert {pill["kind"] for pill in pills(asked(field)).values()} == {"no data"}


def test_after_sales_it_says_when_and_how_many_and_how_the_pipeline_is(field: Field, reader: str) -> None:
    ready(field.relay(), field.consumers())
    field.trade.play(ACTS)
    field.drain()
    found = asked(field)
    rows = {(tenant, endpoint): count for tenant, endpoint, count in sql(field, ROWS_OF_THE_DAY)}
    assert rows
    for key, pill in pills(found).items():
        if key in rows:
            assert pill["kind"] == "last sync"
            assert pill["text"].startswith("Last sync ")
            assert pill["text"].endswith(f" · {rows[key]:,} row{'s' * (rows[key] != 1)}")
        else:
            assert pill == {"kind": "no data", "text": "No data to push"}
    pipeline = found["pipeline"]
    assert pipeline["captures"]
    assert pipeline["outbox"]["rows"] == 0
    assert (pipeline["relay"]["leads"], pipeline["relay"]["by"]) == (True, socket.gethostname())
    assert [group["endpoint"] for group in pipeline["kafka"]["groups"]] == [*Endpoint]
    assert (pipeline["tasks"], pipeline["kafka"]["error"]) == ({"due": 0, "overdue": 0}, None)
    states = dict(sql(field, "select state, count(*) from aiaccount.documents group by state"))
    assert {state: count for state, count in pipeline["ledger"].items() if count} == states
    wait_for(lambda: _no_lag(field), SECONDS, "no lag to be shown")
    text = run(field)
    assert f"{socket.gethostname()} leads since" in text

    mine = asked(field, login=reader)
    assert mine["pipeline"] is None
    assert pills(mine) == {key: pill for key, pill in pills(found).items() if key[0] == 2}
    assert "The pipeline is shown to logins with the role aiaccount_admin." in run(field, login=reader)
    assert "there is no tenant 1, or none that" in run(field, "--tenant", "1", status=USAGE, login=reader)
    assert [one["tenant_id"] for one in asked(field, "--tenant", "3", "--tenant", "1")["tenants"]] == [1, 3]
    assert "there is no tenant 12345" in run(field, "--tenant", "12345", status=USAGE)


def _no_lag(field: Field) -> bool:
    return all(group["records"] == 0 for group in asked(field)["pipeline"]["kafka"]["groups"])


def test_without_kafka_it_says_so_and_shows_the_rest(field: Field) -> None:
    cut_off = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    ready(field.relay())
    found = asked(field, status=WRONG, **cut_off)
    assert "no broker answers at 127.0.0.1:1" in found["pipeline"]["kafka"]["error"]
    assert {pill["kind"] for pill in pills(found).values()} == {"no data"}
    assert "no broker answers" in run(field, status=WRONG, **cut_off)


def test_a_missing_tax_code_and_a_refused_key_are_told_in_words(field: Field) -> None:
    field.sandbox.patch_company("C1", tax_codes=[])
    field.sandbox.patch_company("C2", keys=[])
    ready(field.relay(), field.consumers())
    field.trade.play(ACTS)
    wait_for(lambda: _blocked(field) == {1, 2}, SECONDS, "documents to be blocked")
    found = pills(asked(field, status=WRONG))
    assert found[1, "pos_invoice"]["kind"] == "failed"
    assert found[1, "pos_invoice"]["text"].startswith("Failed · Tax Code missing: ")
    assert " since " in found[1, "pos_invoice"]["text"]
    assert {found[2, endpoint]["text"] for endpoint in Endpoint} == {"Paused · API key refused"}
    assert found[3, "pos_invoice"]["kind"] in {"last sync", "syncing"}
    text = run(field, status=WRONG)
    assert "unsent       the oldest: " in text
    assert "API key refused" in text


def _blocked(field: Field) -> set[int]:
    return {
        tenant
        for (tenant,) in sql(
            field,
            "select tenant_id from aiaccount.documents where verdict = 'block' and endpoint = 'pos_invoice'",
        )
    }


def test_a_relay_that_has_stopped_is_no_silent_stall(field: Field, reader: str) -> None:
    relay, consumers = field.relay(), field.consumers()
    ready(relay, consumers)
    field.trade.play(ACTS)
    field.drain()
    relay.stop()
    assert {pill["kind"] for pill in pills(asked(field)).values()} <= {"last sync", "no data"}
    field.trade.sell(1)
    sql(field, STOPPED_A_MINUTE_AGO)
    for login in (None, reader):
        found = pills(asked(field, status=WRONG, login=login))
        assert {pill["kind"] for pill in found.values()} == {"stalled"}
        assert all(pill["text"].startswith("Stalled · no relay leads since ") for pill in found.values())
    assert "nobody leads" in run(field, status=WRONG)


def test_watching_looks_again_and_again_until_it_is_interrupted(field: Field) -> None:
    ready(field.relay())
    process = subprocess.Popen(**command(field, "--watch", "--every", "0.1"))
    try:
        assert process.stdout is not None
        looks = 0
        for line in process.stdout:
            looks += line.endswith(" UTC\n") and line.count(":") == 2 and line[:2].isdigit()
            if looks == 3:
                break
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        assert (process.returncode, said) == (OK, "")
    finally:
        process.kill()
        process.communicate()
    assert "give one of them" in run(field, "--watch", "--json", status=USAGE)


def test_on_a_terminal_watching_draws_over_what_it_drew_in_colours_unless_told_not_to(field: Field) -> None:
    ready(field.relay())
    field.sandbox.patch_company("C1", keys=[])
    sql(field, "update aiaccount.tenants set active = false where tenant_id = 1")
    for more, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        shown = drawn(field, **more)
        assert "\x1b[2J" not in shown, "it clears the screen: that flickers"
        assert shown.count("\x1b[1A") >= 3, "it does not go back to draw over what stands there"
        assert ("\x1b[33m" in shown) is coloured
        assert "Paused · Tenant is inactive" in shown


def drawn(field: Field, **more: str) -> str:
    """Watch on a terminal for three looks; return all that it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 60, WIDTH, 0, 0))
    asked = command(field, "--watch", "--every", "0.1", TERM="xterm-256color", **more)
    process = subprocess.Popen(**{**asked, "stdout": theirs, "stderr": theirs})
    os.close(theirs)
    shown = b""
    try:
        deadline = time.monotonic() + SECONDS
        while len(re.findall(rb":\d\d UTC", shown)) < 3 and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == OK, shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return shown.decode()
