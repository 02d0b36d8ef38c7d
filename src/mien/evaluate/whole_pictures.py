"""Cut-outs of faces, of which the whole picture is the face and nothing is to be found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.evaluate.looking import Analyze
from mien.media.images import read_images
from mien.models.stage import Stage
from mien.pipeline.analyzer import Analyzer


class WholePicture:
    """Stands in for a detector: every picture is one face, from edge to edge, without points."""

    name = "whole-picture"
    needs: frozenset[str] = frozenset()
    gives = frozenset({"box", "score"})

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - a stage
        """Return one face for each picture."""
        return [
            Faces(image.size_wh, np.array([[0, 0, *image.size_wh]], np.float32), np.ones(1, np.float32))
            for image in images
        ]


def whole_pictures(stages: Sequence[Stage], batch: int = 8) -> Analyze:
    """Make what `Mien.analyze` is, for cut-outs.

    Args:
        stages: Those that compute the columns; one that finds faces is left out.
        batch: Most pictures that travel together.

    Raises:
        BadRequest: A stage needs points, which only a detector gives.
    """
    analyzer = Analyzer([WholePicture(), *(stage for stage in stages if "box" not in stage.gives)], batch)

    def analyze(sources: Any, _: Sequence[str]) -> Iterator[Analysis | Failure]:  # noqa: ANN401 - as Mien.analyze
        return analyzer.run(read_images(sources))

    return analyze
