"""Files that say where faces are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mien.evaluate.measures.boxes import Marked
from mien.evaluate.reading.coco import read_coco
from mien.evaluate.reading.wider import read_wider
from mien.media.text import read_text


def read_marked(file: Path) -> Mapping[str, Marked]:
    """Read boxes of faces by the name of the photograph, as WIDER FACE's text or COCO's JSON has them.

    Both give the upper left corner, width and height, measured from the corner of the picture. `Faces.box`
    names edges in the same frame, in which a picture reaches from (0, 0) to (width, height), so that nothing
    is shifted. Photographs that EXIF turns are marked as they are seen, upright.

    Raises:
        BadRequest: The file cannot be read or understood.
    """
    text = read_text(file)
    return (read_coco if text.lstrip()[:1] in ("{", "[") else read_wider)(text, str(file))
