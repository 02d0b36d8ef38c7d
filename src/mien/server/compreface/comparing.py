"""Verification: two photographs, or embeddings, compared; nobody is remembered."""

from __future__ import annotations

from starlette.responses import Response

from mien.errors import BadRequest, ManyFaces
from mien.looker import embedding_of
from mien.ops.vectors import DISTANCES
from mien.server.answers import json_answer
from mien.server.asking import Asking
from mien.server.compreface.looking import look, versions
from mien.server.compreface.reading import Looking, SourceAndTargets, as_vectors, numbers, options
from mien.server.compreface.shapes import (
    ComparedEmbeddings,
    ComparedFace,
    FoundFace,
    Verification,
    Verified,
)
from mien.server.compreface.similarity import ranked, similarity
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["CompreFace"], prefix="/verification")
_PAIR = ("source_image", "target_image")


@door.at("POST", "/verify", Plan("verify", Verification, photos=_PAIR, least=2, options=Looking))
async def verify(ask: Asking) -> Response:
    """Say how similar the faces of one photograph are to the only face of another, as CompreFace does."""
    wanted = await options(ask, Looking)
    sent = dict((await ask.given()).uploads)
    if len(sent) != len(_PAIR):
        raise BadRequest("One photograph is wanted as source_image, and one as target_image.")
    source, target = await look(ask, [sent[name] for name in _PAIR], wanted, "embedding")
    if len(source.faces) > 1:
        raise ManyFaces(
            "More than one face in the source image.", hint="Crop to the person, or send limit=1."
        )
    rule = await ask.do(ask.service.kit.rule)
    (one, _), (others, _) = embedding_of(source.faces), embedding_of(target.faces)
    alike = similarity(DISTANCES[rule.metric](one, others)[0], rule)
    matches = [target.row(i, ComparedFace, similarity=float(found)) for i, found in enumerate(alike)]
    verified = Verified(source.row(0, FoundFace), matches, versions(ask, wanted, "embedding"))
    return json_answer(Verification([verified]))


@door.at("POST", "/embeddings/verify", Plan("verify", ComparedEmbeddings, body=SourceAndTargets))
async def verify_embeddings(ask: Asking) -> Response:
    """Say how similar embeddings are to another, the most similar first, as CompreFace does."""
    sent = await numbers(ask, SourceAndTargets)
    vectors = as_vectors([sent.source, *sent.targets])
    rule = await ask.do(ask.service.kit.rule)
    return json_answer(ranked(sent.targets, DISTANCES[rule.metric](vectors[:1], vectors[1:])[0], rule))
