"""About single faces that are kept."""

from __future__ import annotations

from collections.abc import Iterable

from mien.answers.people import OwnedFaceRow, PersonRow
from mien.client.call import Call, Picture, json, nothing, path, picture, row


def get(face: str, *, collection: str = "default") -> Call[OwnedFaceRow]:
    """A face, where it came from, and whose it is. Scope `search`."""
    return Call("GET", path("collections", collection, "faces", face), row(OwnedFaceRow))


def crop(face: str, *, collection: str = "default") -> Call[Picture]:
    """The small picture that was kept of a face. Scope `search`.

    Raises:
        FaceUnknown: There is no such face, or no picture of it.
    """
    return Call("GET", path("collections", collection, "faces", face, "picture"), picture)


def forget(face: str, *, collection: str = "default") -> Call[None]:
    """Forget a face for good. Scope `enroll`."""
    return Call("DELETE", path("collections", collection, "faces", face), nothing, repeat="keyed")


def move(faces: Iterable[str], to: str | None = None, *, collection: str = "default") -> Call[PersonRow]:
    """Give faces to somebody else; None: to a new person without a name. Scope `enroll`."""
    where = path("collections", collection, "faces", "move")
    return Call("POST", where, row(PersonRow), body=json(faces=list(faces), to=to), repeat="keyed")
