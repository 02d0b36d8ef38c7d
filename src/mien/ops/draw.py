"""Draw what was found onto a copy of the picture, readable on any background."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw
from PIL.ImageFont import FreeTypeFont

from mien.core.faces import Face, Faces
from mien.core.image import Image
from mien.errors import BadRequest
from mien.ops.boxes import intersection
from mien.ops.fonts import lettering
from mien.ops.marks import draw_marks

Colour = tuple[int, int, int]

_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class _Paint:
    """A colour and the one that stands out against it, for its rim and for text on it."""

    colour: Colour
    contrast: Colour


# Of Okabe and Ito's palette, which people with any colour vision can tell apart; blue and orange also
# differ in lightness, so they survive a black-and-white printer. https://jfly.uni-koeln.de/color/
_KNOWN = _Paint((0, 114, 178), _WHITE)
_UNKNOWN = _Paint((230, 159, 0), _BLACK)
_FOUND = _Paint((240, 228, 66), _BLACK)

_SHEET_BACKGROUND: Colour = (245, 245, 245)


@dataclass(frozen=True, slots=True, eq=False)
class _Tag:
    """A label ready to be placed."""

    text: str
    font: FreeTypeFont
    size_wh: tuple[int, int]
    pad: int


def draw_faces(
    image: Image, faces: Faces, labels: Sequence[str] | None = None, *, known: Sequence[bool] | None = None
) -> Image:
    """Draw the box, the five points and a tag for each face: its label, or the detector's score.

    Landmarks are drawn as dots and the head's pose as three axes, if they were computed.

    Lines and letters scale with the picture and the face. Tags stay inside the picture and keep off
    faces and each other where there is room; pictures too small for letters get none. Of a face that
    lies outside of the picture nothing is drawn.

    Args:
        image: Not changed.
        faces: Found in this picture, or in the original that it is a smaller copy of.
        labels: One text per face; None or an empty one shows the score. Any script that a font
            of Pillow or of the system covers; see `mien.ops.fonts`.
        known: Whether each face is somebody known: blue if so, orange if not. None: all yellow.

    Returns:
        A new picture with the same source; the same object if there are no faces.

    Raises:
        BadRequest: The faces are of a picture of another size, or `labels` or `known` of another length.
    """
    if faces.size_wh == image.full_wh:
        faces = faces.resized(image.size_wh)
    if faces.size_wh != image.size_wh:
        raise BadRequest(f"Faces of a picture of {faces.size_wh} cannot be drawn on one of {image.size_wh}.")
    for name, given in (("labels", labels), ("known", known)):
        if given is not None and len(given) != len(faces):
            raise BadRequest(f"draw_faces wants one of {name} per face: {len(faces)}, got {len(given)}.")
    if len(faces) == 0:
        return image
    canvas = PIL.Image.fromarray(image.rgb).copy()
    draw = ImageDraw.Draw(canvas)
    paints = [_FOUND] * len(faces) if known is None else [_KNOWN if yes else _UNKNOWN for yes in known]
    frame = np.array([[0, 0, image.width, image.height]], np.float64)
    boxes = _ordered(faces.box)
    visible = [int(i) for i in np.flatnonzero(intersection(boxes + np.array([0, 0, 1, 1]), frame)[:, 0] > 0)]
    for i in visible:
        _draw_box(draw, boxes[i], _line_px(boxes[i], image.size_wh), paints[i])
        _draw_points(draw, faces[i], boxes[i], image.size_wh, paints[i])
        draw_marks(draw, faces[i], _side_px(boxes[i]))
    taken = np.zeros((0, 4))
    for i in sorted(visible, key=lambda i: -_side_px(boxes[i])):
        label = (labels[i] if labels else "") or f"{faces.score[i]:.2f}"
        tag = _tag(label, boxes[i], image.size_wh)
        if 2 * tag.size_wh[1] > image.height:
            continue
        place = _place(tag, boxes, i, taken, _line_px(boxes[i], image.size_wh), image.size_wh)
        taken = np.concatenate([taken, place[None]])
        _draw_tag(draw, place, tag, paints[i])
    return image.with_(rgb=np.array(canvas))


def contact_sheet(images: Sequence[Image], captions: Sequence[str], *, columns: int, cell: int) -> Image:
    """Lay pictures out in a grid, each fitted into a square with a caption below it.

    Args:
        images: At least one; small ones are enlarged.
        captions: One line per picture, cut with an ellipsis where it is too long.
        columns: Pictures in a row, at least 1.
        cell: Side of the square in pixels, at least 16.

    Raises:
        BadRequest: No pictures, another number of captions, or a number too small.
    """
    if not images or len(images) != len(captions):
        raise BadRequest(f"contact_sheet wants a caption per picture, got {len(images)} and {len(captions)}.")
    if columns < 1 or cell < 16:
        raise BadRequest(f"contact_sheet wants columns >= 1 and cell >= 16, got {columns} and {cell}.")
    columns = min(columns, len(images))
    gap, letters = max(4, cell // 24), max(10, cell // 20)
    step_wh = cell + gap, cell + round(1.6 * letters) + gap
    rows = -(-len(images) // columns)
    sheet = PIL.Image.new("RGB", (gap + columns * step_wh[0], gap + rows * step_wh[1]), _SHEET_BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for i, (image, caption) in enumerate(zip(images, captions, strict=True)):
        left, top = gap + i % columns * step_wh[0], gap + i // columns * step_wh[1]
        scale = cell / max(image.size_wh)
        fitted_wh = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        fitted = PIL.Image.fromarray(image.rgb).resize(fitted_wh, PIL.Image.Resampling.LANCZOS)
        sheet.paste(fitted, (left + (cell - fitted_wh[0]) // 2, top + (cell - fitted_wh[1]) // 2))
        text, font = lettering(caption, letters)
        centre = left + cell / 2, top + cell + 0.8 * letters
        draw.text(centre, _cut(text, font, cell), fill=_BLACK, font=font, anchor="mm")
    return Image.from_rgb(np.array(sheet))


def _ordered(box: NDArray[Any]) -> NDArray[np.float64]:
    """Turn inverted boxes the right way round; Pillow refuses to draw them."""
    corners = np.sort(box.astype(np.float64).reshape(-1, 2, 2), axis=1)
    return corners.reshape(-1, 4)


def _side_px(box: NDArray[np.float64]) -> float:
    return float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))


def _picture_px(size_wh: tuple[int, int]) -> float:
    return float(np.sqrt(size_wh[0] * size_wh[1]))


def _line_px(box: NDArray[np.float64], size_wh: tuple[int, int]) -> int:
    picture = _picture_px(size_wh)
    return max(1, round(float(np.clip(0.03 * _side_px(box), 0.0015 * picture, 0.008 * picture))))


def _letters_px(box: NDArray[np.float64], size_wh: tuple[int, int]) -> int:
    picture = _picture_px(size_wh)
    return max(11, round(float(np.clip(0.15 * _side_px(box), 0.014 * picture, 0.04 * picture))))


def _draw_box(draw: ImageDraw.ImageDraw, box: NDArray[np.float64], line: int, paint: _Paint) -> None:
    rim = max(1, line // 2)
    # Far edges end just outside of the picture: Pillow overflows on coordinates that are only absurd.
    low, high = -2 * (line + rim), max(draw.im.size) + 2 * (line + rim)
    x1, y1, x2, y2 = (int(v) for v in np.clip(np.round(box), low, high))
    grow = line // 2 + rim
    draw.rectangle((x1 - grow, y1 - grow, x2 + grow, y2 + grow), outline=paint.contrast, width=line + 2 * rim)
    grow -= rim
    draw.rectangle((x1 - grow, y1 - grow, x2 + grow, y2 + grow), outline=paint.colour, width=line)


def _draw_points(
    draw: ImageDraw.ImageDraw, face: Face, box: NDArray[np.float64], size_wh: tuple[int, int], paint: _Paint
) -> None:
    if face.points is None:
        return
    radius = max(1.0, 0.018 * _side_px(box))
    for x, y in face.points.astype(float):
        if -radius <= x <= size_wh[0] + radius and -radius <= y <= size_wh[1] + radius:
            for r, colour in ((radius + max(1.0, radius / 3), paint.contrast), (radius, paint.colour)):
                draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)


def _tag(text: str, box: NDArray[np.float64], size_wh: tuple[int, int]) -> _Tag:
    letters = _letters_px(box, size_wh)
    pad = max(2, letters // 4)
    line, font = lettering(text, letters)
    line = _cut(line, font, size_wh[0] - 2 * pad)
    ascent, descent = font.getmetrics()
    return _Tag(line, font, (round(font.getlength(line)) + 2 * pad, ascent + descent + pad), pad)


def _cut(text: str, font: FreeTypeFont, width_px: int) -> str:
    """Shorten a text to a width, from its end; never to less than its first letter."""
    if font.getlength(text) <= width_px:
        return text
    while len(text) > 1 and font.getlength(text + "…") > width_px:
        text = text[:-1]
    return text.rstrip() + "…"


def _place(
    tag: _Tag,
    boxes: NDArray[np.float64],
    own: int,
    taken: NDArray[np.float64],
    line: int,
    size_wh: tuple[int, int],
) -> NDArray[np.float64]:
    """Find the place for a tag, xyxy, that hides least: outside of its box if possible, above it if equal."""
    w, h = tag.size_wh
    x1, y1, x2, y2 = np.clip(boxes[own], 0, [*size_wh, *size_wh])
    gap = 2 * line
    corners = np.array(
        [
            (x1, y1 - h - gap),
            (x2 - w, y1 - h - gap),
            (x1, y2 + gap),
            (x2 - w, y2 + gap),
            ((x1 + x2 - w) / 2, y1 - h - gap),
            ((x1 + x2 - w) / 2, y2 + gap),
            (x2 + gap, y1),
            (x1 - w - gap, y1),
            (x2 + gap, y2 - h),
            (x1 - w - gap, y2 - h),
            (x1, y1),
            (x1, y2 - h),
        ]
    )
    corners = np.clip(corners, 0, np.maximum(np.array(size_wh) - (w, h), 0))
    places = np.round(np.concatenate([corners, corners + np.array([w, h])], axis=1))
    hidden = intersection(places, boxes)
    hidden[:, own] *= 0.6
    cost = (hidden.sum(axis=1) + 2 * intersection(places, taken).sum(axis=1)) / (w * h)
    best: NDArray[np.float64] = places[int(np.argmin(cost + 0.01 * np.arange(len(places))))]
    return best


def _draw_tag(draw: ImageDraw.ImageDraw, place: NDArray[np.float64], tag: _Tag, paint: _Paint) -> None:
    x1, y1, x2, y2 = (int(v) for v in place)
    draw.rectangle((x1, y1, x2 - 1, y2 - 1), fill=paint.colour, outline=paint.contrast)
    ascent, _ = tag.font.getmetrics()
    draw.text(
        (x1 + tag.pad, y1 + tag.pad // 2 + ascent), tag.text, fill=paint.contrast, font=tag.font, anchor="ls"
    )
