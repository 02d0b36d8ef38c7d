"""Mien as a contestant, with the packs that hold a peer's weights."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mien import Mien, Settings
from mien.core.analysis import Analysis
from mien.ops.vectors import DISTANCES

_COLUMNS = {
    "find": ("box", "score", "points"),
    "embed": ("box", "score", "points", "embedding"),
    "live": ("box", "score", "points", "embedding", "live"),
    "all": ("box", "score", "points", "embedding", "age", "gender", "expression", "live"),
}


class Contestant:
    """A kit that looks at a whole folder at once."""

    def __init__(self, options: dict[str, Any]) -> None:
        # As it comes: no mien.toml, no environment and no calibration, which peers do not have either.
        self._kit = Mien(
            Settings(
                home=Path(options["home"]),
                detector=options["detector"],
                embedder=options["embedder"],
                profile=options["profile"],
                threads=options["threads"],
            )
        )
        self._columns = _COLUMNS[options["task"]]
        self._kit.stages_for(self._columns)
        stated = self._kit.packs.manifest(options["embedder"]).threshold
        self._distance = DISTANCES[self._kit.metric()]
        self.threshold = stated.distance if stated else None
        self.versions = {name: version(name.lower()) for name in ("Mien", "onnxruntime")}

    def look(self, paths: Sequence[str]) -> list[Any]:
        """Sizes, boxes and vectors."""
        results = self._kit.analyze(list(paths), self._columns)
        return [
            (one.faces.size_wh, one.faces.box, () if one.faces.embedding is None else one.faces.embedding)
            if isinstance(one, Analysis)
            else ((0, 0), (), ())
            for one in results
        ]

    def distance(self, a: Any, b: Any) -> float:  # noqa: ANN401 - arrays
        """The distance that the embedder's pack names."""
        return float(self._distance(a[None], b[None])[0, 0])
