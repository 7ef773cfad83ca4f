"""Where tenants' sealed API keys are kept: set, replaced, sealed anew, listed, and never read by people.

Sealing is the vault's; this module gives it the row's next version, which is bound into the seal, and holds
the row's lock meanwhile, so that no two keys ever share a version.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, ScalarResult, Update, func, select, update
from sqlalchemy.dialects.postgresql import insert

from outbox.errors import UsageError
from outbox.tables import credentials, stops, tenants
from outbox.wake import forgive

PURPOSE = "aiaccount"


class SealedKey(Protocol):
    """What the vault makes of a key."""

    @property
    def key_id(self) -> str:
        """Which master key sealed it."""

    @property
    def nonce(self) -> bytes:
        """The nonce, 12 bytes."""

    @property
    def ciphertext(self) -> bytes:
        """The ciphertext with its tag."""


@dataclass(frozen=True)
class StoredKey:
    """A tenant's key as it is stored: sealed."""

    tenant_id: int
    version: int
    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)
    set_by: str
    set_at: datetime
    tested_at: datetime | None


@dataclass(frozen=True)
class Standing:
    """What people may know of a tenant's key; `version` and what follows is none where there is no key.

    `stopped` names the codes for which the tenant, or an endpoint of it, is not called.
    """

    tenant_id: int
    company_name: str
    company_id: str | None
    active: bool
    version: int | None
    key_id: str | None
    set_by: str | None
    set_at: datetime | None
    tested_at: datetime | None
    stopped: tuple[str, ...]


def store(
    connection: Connection, tenant_id: int, seal: Callable[[int], SealedKey], set_by: str, *, tested: bool
) -> int:
    """Store a tenant's key, in place of the one before it, and wake what waited for it.

    The settings' version rises with it: by that a first delivery under way, of no tenant yet, looks again.

    Args:
        connection: In a transaction.
        tenant_id: Whose key.
        seal: Seals the key for the row version that it is given.
        set_by: Who enters it.
        tested: Whether AiAccount accepted it just now.

    Returns:
        The row's new version.

    Raises:
        UsageError: There is no such tenant.
    """
    lock = select(tenants.c.tenant_id).where(tenants.c.tenant_id == tenant_id).with_for_update()
    if connection.execute(lock).one_or_none() is None:
        raise UsageError(f"there is no tenant {tenant_id}; add it with `tenants add`")
    known = select(credentials.c.version).where(
        credentials.c.tenant_id == tenant_id, credentials.c.purpose == PURPOSE
    )
    version = (connection.scalar(known) or 0) + 1
    sealed = seal(version)
    values = {
        "version": version,
        "key_id": sealed.key_id,
        "nonce": sealed.nonce,
        "ciphertext": sealed.ciphertext,
        "set_by": set_by,
        "set_at": func.clock_timestamp(),
        "tested_at": func.clock_timestamp() if tested else None,
    }
    row = insert(credentials).values(tenant_id=tenant_id, purpose=PURPOSE, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["tenant_id", "purpose"], set_=values))
    forgive(connection, tenant_id)
    return version


def reseal(connection: Connection, tenant_id: int, seal: Callable[[StoredKey], SealedKey]) -> int:
    """Seal a tenant's key anew, for the version after its own; the key stays the same.

    Returns:
        The row's new version.

    Raises:
        UsageError: The tenant has no key.
    """
    old = find(connection, tenant_id, lock=True)
    if old is None:
        raise UsageError(f"tenant {tenant_id} has no key; enter it with `credentials set`")
    sealed = seal(old)
    values = {"key_id": sealed.key_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
    connection.execute(_of(tenant_id).values(version=old.version + 1, **values))
    # What stopped the tenant was learnt with this same key, so it goes on under the key's new version.
    same = update(stops).where(stops.c.tenant_id == tenant_id, stops.c.key_version == old.version)
    connection.execute(same.values(key_version=old.version + 1))
    return old.version + 1


def note_tested(connection: Connection, tenant_id: int, version: int) -> bool:
    """Note that AiAccount accepted the key of this version now, and let a stopped tenant go on.

    Returns:
        Whether it is still the key.
    """
    changed = connection.execute(
        _of(tenant_id)
        .where(credentials.c.version == version)
        .values(tested_at=func.clock_timestamp())
        .returning(credentials.c.version)
    ).one_or_none()
    if changed is None:
        return False
    stopped = select(stops.c.tenant_id).where(stops.c.tenant_id == tenant_id).limit(1)
    if connection.execute(stopped).one_or_none() is None:
        return True
    forgive(connection, tenant_id)
    return True


def find(connection: Connection, tenant_id: int, *, lock: bool = False) -> StoredKey | None:
    """Return a tenant's key as it is stored, or none."""
    row = select(*(credentials.c[name] for name in StoredKey.__dataclass_fields__)).where(
        credentials.c.tenant_id == tenant_id, credentials.c.purpose == PURPOSE
    )
    found = connection.execute(row.with_for_update() if lock else row).one_or_none()
    return None if found is None else StoredKey(**found._mapping)  # noqa: SLF001 - its public name


def tenants_with_keys(connection: Connection) -> ScalarResult[int]:
    """Return the ids of the tenants that have a key, in order."""
    having = select(credentials.c.tenant_id).where(credentials.c.purpose == PURPOSE)
    return connection.scalars(having.order_by(credentials.c.tenant_id))


def listed(connection: Connection) -> list[Standing]:
    """Return what people may know of every tenant's key, by tenant."""
    reasons = (
        select(func.array_agg(stops.c.code.distinct()))
        .where(stops.c.tenant_id == tenants.c.tenant_id)
        .scalar_subquery()
    )
    key = (credentials.c.tenant_id == tenants.c.tenant_id) & (credentials.c.purpose == PURPOSE)
    rows = connection.execute(
        select(
            tenants.c.tenant_id,
            tenants.c.company_name,
            tenants.c.company_id,
            tenants.c.active,
            credentials.c.version,
            credentials.c.key_id,
            credentials.c.set_by,
            credentials.c.set_at,
            credentials.c.tested_at,
            reasons.label("stopped"),
        )
        .select_from(tenants.outerjoin(credentials, key))
        .order_by(tenants.c.tenant_id)
    )
    return [Standing(**{**row._mapping, "stopped": tuple(row.stopped or ())}) for row in rows]  # noqa: SLF001 - its public name


def _of(tenant_id: int) -> Update:
    return update(credentials).where(credentials.c.tenant_id == tenant_id, credentials.c.purpose == PURPOSE)
