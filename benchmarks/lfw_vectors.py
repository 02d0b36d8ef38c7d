"""Vectors of photographs by detector and embedder, kept in out/lfw so that a long run can be resumed.

What is kept there is biometric data of the people of LFW: delete it when the table is written.

    python benchmarks/lfw_vectors.py ../shared/data/lfw/images yunet,mtcnn retail0095,mobilefacenet
"""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien import Mien
from mien.core.columns import BY_NAME

KEPT = Path(__file__).parents[1] / "out" / "lfw"
BATCH = 16


def vectors_of(photos: Sequence[Path], detector: str, embedders: Sequence[str]) -> dict[str, np.ndarray]:
    """Vectors `(n, d)` by embedder of the face nearest the centre; rows of NaN where no face was found.

    Every photograph is read and searched once, for all embedders whose vectors are not kept yet.
    """
    kit = Mien(detector=detector)
    order = hashlib.sha256("\n".join(photo.name for photo in photos).encode()).hexdigest()[:8]
    files = {name: KEPT / f"{detector}-{name}-{order}.npy" for name in embedders}
    missing = [name for name in embedders if not files[name].exists()]
    if missing:
        KEPT.mkdir(parents=True, exist_ok=True)
        for name, vectors in _embedded(kit, photos, missing).items():
            np.save(files[name], vectors)
    return {name: np.load(file) for name, file in files.items()}


def _embedded(kit: Mien, photos: Sequence[Path], embedders: Sequence[str]) -> dict[str, np.ndarray]:
    stages = [kit.stage(name) for name in embedders]
    # An embedding brings whatever gives points where the detector has none.
    needed = {column for stage in stages for column in stage.needs if column in BY_NAME}
    columns = ("box", *sorted(needed), *(() if "points" in kit.manifest_for("box").gives else ("embedding",)))
    rows: dict[str, dict[int, np.ndarray]] = {name: {} for name in embedders}
    seen = (
        (number, result.image, result.faces.central())
        for number, result in enumerate(kit.analyze(list(photos), columns))
        if len(getattr(result, "faces", ()))
    )
    while batch := list(itertools.islice(seen, BATCH)):
        numbers, images, faces = zip(*batch, strict=True)
        for stage in stages:
            found = stage(images, faces)
            rows[stage.name] |= {i: one.embedding[0] for i, one in zip(numbers, found, strict=True)}
    return {name: _stacked(found, len(photos)) for name, found in rows.items()}


def _stacked(rows: dict[int, np.ndarray], count: int) -> np.ndarray:
    table = np.full((count, len(next(iter(rows.values())))), np.nan, np.float32)
    for number, row in rows.items():
        table[number] = row
    return table


if __name__ == "__main__":
    vectors_of(sorted(Path(sys.argv[1]).rglob("*.jpg")), sys.argv[2], sys.argv[3].split(","))
