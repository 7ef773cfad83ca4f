"""Ways in which changes slip past the triggers, on an installation that runs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from outbox.endpoints import Aggregate
from outbox.reconcile import FIRST_ID, Scope, open_reconciliation, read_page
from tests.faults.field import Field

SOURCES = ("pos_transactions", "pos_transaction_items", "kol_settlements")
Slip = Callable[[Field], AbstractContextManager[None]]


def run(field: Field, *texts: str) -> None:
    """Run statements in one transaction."""
    with psycopg.connect(field.database_url) as connection:
        for text in texts:
            connection.execute(text)


@contextmanager
def disabled(field: Field) -> Iterator[None]:
    """Switch our triggers off and on, as for a bulk change."""
    run(field, *(f"alter table {table} disable trigger user" for table in SOURCES))
    yield
    run(field, *(f"alter table {table} enable trigger user" for table in SOURCES))


@contextmanager
def replica(field: Field) -> Iterator[None]:
    """Let everybody write as a replica does: no trigger fires."""
    run(field, _named(field, "alter database {} set session_replication_role = replica"))
    yield
    run(field, _named(field, "alter database {} reset session_replication_role"))


@contextmanager
def failing(field: Field) -> Iterator[None]:
    """Let every capture fail: the sale stands, with a warning and an alert."""
    run(field, "alter function aiaccount.record_changes rename to elsewhere")
    yield
    run(field, "alter function aiaccount.elsewhere rename to record_changes")


@contextmanager
def dropped(field: Field) -> Iterator[None]:
    """Drop our triggers; `migrate` finds it and puts them back, with an alert."""
    run(field, *(f"drop trigger aiaccount_{event} on {table}" for table in SOURCES for event in _EVENTS))
    yield
    field.installation.run("migrate", "--no-topics")


@contextmanager
def truncated(field: Field) -> Iterator[None]:
    """Load the tables anew from a copy that has more rows, as a restore by hand does: TRUNCATE, then COPY."""
    with disabled(field):
        yield
    run(
        field,
        *(f"create temp table copy_of_{table} as table {table}" for table in SOURCES),
        f"truncate {', '.join(SOURCES)}",
        "set local session_replication_role = replica",
        *(f"insert into {table} overriding system value table copy_of_{table}" for table in SOURCES),
    )


def all_handled(field: Field) -> bool:
    """Tell whether every aggregate was handled as it stands."""
    with open_reconciliation(field.database_url) as session:
        for aggregate in Aggregate:
            after: int | None = FIRST_ID
            while after is not None:
                page = read_page(session, aggregate, after, Scope(grace=0))
                if page.standings:
                    return False
                after = page.ends
    return True


_EVENTS = ("insert", "update", "delete", "truncate")


def _named(field: Field, text: str) -> str:
    return text.format(field.database_url.rpartition("/")[2])
