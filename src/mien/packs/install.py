"""Put one pack on the disk so that a crash at any moment leaves the old one, the new one, or none.

.downloads/<sha256>.part    what has arrived; kept until the pack is installed
.staging/<name>/            the pack being made; nobody reads it
.aside/<name>/              the old pack, for the moment between two renames
.locks/<name>.lock          held by whoever changes the pack
<name>/                     the pack
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from mien.errors import ExtraMissing, LicenceNotAccepted, ManifestInvalid, PackCorrupt, PackError
from mien.packs.disk import locked, locked_if_free, sync_folder, write_synced, writing
from mien.packs.manifest import MANIFEST_FILE, RECORD_FILE, File, Manifest
from mien.packs.pack import Pack, Produced, Record, problems, read_pack
from mien.packs.sources import Progress, discard, fetch


@contextmanager
def changing(root: Path, name: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of a pack, with what a killed process left behind cleared away.

    Raises:
        PackError: The folder cannot be written, or another process holds the pack for too long.
    """
    with locked(_lock(root, name), lambda: progress(f"wait for another process at {name}", 0, 1)):
        with writing(root):
            _recover(root, name)
            _sweep(root)
        yield


def install(
    root: Path,
    manifest: Manifest,
    text: bytes,
    *,
    accept_licence: bool,
    force: bool,
    mirror: str | None,
    progress: Progress,
) -> Pack:
    """Install or renew a pack; call it inside `changing`. Does nothing if what is there is right.

    Args:
        root: Folder of all packs.
        manifest: The pack to install.
        text: Its `pack.toml`, which is copied as it is.
        accept_licence: Somebody agreed to a restricted licence.
        force: Fetch and convert again even if the pack is there.
        mirror: Tried first, see `fetch`.
        progress: Told what is done.

    Raises:
        LicenceNotAccepted: The licence is restricted and nobody agreed.
        PackError: Fetching, converting or writing failed; the kinds are those of `fetch` and
            `mien.convert`.
    """
    folder = root / manifest.name
    present = _present(folder)
    if present and not force and is_current(present, manifest):
        if present.manifest != manifest:
            with writing(folder):
                write_synced(folder / f".{MANIFEST_FILE}.new", text)
                (folder / f".{MANIFEST_FILE}.new").replace(folder / MANIFEST_FILE)
        return Pack(manifest, folder, present.record)
    _check_licence(manifest, present, accept_licence)
    _refuse_strangers(folder, manifest, present)
    staging = root / ".staging" / manifest.name
    try:
        with writing(staging):
            staging.mkdir(parents=True)
        record = _make(manifest, text, staging, root / ".downloads", mirror, progress)
        with writing(folder):
            _swap_in(root, manifest.name)
    finally:
        _delete(staging)
    with writing(root):
        for source in manifest.sources:
            discard(source, root / ".downloads")
    return Pack(manifest, folder, record)


def remove(root: Path, name: str) -> None:
    """Delete a pack; call it inside `changing`."""
    with writing(root / name):
        doomed = root / ".staging" / name
        doomed.parent.mkdir(parents=True, exist_ok=True)
        (root / name).rename(doomed)
        _delete(doomed)


def is_aside(root: Path, name: str) -> bool:
    """Whether a pack is between its two renames, or was when its installer was killed."""
    return (root / ".aside" / name).exists()


def is_current(pack: Pack, manifest: Manifest) -> bool:
    """Whether a pack's files are what the converters of today make of this manifest's sources.

    Of a folder that somebody put there, only the manifest can be compared.
    """
    from mien.convert.table import VERSION

    if pack.record is None:
        return pack.manifest == manifest
    wanted = {file.name: (_digests(manifest, file), file.convert) for file in manifest.files}
    made = {name: (file.source_sha256, file.convert) for name, file in pack.record.files.items()}
    return pack.record.converter_version == VERSION and wanted == made


