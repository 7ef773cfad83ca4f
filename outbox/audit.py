"""The record of who changed what: written beside the change, and by itself where the try failed.

Append-only, and the database guards that. A detail says what changed, never a secret: names of settings and
their values, versions, numbers of documents, how many.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, insert, select

from outbox.tables import audit


@dataclass(frozen=True)
class Deed:
    """What a person did, or tried to do.

    `action` is the command, such as `credentials set`; `tenant_id` is none where it is no one tenant's;
    `detail` holds plain values of JSON.
    """

    actor: str
    action: str
    tenant_id: int | None = None
    subject: str | None = None
    detail: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorded:
    """A deed as it stands in the record; `role` is the database role that it was done as."""

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    tenant_id: int | None
    subject: str | None
    detail: Mapping[str, object]
    succeeded: bool


def write(connection: Connection, deed: Deed, *, succeeded: bool = True) -> None:
    """Write a deed down, in the transaction of the change; a failed one in a transaction of its own."""
    connection.execute(insert(audit).values(**asdict(deed), succeeded=succeeded))


def read(
    connection: Connection, *, tenant_id: int | None = None, since: datetime | None = None, last: int = 100
) -> list[Recorded]:
    """Return what was done, the newest `last` of it, the oldest first.

    Args:
        connection: Whose transaction.
        tenant_id: Only what was done to this tenant; none for all.
        since: Only what was done from then on.
        last: How many at most.
    """
    found = select(audit).order_by(audit.c.id.desc()).limit(last)
    if tenant_id is not None:
        found = found.where(audit.c.tenant_id == tenant_id)
    if since is not None:
        found = found.where(audit.c.at >= since)
    return [Recorded(**row) for row in reversed(connection.execute(found).mappings().all())]


def subjects(connection: Connection, action: str) -> set[str]:
    """Return what an action was done to, with success."""
    found = select(audit.c.subject).where(audit.c.action == action, audit.c.succeeded)
    return {subject for subject in connection.scalars(found) if subject is not None}


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[object]]:
    """Return what differs between two states of the same thing, by name: as it was and as it is."""
    names = sorted(before.keys() | after.keys())
    return {
        name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)
    }
