"""Where a one-shot detector looks: the whole picture, parts of it, the picture from afar, or turned.

A network of this kind sees faces within a range of sizes: from `smallest` pixels of its tensor up to
about half of it. Each mode of `settings.Search` is a set of views that brings other faces into that range.
Coordinates here are edges: pixel i spans i to i + 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.ops.warp import resize
from mien.settings import Search

Pixels = NDArray[np.uint8]
FloatArray = NDArray[np.floating[Any]]
Size = tuple[int, int]

# The finest tiles enlarge a picture at most this many times, and to at most so many pixels (without what
# they share, and without coarser tiles).
_MOST_ENLARGED = 2.0
_MOST_TILED = 16_000_000
# Neighbouring tiles share this part of their shorter side, and at least so many of the smallest faces.
_SHARED = 0.2
_SHARED_FACES = 2.5
# Finer tiles than the whole view by less than this show nothing new.
_WORTH_TILING = 1.25
# From afar only faces of this many times the smallest are believed.
_LARGE_AFAR = 2


@dataclass(frozen=True, slots=True)
class Sight:
    """What a network can see at once.

    Attributes:
        fast_wh: Largest tensor in the mode `fast`.
        normal_wh: Largest tensor in all other modes.
        stride: Sides of a tensor are multiples of this; None for a network that takes `normal_wh` only.
        smallest: Side in pixels of the smallest face it finds.
        enlarge: Whole pictures are enlarged at most this many times.
        afar: How much smaller than in the normal view `close` shows the whole picture.
    """

    fast_wh: Size
    normal_wh: Size
    stride: int | None
    smallest: int
    enlarge: float
    afar: float


@dataclass(frozen=True, slots=True)
class View:
    """One look at a picture.

    Attributes:
        rect: What is shown, xyxy in the turned picture; may reach beyond it, where nothing is.
        turns: Quarter turns, counter-clockwise, that the picture makes first: 0 to 3.
        size_wh: Width and height of the tensor that shows it.
        plain: Shows all of the picture, and upright.
        least: Boxes whose longer side is less than this, in pixels of the tensor, are not believed.
    """

    rect: tuple[float, float, float, float]
    turns: int
    size_wh: Size
    plain: bool = False
    least: int = 0


def plan_views(size_wh: Size, search: Search, sight: Sight) -> list[View]:
    """The views of a picture of this size, upright and coarse ones first."""
    return _PLANS[search](size_wh, sight)


def _fast(size_wh: Size, sight: Sight) -> list[View]:
    return [_whole(size_wh, sight, sight.fast_wh)]


def _normal(size_wh: Size, sight: Sight) -> list[View]:
    return [_whole(size_wh, sight, sight.normal_wh)]


def _tiny(size_wh: Size, sight: Sight) -> list[View]:
    return [*_normal(size_wh, sight), *_tiles(size_wh, sight)]


def _close(size_wh: Size, sight: Sight) -> list[View]:
    return [*_normal(size_wh, sight), _afar(size_wh, sight)]


def _thorough(size_wh: Size, sight: Sight) -> list[View]:
    views = [*_close(size_wh, sight), *_tiles(size_wh, sight)]
    for turns in (1, 2, 3):
        turned_wh = turned_size(size_wh, turns)
        views += [replace(view, turns=turns, plain=False) for view in _close(turned_wh, sight)]
    return views


_PLANS: dict[Search, Callable[[Size, Sight], list[View]]] = {
    "fast": _fast,
    "normal": _normal,
    "tiny": _tiny,
    "close": _close,
    "thorough": _thorough,
}


def _scale(size_wh: Size, sight: Sight, most_wh: Size) -> float:
    return min(most_wh[0] / size_wh[0], most_wh[1] / size_wh[1], sight.enlarge)


def _whole(size_wh: Size, sight: Sight, most_wh: Size) -> View:
    """The picture as large as the tensor allows, in its top left corner."""
    inner = _shrunk(size_wh, _scale(size_wh, sight, most_wh))
    return _placed(size_wh, inner, _padded(inner, sight, most_wh), (0, 0))


def _afar(size_wh: Size, sight: Sight) -> View:
    """The picture smaller than in the normal view, amid emptiness.

    It is there for faces that are too large otherwise; the small things that it shows are better seen in
    the normal view, and from afar two faces can look like a third between them.
    """
    inner = _shrunk(size_wh, _scale(size_wh, sight, sight.normal_wh) * sight.afar)
    tensor = _padded((2 * inner[0], 2 * inner[1]), sight, sight.normal_wh)
    corner = ((tensor[0] - inner[0]) // 2, (tensor[1] - inner[1]) // 2)
    return replace(_placed(size_wh, inner, tensor, corner), least=_LARGE_AFAR * sight.smallest)


def _shrunk(size_wh: Size, scale: float) -> Size:
    return max(1, round(size_wh[0] * scale)), max(1, round(size_wh[1] * scale))


def _padded(inner_wh: Size, sight: Sight, most_wh: Size) -> Size:
    stride = sight.stride
    if stride is None:
        return most_wh
    return math.ceil(inner_wh[0] / stride) * stride, math.ceil(inner_wh[1] / stride) * stride


def _placed(size_wh: Size, inner_wh: Size, tensor_wh: Size, corner: Size) -> View:
    """The view whose tensor shows the picture in `inner_wh` pixels from `corner` on."""
    across, down = size_wh[0] / inner_wh[0], size_wh[1] / inner_wh[1]
    left, top = -corner[0] * across, -corner[1] * down
    rect = (left, top, left + tensor_wh[0] * across, top + tensor_wh[1] * down)
    return View(rect, 0, tensor_wh, plain=True)


def _tiles(size_wh: Size, sight: Sight) -> list[View]:
    """Tiles of several scales, so that each face is seen whole in one in which it is large enough."""
    start = _scale(size_wh, sight, sight.normal_wh)
    finest = min(_MOST_ENLARGED, math.sqrt(_MOST_TILED / (size_wh[0] * size_wh[1])))
    if finest < start * _WORTH_TILING:
        return []
    shared = max(_SHARED * min(sight.normal_wh), _SHARED_FACES * sight.smallest)
    # A face that is cut by the tiles of one scale is larger than what they share, and thus large enough
    # for the scale before.
    levels = math.ceil(math.log(finest / start) / math.log(shared / sight.smallest))
    views = []
    for level in range(1, levels + 1):
        scale = start * (finest / start) ** (level / levels)
        columns, rows = (
            _spans(size_wh[axis], sight.normal_wh[axis], scale, shared, sight.stride) for axis in (0, 1)
        )
        views += [
            View((left, top, left + width, top + height), 0, (wide, high))
            for top, height, high in rows
            for left, width, wide in columns
        ]
    return views


def _spans(
    length: int, tensor: int, scale: float, shared: float, stride: int | None
) -> list[tuple[int, int, int]]:
    """Start and length of each tile along one side of the picture, and of its tensor's side."""
    if stride is not None:
        tensor = min(tensor, math.ceil(length * scale / stride) * stride)
    span = math.ceil(tensor / scale)
    if span >= length:
        return [(0, span, tensor)]
    steps = math.ceil((length - span) / (span - shared / scale))
    return [(round(i * (length - span) / steps), span, tensor) for i in range(steps + 1)]


