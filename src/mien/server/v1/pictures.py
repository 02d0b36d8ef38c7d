"""Faces in one photograph, and two photographs compared; nobody is remembered."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from starlette.responses import Response

from mien.answers.pictures import PhotoRow, VerifyRow, face_row, verify_row
from mien.answers.service import EmbeddedFaceRow, EmbeddingsRow, LiveFaceRow, LivenessRow
from mien.core.analysis import Analysis, Failure
from mien.core.columns import COLUMNS
from mien.core.faces import Faces
from mien.errors import BadRequest
from mien.looker import embedding_of
from mien.ops.hide import hide_faces
from mien.pipeline.choosing import choose
from mien.pipeline.stages import DETECTION
from mien.server.answers import json_answer, picture_answer
from mien.server.asking import Ask, Asking
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.service import LIVE
from mien.server.uploads import shown_name

door = Door(tags=["photographs"])
Which = Literal["only", "largest"] | Annotated[int, msgspec.Meta(ge=0, le=100_000)]


class AnalyzeOptions(msgspec.Struct, frozen=True):
    """What to compute: names of columns with commas between, or `all`; nothing: what is usual."""

    columns: str = ""


class LivenessOptions(msgspec.Struct, frozen=True):
    """From which probability on a face is taken for live."""

    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] = LIVE


class AnonymiseOptions(msgspec.Struct, frozen=True):
    """How faces are hidden, and by which share of its sides the box around a face is grown."""

    way: Literal["pixelate", "blur", "solid"] = "pixelate"
    grow: Annotated[float, msgspec.Meta(ge=0, le=5)] = 0.3


class VerifyOptions(msgspec.Struct, frozen=True):
    """Which face of photographs with several."""

    face: Which = "only"


@door.at("POST", "/detect", Plan("detect", PhotoRow, photos=PHOTO))
async def detect(ask: Asking) -> Response:
    """Find the faces in a photograph."""
    (photo,) = await ask.photographs()
    return json_answer(_row(await ask.look(DETECTION, photo)))


@door.at("POST", "/analyze", Plan("detect", PhotoRow, photos=PHOTO, options=AnalyzeOptions))
async def analyze(ask: Asking) -> Response:
    """Find the faces in a photograph, and read what they look like."""
    (photo,) = await ask.photographs()
    options = await ask.options(AnalyzeOptions)
    columns = _columns(ask, options.columns)
    found = await ask.look(columns, photo)
    # Columns that others needed were not asked for; a mesh alone has a thousand numbers.
    unasked = dict.fromkeys(found.faces.columns().keys() - {*DETECTION, *columns})
    return json_answer(_row(replace(found, faces=found.faces.with_(**unasked))))


@door.at("POST", "/liveness", Plan("detect", LivenessRow, photos=PHOTO, options=LivenessOptions))
async def liveness(ask: Asking) -> Response:
    """Tell live faces from photographs and screens of faces."""
    (photo,) = await ask.photographs()
    options = await ask.options(LivenessOptions)
    found = await ask.look((*DETECTION, "live"), photo)
    rows = [
        LiveFaceRow(
            _rounded(face.box),
            round(face.score, 4),
            round(face.live or 0.0, 4),
            "live" if (face.live or 0.0) >= options.threshold else "spoof",
        )
        for face in found.faces
    ]
    return json_answer(LivenessRow(shown_name(found.source), found.faces.size_wh, options.threshold, rows))


@door.at("POST", "/anonymise", Plan("detect", "image/png", photos=PHOTO, options=AnonymiseOptions))
async def anonymise(ask: Asking) -> Response:
    """Hide every face that is found; what is not found stays visible.

    The answer is a PNG without anything that the photograph said about itself.
    """
    (photo,) = await ask.photographs()
    options = await ask.options(AnonymiseOptions)

    def hidden(found: Analysis) -> bytes:
        # At the size of the picture that was looked at, which a fast profile makes smaller.
        faces = found.faces.resized(found.image.size_wh)
        made = hide_faces(found.image, faces, options.way, grow=options.grow)
        into = BytesIO()
        PIL.Image.fromarray(made.rgb).save(into, "PNG", compress_level=1)
        return into.getvalue()

    return picture_answer(await ask.make(("box", "score"), photo, hidden), "image/png")


@door.at(
    "POST",
    "/verify",
    Plan("verify", VerifyRow, photos=("photo_a", "photo_b"), least=2, options=VerifyOptions),
)
async def verify(ask: Asking) -> Response:
    """Decide whether two photographs show the same person."""
    sent = dict((await ask.given()).uploads)
    if len(sent) != len(ask.plan.photos):
        raise BadRequest("One photograph is wanted as photo_a, and one as photo_b.")
    options = await ask.options(VerifyOptions)
    kit = ask.service.kit
    looked = await ask.look_at_all((*DETECTION, "embedding"), [sent[name] for name in ask.plan.photos])
    return json_answer(verify_row(kit.decide(*(chosen(one, options.face) for one in looked))))


@door.at("POST", "/embeddings", Plan("verify", EmbeddingsRow, photos=PHOTO))
async def embeddings(ask: Asking) -> Response:
    """Give the template of each face: biometric data, which compares only within its space."""
    (photo,) = await ask.photographs()
    found = await ask.look((*DETECTION, "embedding"), photo)
    vectors, space = embedding_of(found.faces)
    rows = [
        EmbeddedFaceRow(_rounded(face.box), round(face.score, 4), vector.tolist())
        for face, vector in zip(found.faces, vectors, strict=True)
    ]
    return json_answer(EmbeddingsRow(shown_name(found.source), found.faces.size_wh, space, rows))


def chosen(result: Analysis | Failure, face: Which) -> Faces:
    """The face of a photograph that is meant. Raises MienError."""
    if isinstance(result, Failure):
        raise result.error
    return choose(result, face)


def _columns(ask: Ask, text: str) -> tuple[str, ...]:
    if text.strip() == "all":
        available = ask.service.kit.available()
        return tuple(column.name for column in COLUMNS if column.export and column.name in available)
    named = tuple(name for name in (part.strip() for part in text.split(",")) if name)
    if not named:
        return ask.service.usual
    # In one order, so that those who ask for the same are looked at together.
    return (*DETECTION, *sorted({*named} - {*DETECTION}))


def _row(found: Analysis) -> PhotoRow:
    faces = [face_row(face) for face in found.faces]
    return PhotoRow(shown_name(found.source), found.faces.size_wh, faces)


def _rounded(box: NDArray[np.floating[Any]]) -> list[float]:
    return [round(float(edge), 2) for edge in box]
