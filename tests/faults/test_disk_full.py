"""A disk of PostgreSQL is full: the till goes on selling, and nothing is sent that the ledger cannot note.

Collected where this process may mount a small disk only (Linux, root).
"""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from deploy.servers.postgres import UNPRIVILEGED
from tests.conftest import Running
from tests.faults.field import Field, ready
from tests.waiting import wait_for

ACTS = 25
FULL_SECONDS = 60.0
APART_SECONDS = "5"
"""So far apart are two looks that alerts ask for: what fails after the first one began waits for the next."""
LOOKED = """
    select count(*) from aiaccount.reconciliation
     where not under_way and alert_id >= (select max(id) from aiaccount.alerts where kind = 'capture_failed')
"""
FAILED = "select count(*) from aiaccount.alerts where kind = 'capture_failed'"
BEGUN = "select count(*) from aiaccount.reconciliation where alert_id > 0"


@dataclass(frozen=True)
class Disk:
    """A small disk and the tablespace on it."""

    folder: Path
    tablespace: str

    def fill(self) -> None:
        """Leave no room on it."""
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"\0" * 4096):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Make room again."""
        (self.folder / "filler").unlink()


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], check=True)
    try:
        shutil.chown(folder, UNPRIVILEGED[0])
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def disk(postgres_server: Running) -> Iterator[Disk]:
    """Give a small disk with a tablespace of the shared server."""
    name = f"small_{secrets.token_hex(4)}"
    folder = Path("/tmp") / name  # noqa: S108 - where the server's user may come
    try:
        with _mounted(folder), psycopg.connect(postgres_server.url, autocommit=True) as admin:
            admin.execute(
                sql.SQL("create tablespace {} location {}").format(sql.Identifier(name), str(folder))
            )
            yield Disk(folder, name)
            admin.execute(sql.SQL("drop tablespace {}").format(sql.Identifier(name)))
    finally:
        folder.rmdir()


@pytest.fixture
def cramped(disk: Disk, field: Field) -> Field:
    """Give an installation; the disk outlives its database."""
    del disk
    return field


def move(field: Field, table: str, disk: Disk) -> None:
    """Put a table onto the small disk."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter table {} set tablespace {}").format(
                sql.Identifier("aiaccount", table), sql.Identifier(disk.tablespace)
            )
        )


def one(field: Field, query: str) -> int:
    """Return a number."""
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        return int(connection.execute(query.encode()).fetchall()[0][0])


def test_tills_go_on_while_the_outbox_has_no_room_and_what_was_not_captured_is_found(
    cramped: Field, disk: Disk
) -> None:
    field = cramped
    field.installation.env["AIACCOUNT_SYNC_RECONCILE_SECONDS"] = APART_SECONDS
    move(field, "outbox", disk)
    ready(field.relay(), field.consumers())
    field.trade.open()
    field.trade.go_on(ACTS)
    disk.fill()
    wait_for(lambda: one(field, FAILED), FULL_SECONDS, "a capture to fail")
    wait_for(lambda: one(field, BEGUN), FULL_SECONDS, "what was not captured to be looked for at once")
    field.trade.go_on(ACTS)
    assert not field.trade.interrupted, "a sale failed"
    disk.free()
    field.trade.go_on(ACTS)
    field.trade.close()
    wait_for(lambda: one(field, LOOKED) == 1, FULL_SECONDS, "what failed meanwhile to be looked for too")
    field.drain()
    field.clean()


def test_nothing_is_sent_while_the_ledger_has_no_room_and_all_goes_when_it_has(
    cramped: Field, disk: Disk
) -> None:
    field = cramped
    move(field, "documents", disk)
    services = field.relay(), field.consumers()
    ready(*services)
    field.trade.open()
    field.trade.go_on(ACTS)
    disk.fill()
    full = "select count(*) from aiaccount.tasks where token is not null"
    wait_for(lambda: one(field, full) > ACTS, FULL_SECONDS, "deliveries to stand still")
    disk.free()
    field.trade.go_on(ACTS)
    field.drain()
    assert all(service.running for service in services)
    field.clean()
