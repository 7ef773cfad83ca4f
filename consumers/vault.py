"""The vault: API keys sealed with AES-256-GCM, each to its own place.

A sealed key opens only in the environment, for the tenant and purpose and in the row version that it was
sealed for: these are the associated data, each field with its length before it, so that no two places give
the same bytes. Whatever is wrong, the error says only that the key could not be opened where it stands.
"""

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consumers.keyring import KeyRing
from consumers.secret import Secret
from outbox.errors import VaultError

__all__ = ["PURPOSE", "Sealed", "Secret", "open_sealed", "rotate", "seal"]

PURPOSE = "aiaccount"
NONCE_BYTES = 12
_FORMAT = "aiaccount-sync seal 1"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text as the database stores it: which master key, the nonce, the ciphertext with its tag."""

    key_id: str
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


def seal(  # noqa: PLR0913, PLR0917 - the place is said in full, as it is bound
    ring: KeyRing, environment: str, tenant_id: int, purpose: str, version: int, secret: str
) -> Sealed:
    """Seal a text under the ring's first key, with a fresh random nonce of 96 bits.

    Args:
        ring: The master keys.
        environment: The installation's name.
        tenant_id: Whose it is.
        purpose: What it is for, such as `PURPOSE`.
        version: The row's version, from 1.
        secret: The text.

    Raises:
        VaultError: The text is empty.
    """
    if not secret:
        raise VaultError(f"{_place(environment, tenant_id, purpose, version)} is empty: nothing to seal")
    nonce = secrets.token_bytes(NONCE_BYTES)
    bound = _associated_data(environment, tenant_id, purpose, version, ring.sealing_id)
    ciphertext = AESGCM(ring.key(ring.sealing_id)).encrypt(nonce, secret.encode("utf-8"), bound)
    return Sealed(ring.sealing_id, nonce, ciphertext)


def open_sealed(  # noqa: PLR0913, PLR0917 - the same
    ring: KeyRing, environment: str, tenant_id: int, purpose: str, version: int, sealed: Sealed
) -> Secret:
    """Open a sealed text in the place that it was sealed for; arguments as for `seal`.

    Raises:
        VaultError: The ring lacks its master key, or anything of it or of its place is not as it was sealed.
    """
    cipher = AESGCM(ring.key(sealed.key_id))
    bound = _associated_data(environment, tenant_id, purpose, version, sealed.key_id)
    try:
        if len(sealed.nonce) == NONCE_BYTES:
            return Secret(cipher.decrypt(sealed.nonce, sealed.ciphertext, bound).decode("utf-8"))
    except (InvalidTag, ValueError):
        pass  # said below, outside the block, so that no context hangs on the error
    place = _place(environment, tenant_id, purpose, version)
    raise VaultError(
        f"{place} does not open under the master key {sealed.key_id!r}: it is not what was sealed"
    )


def rotate(  # noqa: PLR0913, PLR0917 - the same
    ring: KeyRing, environment: str, tenant_id: int, purpose: str, version: int, sealed: Sealed
) -> Sealed:
    """Seal again under the ring's first key, for the row version after `version`.

    Raises:
        VaultError: It does not open where it stands.
    """
    secret = open_sealed(ring, environment, tenant_id, purpose, version, sealed)
    return seal(ring, environment, tenant_id, purpose, version + 1, secret.reveal())


def _place(environment: str, tenant_id: int, purpose: str, version: int) -> str:
    return f"the {purpose} key of tenant {tenant_id} (version {version}, environment {environment!r})"


def _associated_data(environment: str, tenant_id: int, purpose: str, version: int, key_id: str) -> bytes:
    fields = (_FORMAT, environment, str(tenant_id), purpose, str(version), key_id)
    encoded = (text.encode("utf-8", "surrogatepass") for text in fields)
    return b"".join(len(part).to_bytes(4) + part for part in encoded)
