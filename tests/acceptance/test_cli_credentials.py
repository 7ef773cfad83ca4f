"""API keys are entered, tested with AiAccount, sealed and sealed anew; nobody ever sees one again."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, NullPool, create_engine
from sqlalchemy.engine import make_url

from consumers.keyring import new_master_key
from deploy.sandbox.client import SandboxProcess
from deploy.sandbox.defaults import company, key_of
from outbox.credentials import Standing, listed
from outbox.tenants import Tenant, add, change, get
from tests.commandline import PROGRAM, CommandLine

KEY, OTHER = key_of("C7"), key_of("C8")
PROMPT_SECONDS = 30.0


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    """Give a sandbox with the companies C7 and, of the same name and another key, C8."""
    with SandboxProcess(tmp_path_factory.mktemp("sandbox") / "book.jsonl", "--no-rate-limit") as sandbox:
        yield sandbox


@pytest.fixture
def command(database: str, sandbox: SandboxProcess) -> Iterator[CommandLine]:
    """Give the command line of an installation with the tenants 7 and 8."""
    sandbox.put_company(company("C7", "Mei Live Sdn Bhd"))
    sandbox.put_company(company("C8", "Kak Siti Enterprise", home_currency="SGD"))
    command = CommandLine(database, api_url=sandbox.url)
    with engine_on(database).begin() as to:
        add(to, Tenant(7, "Mei Live Sdn Bhd", date(2026, 1, 1)))
        add(to, Tenant(8, "Kak Siti Enterprise", date(2026, 1, 1)))
    yield command
    sandbox.clear_faults()


def everything_in(database: str) -> str:
    """Return the text of every row of every table of ours."""
    with psycopg.connect(database) as connection:
        tables = connection.execute(
            "select tablename from pg_tables where schemaname = 'aiaccount'"
        ).fetchall()
        return "\n".join(
            str(row)
            for (table,) in tables
            for row in connection.execute(f"select t::text from aiaccount.{table} t")
        )


def standing(command: CommandLine, tenant_id: int = 7) -> Standing:
    """Return what is known of a tenant's key."""
    with engine_on(command.database).connect() as connection:
        return next(one for one in listed(connection) if one.tenant_id == tenant_id)


def settings(command: CommandLine, tenant_id: int = 7) -> Tenant:
    """Return a tenant's settings."""
    with engine_on(command.database).connect() as connection:
        return get(connection, tenant_id)


def engine_on(database: str) -> Engine:
    """Return an engine that keeps no connection."""
    return create_engine(make_url(database).set(drivername="postgresql+psycopg"), poolclass=NullPool)


def test_a_key_is_tested_sealed_and_names_its_company(command: CommandLine) -> None:
    done = command.run("credentials", "set", "8", stdin=f"{OTHER}\n")
    assert done.stdout == "Saved the key of tenant 8, version 1 (company C8).\n"
    known = standing(command, 8)
    assert (known.company_id, known.version, known.key_id) == ("C8", 1, "k1")
    assert known.tested_at is not None
    assert settings(command, 8).home_currency == "SGD"
    shown = (
        done.stdout + done.stderr + command.done("credentials", "list") + command.done("credentials", "test")
    )
    assert OTHER not in shown + everything_in(command.database)


def test_a_key_that_aiaccount_refuses_is_not_saved(command: CommandLine) -> None:
    refused = command.refused("credentials", "set", "7", stdin="not-a-key", status=1)
    assert "nothing was saved: API_KEY_INVALID" in refused
    assert "not-a-key" not in refused
    assert standing(command).version is None


def test_the_key_of_another_company_is_not_saved(command: CommandLine) -> None:
    assert "nothing was saved" in command.refused("credentials", "set", "7", stdin=OTHER, status=1)
    assert standing(command).version is None


def test_where_aiaccount_does_not_answer_nothing_is_saved_unless_told_so(command: CommandLine) -> None:
    cut_off = command.but(api_url="http://127.0.0.1:1")
    assert "did not answer" in cut_off.refused("credentials", "set", "7", stdin=KEY, status=4)
    assert standing(command).version is None
    assert "not tested" in cut_off.done("credentials", "set", "7", "--no-test", stdin=KEY)
    assert (standing(command).version, standing(command).tested_at) == (1, None)
    (tried,) = command.json("credentials", "test", "--tenant", "7")
    assert (tried["company_id"], tried["code"]) == ("C7", None)
    assert standing(command).company_id == "C7"


def test_a_key_is_no_argument(command: CommandLine) -> None:
    command.refused("credentials", "set", "7", KEY, status=2)
    assert standing(command).version is None


def test_a_prompt_does_not_show_what_is_typed(command: CommandLine) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "credentials", "set", "7"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=command.variables,
        start_new_session=True,
    )
    os.close(theirs)
    shown = typed(ours, "API key of tenant 7, Mei Live Sdn Bhd: ", KEY)
    assert process.wait(PROMPT_SECONDS) == 0
    assert "Saved the key of tenant 7" in shown
    assert KEY not in shown


