"""Boxes of faces in COCO's JSON (https://cocodataset.org/#format-data)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import msgspec
import numpy as np

from mien.errors import BadRequest
from mien.evaluate.measures.boxes import Marked

_FACE = "face"
_HINT = "Wanted: an object with images (id, file_name) and annotations (image_id, bbox), as COCO has it."

Number = int | str


class _Image(msgspec.Struct):
    id: Number
    file_name: str


class _Annotation(msgspec.Struct):
    image_id: Number
    bbox: tuple[float, float, float, float]
    category_id: Number | None = None
    iscrowd: int | bool = 0
    ignore: int | bool = 0


class _Category(msgspec.Struct):
    id: Number
    name: str = ""


class _File(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category] = []


def read_coco(text: str, name: str) -> Mapping[str, Marked]:
    """Read boxes by the file name of the photograph; with `iscrowd` or `ignore`, and of no size: ignored.

    If there are several categories, the one called `face` counts.

    Args:
        text: Contents of the file.
        name: Of the file, for messages.

    Raises:
        BadRequest: It is no JSON, not of this form, or names nothing that there is.
    """
    try:
        file = msgspec.json.decode(text, type=_File)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"{name}: {error}.", hint=_HINT) from error
    names = {image.id: image.file_name for image in file.images}
    if not names or len({*names.values()}) != len(file.images):
        said = "lists a photograph twice" if names else "lists no photograph"
        raise BadRequest(f"{name} {said}.", hint=_HINT)
    category = _category(file, name)
    boxes: dict[Number, list[tuple[float, float, float, float, bool]]] = defaultdict(list)
    for place, annotation in enumerate(file.annotations):
        if category is not None and annotation.category_id != category:
            continue
        x, y, width, height = annotation.bbox
        if annotation.image_id not in names or width < 0 or height < 0:
            wrong = "the bbox is no x, y, width, height" if annotation.image_id in names else "no such image"
            raise BadRequest(f"{name}, annotations[{place}]: {wrong}.", hint=_HINT)
        ignored = bool(annotation.iscrowd or annotation.ignore)
        boxes[annotation.image_id].append((x, y, x + width, y + height, ignored))
    return {photo: _marked(boxes[number]) for number, photo in names.items()}


def _category(file: _File, name: str) -> Number | None:
    """Which category counts; None: all."""
    if len(file.categories) < 2:
        return None
    faces = [category.id for category in file.categories if category.name.lower() == _FACE]
    if not faces:
        named = ", ".join(category.name[:40] for category in file.categories[:5])
        raise BadRequest(f"{name} has the categories {named}; none is called {_FACE}.", hint=_HINT)
    return faces[0]


def _marked(rows: list[tuple[float, float, float, float, bool]]) -> Marked:
    box = np.array([row[:4] for row in rows], np.float64).reshape(-1, 4)
    ignored = (box[:, 2:] <= box[:, :2]).any(1) | np.array([row[4] for row in rows], bool)
    return Marked(box[~ignored], box[ignored])
