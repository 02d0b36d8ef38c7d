"""Who is in a photograph, among the people of a collection."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.responses import Response

from mien.answers.people import SearchReport, search_report
from mien.answers.pictures import identify_row
from mien.answers.service import RecognisedRow
from mien.core.results import Identification
from mien.looker import embedding_of
from mien.pipeline.stages import DETECTION
from mien.server.answers import json_answer
from mien.server.asking import Asking
from mien.server.doors import Door
from mien.server.plans import PHOTO, Plan
from mien.server.uploads import shown_name
from mien.server.v1.pictures import Which, chosen

door = Door(tags=["recognition"], prefix="/collections/{collection}")


class IdentifyOptions(msgspec.Struct, frozen=True):
    """How many candidates to give for each face, and among whom: people with all of these tags."""

    k: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    tag: tuple[str, ...] = ()


class SearchOptions(msgspec.Struct, frozen=True):
    """How many faces to give, which face of the photograph is meant, and among whom to look."""

    k: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    face: Which = "only"
    tag: tuple[str, ...] = ()


@door.at("POST", "/identify", Plan("search", RecognisedRow, photos=PHOTO, options=IdentifyOptions))
async def identify(collection: str, ask: Asking) -> Response:
    """Say who is in a photograph: for each face the person, if there is one, and candidates."""
    (photo,) = await ask.photographs()
    options = await ask.options(IdentifyOptions)
    gallery = await ask.gallery(collection)
    found = await ask.look((*DETECTION, "embedding"), photo)
    matches = await ask.do(lambda: gallery.identify(*embedding_of(found.faces), options.k, tags=options.tag))
    people = identify_row(Identification(found.image, found.faces, matches)).people or []
    rule = gallery.rule
    return json_answer(
        RecognisedRow(
            shown_name(found.source),
            found.faces.size_wh,
            people,
            rule.distance,
            rule.fmr,
            rule.metric,
            rule.space,
            rule.source,
        )
    )


@door.at("POST", "/search", Plan("search", SearchReport, photos=PHOTO, options=SearchOptions))
async def search(collection: str, ask: Asking) -> Response:
    """Find the enrolled faces that are most like one in a photograph, several of a person too."""
    (photo,) = await ask.photographs()
    options = await ask.options(SearchOptions)
    gallery = await ask.gallery(collection)
    face = chosen(await ask.look((*DETECTION, "embedding"), photo), options.face)
    matches = await ask.do(lambda: gallery.search(*embedding_of(face), options.k, tags=options.tag))
    return json_answer(search_report(matches, gallery.rule.metric))
