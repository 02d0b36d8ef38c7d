"""The manifests, sets and preferences that ship with Mien."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from mien.packs.manifest import Manifest, Name, read_manifest, read_toml


class Sets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`sets.toml`.

    Attributes:
        sets: Packs that are installed together, by name of the set.
        defaults: Packs in order of preference, by the column that is wanted.
    """

    sets: dict[Name, tuple[Name, ...]]
    defaults: dict[str, tuple[Name, ...]]


def builtin_files() -> dict[str, Traversable]:
    """Where the text of each shipped manifest is, by name of the pack."""
    folder = files("mien.packs") / "manifests"
    found = (entry for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return {entry.name.removesuffix(".toml"): entry for entry in sorted(found, key=lambda entry: entry.name)}


def builtin_manifests() -> dict[str, Manifest]:
    """The shipped manifests by name."""
    return {name: read_manifest(file) for name, file in builtin_files().items()}


def builtin_manifest(name: str) -> Manifest | None:
    """One of them; None if no such pack ships with Mien."""
    file = builtin_files().get(name)
    return None if file is None else read_manifest(file)


def builtin_sets() -> Sets:
    """The shipped sets and orders of preference."""
    return read_toml(files("mien.packs") / "sets.toml", Sets)
