"""About photographs; nobody is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from mien.answers.pictures import PhotoRow, VerifyRow
from mien.answers.service import EmbeddingsRow, LivenessRow
from mien.client.call import Call, Form, Picture, pairs, path, picture, row
from mien.client.photographs import Photo, upload
from mien.pipeline.choosing import Choice

Way = Literal["pixelate", "blur", "solid"]


def detect(photo: Photo) -> Call[PhotoRow]:
    """Find the faces of a photograph. Scope `detect`.

    Args:
        photo: A path, the bytes of a file, a binary file, or an `Image`.

    Raises:
        InputError: It cannot be read, here or there.
    """
    return Call("POST", path("detect"), row(PhotoRow), body=_one(photo))


def analyze(photo: Photo, columns: Iterable[str] | None = None) -> Call[PhotoRow]:
    """Find the faces of a photograph, and what can be said about them. Scope `detect`.

    Args:
        photo: As in `detect`.
        columns: What is wanted, such as `["age", "pose"]`, or `["all"]`. None: whatever costs little.
    """
    asked = None if columns is None else ",".join(columns)
    return Call("POST", path("analyze"), row(PhotoRow), body=_one(photo, columns=asked))


def liveness(photo: Photo, *, threshold: float | None = None) -> Call[LivenessRow]:
    """Ask whether faces are live, or pictures of faces. Scope `detect`.

    Args:
        photo: As in `detect`.
        threshold: From which probability on a face is taken for live; 0.5, if it is not said.
    """
    return Call("POST", path("liveness"), row(LivenessRow), body=_one(photo, threshold=threshold))


def anonymise(photo: Photo, way: Way | None = None, *, grow: float | None = None) -> Call[Picture]:
    """Make all faces of a photograph unrecognisable. Scope `detect`.

    Args:
        photo: As in `detect`.
        way: How; `pixelate`, if it is not said.
        grow: By which share of its sides the box around a face is grown; 0.3, if it is not said.
    """
    return Call("POST", path("anonymise"), picture, body=_one(photo, way=way, grow=grow))


def embeddings(photo: Photo) -> Call[EmbeddingsRow]:
    """Take the templates of all faces of a photograph, which are biometric data. Scope `verify`."""
    return Call("POST", path("embeddings"), row(EmbeddingsRow), body=_one(photo))


def verify(photo_a: Photo, photo_b: Photo, *, face: Choice | None = None) -> Call[VerifyRow]:
    """Ask whether two photographs show one person. Scope `verify`.

    Args:
        photo_a: As in `detect`.
        photo_b: Likewise.
        face: Which face of each: `only`, which is what it is otherwise, or `largest`.

    Raises:
        NoFace: One shows no face.
        ManyFaces: One shows several, and `face` is `only`.
    """
    photographs = (("photo_a", upload(photo_a, 1)), ("photo_b", upload(photo_b, 2)))
    return Call("POST", path("verify"), row(VerifyRow), body=Form(pairs(face=face), photographs))


def _one(photo: Photo, **values: str | float | None) -> Form:
    return Form(pairs(**values), (("photo", upload(photo)),))
