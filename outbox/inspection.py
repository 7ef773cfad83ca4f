"""What is wrong with an installation: each thing by name, so that a person knows what to mend.

Reads only. Migrating asks the same questions to find out what there is to do.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from outbox import roles
from outbox.errors import InstallationError
from outbox.installation import connected, verify
from outbox.statements import statements

SOURCES = ("pos_transactions", "pos_transaction_items", "kol_settlements")
TABLES = (
    "alembic_version",
    "alerts",
    "attempts",
    "audit",
    "breakers",
    "credentials",
    "decisions",
    "documents",
    "installation",
    "outages",
    "outbox",
    "paces",
    "readers",
    "reconciliation",
    "reconciliation_marks",
    "relay_cursor",
    "run_parts",
    "run_tasks",
    "runs",
    "stops",
    "tasks",
    "tenants",
    "wanted_ranges",
)
_ROW = {"id": "bigint", "tenant_id": "bigint", "business_date": "date"}
_SNAPSHOT = {**_ROW, "original_id": "bigint", "snapshot": "jsonb"}
_DIGEST = {**_ROW, "digest": "bytea", "original_id": "bigint"}
_NUMBER = {"id": "bigint", "tenant_id": "bigint", "number": "text", "status": "text", "owned": "boolean"}
VIEWS = {
    "pos_transaction_snapshot": _SNAPSHOT,
    "kol_settlement_snapshot": _SNAPSHOT,
    "pos_transaction_digest": _DIGEST,
    "kol_settlement_digest": _DIGEST,
    "pos_transaction_number": _NUMBER,
    "kol_settlement_number": _NUMBER,
}
REVISION = "0012"
_SQL = statements("outbox", "migrate.sql")
_CAPTURE = statements("outbox", "capture.sql")
_SNAPSHOTS = statements("outbox", "snapshots.sql")
_BODY = re.compile(r"create or replace function aiaccount\.(\w+)\(.*?\$body\$(.*?)\$body\$", re.DOTALL)
_FIXED_PATH = "search_path=pg_catalog, pg_temp"
_SHORT_WAIT = "lock_timeout=50ms"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: what, and the sentence that says how."""

    subject: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.sentence}"


def check(url: str, environment: str) -> list[Problem]:
    """Name everything that is wrong with an installation; nothing is changed.

    Args:
        url: The database, as the processes would connect to it.
        environment: The name that it should have.

    Returns:
        The problems, none where all is well.

    Raises:
        DatabaseError: The database cannot be asked.
    """
    with connected(url) as conn:
        return inspect(conn, environment)


def inspect(conn: psycopg.Connection, environment: str) -> list[Problem]:
    """As `check`, on a connection in autocommit."""
    try:
        verify(conn, environment)
    except InstallationError as error:
        return [Problem("installation", str(error))]
    return [
        *_connection(conn),
        *_tables(conn),
        *functions(conn),
        *(problem for table in SOURCES for problem in triggers(conn, table, stored_mode(conn))),
        *views(conn),
        *_privileges(conn),
    ]


def functions(conn: psycopg.Connection) -> Iterator[Problem]:
    """Name each of our functions that is missing, or is not as this program writes it."""
    found = {str(row[0]): row[1:] for row in conn.execute(_SQL["functions"])}
    for name, body in _BODY.findall(_CAPTURE["functions"] + _SNAPSHOTS["utc"]):
        subject = f"function aiaccount.{name}"
        if name not in found:
            yield Problem(subject, "is missing")
            continue
        source, definer, config, _owner = found[name]
        if source != body:
            yield Problem(subject, "has another body than this program's")
        if name.startswith("capture_") and (not definer or _FIXED_PATH not in config):
            yield Problem(subject, "must be SECURITY DEFINER with a fixed search_path, and is not")
        if name in {"record_changes", "raise_alert"} and _SHORT_WAIT not in config:
            yield Problem(subject, "must wait at most 50 ms for a lock, and has no such limit")


