"""The ring of master keys that seal tenants' API keys.

The first key of the ring seals, every key opens: a new master key is put in front, `credentials rotate` seals
everything again under it, and then the old one is taken away. The ring comes from exactly one place: a file,
the environment or a command such as a password store's, and no message or repr ever shows a byte of it.
"""

import base64
import binascii
import re
import secrets
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from outbox.environment import Config
from outbox.errors import UsageError, VaultError

KEY_BYTES = 32
COMMAND_SECONDS = 30
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_SOURCES = (
    "AIACCOUNT_SYNC_MASTER_KEYS_FILE (a file), AIACCOUNT_SYNC_MASTER_KEYS (the keys themselves) "
    "or AIACCOUNT_SYNC_MASTER_KEYS_COMMAND (a command that prints them)"
)


@dataclass(frozen=True)
class KeyRing:
    """Hold master keys of 32 bytes by their ids; the one named `sealing_id` seals."""

    sealing_id: str
    _keys: Mapping[str, bytes] = field(repr=False)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The ids of its keys, the sealing one first."""
        return tuple(self._keys)

    def key(self, key_id: str) -> bytes:
        """Return the 32 bytes of a key.

        Raises:
            VaultError: The ring has no such key; the message names those that it has.
        """
        try:
            return self._keys[key_id]
        except KeyError:
            known = ", ".join(self._keys)
            raise VaultError(f"no master key {key_id!r} in the key ring, which has {known}") from None

    def __reduce__(self) -> str:
        raise TypeError("a key ring is never pickled or copied")


def parse_key_ring(text: str, source: str) -> KeyRing:
    """Read a ring from text: entries `id:base64`, one a line or with commas between; `#` starts a comment.

    Args:
        text: The keys, each of 32 bytes in base64.
        source: What to call the text's origin in a message.

    Raises:
        UsageError: The text is not that; the message counts to the wrong entry and never quotes it.
    """
    keys: dict[str, bytes] = {}
    lines = (line.partition("#")[0] for line in text.splitlines())
    entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
    for number, entry in enumerate(entries, 1):
        key_id, key = _entry(entry, f"entry {number} of the master keys in {source}")
        if key_id in keys:
            raise UsageError(f"two master keys in {source} have the id {key_id!r}")
        keys[key_id] = key
    if not keys:
        raise UsageError(f"{source} holds no master key; `aiaccount-sync credentials master-key` makes one")
    return KeyRing(next(iter(keys)), MappingProxyType(keys))


def read_key_ring(config: Config) -> KeyRing:
    """Read the ring from the one source that the configuration names.

    Raises:
        UsageError: No source is named or more than one, or what it gives is not a ring.
        VaultError: The file cannot be read, or the command failed.
    """
    sources = (config.master_keys_file, config.master_keys, config.master_keys_command)
    given = sum(source is not None for source in sources)
    if given != 1:
        amount = "none is" if given == 0 else f"{given} are"
        raise UsageError(f"the master keys come from exactly one of {_SOURCES}; {amount} set")
    if config.master_keys_file is not None:
        return parse_key_ring(_file(config.master_keys_file), f"the file {config.master_keys_file}")
    if config.master_keys_command is not None:
        return parse_key_ring(_command(config.master_keys_command), "the master key command's output")
    return parse_key_ring(config.master_keys or "", "AIACCOUNT_SYNC_MASTER_KEYS")


def new_master_key(key_id: str) -> str:
    """Make a new random master key, as the text `id:base64` that a person stores.

    Raises:
        UsageError: The id is not one.
    """
    return f"{_checked_id(key_id, 'the id')}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


def _entry(entry: str, where: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon:
        raise UsageError(f"{where} is not of the form id:base64")
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        raise UsageError(f"{where} is not base64 after its colon") from None
    if len(key) != KEY_BYTES:
        raise UsageError(f"{where} has {len(key)} bytes and not {KEY_BYTES}")
    return _checked_id(key_id.strip(), f"the id of {where}", quote=False), key


def _checked_id(key_id: str, where: str, *, quote: bool = True) -> str:
    if not _ID.fullmatch(key_id):
        shown = f" {key_id!r}" if quote else ""
        raise UsageError(f"{where}{shown} is not 1 to 40 letters, digits, dots, dashes and underscores")
    return key_id


def _file(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise VaultError(f"the master key file {path} cannot be read: {why}") from None


def _command(command: str) -> str:
    try:
        arguments = shlex.split(command)
        done = subprocess.run(  # noqa: S603 - the operator's own command, without a shell
            arguments, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
        )
    except ValueError:
        raise UsageError("AIACCOUNT_SYNC_MASTER_KEYS_COMMAND has a quote that is not closed") from None
    except IndexError:
        raise UsageError("AIACCOUNT_SYNC_MASTER_KEYS_COMMAND is empty") from None
    except subprocess.TimeoutExpired:
        raise VaultError(f"the master key command gave nothing for {COMMAND_SECONDS} seconds") from None
    except OSError as error:
        raise VaultError(f"the master key command cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        raise VaultError(f"the master key command failed with exit status {done.returncode}")
    return done.stdout
