"""Bring one source file here, from wherever its manifest says, and check it.

A source is an address whose scheme is a key of `SCHEMES`; a mirror is an address in front of it.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mien.errors import DownloadFailed, ExtraMissing, ManifestInvalid, PackError, SettingsError
from mien.packs.disk import locked, locked_if_free, writing
from mien.packs.manifest import Source

Progress = Callable[[str, int, int], None]
"""Told (stage, done, total); called often, must be quick."""

CHUNK = 1 << 20


def no_progress(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


def fetch(
    source: Source, downloads: Path, *, mirror: str | None = None, progress: Progress = no_progress
) -> bytes:
    """Return the content of a source, checked against its length and sha256.

    Downloads go to `<downloads>/<sha256>.part` and stay there, whole or not, until `discard`: what
    has arrived is never fetched again. An installed distribution needs no mirror and is asked
    first; for every other source the mirror is.

    Args:
        source: What to fetch.
        downloads: Folder for partial downloads; made when needed.
        mirror: `file:`, `https:` or `http:` address under which `<mirror>/<source name>` is tried.
        progress: Told how many bytes are here.

    Raises:
        DownloadFailed: Not there, not reachable, interrupted, or not the file that the manifest
            names. An interrupted download is kept and goes on next time.
        ExtraMissing: The distribution that carries it is not installed.
        ManifestInvalid: The address has no scheme that is allowed.
        SettingsError: The mirror's address has none.
        PackError: `downloads` cannot be written.
    """
    addresses = [source.url]
    if mirror is not None:
        addresses.insert(1 if _scheme(source.url) == "package" else 0, _on_mirror(mirror, source))
    failures: list[PackError] = []
    for address in addresses:
        try:
            return _opener(address, source)(address, source, downloads, progress)
        except (DownloadFailed, ExtraMissing) as error:
            failures.append(error)
    own = failures[addresses.index(source.url)]
    if len(failures) == 1:
        raise own
    other = failures[1 - addresses.index(source.url)]
    raise type(own)(f"{own.message} The mirror failed too: {other.message}", hint=own.hint) from own


def discard(source: Source, downloads: Path) -> None:
    """Forget what was downloaded of a source, unless another process is at it."""
    part = _part(source, downloads)
    if not part.exists():
        return
    from mien.packs.download import part_note

    with writing(part), locked_if_free(_lock(part)) as free:
        if free:
            part_note(part).unlink(missing_ok=True)
            part.unlink(missing_ok=True)


def _from_package(address: str, source: Source, _downloads: Path, progress: Progress) -> bytes:
    """`package:<distribution>/<path>`: found through its metadata, never imported."""
    distribution, _, inside = address.removeprefix("package:").partition("/")
    try:
        found = metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        raise ExtraMissing.of(
            "starter",
            f"The weights {source.name} come with the Python package {distribution}, which is not installed.",
        ) from None
    if ".." in inside.split("/"):
        raise ManifestInvalid(f"{address} leaves its package.")
    path = Path(str(found.locate_file(inside)))
    if not path.is_file():
        raise DownloadFailed(
            f"{distribution} {found.version} does not contain {inside}.", hint="Install it again."
        )
    return _read(path, address, source, progress)


def _from_file(address: str, source: Source, _downloads: Path, progress: Progress) -> bytes:
    """`file:<path>`, absolute or relative to the working folder, or `file:///<escaped path>`."""
    rest = address.removeprefix("file:")
    path = Path(unquote(rest.removeprefix("//")) if rest.startswith("//") else rest).expanduser()
    if not path.is_file():
        raise DownloadFailed(f"{path} does not exist.", hint="Put the file there, or correct the address.")
    return _read(path, address, source, progress)


def _from_people(address: str, source: Source, _downloads: Path, _progress: Progress) -> bytes:
    """`bring:<address>`: published only inside something larger, so somebody has to take it out."""
    raise DownloadFailed(
        f"{source.name} is not published on its own: it lies in {address.removeprefix('bring:')}.",
        hint=f"Put {source.name} into a folder, then install with MIEN_MIRROR=file:/that/folder.",
    )


def _from_web(address: str, source: Source, downloads: Path, progress: Progress) -> bytes:
    # Only here, because its TLS takes longer to import than an installed pack to load.
    from mien.packs.download import download

    part = _part(source, downloads)

    def report(done: int) -> None:
        progress(f"fetch {source.name}", done, source.bytes)

    with locked(_lock(part), lambda: progress(f"wait for another process to fetch {source.name}", 0, 1)):
        while True:
            resumed = download(address, part, source.bytes, report)
            try:
                return _read(part, address, source, no_progress)
            except DownloadFailed:
                with writing(part):
                    part.unlink(missing_ok=True)
                # The first half may come from an older file: once more, from the start.
                if not resumed:
                    raise


def _read(path: Path, address: str, source: Source, progress: Progress) -> bytes:
    """Read a file and check the very bytes that are handed on."""
    digest, content = hashlib.sha256(), bytearray()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                content += chunk
                digest.update(chunk)
                if len(content) > source.bytes:
                    break
                progress(f"read {source.name}", len(content), source.bytes)
    except OSError as error:
        raise DownloadFailed(f"{path} cannot be read: {error.strerror or error}.") from error
    hint = "The publisher may have changed the file: look for a newer version of the pack, or use a mirror."
    if len(content) != source.bytes:
        size = "longer" if len(content) > source.bytes else f"{len(content):,} bytes long"
        raise DownloadFailed(f"{address} is {size}; the manifest says {source.bytes:,} bytes.", hint=hint)
    if digest.hexdigest() != source.sha256:
        raise DownloadFailed(
            f"{address} has sha256 {digest.hexdigest()}; the manifest says {source.sha256}.", hint=hint
        )
    return bytes(content)


Opener = Callable[[str, Source, Path, Progress], bytes]
SCHEMES: dict[str, Opener] = {
    "package": _from_package,
    "bring": _from_people,
    "file": _from_file,
    "https": _from_web,
    "http": _from_web,
}


def _opener(address: str, source: Source) -> Opener:
    scheme = _scheme(address)
    if scheme not in SCHEMES:
        known = ", ".join(f"{name}:" for name in SCHEMES)
        raise ManifestInvalid(f"{source.name} has the address {address}.", hint=f"Allowed are {known}.")
    if scheme == "http" and address == source.url and not _is_loopback(address):
        raise ManifestInvalid(
            f"{address} is not encrypted.", hint="Use https:; http: is for mirrors and for this machine."
        )
    return SCHEMES[scheme]


def _on_mirror(mirror: str, source: Source) -> str:
    if _scheme(mirror) not in {"file", "https", "http"}:
        raise SettingsError(
            f"The mirror {mirror!r} is not an address.",
            hint="Write file:/some/folder or https://host/folder.",
        )
    return f"{mirror.rstrip('/')}/{source.name}"


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _scheme(address: str) -> str:
    return urlsplit(address).scheme


def _part(source: Source, downloads: Path) -> Path:
    return downloads / f"{source.sha256}.part"


def _lock(part: Path) -> Path:
    return part.with_suffix(".lock")
