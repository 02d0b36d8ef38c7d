"""The photographs of a job: sent for it and kept in the store, or in a folder of this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from mien.answers.pictures import encodable
from mien.core.image import Image
from mien.gallery.store import attachments
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Writing
from mien.media.images import open_image
from mien.media.taken import day_taken
from mien.people.enrolling import SENT
from mien.settings import Settings

PHOTO = "photo-"
LISTING = "listing"


@dataclass(frozen=True, slots=True)
class Sent:
    """A photograph that was sent.

    Attributes:
        name: As the sender calls it, without folders.
        content: The file.
        folder: What the sender put before the name, without a separator at its end.
    """

    name: str = field(repr=False)
    content: bytes = field(repr=False)
    folder: str = field(default="", repr=False)


class Listed(msgspec.Struct, frozen=True, array_like=True):
    """A photograph in a folder of this machine.

    Attributes:
        path: Its path, without links, as the system writes it.
        name: What results call it: its path within the folder that was named.
        person: The folder within it that it lies in, or its own name: who is enrolled by it.
    """

    path: bytes
    name: str
    person: str

    def __repr__(self) -> str:
        """Paths may name people."""
        return "Listed()"


@dataclass(frozen=True, slots=True)
class Photograph:
    """A photograph whose turn has come.

    Attributes:
        name: What results call it.
        person: Who is enrolled by it, if nobody says otherwise; may be empty.
        source: What is kept as its origin.
        content: The file.
        digest: SHA-256 of the file, hexadecimal.
    """

    name: str = field(repr=False)
    person: str = field(repr=False)
    source: str = field(repr=False)
    content: bytes = field(repr=False)
    digest: str

    def decoded(self, settings: Settings) -> Image:
        """Its pixels. Raises InputError."""
        image = open_image(
            self.content,
            max_pixels=min(settings.max_pixels, settings.server.max_pixels),
            max_bytes=settings.max_bytes,
            enough_side=settings.enough_side,
        )
        return image.with_(source=self.source, digest=self.digest, taken=day_taken(self.content))


def photograph(sent: Sent) -> Photograph:
    """A photograph that was sent."""
    name = f"{sent.folder}/{sent.name}" if sent.folder else sent.name
    person = sent.folder.rpartition("/")[2].strip()
    return Photograph(name, person, f"{SENT}{name}", sent.content, _digest(sent.content))


def photograph_on_disk(listed: Listed, content: bytes) -> Photograph:
    """A photograph in a folder."""
    return Photograph(listed.name, listed.person, os.fsdecode(listed.path), content, _digest(content))


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    """How a photograph that was sent is kept."""

    name: str
    folder: str
    content: bytes


def attachment_name(number: int) -> str:
    """What the attachment of a photograph is called, by its number from 1."""
    return f"{PHOTO}{number:06}"


def keep_sent(writing: Writing, job_id: str, number: int, sent: Sent) -> None:
    """Attach a photograph, by its number from 1."""
    content = msgspec.msgpack.encode(_Kept(encodable(sent.name), encodable(sent.folder), sent.content))
    attachments.attach(writing, job_id, attachment_name(number), content)


def read_sent(snapshot: Snapshot, job_id: str, number: int) -> Sent | None:
    """A photograph that was attached; None if it is not there any more."""
    found = attachments.read(snapshot, job_id, attachment_name(number))
    if found is None:
        return None
    kept = msgspec.msgpack.decode(found.content, type=_Kept)
    return Sent(kept.name, kept.content, kept.folder)


def keep_listing(writing: Writing, job_id: str, listing: Sequence[Listed]) -> None:
    """Attach the list of the photographs of a folder."""
    attachments.attach(writing, job_id, LISTING, msgspec.msgpack.encode(listing))


def read_listing(snapshot: Snapshot, job_id: str) -> tuple[Listed, ...]:
    """The list of the photographs of a folder, as it was when the job was made."""
    found = attachments.read(snapshot, job_id, LISTING)
    return () if found is None else msgspec.msgpack.decode(found.content, type=tuple[Listed, ...])


def shown(path: Path) -> str:
    """A path as text that JSON can hold."""
    return encodable(path.as_posix())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
