"""The packs of this machine: which there are, which are installed, and how to get more."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mien.errors import ManifestInvalid, PackCorrupt, PackError, PackMissing
from mien.packs import install as installation
from mien.packs.builtin import builtin_files, builtin_manifest, builtin_manifests, builtin_sets
from mien.packs.manifest import MANIFEST_FILE, Manifest, is_name, read_manifest
from mien.packs.pack import Pack, problems, read_pack
from mien.packs.sources import Progress, discard, no_progress

__all__ = ["Pack", "PackStore", "State"]

State = Literal["installed", "outdated", "not installed", "broken"]


@dataclass(frozen=True, slots=True)
class PackStore:
    """The folder of packs. It holds no state of its own; any number of processes may share it.

    Attributes:
        folder: Where packs are, one folder each; made by the first installation.
        mirror: Address that is tried first for downloads.
    """

    folder: Path
    mirror: str | None = None

    def manifests(self) -> dict[str, Manifest]:
        """Every known pack by name: those that ship with Mien, and folders that somebody put in.

        Raises:
            ManifestInvalid: A manifest cannot be understood.
        """
        shipped = builtin_manifests()
        own = {
            name: read_manifest(self._manifest_file(name)) for name in self._folders() if name not in shipped
        }
        return shipped | own

    def manifest(self, name: str) -> Manifest:
        """The manifest that a pack would be installed from.

        Raises:
            PackMissing: Unknown; the hint names what was perhaps meant.
            ManifestInvalid: It cannot be understood.
        """
        self._check_known(name)
        return builtin_manifest(name) or read_manifest(self._manifest_file(name))

    def present(self) -> tuple[str, ...]:
        """Names of the packs that are installed, or were before they were damaged."""
        return tuple(name for name in self._folders() if self.state(name) != "not installed")

    def installed(self) -> tuple[Pack, ...]:
        """Every pack that can be loaded, by name.

        Raises:
            ManifestInvalid: A manifest cannot be understood.
            PackCorrupt: A file is missing or has the wrong length.
        """
        found = (self._read(name) for name in self._folders())
        return tuple(pack for pack in found if pack is not None)

    def is_at_hand(self, manifest: Manifest) -> bool:
        """Whether a known pack can be used without fetching anything: it is installed, or installs itself."""
        return self.state(manifest.name) != "not installed" or manifest.installs_itself

    def state(self, name: str) -> State:
        """How a known pack is; "outdated" means that installing it again would change it."""
        try:
            pack = self.get(name)
        except PackMissing:
            return "not installed"
        except (ManifestInvalid, PackCorrupt):
            return "broken"
        return "outdated" if self._is_outdated(pack) else "installed"

    def get(self, name: str) -> Pack:
        """Return an installed pack. Lengths are checked here, digests by `verify`.

        Raises:
            PackMissing: Unknown or not installed.
            ManifestInvalid: Its manifest cannot be understood.
            PackCorrupt: A file is missing or has the wrong length.
        """
        pack = self._read(name)
        if pack is None:
            raise PackMissing(f"The pack {name} is not installed.", hint=f"mien packs install {name}")
        return pack

    def ensure(self, name: str, progress: Progress = no_progress) -> Pack:
        """Return a pack, installed or renewed on the spot if that needs no network and no consent.

        A pack whose licence is restricted or excludes commercial use is only ever installed by `install`.

        Raises:
            PackMissing: Unknown, or not installed and to be fetched from elsewhere.
            ExtraMissing: The distribution that carries it is not installed.
            PackError: As `get` and `install`.
        """
        manifest, state = self.manifest(name), self.state(name)
        at_hand = all(source.url.startswith("package:") for source in manifest.sources)
        if state == "outdated":
            # Where only the facts are new, the files that are here will do.
            renewed = at_hand or installation.is_current(self.get(name), manifest)
        else:
            renewed = state == "not installed" and manifest.installs_itself
        return self.install(name, progress=progress) if renewed else self.get(name)

    def install(
        self,
        name: str,
        *,
        accept_licence: bool = False,
        force: bool = False,
        progress: Progress | None = None,
    ) -> Pack:
        """Fetch, check, convert and put a pack in place; nothing to do if it is there and whole.

        Safe among processes, and when killed: the next call clears up and goes on.

        Args:
            name: A known pack.
            accept_licence: Agree to a restricted licence.
            force: Make it again even if it is there.
            progress: Told (stage, done, total).

        Raises:
            PackMissing: Unknown.
            LicenceNotAccepted: Its licence is restricted and nobody agreed.
            DownloadFailed: A source does not deliver; what arrived is kept.
            ExtraMissing: A Python package is needed.
            ConversionFailed: A source is damaged or of an unknown kind.
            PackError: The disk refuses, or another process holds the pack for too long.
        """
        self.manifest(name)
        progress = progress or no_progress
        with installation.changing(self.folder, name, progress):
            manifest, text = self.manifest(name), self._text(name)
            return installation.install(
                self.folder,
                manifest,
                text,
                accept_licence=accept_licence,
                force=force,
                mirror=self.mirror,
                progress=progress,
            )

    def verify(self, name: str) -> tuple[str, ...]:
        """Compare an installed pack with its digests; one line per problem, none if it is whole.

        Raises:
            PackMissing: Unknown or not installed.
        """
        try:
            return problems(self.get(name))
        except (ManifestInvalid, PackCorrupt) as error:
            return (error.message,)

    def remove(self, name: str) -> None:
        """Delete an installed pack and what was downloaded of it.

        Raises:
            PackMissing: Unknown or not installed.
            PackError: The disk refuses.
        """
        if not self._folder(name).exists():
            self.get(name)
        with installation.changing(self.folder, name, no_progress):
            try:
                sources = self.manifest(name).sources
            except ManifestInvalid:  # a damaged pack can be removed all the same
                sources = ()
            if self._folder(name).exists():
                installation.remove(self.folder, name)
        for source in sources:
            discard(source, self.folder / ".downloads")

    def expand(self, names: Iterable[str]) -> tuple[str, ...]:
        """Replace the names of sets by their packs, in order, each once.

        Raises:
            PackMissing: Neither a pack nor a set.
        """
        sets = builtin_sets().sets
        members = [member for name in names for member in sets.get(name, (name,))]
        for member in members:
            self._check_known(member)
        return tuple(dict.fromkeys(members))

    def default(self, column: str) -> str:
        """Name the pack to compute a column with: the first of the order of preference that is installed.

        Installed packs that nobody ranked come after; if none is installed, it is the first of the
        order that installs itself, or the first of all, which `ensure` explains. Detectors are asked
        for boxes only: their points come along, and are wanted from elsewhere when the chosen detector
        has none.

        Raises:
            PackMissing: No pack gives this column.
        """
        if column == "score":  # whoever finds faces says how sure it is
            column = "box"
        ranked = builtin_sets().defaults.get(column, ())
        whole = (pack for pack in map(self._whole, self._folders()) if pack is not None)
        gives = {pack.name: pack.manifest.gives for pack in whole}
        present = {name for name, columns in gives.items() if column in columns and _fits(columns, column)}
        at_hand = [name for name in ranked if name in present] or sorted(present)
        candidates = at_hand or [name for name in ranked if self.manifest(name).installs_itself] or [*ranked]
        if not candidates:
            raise PackMissing(f"No pack is known that gives {column!r}.", hint="mien packs list")
        return candidates[0]

    def _whole(self, name: str) -> Pack | None:
        """The pack of that name if it can be loaded; a broken one must not stand in the way of others."""
        try:
            return self._read(name)
        except PackError:
            return None

    def _read(self, name: str) -> Pack | None:
        """The installed pack; None if there is none.

        Another process may be replacing the folder while it is read, so a failure counts only if the
        folder is the same afterwards; between the two renames of a replacement we wait for the lock.
        """
        folder = self._folder(name)
        while True:
            before = _identity(folder)
            pack: Pack | None = None
            failure: PackError | None = None
            try:
                pack = read_pack(folder)
            except (ManifestInvalid, PackCorrupt) as error:
                failure = error
            if pack is not None:
                return pack
            if installation.is_aside(self.folder, name):
                with installation.changing(self.folder, name, no_progress):
                    return read_pack(folder)
            if _identity(folder) == before:
                if failure is not None:
                    raise failure
                return None

    def _is_outdated(self, pack: Pack) -> bool:
        shipped = builtin_manifest(pack.name) or pack.manifest
        return pack.manifest != shipped or not installation.is_current(pack, shipped)

    def _check_known(self, name: str) -> None:
        """Refuse names that no pack has, and with them everything that must not become a path."""
        known = {*builtin_files(), *self._folders()}
        if name not in known:
            near = difflib.get_close_matches(name, [*sorted(known), *builtin_sets().sets], n=1)
            raise PackMissing(
                f"No pack or set is called {name!r}.",
                hint=f"Did you mean {near[0]}?" if near else "mien packs list shows what there is.",
            )

    def _text(self, name: str) -> bytes:
        shipped = builtin_files().get(name)
        return (self._manifest_file(name) if shipped is None else shipped).read_bytes()

    def _folders(self) -> tuple[str, ...]:
        """Names of the folders that hold a manifest, also of those between two renames."""
        places = (f"*/{MANIFEST_FILE}", f".aside/*/{MANIFEST_FILE}")
        found = {file.parent.name for place in places for file in self.folder.glob(place)}
        return tuple(sorted(name for name in found if is_name(name)))

    def _folder(self, name: str) -> Path:
        self._check_known(name)
        return self.folder / name

    def _manifest_file(self, name: str) -> Path:
        file = self.folder / name / MANIFEST_FILE
        return file if file.exists() else self.folder / ".aside" / name / MANIFEST_FILE


def _fits(gives: tuple[str, ...], column: str) -> bool:
    return ("box" in gives) == (column == "box")


def _identity(folder: Path) -> int | None:
    """Which folder has this name now; None if there is none."""
    try:
        return folder.stat().st_ino
    except OSError:
        return None
