"""The master key: the one secret that the operator keeps, in a file, in the environment or in a KMS."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import uuid
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, runtime_checkable

from mien.errors import KeyMissing, KeyWrong, SettingsError, StoreCorrupt
from mien.gallery.vault.sealing import KEY_BYTES, Seal, new_key
from mien.packs.disk import sync_folder

# Packages that speak to a key management service name a factory of `MasterKey` here.
KMS_GROUP = "mien.kms"


@runtime_checkable
class MasterKey(Protocol):
    """What wraps the one key of a store that wraps all others; a KMS may do it out of our sight."""

    @property
    def id(self) -> str:
        """Tells keys apart in messages; says nothing about the key."""
        ...

    def wrap(self, key: bytes, context: str) -> bytes:
        """Encrypt a key of 32 bytes."""
        ...

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """Decrypt a key. Raises KeyWrong."""
        ...


class LocalKey:
    """A master key of 32 bytes that this process holds.

    Args:
        key: 32 bytes.

    Raises:
        KeyWrong: Another number of bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise KeyWrong(f"A key has {KEY_BYTES} bytes, this one {len(key)}.")
        self._seal = Seal(key)
        self._id = hashlib.blake2b(key, digest_size=4, person=b"mien-key-id").hexdigest()

    @property
    def id(self) -> str:
        """See `MasterKey.id`."""
        return self._id

    def wrap(self, key: bytes, context: str) -> bytes:
        """See `MasterKey.wrap`."""
        return self._seal.close(key, context)

    def unwrap(self, wrapped: bytes, context: str) -> bytes:
        """See `MasterKey.unwrap`."""
        try:
            return self._seal.open(wrapped, context)
        except StoreCorrupt as error:
            raise KeyWrong(f"The key {self.id} does not open this store.") from error


def random_key() -> LocalKey:
    """A key that nobody keeps, for galleries that live as long as the process."""
    return LocalKey(new_key())


def read_key(file: Path) -> LocalKey:
    """Read a key file: 32 bytes as base64 in one line.

    Raises:
        KeyMissing: There is no such file, or it cannot be read.
        KeyWrong: It holds no key.
    """
    try:
        text = file.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyMissing(f"The key {file} cannot be read: {_reason(error)}.") from error
    return decode_key(text, str(file))


def decode_key(text: str, name: str) -> LocalKey:
    """Make a key of its base64 form.

    Args:
        text: 44 characters; space around them is ignored.
        name: Where it came from, for messages; the key is never shown.

    Raises:
        KeyWrong: It is no key.
    """
    try:
        return LocalKey(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError, KeyWrong) as error:
        raise KeyWrong(
            f"{name} holds no key.", hint="A key is 32 bytes as base64: mien gallery key FILE makes one."
        ) from error


def write_new_key(file: Path) -> LocalKey:
    """Make a key and keep it in a new file that only its owner may read.

    Raises:
        KeyWrong: The file is there already: keys are never overwritten.
        KeyMissing: It cannot be written.
    """
    key = new_key()
    unfinished = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(base64.b64encode(key) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.link(unfinished, file)  # whole or not at all, and never over another
        finally:
            unfinished.unlink()
        sync_folder(file.parent)
    except OSError as error:
        if file.exists():
            raise KeyWrong(f"{file} is there already.", hint="A key is never overwritten.") from error
        raise KeyMissing(f"The key {file} cannot be written: {_reason(error)}.") from error
    return LocalKey(key)


def kms_key(name: str) -> MasterKey:
    """The key of a key management service, from an entry point of the group `mien.kms`.

    Raises:
        SettingsError: No installed package offers it, or it gives no key.
        KeyMissing: The service does not answer; the package raises it.
    """
    found = {point.name: point for point in entry_points(group=KMS_GROUP)}
    if name not in found:
        raise SettingsError(
            f"No installed package offers the key {name!r}.",
            hint=f"Offered: {', '.join(sorted(found)) or 'none'}. A package names it in {KMS_GROUP}.",
        )
    key = found[name].load()()
    if not isinstance(key, MasterKey):
        raise SettingsError(f"The key {name!r} is no MasterKey.")
    return key


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is no text"
