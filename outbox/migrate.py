"""Install AiAccount Sync into NS16's database, upgrade it, and switch its triggers off and on.

Everything may run twice and while tills write: the tables come from Alembic; views, functions and triggers
are written only where they are not as this program has them; and a trigger waits 50 ms at most for its
table, again and again, so that no sale waits longer.
"""

import random
import time
from collections.abc import Callable
from functools import partial
from importlib.resources import as_file, files

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from outbox import roles
from outbox.errors import DatabaseError, InstallationError, UsageError
from outbox.inspection import SOURCES, VIEWS, Problem, check, functions, stored_mode, triggers, truth
from outbox.installation import connected, refuse_other
from outbox.statements import statements

__all__ = ["Problem", "administration", "check", "drop_triggers", "install"]

PATIENCE_SECONDS = 60.0
MODES = ("lenient", "strict")
_SQL = statements("outbox", "migrate.sql")
_CAPTURE = statements("outbox", "capture.sql")
_SNAPSHOTS = statements("outbox", "snapshots.sql")


def install(
    url: str,
    environment: str = "test",
    *,
    capture_mode: str | None = None,
    patience: float = PATIENCE_SECONDS,
) -> list[str]:
    """Bring a database to this program's state: tables, views, functions, triggers, name and cursor.

    Args:
        url: NS16's database, as a role that may create a schema there and triggers on NS16's tables.
        environment: The installation's name: lower-case letters, digits and hyphens.
        capture_mode: `lenient` (a failed capture is a WARNING) or `strict` (it fails the sale); None
            leaves it as it is, which is lenient at first.
        patience: How many seconds to try for a table that is never free for 50 ms.

    Returns:
        What was done, in sentences; empty where nothing was to do.

    Raises:
        UsageError: The mode or the name cannot be.
        InstallationError: It is another environment's database, a standby, or NS16's tables are not there.
        DatabaseError: The database cannot be reached, or a table was never free.
    """
    if capture_mode not in {None, *MODES}:
        raise UsageError(f"capture mode {capture_mode!r} is neither lenient nor strict")
    with connected(url) as conn:
        conn.execute(_SQL["lock_migrations"])
        _refuse_unfit(conn)
        first = not truth(conn, "is_installed")
        if not first and (row := conn.execute(_SQL["installed_environment"]).fetchone()):
            refuse_other(str(row[0]), environment)
        return [
            *roles.create(conn),
            *_upgrade_tables(conn, url),
            *_name(conn, environment),
            *_write_functions(conn),
            *_write_views(conn, patience),
            *roles.apply(conn, lambda table, act: _when_free(conn, table, patience, act)),
            *_write_triggers(conn, patience, capture_mode, first=first),
        ]


def administration(url: str) -> list[str]:
    """Return what an administrator must run in this database so that who migrates can set up the roles.

    Returns:
        SQL statements, in order; empty where all is well.

    Raises:
        DatabaseError: The database cannot be reached.
    """
    with connected(url) as conn:
        return roles.script(conn)


def drop_triggers(url: str, *, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Switch capture off: the way out for what no trigger can survive. `install` switches it on again.

    Returns:
        What was done, in sentences.

    Raises:
        DatabaseError: The database cannot be reached, or a table was never free.
    """
    done = []
    with connected(url) as conn:
        conn.execute(_SQL["lock_migrations"])
        for table in SOURCES:
            row = conn.execute(_SQL["drop_triggers"], {"table": table}).fetchone()
            if row and row[0]:
                _when_free(conn, table, patience, partial(conn.execute, row[0]))
                done.append(f"Dropped the triggers on {table}: its changes are not captured.")
    return done


def _refuse_unfit(conn: psycopg.Connection) -> None:
    if truth(conn, "is_standby"):
        raise InstallationError("the database is a standby: migrate its primary")
    missing = [str(row[0]) for row in conn.execute(_SQL["missing_sources"], {"tables": [*SOURCES]})]
    if missing:
        raise InstallationError(
            f"not NS16's database: its search path leads to no table {', '.join(missing)}"
        )


def _upgrade_tables(conn: psycopg.Connection, url: str) -> list[str]:
    before = _revision(conn)
    conn.execute(_SQL["create_schema"])
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with as_file(files("outbox.migrations")) as folder, engine.connect() as connection:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    after = _revision(conn)
    return [] if before == after else [f"Brought the tables to revision {after}."]


def _revision(conn: psycopg.Connection) -> str | None:
    try:
        row = conn.execute(_SQL["revision"]).fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    return str(row[0]) if row else None


def _name(conn: psycopg.Connection, environment: str) -> list[str]:
    done = []
    try:
        if conn.execute(_SQL["initialise"], {"environment": environment}).rowcount:
            done.append(f"Named the installation {environment}.")
    except psycopg.errors.CheckViolation as error:
        raise UsageError(
            f"environment {environment!r} must be lower-case letters, digits, hyphens"
        ) from error
    if conn.execute(_SQL["initialise_cursor"]).rowcount:
        done.append("Set the relay's cursor to now.")
    return done


def _write_functions(conn: psycopg.Connection) -> list[str]:
    wrong = {problem.subject for problem in functions(conn)}
    if not wrong:
        return []
    with conn.transaction():
        conn.execute(_SNAPSHOTS["utc"])
        conn.execute(_CAPTURE["functions"])
    return [f"Wrote {len(wrong)} functions."]


def _write_views(conn: psycopg.Connection, patience: float) -> list[str]:
    done = []
    for view in VIEWS:
        state = {"view": f"aiaccount.{view}", "text": _SNAPSHOTS[view]}
        there, ours, current = conn.execute(_SQL["view_state"], state).fetchone() or (False, False, False)
        if there and not ours:
            done.append(f"Left view aiaccount.{view} as it is: it was replaced by hand.")
        elif not current:

            def write(view: str = view, state: dict[str, str] = state) -> None:
                conn.execute(_SNAPSHOTS[view])
                conn.execute(_SQL["stamp"], state)

            _when_free(conn, f"aiaccount.{view}", patience, write)
            done.append(f"Wrote view aiaccount.{view}.")
    return done


def _write_triggers(
    conn: psycopg.Connection, patience: float, wanted_mode: str | None, *, first: bool
) -> list[str]:
    before = stored_mode(conn)
    mode = wanted_mode or before
    done = []
    for table in SOURCES:
        gaps = [*triggers(conn, table, before)]
        if mode == before and not gaps:
            continue

        def write(table: str = table, gaps: list[Problem] = gaps) -> None:
            conn.execute(_CAPTURE[table], {"mode": mode})
            if gaps and not first:
                detail = f"{'; '.join(map(str, gaps))}: put right, what changed meanwhile was not captured"
                conn.execute(_SQL["raise_alert"], {"kind": "capture_restored", "detail": detail})

        _when_free(conn, table, patience, write)
        done.append(f"Wrote the triggers on {table}.")
    if mode != before:
        conn.execute(_SQL["set_mode"], {"mode": mode})
        done.append(f"Set the capture mode to {mode}.")
    return done


def _when_free(conn: psycopg.Connection, table: str, patience: float, act: Callable[[], object]) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            with conn.transaction():
                conn.execute(_SQL["short_lock"])
                act()
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise DatabaseError(
                    f"table {table} was not free for 50 ms in {patience:g} s: end the long transaction on it"
                ) from error
            time.sleep(random.uniform(0.05, 0.3))  # noqa: S311 - it spreads the tries, no more
        else:
            return
