"""One installed pack: its folder, its manifest, and the record of what was written."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec

from mien.errors import ManifestInvalid, PackCorrupt
from mien.packs.manifest import MANIFEST_FILE, RECORD_FILE, Manifest, read_manifest


class Produced(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file that an installation wrote.

    Attributes:
        sha256: Digest of the file itself.
        bytes: Its length.
        source_sha256: Digest of the source it was made from; of several, all in order with spaces between.
        convert: Converter that made it; None for a copy.
    """

    sha256: str
    bytes: int
    source_sha256: str
    convert: str | None


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`installed.json`: what an installation did.

    Attributes:
        files: What it wrote, by file name.
        converter_version: `mien.convert.table.VERSION` at that time.
        mien: Version of Mien.
        licence: Licence identifier.
        licence_accepted: Whether somebody agreed to a restricted licence.
        installed: UTC time, ISO 8601.
    """

    files: dict[str, Produced]
    converter_version: int
    mien: str
    licence: str
    licence_accepted: bool
    installed: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A network on this machine, ready to load.

    Attributes:
        manifest: Its facts.
        folder: Where its files are.
        record: What the installation wrote; None for a folder that somebody put there.
    """

    manifest: Manifest
    folder: Path
    record: Record | None = None

    @property
    def name(self) -> str:
        """Name of the pack."""
        return self.manifest.name

    def file(self, name: str) -> Path:
        """Path of one of its files.

        Raises:
            ManifestInvalid: The manifest lists no such file.
        """
        if all(file.name != name for file in self.manifest.files):
            listed = ", ".join(file.name for file in self.manifest.files)
            raise ManifestInvalid(
                f"{self.name} has no file {name!r}, which a pack of the family {self.manifest.family} needs.",
                hint=f"Its manifest lists: {listed}.",
            )
        return self.folder / name


def read_pack(folder: Path) -> Pack | None:
    """Read an installed pack; None if nothing is installed there.

    Lengths are checked, digests are not (`problems` does that). A folder with a manifest only is
    not installed, unless its files are there too.

    Raises:
        ManifestInvalid: The manifest cannot be understood.
        PackCorrupt: A file is missing or has the wrong length.
    """
    if not (folder / MANIFEST_FILE).is_file():
        return None
    manifest = read_manifest(folder / MANIFEST_FILE)
    if manifest.name != folder.name:
        raise ManifestInvalid(
            f"{folder / MANIFEST_FILE} calls itself {manifest.name!r}.", hint="Give the folder that name."
        )
    record = _read_record(folder / RECORD_FILE, manifest.name)
    if record is None:
        present = all((folder / file.name).is_file() for file in manifest.files)
        return Pack(manifest, folder) if present else None
    pack = Pack(manifest, folder, record)
    for file in manifest.files:
        produced, path = record.files.get(file.name), folder / file.name
        if produced is None or _length(path) != produced.bytes:
            raise PackCorrupt(f"{path} is missing or has the wrong length.", hint=repair_hint(manifest.name))
    return pack


def _length(path: Path) -> int | None:
    """Length of a file; None if it is not there, or was taken away this very moment."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def problems(pack: Pack) -> tuple[str, ...]:
    """Compare every file with its digest; one line for each that differs, none if all is well."""
    found = []
    for file in pack.manifest.files:
        if pack.record is not None:
            wanted = pack.record.files[file.name].sha256
        elif file.convert is None:
            wanted = pack.manifest.source(file.sources[0]).sha256
        else:
            continue  # somebody converted it by hand: nothing says what it should be
        if digest_of(pack.file(file.name)) != wanted:
            found.append(f"{pack.file(file.name)} has changed since it was installed.")
    return tuple(found)


def digest_of(path: Path) -> str:
    """Hexadecimal sha256 of a file; of nothing, which no file has, if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def repair_hint(name: str) -> str:
    """What to do about a damaged pack."""
    return f"Install it again: mien packs install {name} --force"


def _read_record(path: Path, name: str) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise PackCorrupt(f"{path} cannot be read: {error}.", hint=repair_hint(name)) from error
