"""Quantising the networks of a pack on the pictures that they would see in their work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mien.core.analysis import Failure
from mien.core.image import Image
from mien.errors import BadRequest
from mien.models.stage import Stage
from mien.models.table import load_stage
from mien.packs.store import Pack
from mien.pipeline.analyzer import Analyzer
from mien.runtime.quantise import EightBitNetwork, Recording, quantise
from mien.settings import Settings


def quantised(
    pack: Pack, before: Sequence[Stage], pictures: Iterable[Image | Failure], settings: Settings
) -> dict[str, EightBitNetwork]:
    """Run a pack on pictures and quantise its networks to what they were given.

    Args:
        pack: The pack.
        before: Stages that give what it needs; none for a detector.
        pictures: Real photographs; failures are passed over.
        settings: As for the stages.

    Returns:
        Each of its networks by file name.

    Raises:
        BadRequest: The pack holds something else than networks, or the pictures show too few faces.
        ConversionFailed: A network cannot be quantised.
    """
    if not pack.manifest.files or any(not file.name.endswith(".onnx") for file in pack.manifest.files):
        raise BadRequest(f"The pack {pack.name} does not consist of networks.")
    recording = Recording()
    stage = load_stage(pack, recording, settings)
    for _ in Analyzer((*before, stage), settings.batch).run(pictures):
        pass  # what counts is what the networks were given
    paths = {file.name: pack.file(file.name) for file in pack.manifest.files}
    return {
        name: quantise(path.read_bytes(), recording.seen.get(path, []), pack.manifest.eight_bits)
        for name, path in paths.items()
    }