def cut_view(rgb: Pixels, view: View) -> Pixels:
    """The pixels of a view, `(h, w, 3)` uint8 of its tensor's size; black beyond the picture."""
    height, width = rgb.shape[:2]
    turned_wh = turned_size((width, height), view.turns)
    rect = np.array(view.rect).reshape(2, 2)
    shown = np.clip(rect, 0, turned_wh)
    inner = np.rint((shown - rect[0]) * view.size_wh / (rect[1] - rect[0])).astype(int)
    # A picture thinner than a pixel of the tensor is still seen.
    inner[1] = np.maximum(inner[1], inner[0] + 1)
    # The small picture is turned rather than the large one.
    corners = np.rint(turn_back(shown, view.turns, (width, height))).astype(int)
    low, high = corners.min(0), corners.max(0)
    inner_wh = turned_size((int(inner[1, 0] - inner[0, 0]), int(inner[1, 1] - inner[0, 1])), view.turns)
    small = rgb[low[1] : high[1], low[0] : high[0]]
    if small.shape[1::-1] != inner_wh:
        small = resize(np.ascontiguousarray(small), inner_wh)
    pixels = np.zeros((view.size_wh[1], view.size_wh[0], 3), np.uint8)
    pixels[inner[0, 1] : inner[1, 1], inner[0, 0] : inner[1, 0]] = np.rot90(small, view.turns)
    return pixels


def turned_size(size_wh: Size, turns: int) -> Size:
    """Width and height of a picture after quarter turns."""
    return size_wh[::-1] if turns % 2 else size_wh


def turn_back(xy: FloatArray, turns: int, size_wh: Size) -> FloatArray:
    """Points `(..., 2)` of the picture turned `turns` quarters counter-clockwise, in the upright one.

    Args:
        xy: Edge coordinates in the turned picture.
        turns: 0 to 3.
        size_wh: Of the upright picture.
    """
    width, height = size_wh
    x, y = xy[..., 0], xy[..., 1]
    upright = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turns]
    return np.stack(upright, -1)


def from_view(xy: FloatArray, view: View) -> FloatArray:
    """Points `(..., 2)` of the tensor in the turned picture, both in edge coordinates."""
    rect = np.array(view.rect)
    moved: FloatArray = xy * ((rect[2:] - rect[:2]) / view.size_wh) + rect[:2]
    return moved
