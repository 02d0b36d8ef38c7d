"""Detection: faces of one photograph; nobody is remembered."""

from __future__ import annotations

from starlette.responses import Response

from mien.server.answers import json_answer
from mien.server.asking import Asking
from mien.server.compreface.looking import look, versions
from mien.server.compreface.reading import Looking, options, upload
from mien.server.compreface.shapes import Detected, FoundFace
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["CompreFace"], prefix="/detection")


@door.at("POST", "/detect", Plan("detect", Detected, photos=("file",), options=Looking))
async def detect(ask: Asking) -> Response:
    """Find the faces in a photograph, as CompreFace does.

    Embeddings, by the plugin `calculator`, are for keys that may also verify.
    """
    wanted = await options(ask, Looking)
    (looked,) = await look(ask, [await upload(ask)], wanted)
    rows = [looked.row(i, FoundFace) for i in range(len(looked.faces))]
    return json_answer(Detected(rows, versions(ask, wanted)))
