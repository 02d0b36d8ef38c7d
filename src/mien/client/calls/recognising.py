"""Who is in a photograph, among the people of a collection."""

from __future__ import annotations

from collections.abc import Iterable

from mien.answers.people import SearchReport
from mien.answers.service import RecognisedRow
from mien.client.call import Call, Form, pairs, path, row
from mien.client.photographs import Photo, upload
from mien.pipeline.choosing import Choice


def identify(
    photo: Photo, k: int | None = None, *, tags: Iterable[str] = (), collection: str = "default"
) -> Call[RecognisedRow]:
    """Say who is in a photograph, among the people of a collection. Scope `search`.

    Args:
        photo: A path, the bytes of a file, a binary file, or an `Image`.
        k: How many candidates to give for each face; one, if it is not said.
        tags: Only among people who have all of these.
        collection: Where.
    """
    body = Form(pairs(k=k, tag=tags), (("photo", upload(photo)),))
    return Call("POST", path("collections", collection, "identify"), row(RecognisedRow), body=body)


def search(
    photo: Photo,
    k: int | None = None,
    *,
    face: Choice | None = None,
    tags: Iterable[str] = (),
    collection: str = "default",
) -> Call[SearchReport]:
    """Find the faces that are most like one in a photograph, several of a person too. Scope `search`.

    Args:
        photo: As in `identify`.
        k: How many; ten, if it is not said.
        face: Which face of the photograph: `only`, which is what it is otherwise, or `largest`.
        tags: Only among people who have all of these.
        collection: Where.

    Raises:
        NoFace: It shows no face.
        ManyFaces: It shows several, and `face` is `only`.
    """
    body = Form(pairs(k=k, face=face, tag=tags), (("photo", upload(photo)),))
    return Call("POST", path("collections", collection, "search"), row(SearchReport), body=body)
