"""Which row a number belongs to: by the number of the row itself, or by that of one of its documents."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from outbox.endpoints import Aggregate, Endpoint
from outbox.errors import UsageError
from outbox.statements import statements

KINDS = {Aggregate.POS_TRANSACTION: "sale", Aggregate.KOL_SETTLEMENT: "KOL settlement"}
_SQL = statements("console", "story.sql")
_SUFFIX = re.compile(r"-(?:[P-Z][0-9]+[A-WYZ]*X?|V1|A[1-9]X?)$")


@dataclass(frozen=True)
class Sight:
    """What the login may read beside the ledger."""

    rows: bool
    decisions: bool
    record: bool
    paces: bool
    outbox: bool


@dataclass(frozen=True)
class Numbered:
    """A row that a number belongs to.

    `tenant_id` is the blogger's id, a tenant or not; `status` is NS16's, none where the row cannot be seen or
    is gone; `owned` says whether the money is the blogger's own.
    """

    aggregate: Aggregate
    aggregate_id: int
    tenant_id: int
    number: str
    status: str | None
    owned: bool

    @property
    def table(self) -> str:
        """NS16's table."""
        return f"{self.aggregate}s"


def sight_of(connection: Connection) -> Sight:
    """Return what this login may read."""
    return Sight(**connection.exec_driver_sql(_SQL["sight"]).mappings().one())


def row_number(number: str) -> str:
    """Return the number of a document's row: without -R1, -V1, -P1X, -A1 and the like."""
    return _SUFFIX.sub("", number)


def find(
    connection: Connection, number: str, tenant_id: int | None, endpoint: Endpoint | None, sight: Sight
) -> Sequence[Numbered]:
    """Return the rows of one tenant that a number belongs to: one, or several where it passed to another.

    Raises:
        UsageError: There is none: it says where it looked. Or they are several tenants': it says whose.
    """
    base = row_number(number)
    ways = (
        *((("numbered", "in_ledger"), number), (("numbered",), base)),
        *((("numbered_anywhere",), number), (("numbered_anywhere",), base)),
    )
    for names, wanted in ways if sight.rows else ((("in_ledger",), number),):
        found: dict[tuple[str, int], Numbered] = {}
        for name in names:
            for row in numbered(connection, name, {"number": wanted, "numbers": [wanted]}):
                found.setdefault((row.aggregate, row.aggregate_id), row)
        if chosen := _meant(list(found.values()), tenant_id, endpoint):
            return _of_one(chosen, number)
    raise UsageError(_unknown(number, tenant_id, sight))


def numbered(connection: Connection, name: str, given: Mapping[str, object]) -> list[Numbered]:
    """Return the rows that a named statement gives."""
    rows = connection.exec_driver_sql(_SQL[name], {**given}).all()
    return [Numbered(Aggregate(kind), *rest) for kind, *rest in rows]


def _meant(found: Sequence[Numbered], tenant_id: int | None, endpoint: Endpoint | None) -> list[Numbered]:
    return [
        row
        for row in found
        if tenant_id in {None, row.tenant_id} and (endpoint is None or endpoint.aggregate is row.aggregate)
    ]


def _of_one(found: Sequence[Numbered], number: str) -> Sequence[Numbered]:
    """Return them if they are of one tenant and one kind.

    Raises:
        UsageError: They are not.
    """
    if len({row.tenant_id for row in found}) > 1:
        places = ", ".join(f"{row.tenant_id} (a {KINDS[row.aggregate]})" for row in found)
        raise UsageError(f"several tenants have {number}: {places}; give --tenant")
    if len({row.aggregate for row in found}) > 1:
        raise UsageError(
            f"{number} is a sale and a KOL settlement of tenant {found[0].tenant_id}: give --endpoint"
        )
    return found


def _unknown(number: str, tenant_id: int | None, sight: Sight) -> str:
    whose = "of any tenant" if tenant_id is None else f"of tenant {tenant_id}"
    if not sight.rows:
        return (
            f"the ledger has no document {number} {whose} that this login may read; "
            "of a row of which nothing was noted yet only the role aiaccount_admin is told"
        )
    base = row_number(number)
    numbers = number if base == number else f"{number} or {base}"
    return (
        f"there is no {numbers} {whose}: neither a document in the ledger nor a receipt_no of "
        "pos_transactions nor a settlement_no of kol_settlements"
    )
