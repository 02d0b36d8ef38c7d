"""The families that a manifest can name. Third parties add theirs as entry points of `mien.models`."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points

from mien.errors import ManifestInvalid
from mien.models.stage import Stage
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FAMILIES: dict[str, str] = {
    "mtcnn": "mien.models.mtcnn:Mtcnn",
    "mmod": "mien.models.mmod:Mmod",
    "ert": "mien.models.ert:Ert",
    "yunet": "mien.models.yunet:yunet",
    "scrfd": "mien.models.scrfd:scrfd",
    "retinaface": "mien.models.retinaface:retinaface",
    "ultraface": "mien.models.ultraface:ultraface",
    "blazeface": "mien.models.blazeface:blazeface",
    "embedder": "mien.models.embedder:Embedder",
    "landmarks": "mien.models.landmarks:Landmarks",
    "mesh": "mien.models.mesh:Mesh",
    "blendshapes": "mien.models.blendshapes:Blendshapes",
    "openness": "mien.models.openness:Openness",
    "headpose": "mien.models.headpose:HeadPose",
    "pnp": "mien.models.pnp:Pnp",
    "attributes": "mien.models.attributes:Attributes",
    "mask-ssd": "mien.models.mask_ssd:MaskSsd",
    "liveness": "mien.models.liveness:Liveness",
    "quality-parts": "mien.models.quality_parts:QualityParts",
    "quality": "mien.models.quality:Quality",
}


def load_stage(pack: Pack, runtime: Runtime, settings: Settings) -> Stage:
    """Make the stage of a pack; opens its networks.

    A family is whatever makes a stage of these three: a class, or a function.

    Raises:
        ManifestInvalid: Unknown family, or facts that do not fit it.
        PackCorrupt: A file of the pack cannot be opened.
    """
    family = pack.manifest.family
    if family in FAMILIES:
        module, name = FAMILIES[family].split(":")
        made: Stage = getattr(import_module(module), name)(pack, runtime, settings)
        return made
    for entry in entry_points(group="mien.models", name=family):
        found: Stage = entry.load()(pack, runtime, settings)
        return found
    raise ManifestInvalid(
        f"Pack {pack.manifest.name} is of the unknown family {family!r}.",
        hint=f"Known families: {', '.join(FAMILIES)}. Perhaps a newer Mien or a plugin is needed.",
    )