def _make(
    manifest: Manifest,
    text: bytes,
    staging: Path,
    downloads: Path,
    mirror: str | None,
    progress: Progress,
) -> Record:
    """Fill the staging folder: converted files, manifest, record."""
    from mien.convert.table import VERSION

    produced: dict[str, Produced] = {}
    arrived: dict[str, bytes] = {}
    for source in manifest.sources:
        arrived[source.name] = fetch(source, downloads, mirror=mirror, progress=progress)
    for file in manifest.files:
        made = _convert(file, [arrived[name] for name in file.sources], progress)
        with writing(staging):
            write_synced(staging / file.name, made)
        digest = hashlib.sha256(made).hexdigest()
        produced[file.name] = Produced(digest, len(made), _digests(manifest, file), file.convert)
    record = Record(
        files=produced,
        converter_version=VERSION,
        mien=metadata.version("mien"),
        licence=manifest.licence.id,
        licence_accepted=manifest.licence.restricted,
        installed=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    with writing(staging):
        write_synced(staging / MANIFEST_FILE, text)
        write_synced(staging / RECORD_FILE, msgspec.json.format(msgspec.json.encode(record)))
        sync_folder(staging)
    return record


def _digests(manifest: Manifest, file: File) -> str:
    """Digests of what a file is made from, in order."""
    return " ".join(manifest.source(name).sha256 for name in file.sources)


def _convert(file: File, contents: Sequence[bytes], progress: Progress) -> bytes:
    if file.convert is None:
        return contents[0]
    from mien.convert.table import converter

    progress(f"convert {file.name}", 0, 1)
    try:
        made = converter(file.convert)(*contents)
    except ImportError as error:
        raise ExtraMissing.of(
            "convert",
            f"Converting {file.name} needs the Python package {error.name}, which is not installed.",
        ) from error
    progress(f"convert {file.name}", 1, 1)
    return made


def _swap_in(root: Path, name: str) -> None:
    """Make the staged pack the pack. A folder cannot replace another in one step, hence `.aside`."""
    folder, aside = root / name, root / ".aside" / name
    if folder.exists():
        aside.parent.mkdir(exist_ok=True)
        folder.rename(aside)
    (root / ".staging" / name).rename(folder)
    sync_folder(root)
    _delete(aside)


def _recover(root: Path, name: str) -> None:
    """Finish or undo the renames of a process that was killed between them."""
    folder, aside = root / name, root / ".aside" / name
    if aside.exists() and not folder.exists():
        aside.rename(folder)
    _delete(aside)
    _delete(root / ".staging" / name)


def _sweep(root: Path) -> None:
    """Delete what dead processes staged for other packs.

    A lock that is free says that its holder is dead; process numbers would not, because they are
    reused, and containers that share a disk all count from one.
    """
    for left in (root / ".staging").glob("*"):
        with locked_if_free(_lock(root, left.name)) as free:
            if free:
                _delete(left)


def _present(folder: Path) -> Pack | None:
    """The pack that is there, whole; None if there is none or it is damaged."""
    try:
        pack = read_pack(folder)
    except (ManifestInvalid, PackCorrupt):
        return None
    return None if pack is None or problems(pack) else pack


def _check_licence(manifest: Manifest, present: Pack | None, accept_licence: bool) -> None:
    licence, record = manifest.licence, present.record if present else None
    accepted_before = record is not None and record.licence_accepted and record.licence == licence.id
    if licence.restricted and not (accept_licence or accepted_before):
        raise LicenceNotAccepted(
            f"{manifest.name} is under {licence.name} ({licence.url}). {licence.note}".strip()
        )


def _refuse_strangers(folder: Path, manifest: Manifest, present: Pack | None) -> None:
    """Replacing a folder deletes it; what is not ours must not go with it."""
    ours = {MANIFEST_FILE, RECORD_FILE, *(file.name for file in manifest.files)}
    if present and present.record:
        ours |= present.record.files.keys()
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if strangers := {name for name in there - ours if not name.startswith(".")}:
        raise PackError(
            f"{folder} holds files that do not belong to the pack: {', '.join(sorted(strangers))}.",
            hint="Move them elsewhere; installing replaces the folder.",
        )


def _delete(path: Path) -> None:
    """Delete a folder, or a link to one without touching what it leads to."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _lock(root: Path, name: str) -> Path:
    return root / ".locks" / f"{name}.lock"
