"""The roles of the database: what the relay, the consumers and each person may do, and no more.

The roles are the cluster's and have no login; an operator makes logins and grants each one of them. Who owns
what, who may do what, and which rows a reader sees stands in `roles.sql` and is put right at every `migrate`:
a migration that adds a table adds its lines there.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import psycopg

from outbox.statements import statements

NAMES = ("owner", "capture", "relay", "consumer", "admin", "keys", "reader")
ROLES = tuple(f"aiaccount_{name}" for name in NAMES)
_SQL = statements("outbox", "roles.sql")
_MENDABLE = ("differences", "owners", "policies")
"""Privileges come first, so that what gets a new owner goes on working."""
_ROUNDS = 2
"""Taking a privilege on a table takes those on its columns too: the second round gives them back."""
_SCRIPT = "an administrator runs what `aiaccount-sync migrate --print-roles` prints, then migrate again"

WhenFree = Callable[[str, Callable[[], object]], None]
"""Run something that needs the named table to itself, so that no till waits for long."""


def create(conn: psycopg.Connection) -> list[str]:
    """Make the roles that are missing, where who migrates may.

    Returns:
        What was done, or what an administrator must do, in sentences.
    """
    needed = _lacking(conn)
    for statement in needed:
        try:
            conn.execute(statement)
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass  # another installation of this cluster made it just now
        except psycopg.errors.InsufficientPrivilege:
            return [f"Left the roles alone, for {_migrating(conn)} may not make them: {_SCRIPT}."]
    conn.execute(_SQL["schema"])
    return ["Made the roles."] if needed else []


def apply(conn: psycopg.Connection, when_free: WhenFree) -> list[str]:
    """Put privileges, owners and policies right; nothing is done before the roles are there.

    Args:
        conn: In autocommit, as who migrates.
        when_free: Runs what locks a table.

    Returns:
        What was done, and what is left for an administrator, in sentences.
    """
    if _lacking(conn):
        return []
    wrong = left = _mending(conn)
    for _ in range(_ROUNDS):
        for subject, statement in left:
            with suppress(psycopg.errors.InsufficientPrivilege):
                when_free(subject.removeprefix("table "), partial(conn.execute, statement))
        left = _mending(conn) if left else []  # a GRANT by who may not is a warning, no error
    done = len(wrong) - len(left)
    said = [f"Put {done} privileges, owners and policies right."] if done else []
    if left:
        said.append(f"{_migrating(conn)} may not put {len(left)} more right: {_SCRIPT}.")
    return said


def script(conn: psycopg.Connection) -> list[str]:
    """Return what an administrator must run for who is connected, in order; empty where all is well."""
    return _lacking(conn) or [statement for _, statement in _mending(conn)]


def problems(conn: psycopg.Connection) -> Iterator[tuple[str, str]]:
    """Name whom or what, and how it is wrong: roles, privileges, owners, policies, what is read of NS16."""
    lines = _lines(conn)
    missing = sorted({*ROLES} - {str(row[0]) for row in conn.execute(_SQL["there"], lines)})
    if missing:
        yield "roles", f"{', '.join(missing)} are missing: {_SCRIPT}"
        return
    if any(row[0] == "schema aiaccount" for row in conn.execute(_SQL["owners"], lines)):
        yield "roles", f"are not set up in this database: migrate does it, or {_SCRIPT}"
        return
    for name in (*_MENDABLE, "unlisted", "unreadable", "beyond"):
        for subject, sentence, *_ in conn.execute(_SQL[name], lines):
            yield str(subject), str(sentence)


def _mending(conn: psycopg.Connection) -> list[tuple[str, str]]:
    lines = _lines(conn)
    found = [row for name in _MENDABLE for row in conn.execute(_SQL[name], lines)]
    return [(str(subject), str(statement)) for subject, _, statement in found]


def _lines(conn: psycopg.Connection) -> dict[str, object]:
    granted = [
        dict(zip(("role", "object", "privileges"), row, strict=True)) for row in conn.execute(_SQL["granted"])
    ]
    seen = [dict(zip(("object", "rows"), row, strict=True)) for row in conn.execute(_SQL["seen"])]
    return {"granted": json.dumps(granted), "seen": json.dumps(seen), "roles": [*ROLES]}


def _lacking(conn: psycopg.Connection) -> list[str]:
    return [str(row[0]) for row in conn.execute(_SQL["lacking"], {"roles": [*ROLES]})]


def _migrating(conn: psycopg.Connection) -> str:
    row = conn.execute(_SQL["migrating"]).fetchone()
    return str(row and row[0])
