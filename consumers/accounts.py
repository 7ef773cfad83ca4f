"""Each tenant's settings and key as a delivery needs them: read once for each version, opened for each call.

A delivery reads which versions hold; what belongs to a version never changes, so it is kept. Keys are kept
sealed: they are opened for the moment of a call.
"""

import json
from dataclasses import dataclass

from consumers.keyring import KeyRing
from consumers.steps import Steps
from consumers.vault import PURPOSE, Sealed, Secret, open_sealed
from consumers.view import TenantVersion
from mappers import Settings
from outbox.errors import VaultError

_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant's settings and sealed key, of the versions named."""

    tenant_id: int
    settings_version: int
    settings: Settings
    key_version: int | None
    sealed: Sealed | None


class Accounts:
    """Give the account of a tenant version, and open its key."""

    def __init__(self, steps: Steps, ring: KeyRing, environment: str) -> None:
        self._steps = steps
        self._ring = ring
        self._environment = environment
        self._kept: dict[int, Account] = {}

    async def account(self, tenant: TenantVersion) -> Account:
        """Return the account of exactly these versions, or of newer ones if they changed meanwhile.

        Raises:
            ValueError: The settings cannot be read; the sentence names the field.
        """
        kept = self._kept.get(tenant.tenant_id)
        if kept is not None and (kept.settings_version, kept.key_version) == (
            tenant.settings_version,
            tenant.key_version,
        ):
            return kept
        row = await self._steps.tenants.ask(tenant.tenant_id)
        if row is None:
            raise ValueError(f"tenant {tenant.tenant_id} is gone")
        sealed = None
        if row["key_version"] is not None:
            sealed = Sealed(row["key_id"], bytes(row["nonce"]), bytes(row["ciphertext"]))
        account = Account(
            tenant_id=tenant.tenant_id,
            settings_version=row["settings_version"],
            settings=Settings.from_json(json.loads(row["settings"])),
            key_version=row["key_version"],
            sealed=sealed,
        )
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[tenant.tenant_id] = account
        return account

    def open(self, account: Account) -> Secret:
        """Open the account's key for a call.

        Raises:
            VaultError: There is none, or it cannot be opened here.
        """
        if account.sealed is None or account.key_version is None:
            raise VaultError(f"tenant {account.tenant_id} has no API key")
        return open_sealed(
            self._ring, self._environment, account.tenant_id, PURPOSE, account.key_version, account.sealed
        )
