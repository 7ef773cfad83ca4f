"""What people decided about rows in conflict: written once, and read by every delivery of the row since."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from outbox.endpoints import Aggregate
from outbox.statements import statements

Kind = Literal["reissue", "reverse", "accept"]
_SQL = statements("outbox", "decisions.sql")


@dataclass(frozen=True)
class Place:
    """Which row of which company's books."""

    company_id: str
    tenant_id: int
    aggregate_type: Aggregate
    aggregate_id: int


@dataclass(frozen=True)
class Choice:
    """A decision to be made: about the document that was shown, and the issue that begins or is accepted."""

    number: str
    kind: Kind
    issue: int
    decided_by: str
    note: str | None = None


@dataclass(frozen=True)
class Made:
    """A decision that was made; `holds` says whether the row still says what it said then."""

    kind: Kind
    issue: int
    decided_at: datetime
    decided_by: str
    number: str
    of_original: bool
    holds: bool


def lock(connection: Connection, place: Place) -> None:
    """Lock the row's tasks: no delivery of it records or is claimed until the transaction ends."""
    _run(connection, "lock_tasks", place)


def made(connection: Connection, place: Place, original_id: int | None = None) -> Sequence[Made]:
    """Return what was decided about a row, and about the sale that it refunds, in order."""
    rows = connection.exec_driver_sql(_SQL["made"], {**asdict(place), "original_id": original_id})
    return [Made(**row) for row in rows.mappings()]


def decide(connection: Connection, place: Place, choice: Choice) -> None:
    """Write a decision down with the row as it is now, and make the row's tasks due.

    Args:
        connection: In a transaction that holds the row's lock.
        place: Which row.
        choice: What was decided.
    """
    _run(connection, "decide", place, **asdict(choice))
    if choice.kind == "accept":
        _run(connection, "look_again", place, number=choice.number)
    else:
        _run(connection, "give_up_numbers", place)
    _run(connection, "make_due", place)


def _run(connection: Connection, name: str, place: Place, **more: object) -> None:
    connection.exec_driver_sql(_SQL[name], {**asdict(place), **more})
