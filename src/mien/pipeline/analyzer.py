"""Running stages over any number of pictures in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import MienError, OutOfMemory
from mien.models.stage import Stage
from mien.pipeline.plan import order_stages

# Pictures that travel together hold at most this many pixels (3 bytes each), whatever their number.
_MOST_PIXELS = 64_000_000

Observer = Callable[[str, int, float], None]


class Analyzer:
    """Runs pictures through stages in small batches and hands results on in order.

    Args:
        stages: In any order; each batch passes them in the order of their needs.
        batch: Most pictures that travel together.
        observe: Told the name of a stage, how many pictures it saw, and the seconds it took.

    Raises:
        BadRequest: The stages do not fit together.
    """

    def __init__(self, stages: Sequence[Stage], batch: int = 8, observe: Observer | None = None) -> None:
        self.stages = order_stages(stages)
        self.batch = batch
        self._observe = observe

    def run(self, items: Iterable[Image | Failure]) -> Iterator[Analysis | Failure]:
        """Analyse pictures as they come; failures pass through, and one bad item stops nothing."""
        for group in self._groups(items):
            images = [item for item in group if isinstance(item, Image)]
            done = iter(self._safely(images))
            for item in group:
                yield next(done) if isinstance(item, Image) else item

    def _groups(self, items: Iterable[Image | Failure]) -> Iterator[list[Image | Failure]]:
        group: list[Image | Failure] = []
        pixels = 0
        for item in items:
            size = item.width * item.height if isinstance(item, Image) else 0
            if group and pixels + size > _MOST_PIXELS:
                yield group
                group, pixels = [], 0
            group.append(item)
            pixels += size
            if len(group) >= self.batch:
                yield group
                group, pixels = [], 0
        if group:
            yield group

    def _safely(self, images: Sequence[Image]) -> list[Analysis | Failure]:
        """When a batch fails, its pictures are tried one by one, so that only the culprit fails."""
        try:
            return list(self._analyse(images))
        except (MienError, MemoryError) as error:
            if len(images) == 1:
                source = images[0].source or "<array>"
                told = error if isinstance(error, MienError) else OutOfMemory(f"No memory left for {source}.")
                return [Failure(source, told)]
        return [self._safely([image])[0] for image in images]

    def _analyse(self, images: Sequence[Image]) -> list[Analysis]:
        faces = [Faces.empty(image.size_wh) for image in images]
        if images:
            for stage in self.stages:
                start = time.perf_counter()
                faces = stage(images, faces)
                if self._observe:
                    self._observe(stage.name, len(images), time.perf_counter() - start)
        return [
            Analysis(image, found.resized(image.original_wh))
            for image, found in zip(images, faces, strict=True)
        ]
