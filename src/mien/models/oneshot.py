"""Detectors that find all faces of a view in one call of one network.

They differ in how their outputs are read, which each family's `decode` does for one view. Everything else
is here: which views of a picture are taken, how pixels get there, and how what was found in several views
becomes one list of faces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.models.stage import Count, Share
from mien.models.views import Sight, View, cut_view, from_view, plan_views, turn_back, turned_size
from mien.ops.boxes import nms
from mien.packs.manifest import Input
from mien.packs.store import Pack
from mien.runtime.prepare import to_tensor
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Tensor = NDArray[np.float32]

# Pixels that one call sees, over all its views: memory stays bounded. On a CPU a call sees one view, because
# several at once were measured to take a tenth to a third longer.
_MOST_PIXELS = 4 * 640 * 640
# Of boxes from several views, one that lies so far in a better one, or holds so much of it, is the same
# face: a part of it seen in a tile, or a body that looks like a face from afar.
_NESTED = 0.7
# Turned views have to be surer by this, or faces that lean come out upside down now and then.
_TURNED = 0.02
# A box that comes this near to the inner border of a tile, as a share of its side, may be cut by it.
_BORDER = 0.01


class AnySize(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tensors of a network that takes any size.

    Attributes:
        fast: Longest side in the mode `fast`.
        normal: Longest side in all other modes.
        stride: Sides are multiples of this.
    """

    fast: Count
    normal: Count
    stride: Count


class OneShotFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Facts of every detector of this kind; families add those of their decoding.

    Attributes:
        file: Name of the network in the pack.
        threshold: Least score of a face in a view of the whole upright picture.
        sure: Least score in a tile or a turned view: each is one more chance to be wrong.
        iou: Overlap of two boxes above which the worse one is dropped.
        smallest: Side of the smallest face it finds, in pixels of its tensor.
        enlarge: Small pictures are enlarged at most this many times.
        afar: How much smaller than in the normal view the mode `close` shows a picture.
        any_size: Sizes of tensors; None for a network of fixed size, which is in `[input]`.
        batched: Whether it can take several views in one call.
    """

    file: str
    threshold: Share
    sure: Share
    iou: Share
    smallest: Count
    enlarge: Annotated[float, Meta(ge=1, le=16)]
    afar: Annotated[float, Meta(gt=0, le=1)]
    any_size: AnySize | None = None
    batched: bool = True


@dataclass(frozen=True, slots=True)
class Candidates:
    """Possible faces of one view: box `(n, 4)` xyxy, score `(n,)`, points `(n, 5, 2)` or None.

    Coordinates are edges: pixel i spans i to i + 1.
    """

    box: FloatArray
    score: FloatArray
    points: FloatArray | None = None


def join(parts: Sequence[Candidates]) -> Candidates:
    """One after the other; there is at least one part, and all have points or none has."""
    points = [part.points for part in parts if part.points is not None]
    return Candidates(
        np.concatenate([part.box for part in parts]),
        np.concatenate([part.score for part in parts]),
        np.concatenate(points) if points else None,
    )


# (outputs of one view by name, each `(k, c)`; width and height of its tensor; least score) -> candidates
Decode = Callable[[Mapping[str, Tensor], tuple[int, int], float], Candidates]


class OneShot:
    """The stage of every detector of this kind.

    Args:
        pack: Where the network is; its `[input]` says how pixels are prepared.
        runtime: Opens it.
        settings: Say how pictures are searched.
        facts: Those of the pack's manifest.
        decode: Reads the outputs of one view.
        points: Whether it gives points.

    Raises:
        ManifestInvalid: No `[input]`, or not exactly one of its size and `any_size`.
    """

    needs = frozenset[str]()

    def __init__(
        self,
        pack: Pack,
        runtime: Runtime,
        settings: Settings,
        facts: OneShotFacts,
        decode: Decode,
        *,
        points: bool,
    ) -> None:
        self.name = pack.manifest.name
        self.gives = frozenset({"box", "score", "points"} if points else {"box", "score"})
        self.search = settings.searching
        if pack.manifest.input is None:
            raise ManifestInvalid(f"Pack {self.name} needs an [input].")
        self._input: Input = pack.manifest.input
        self._facts = facts
        least = settings.least_score
        self._least = facts.threshold if least is None else least
        self._sure = facts.sure if least is None else least
        self.sight = _sight(self.name, self._input, facts)
        self._decode = decode
        self._network = runtime.network(pack.file(facts.file))
        self._most_pixels = _MOST_PIXELS if facts.batched and runtime.device != "cpu" else 0

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:  # noqa: ARG002 - a detector comes first
        """Detect in all pictures of the batch."""
        plans = [plan_views(image.size_wh, self.search, self.sight) for image in images]
        found: list[dict[View, Candidates]] = [{} for _ in images]
        for looks in self._batches(plans):
            chips = [cut_view(images[number].rgb, view) for number, view in looks]
            outputs = self._network.run({self._network.input_names[0]: to_tensor(chips, self._input)})
            rows = {name: value.reshape(len(looks), -1, value.shape[-1]) for name, value in outputs.items()}
            for i, (number, view) in enumerate(looks):
                seen = {name: value[i] for name, value in rows.items()}
                least = self._least if view.plain else self._sure
                candidates = self._decode(seen, view.size_wh, least)
                found[number][view] = in_picture(candidates, view, images[number].size_wh)
        # In the order of the plan, which no other picture of the batch can change.
        return [
            self._merge(image, plan, [parts[view] for view in plan])
            for image, plan, parts in zip(images, plans, found, strict=True)
        ]

    def _batches(self, plans: Sequence[Sequence[View]]) -> Iterator[list[tuple[int, View]]]:
        """Views of one size with the numbers of their pictures, as many as one call may see."""
        by_size: dict[tuple[int, int], list[tuple[int, View]]] = defaultdict(list)
        for number, plan in enumerate(plans):
            for view in plan:
                by_size[view.size_wh].append((number, view))
        for (width, height), looks in by_size.items():
            most = max(1, self._most_pixels // (width * height))
            for start in range(0, len(looks), most):
                yield looks[start : start + most]

    def _merge(self, image: Image, plan: Sequence[View], parts: Sequence[Candidates]) -> Faces:
        found = join(parts)
        turned = np.repeat([view.turns > 0 for view in plan], [len(part.score) for part in parts])
        rank = found.score - _TURNED * turned
        centre = (found.box[:, :2] + found.box[:, 2:]) / 2
        inside = np.flatnonzero(((centre >= 0) & (centre <= image.size_wh)).all(1))
        keep = inside[nms(found.box[inside], rank[inside], self._facts.iou)]
        if len(parts) > 1:
            keep = keep[nms(found.box[keep], rank[keep], _NESTED, measure="smaller")]
        # Pixel centres are at integers in points.
        points = None if found.points is None else found.points[keep] - 0.5
        return Faces(image.size_wh, found.box[keep], found.score[keep], points)


def in_picture(candidates: Candidates, view: View, size_wh: tuple[int, int]) -> Candidates:
    """Bring candidates into the frame of the upright picture, without those that are cut or too small.

    Args:
        candidates: In the tensor's frame.
        view: Where it looked.
        size_wh: Of the upright picture.
    """
    sides = candidates.box[:, 2:] - candidates.box[:, :2]
    corners = from_view(candidates.box.reshape(-1, 2, 2), view)
    whole = (sides.max(1) >= view.least) & ~_is_cut(corners, view, turned_size(size_wh, view.turns))
    corners = turn_back(corners[whole], view.turns, size_wh)
    box = np.concatenate([corners.min(1), corners.max(1)], 1)
    points = candidates.points
    if points is not None:
        points = turn_back(from_view(points[whole], view), view.turns, size_wh)
    return Candidates(box, candidates.score[whole], points)


def _is_cut(corners: FloatArray, view: View, turned_wh: tuple[int, int]) -> NDArray[np.bool_]:
    """Which boxes `(n, 2, 2)` come too near to a border of the view that lies inside the picture."""
    rect = np.array(view.rect).reshape(2, 2)
    margin = _BORDER * (rect[1] - rect[0])
    low = (rect[0] > 0) & (corners[:, 0] < rect[0] + margin)
    # A view that ends at the border may miss it by a rounding error.
    high = (rect[1] < np.subtract(turned_wh, 1e-6)) & (corners[:, 1] > rect[1] - margin)
    cut: NDArray[np.bool_] = (low | high).any(1)
    return cut


def _sight(name: str, spec: Input, facts: OneShotFacts) -> Sight:
    size = facts.any_size
    if size is None and spec.size_wh is not None:
        fast = normal = spec.size_wh
    elif size is not None and spec.size_wh is None:
        fast, normal = (size.fast, size.fast), (size.normal, size.normal)
    else:
        raise ManifestInvalid(f"Pack {name} needs either size_wh in [input] or any_size in [facts].")
    stride = None if size is None else size.stride
    return Sight(fast, normal, stride, facts.smallest, facts.enlarge, facts.afar)
