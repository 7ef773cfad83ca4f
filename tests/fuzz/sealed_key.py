"""Sealed keys: one opens in its own place as it was sealed and nowhere else, and no error shows it."""

import traceback

from consumers.keyring import parse_key_ring
from consumers.vault import PURPOSE, Sealed, open_sealed, seal
from outbox.errors import VaultError
from tests.fuzz.mutation import SEPARATOR

KEY = "canary-4f1e9c7a2b"
_RING = parse_key_ring(f"k1:{'A' * 43}=,k2:{'B' * 42}A=", "the test")
_SEALED = seal(_RING, "test", 7, PURPOSE, 3, KEY)
_FIELDS = (b"test", b"7", PURPOSE.encode(), b"3", b"k1")
_WHOLE = SEPARATOR.join((*_FIELDS, _SEALED.nonce.hex().encode(), _SEALED.ciphertext.hex().encode()))
SEEDS = [
    _WHOLE,
    *(_WHOLE.replace(old, new, 1) for old, new in ((b"k1", b"k2"), (b"test", b"prod"), (b"7", b"8"))),
]


def check(data: bytes) -> None:
    """Open what the parts name: environment, tenant, purpose, version, key id, nonce, ciphertext."""
    parts = [*data.split(SEPARATOR, 6), *[b""] * 7][:7]
    environment, purpose, key_id = (parts[n].decode("utf-8", "replace") for n in (0, 2, 4))
    tenant, version = _number(parts[1]), _number(parts[3])
    sealed = Sealed(key_id, _bytes(parts[5]), _bytes(parts[6]))
    place = (environment, tenant, purpose, version)
    try:
        opened = open_sealed(_RING, *place, sealed)
    except VaultError as error:
        assert place != ("test", 7, PURPOSE, 3) or sealed != _SEALED, "its own place opens it"
        told = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert KEY not in told
        return
    assert opened.reveal() == KEY
    assert (place, sealed) == (("test", 7, PURPOSE, 3), _SEALED), "only its own place opens it"
    assert KEY not in repr((opened, sealed))


def _number(text: bytes) -> int:
    """Read a number as the database would hand it over: never a text that only looks like one."""
    return int(text) if text.isdigit() and len(text) < 19 and text == b"%d" % int(text) else -1


def _bytes(text: bytes) -> bytes:
    try:
        return bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return text
