"""Recognition: who is in a photograph, and whether it is a face that is saved."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from starlette.responses import Response

from mien.gallery.gallery import Gallery, Vectors
from mien.looker import embedding_of
from mien.server.answers import json_answer
from mien.server.asking import Ask, Asking
from mien.server.compreface.kept import apart, no_face
from mien.server.compreface.looking import look, versions
from mien.server.compreface.reading import (
    AtLeastOne,
    Embeddings,
    Looking,
    Recognising,
    as_vectors,
    numbers,
    options,
    upload,
)
from mien.server.compreface.shapes import (
    Compared,
    ComparedEmbeddings,
    ComparedFace,
    Recognised,
    RecognisedEmbedding,
    RecognisedEmbeddings,
    RecognisedFace,
    SimilarSubject,
)
from mien.server.compreface.similarity import alike, ranked, similarity
from mien.server.compreface.whose import to_search
from mien.server.doors import Door
from mien.server.plans import Plan

door = Door(tags=["CompreFace"], prefix="/recognition")
_MOST_SUBJECTS = 1000


class HowMany(msgspec.Struct, frozen=True):
    """How many subjects are wanted for each embedding."""

    prediction_count: AtLeastOne = 1


@door.at("POST", "/recognize", Plan("search", Recognised, photos=("file",), options=Recognising))
async def recognise(ask: Asking) -> Response:
    """Find the faces in a photograph, and for each the subjects that are most similar, each once.

    Embeddings, by the plugin `calculator`, are for keys that may also verify.
    """
    wanted = await options(ask, Recognising)
    wanted = wanted if wanted.detect_faces else msgspec.structs.replace(wanted, limit=1)
    photo, gallery = await upload(ask), await to_search(ask)
    (looked,) = await look(ask, [photo], wanted, "embedding")
    k = min(wanted.prediction_count, _MOST_SUBJECTS)
    found = await _similar(ask, gallery, embedding_of(looked.faces)[0], k)
    rows = [looked.row(i, RecognisedFace, subjects=subjects) for i, subjects in enumerate(found)]
    return json_answer(Recognised(rows, versions(ask, wanted, "embedding")))


@door.at(
    "POST",
    "/embeddings/recognize",
    Plan("search", RecognisedEmbeddings, options=HowMany, body=Embeddings),
)
async def recognise_embeddings(ask: Asking) -> Response:
    """Find the subjects that are most similar to embeddings."""
    wanted, sent = await options(ask, HowMany), await numbers(ask, Embeddings)
    vectors, gallery = as_vectors(sent.embeddings), await to_search(ask)
    k = min(wanted.prediction_count, _MOST_SUBJECTS)
    found = await _similar(ask, gallery, vectors, k)
    rows = [RecognisedEmbedding(*pair) for pair in zip(sent.embeddings, found, strict=True)]
    return json_answer(RecognisedEmbeddings(rows))


@door.at("POST", "/faces/{image_id}/verify", Plan("verify", Compared, photos=("file",), options=Looking))
async def verify(image_id: str, ask: Asking) -> Response:
    """Say how similar the faces in a photograph are to a saved one."""
    wanted, photo = await options(ask, Looking), await upload(ask)
    gallery = await _with_faces(ask, image_id)
    (looked,) = await look(ask, [photo], wanted, "embedding")
    vectors, _ = embedding_of(looked.faces)
    found = await ask.do(lambda: apart(gallery, image_id, vectors))
    rows = [
        looked.row(i, ComparedFace, subject=found.subject, similarity=float(one))
        for i, one in enumerate(similarity(found.distance, gallery.rule))
    ]
    return json_answer(Compared(rows, versions(ask, wanted, "embedding")))


@door.at("POST", "/embeddings/faces/{image_id}/verify", Plan("verify", ComparedEmbeddings, body=Embeddings))
async def verify_embeddings(image_id: str, ask: Asking) -> Response:
    """Say how similar embeddings are to a saved face, the most similar first."""
    sent = await numbers(ask, Embeddings)
    vectors, gallery = as_vectors(sent.embeddings), await _with_faces(ask, image_id)
    found = await ask.do(lambda: apart(gallery, image_id, vectors))
    return json_answer(ranked(sent.embeddings, found.distance, gallery.rule))


async def _similar(
    ask: Ask, gallery: Gallery | None, vectors: Vectors, k: int
) -> Sequence[list[SimilarSubject]]:
    """The k subjects that are most similar to each embedding `(n, d)`; none where nobody is saved."""
    if gallery is None:
        return [[] for _ in vectors]
    found = await ask.do(lambda: gallery.identify(vectors, gallery.rule.space, k))
    return [alike(matches, gallery.rule) for matches in found]


async def _with_faces(ask: Ask, image_id: str) -> Gallery:
    gallery = await to_search(ask)
    if gallery is None:
        raise no_face(image_id)
    return gallery
