"""Packs that people make of networks of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from mien.errors import ExtraMissing, ManifestInvalid
from mien.packs.disk import write_synced, writing
from mien.packs.manifest import (
    MANIFEST_FILE,
    RECORD_FILE,
    EightBits,
    Figure,
    File,
    Licence,
    Manifest,
    Origin,
    Source,
    Threshold,
)

_UNSTATED = Licence("LicenseRef-own", "not stated", "", commercial=False, note="Made by mien convert.")
_UNKNOWN = Origin("not stated", "", "", "not stated")

_BY = "mien packs quantise, on this machine, with photographs that set no range"


def pack_like(folder: Path, sources: Sequence[Path], convert: str, like: Manifest) -> Manifest:
    """Describe a pack that another pack's family runs with a network of one's own.

    Facts, preprocessing and threshold are those of the other pack and are there to be edited; licence
    and origin are not taken over.

    Args:
        folder: Where the pack will be, which gives its name.
        sources: The files that its network is made of, in the converter's order.
        convert: Name of the converter.
        like: The pack whose facts are copied; it has one file.

    Raises:
        ManifestInvalid: The folder's name is no name of a pack, or the other pack has several files.
    """
    if len(like.files) != 1:
        raise ManifestInvalid(
            f"{like.name} consists of {len(like.files)} files; only packs of one can be copied."
        )
    described = tuple(_source(path.name, path, path.read_bytes()) for path in sources)
    names = tuple(source.name for source in described)
    file = File(like.files[0].name, names[0] if len(names) == 1 else names, convert)
    return _changed(
        like,
        name=folder.name,
        summary=f"Like {like.name}, with another network.",
        licence=_UNSTATED,
        origin=_UNKNOWN,
        sources=described,
        files=(file,),
        threshold=like.threshold and _unmeasured(like.threshold, like.name),
        eight_bits=EightBits(),
    )


def pack_of_eight_bits(
    folder: Path, networks: Mapping[str, bytes], like: Manifest, agreement: float
) -> Manifest:
    """Describe a pack whose networks are quantised copies of another's, under the same terms.

    Args:
        folder: Where the pack will be, which gives its name.
        networks: The quantised networks by file name.
        like: The pack that they were made of.
        agreement: Mean cosine similarity of their outputs to those of that pack.

    Raises:
        ManifestInvalid: The folder's name is no name of a pack.
    """
    return _changed(
        like,
        name=folder.name,
        summary=f"{like.name} in eight bits, with ranges learned on this machine.",
        sources=tuple(_source(name, folder / name, content) for name, content in networks.items()),
        files=tuple(File(name, name) for name in networks),
        threshold=like.threshold and _unmeasured(like.threshold, like.name),
        figures=(Figure(f"agreement with {like.name} (cosine similarity)", round(agreement, 4), _BY),),
    )


def write_pack(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write the folder of a pack; made if it is missing.

    Raises:
        ExtraMissing: Writing TOML needs a package that is not installed.
        PackError: The disk refuses.
    """
    try:
        text = msgspec.toml.encode(_without_none(msgspec.to_builtins(manifest)))
    except ImportError as error:
        raise ExtraMissing.of("convert", "Writing a pack needs the package tomli-w.") from error
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # Of files that were here before under this name.
        (folder / RECORD_FILE).unlink(missing_ok=True)
        for name, content in files.items():
            write_synced(folder / name, content)
        write_synced(folder / MANIFEST_FILE, text)


def _changed(like: Manifest, **changes: Any) -> Manifest:  # noqa: ANN401 - fields of Manifest
    fields = {**msgspec.structs.asdict(like), "version": 1, "figures": (), **changes}
    try:
        # Through the checks that every manifest passes.
        return msgspec.convert(msgspec.to_builtins(fields), Manifest)
    except msgspec.ValidationError as error:
        raise ManifestInvalid(f"No pack can be made of this: {error}.") from error


def _unmeasured(rule: Threshold, name: str) -> Threshold:
    """The same threshold, without the false-match rate that was measured with another network."""
    said = f"That of {name}; what it lets pass here was not measured."
    return msgspec.structs.replace(rule, fmr=None, measured=said)


def _source(name: str, path: Path, content: bytes) -> Source:
    return Source(name, f"file:{path.resolve()}", hashlib.sha256(content).hexdigest(), len(content))


def _without_none(value: object) -> object:
    """TOML has no null: what is not there is left out."""
    if isinstance(value, dict):
        return {key: _without_none(inner) for key, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, (list, tuple)) else value