def triggers(conn: psycopg.Connection, table: str, mode: str) -> Iterator[Problem]:
    """Name each trigger on a table of NS16 that is missing, disabled or other than it should be."""
    found = {str(row[0]): row[1:] for row in conn.execute(_SQL["triggers"], {"table": table})}
    for name, wanted in _wanted_triggers(table, mode).items():
        subject = f"trigger {name} on {table}"
        if name not in found:
            yield Problem(subject, "is missing")
            continue
        enabled, *is_there = found[name]
        if enabled != "O":
            said = {
                "D": "disabled",
                "R": "enabled for replicas only",
                "A": "enabled always, also for replicas",
            }
            yield Problem(subject, f"is {said[enabled]}")
        if is_there[2] != wanted[2]:
            has = str(is_there[2]).removesuffix("\\000")
            yield Problem(subject, f"has capture mode {has!r}, and the installation {mode!r}")
        if (*is_there[:2], *is_there[3:]) != (*wanted[:2], *wanted[3:]):
            yield Problem(subject, "is another trigger than this program's")


def views(conn: psycopg.Connection) -> Iterator[Problem]:
    """Name each view that is missing or lacks a column; a replaced view may have more."""
    for view, columns in VIEWS.items():
        found = {
            str(row[0]): str(row[1]) for row in conn.execute(_SQL["view_columns"], {"view": _full(view)})
        }
        if not found:
            yield Problem(f"view {_full(view)}", "is missing")
            continue
        for column, kind in columns.items():
            if column not in found:
                yield Problem(f"view {_full(view)}", f"has no column {column}")
            elif found[column] != kind:
                yield Problem(f"view {_full(view)}", f"column {column} must be {kind} and is {found[column]}")


def truth(conn: psycopg.Connection, name: str) -> bool:
    """Answer a named question of yes or no."""
    row = conn.execute(_SQL[name]).fetchone()
    return bool(row and row[0])


def stored_mode(conn: psycopg.Connection) -> str:
    """Return the capture mode that the installation names."""
    row = conn.execute(_SQL["capture_mode"]).fetchone()
    return str(row[0]) if row else "lenient"


def _wanted_triggers(table: str, mode: str) -> dict[str, tuple[int, str, str, str, str]]:
    argument = f"{mode}\\000"
    own = f"aiaccount.capture_{table}"
    return {
        "aiaccount_insert": (4, own, argument, "", "new_rows"),
        "aiaccount_update": (16, own, argument, "old_rows", "new_rows"),
        "aiaccount_delete": (8, own, argument, "old_rows", ""),
        "aiaccount_truncate": (32, "aiaccount.capture_truncate", argument, "", ""),
    }


def _connection(conn: psycopg.Connection) -> Iterator[Problem]:
    if truth(conn, "is_standby"):
        yield Problem("connection", "the database is a standby; the relay and the consumers need the primary")
    row = conn.execute(_SQL["backend"]).fetchone()
    if row and row[0] != conn.info.backend_pid:
        yield Problem("connection", "it passes through a pooler; the relay needs a connection of its own")


def _tables(conn: psycopg.Connection) -> Iterator[Problem]:
    missing = [str(row[0]) for row in conn.execute(_SQL["missing_tables"], {"tables": [*TABLES]})]
    for name in missing:
        yield Problem(f"table aiaccount.{name}", "is missing")
    if "alembic_version" not in missing:
        row = conn.execute(_SQL["revision"]).fetchone()
        if row is None or row[0] != REVISION:
            yield Problem("tables", f"are at revision {row and row[0]} and this program's at {REVISION}")
    if "relay_cursor" not in missing and not truth(conn, "has_cursor"):
        yield Problem("table aiaccount.relay_cursor", "has no row, so the relay does not know where to start")


def _privileges(conn: psycopg.Connection) -> Iterator[Problem]:
    for owner, what in conn.execute(_SQL["owner_lacks"]):
        yield Problem(f"role {owner}", f"owns the capture functions and may not {what}")
    yield from (Problem(*wrong) for wrong in roles.problems(conn))


def _full(view: str) -> str:
    return f"aiaccount.{view}"
