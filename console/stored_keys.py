"""What is done with the keys that are stored: each tenant's in a transaction of its own."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from console.audited import failed, on_record
from console.connection import try_key
from console.session import transaction
from consumers.client import Company, Refused
from consumers.keyring import KeyRing
from consumers.secret import Secret
from consumers.vault import PURPOSE, Sealed, open_sealed, rotate
from outbox import audit, credentials, tenants
from outbox.audit import Deed
from outbox.credentials import StoredKey
from outbox.environment import Config
from outbox.errors import UsageError, VaultError


@dataclass(frozen=True)
class Tried:
    """What came of the test of one tenant's key; `code` is none where AiAccount accepted it."""

    tenant_id: int
    company_id: str | None
    scopes: tuple[str, ...]
    locked_until: str | None
    code: str | None
    reason: str | None


def connect(connection: Connection, tenant_id: int, company: Company, cutover: date | None) -> None:
    """Store the company that a test found, if the test was of the name that still holds."""
    tenant = tenants.get(connection, tenant_id)
    if tenant.company_name != company.name:
        raise UsageError(f"tenant {tenant_id}'s company was renamed meanwhile: test again")
    currency = company.home_currency or tenant.home_currency
    tenants.connect(connection, tenant_id, company.company_id, currency, cutover)


def chosen(config: Config, tenant_id: int | None, *, active: bool = True) -> list[int]:
    """Return the ids of the tenants whose keys are meant."""
    with transaction(config) as connection:
        standings = credentials.listed(connection)
    with_keys = [one for one in standings if one.version is not None]
    if tenant_id is None:
        return [one.tenant_id for one in with_keys if one.active or not active]
    if not any(one.tenant_id == tenant_id for one in with_keys):
        raise UsageError(f"tenant {tenant_id} has no key; enter it with `credentials set {tenant_id}`")
    return [tenant_id]


def test_key(config: Config, ring: KeyRing, tenant_id: int) -> Tried:
    """Open a tenant's key, test it with AiAccount, and note what came of it.

    Raises:
        ServiceError: PostgreSQL or AiAccount cannot be reached.
    """
    with on_record(config, "credentials test", tenant_id=tenant_id) as deed:
        with transaction(config) as connection:
            name = tenants.get(connection, tenant_id).company_name
            stored = credentials.find(connection, tenant_id)
        if stored is None:
            result = Tried(tenant_id, None, (), None, "NO_KEY", "its key was removed meanwhile")
        else:
            result = _tested(config, ring, name, stored, deed)
    if result.code is not None:
        failed(config, replace(deed, detail={"code": result.code, "reason": result.reason}))
    return result


def _tested(config: Config, ring: KeyRing, name: str, stored: StoredKey, deed: Deed) -> Tried:
    tenant_id = stored.tenant_id
    try:
        answer = try_key(config, opened(config, ring, stored), name)
    except VaultError as error:
        return Tried(tenant_id, None, (), None, "NOT_OPENED", str(error))
    if isinstance(answer, Refused):
        return Tried(tenant_id, None, (), None, answer.code, answer.reason)
    try:
        with transaction(config) as connection:
            connect(connection, tenant_id, answer, None)
            credentials.note_tested(connection, tenant_id, stored.version)
            detail = {"version": stored.version, "company_id": answer.company_id}
            audit.write(connection, replace(deed, detail=detail))
    except UsageError as error:
        return Tried(tenant_id, answer.company_id, answer.scopes, answer.locked_until, "COMPANY", str(error))
    return Tried(tenant_id, answer.company_id, answer.scopes, answer.locked_until, None, None)


def rotate_key(config: Config, ring: KeyRing, tenant_id: int) -> bool:
    """Seal a tenant's key anew where another master key sealed it; say whether."""
    with (
        on_record(config, "credentials rotate", tenant_id=tenant_id) as deed,
        transaction(config) as connection,
    ):
        stored = credentials.find(connection, tenant_id)
        if stored is None or stored.key_id == ring.sealing_id:
            return False
        version = credentials.reseal(connection, tenant_id, lambda old: _resealed(config, ring, old))
        detail = {"version": version, "sealed_by": [stored.key_id, ring.sealing_id]}
        audit.write(connection, replace(deed, detail=detail))
    return True


def opened(config: Config, ring: KeyRing, stored: StoredKey) -> Secret:
    """Open a stored key for the moment of a call.

    Raises:
        VaultError: It cannot be opened here.
    """
    environment = config.require_environment()
    return open_sealed(ring, environment, stored.tenant_id, PURPOSE, stored.version, _sealed(stored))


def _resealed(config: Config, ring: KeyRing, stored: StoredKey) -> Sealed:
    environment = config.require_environment()
    return rotate(ring, environment, stored.tenant_id, PURPOSE, stored.version, _sealed(stored))


def _sealed(stored: StoredKey) -> Sealed:
    return Sealed(stored.key_id, stored.nonce, stored.ciphertext)
