"""The database in memory as its statements see it: the tables, the source rows and one clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.stateful.rows import Row, Rows
from tests.stateful.tables import DocumentKey, Key, Tables, Task

Given = Mapping[str, Any]


@dataclass
class Database:
    """`now` gives the database's clock, in seconds since 1970."""

    tables: Tables
    rows: Rows
    now: Callable[[], float]

    def task(self, row: Row) -> Task:
        """Return the task that a row names."""
        return self.tables.tasks[key_of(row)]

    def holds(self, row: Row) -> bool:
        """Say whether the row's token holds its task."""
        task = self.tables.tasks.get(key_of(row))
        return task is not None and task.token is not None and task.token == row["token"]

    def after(self, seconds: float | None) -> float | None:
        """Return the moment in so many seconds; None for none."""
        return None if seconds is None else self.now() + seconds

    def look_again(self, wanted: Iterable[Task], **changes: Any) -> None:
        """Make tasks due now, or have whoever is at one look again; create what is missing."""
        now = self.now()
        for task in wanted:
            known = self.tables.tasks.get(task.key)
            if known is None:
                self.tables.put_task(task, due_at=now)
            elif known.token is not None:
                self.tables.put_task(known, again=True, **changes)
            else:
                due_at = now if known.due_at is None else min(known.due_at, now)
                self.tables.put_task(known, due_at=due_at, **changes)


def key_of(row: Row) -> Key:
    """Return the key of the task that a row names."""
    return row["endpoint"], row["aggregate_id"]


def document_key(row: Row) -> DocumentKey:
    """Return the key of the document that a row names."""
    return row["company_id"], row["endpoint"], row["aggregate_id"], row["number"]


def since(moment: float | None, now: float) -> float | None:
    """Return the age of a moment; None of none."""
    return None if moment is None else now - moment
