"""The families that a manifest can name. Third parties add theirs as entry points of `mien.models`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from mien.errors import ManifestInvalid
from mien.models.stage import Stage
from mien.packs.store import Pack
from mien.runtime.session import Runtime

FAMILIES: dict[str, str] = {
    "mtcnn": "mien.models.mtcnn:Mtcnn",
    "mmod": "mien.models.mmod:Mmod",
    "ert": "mien.models.ert:Ert",
    "embedder": "mien.models.embedder:Embedder",
}


def load_stage(pack: Pack, runtime: Runtime) -> Stage:
    """Make the stage of a pack; opens its networks.

    Raises:
        ManifestInvalid: Unknown family, or facts that do not fit it.
        PackCorrupt: A file of the pack cannot be opened.
    """
    family = pack.manifest.family
    if family in FAMILIES:
        module, name = FAMILIES[family].split(":")
        made: Stage = getattr(import_module(module), name)(pack, runtime)
        return made
    for entry in entry_points(group="mien.models", name=family):
        found: Stage = entry.load()(pack, runtime)
        return found
    raise ManifestInvalid(
        f"Pack {pack.manifest.name} is of the unknown family {family!r}.",
        hint=f"Known families: {', '.join(FAMILIES)}. Perhaps a newer Mien or a plugin is needed.",
    )