def typed(terminal: int, prompt: str, answer: str) -> str:
    """Answer a prompt on a terminal, and return all that it showed until it was closed."""
    shown, deadline, answered = b"", time.monotonic() + PROMPT_SECONDS, False
    with os.fdopen(terminal, "r+b", buffering=0) as line:
        while time.monotonic() < deadline:
            if not select.select([line], [], [], 0.1)[0]:
                continue
            try:
                part = line.read(4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
            if not answered and prompt.encode() in shown:
                line.write(answer.encode() + b"\n")
                answered = True
    return shown.decode()


def test_a_key_that_is_refused_later_is_told_by_the_test(
    command: CommandLine, sandbox: SandboxProcess
) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    command.done("credentials", "set", "8", stdin=OTHER)
    sandbox.patch_company("C7", keys=[{"key": "another-key", "scopes": []}])
    tried = command.json("credentials", "test", status=1)
    assert [(one["tenant_id"], one["code"]) for one in tried] == [(7, "API_KEY_INVALID"), (8, None)]


def test_another_company_needs_to_be_said_with_a_cut_over_date(
    command: CommandLine, sandbox: SandboxProcess
) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    sandbox.patch_company("C7", name="Mei Live Sdn Bhd (old)")
    sandbox.put_company(company("C9", "Mei Live Sdn Bhd"))
    refused = command.refused("credentials", "set", "7", stdin=key_of("C9"), status=2)
    assert "company C9, and tenant 7 posts to C7" in refused
    assert standing(command).version == 1
    moved = ("--new-company", "--cutover-date", "2026-07-01")
    command.done("credentials", "set", "7", *moved, stdin=key_of("C9"))
    tenant = settings(command)
    assert (tenant.company_id, tenant.cutover_date) == ("C9", date(2026, 7, 1))
    sandbox.put_company(company("C9", "Mei Live Sdn Bhd (gone)", keys=[]))


def test_two_tenants_never_share_a_company(command: CommandLine) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    with engine_on(command.database).begin() as connection:
        change(connection, 8, lambda tenant: replace(tenant, company_name="Mei Live Sdn Bhd"))
    refused = command.refused("credentials", "set", "8", stdin=KEY, status=2)
    assert "company C7 belongs to tenant 7 already" in refused
    assert standing(command, 8).version is None


def test_rotating_seals_every_key_under_the_new_master_key(command: CommandLine) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    command.done("credentials", "set", "8", stdin=OTHER)
    new = new_master_key("k2")
    both = command.but(master_keys=f"{new},{command.master_keys}")
    assert both.json("credentials", "rotate") == {"key_id": "k2", "sealed_anew": [7, 8], "failed": {}}
    assert "Sealed 0 keys anew under k2." in both.done("credentials", "rotate")
    only_new = command.but(master_keys=new)
    assert [one["code"] for one in only_new.json("credentials", "test")] == [None, None]
    failed = command.but(master_keys=new_master_key("k3")).json("credentials", "rotate", status=1)
    assert (failed["sealed_anew"], sorted(failed["failed"])) == ([], ["7", "8"])


def test_a_copy_of_the_database_does_not_open_its_keys_under_another_name(command: CommandLine) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    staging = command.but(environment="staging")
    assert "belongs to environment 'test'" in staging.refused("credentials", "test", status=3)
    with psycopg.connect(command.database) as connection:
        connection.execute("update aiaccount.installation set environment = 'staging'")
    (tried,) = staging.json("credentials", "test", status=1)
    assert tried["code"] == "NOT_OPENED"
    assert KEY not in staging.run("--debug", "credentials", "test").stderr


def test_a_sealed_key_moved_to_another_tenant_does_not_open(command: CommandLine) -> None:
    command.done("credentials", "set", "7", stdin=KEY)
    with psycopg.connect(command.database) as connection:
        connection.execute("update aiaccount.credentials set tenant_id = 8")
    (tried,) = command.json("credentials", "test", status=1)
    assert (tried["tenant_id"], tried["code"]) == (8, "NOT_OPENED")


def test_a_wrong_master_key_is_said_without_showing_it(command: CommandLine, tmp_path: Path) -> None:
    wrong = "k1:c2hvcnQ="
    said = command.but(master_keys=wrong).refused("credentials", "set", "7", stdin=KEY, status=2)
    assert "entry 1 of the master keys in AIACCOUNT_SYNC_MASTER_KEYS has 5 bytes and not 32" in said
    assert "c2hvcnQ" not in said
    missing = {"AIACCOUNT_SYNC_MASTER_KEYS_FILE": str(tmp_path / "none")}
    assert "2 are set" in command.but(more=missing).refused("credentials", "test", status=2)
