"""Compare the source tables, the ledger and the book, in temporary tables of one transaction."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg

from deploy.checker import canaries as keys
from deploy.checker.statements import statement
from deploy.checker.verdict import Finding, Kind, Verdict

STEPS = (
    ("book.sql", "read_lines"),
    ("decisions.sql", "read_decisions"),
    ("rows.sql", "read_rows"),
    ("sales.sql", "expect_sales"),
    ("settlements.sql", "expect_settlements"),
    ("observed.sql", "observe"),
    ("decisions.sql", "find_retired"),
    ("misdirected.sql", "find_misdirected"),
    ("doubled.sql", "find_doubled"),
    ("reordered.sql", "find_reordered"),
    ("wrong.sql", "find_wrong"),
    ("wrong.sql", "find_unsaid"),
    ("lost.sql", "find_lost"),
    ("lost.sql", "find_unknown"),
)


def check(
    database_url: str,
    book_path: str | Path,
    *,
    canaries: Iterable[str] = (),
    texts: Iterable[str | Path] = (),
) -> Verdict:
    """Judge what stands in the books.

    Everything is read as it was at one moment and nothing is written. Call it when nothing moves any
    more: after a drain.

    Args:
        database_url: The database with NS16's tables and schema `aiaccount`; libpq's form.
        book_path: The sandbox's book, JSON Lines. A last line without its end is left alone.
        canaries: API keys in clear, looked for in the book, the tables and `texts`.
        texts: More places to look for keys: strings as they are, paths as files or directories.

    Raises:
        psycopg.Error: the database cannot be read, or the book is not JSON Lines.
        OSError: the book or a file cannot be read.
    """
    named = keys.forms(canaries)
    book = Path(book_path)
    with psycopg.connect(database_url, autocommit=False) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        _settle(connection)
        connection.execute(statement("book.sql", "create_lines"))
        with connection.cursor() as cursor, cursor.copy(statement("book.sql", "copy_lines")) as copy:
            for piece in _whole_lines(book):
                copy.write(piece)
        for file, name in STEPS:
            connection.execute(statement(file, name))
        secrets = [
            *keys.search("the book", keys.read(book), named),
            *keys.in_tables(connection, named),
            *keys.in_texts(texts, named),
        ]
        verdict = _read(connection, secrets)
        connection.rollback()
    return verdict


def _settle(connection: psycopg.Connection) -> None:
    for setting in ("set local work_mem = '128MB'", "set local jit = off", "set local timezone = 'UTC'"):
        connection.execute(setting)
    connection.execute("set local datestyle = 'ISO'")


def _whole_lines(path: Path) -> Iterator[bytes]:
    rest = b""
    for piece in keys.read(path):
        whole, end, rest = (rest + piece).rpartition(b"\n")
        yield whole + end


def _read(connection: psycopg.Connection, secrets: list[Finding]) -> Verdict:
    found = connection.execute(statement("summary.sql", "findings")).fetchall()
    documents: dict[str, dict[str, int]] = {}
    for endpoint, state, count in connection.execute(statement("summary.sql", "documents")):
        documents.setdefault(endpoint, {})[state] = count
    reasons = connection.execute(statement("summary.sql", "reasons")).fetchall()
    counted = connection.execute(statement("summary.sql", "pending")).fetchone()
    assert counted is not None  # noqa: S101 - an aggregate gives one row
    notes = connection.execute(statement("summary.sql", "notes")).fetchall()
    order = list(Kind)
    findings = [Finding(Kind(kind), number, detail) for kind, _, number, detail in found]
    return Verdict(
        findings=tuple(sorted([*findings, *secrets], key=lambda finding: order.index(finding.kind))),
        pending=counted[0],
        held=counted[1],
        documents=documents,
        reasons=dict(reasons),
        notes=tuple(note for (note,) in notes),
    )
