"""Open the store that settings name, with the key that settings name."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from mien.errors import KeyMissing, KeyWrong
from mien.gallery.sql.engine import MEMORY, connect, refusing, shown
from mien.gallery.sql.migrating import revision
from mien.gallery.store.store import Store
from mien.gallery.vault.master import MasterKey, decode_key, kms_key, random_key, read_key, write_new_key

_VARIABLE = "env:"
_SERVICE = "kms:"


def open_store(
    address: str,
    key: str,
    environ: Mapping[str, str],
    *,
    actor: str | None = None,
    read_only: bool = False,
) -> Store:
    """Open a store; where there is none and no key, make both.

    Args:
        address: See `Store`.
        key: A key file, `env:NAME` for a variable that holds a key, `kms:NAME` for a key management service.
        environ: Where variables are looked up.
        actor: See `Store`.
        read_only: See `Store`.

    Raises:
        KeyMissing: There is a store, and no key.
        GalleryError: See `Store`.
    """
    if address == MEMORY:
        return Store(MEMORY, random_key(), actor=actor)
    return Store(address, find_key(key, environ, address), actor=actor, read_only=read_only)


def find_key(key: str, environ: Mapping[str, str], address: str | None = None) -> MasterKey:
    """The master key that is named; see `open_store`.

    Args:
        key: Names it.
        environ: Where variables are looked up.
        address: Make a missing key file if there is no store there; None: do not.

    Raises:
        KeyMissing: It is not there.
        KeyWrong: What is there is no key.
    """
    if key.startswith(_SERVICE):
        return kms_key(key.removeprefix(_SERVICE))
    if key.startswith(_VARIABLE):
        name = key.removeprefix(_VARIABLE)
        if not environ.get(name):
            raise KeyMissing(f"The variable {name} holds no key.", hint=f"Set {name}.")
        return decode_key(environ[name], f"The variable {name}")
    file = Path(key)
    if not file.exists() and address is not None:
        if exists(address):
            raise KeyMissing(f"There is a store, {_named(address)}, and its key {file} is missing.")
        with suppress(KeyWrong):  # another process was faster
            return write_new_key(file)
    return read_key(file)


def exists(address: str) -> bool:
    """Whether there is a store at an address.

    Raises:
        GalleryError: It cannot be told: damaged, unreachable.
    """
    if "://" not in address and not Path(address).exists():
        return False
    engine = connect(address, read_only=True)
    try:
        with refusing(shown(engine)), engine.connect() as connection:
            return revision(connection) is not None
    finally:
        engine.dispose()


def _named(address: str) -> str:
    engine = connect(address)
    try:
        return shown(engine)
    finally:
        engine.dispose()
