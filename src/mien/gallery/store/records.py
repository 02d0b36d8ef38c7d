"""What a gallery keeps and gives back about people and faces."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest

Vector = NDArray[np.float32]

_NAME_CHARACTERS = 200
_TAGS = 100
_TAG_CHARACTERS = 100
_NOTE_CHARACTERS = 10_000
_METADATA_BYTES = 64 * 1024


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known about a person besides faces; sealed as a whole by the person's key.

    Attributes:
        name: None while nobody has named the person, such as a group of similar faces.
        tags: Words to filter by, sorted.
        metadata: Anything else that is JSON.
        consent_note: On what the person's consent, or another ground, rests.

    Raises:
        BadRequest: A field is too long, or of the wrong kind; see `about`.
    """

    name: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}  # msgspec copies it
    consent_note: str = ""

    def __repr__(self) -> str:
        """What is known about people is nobody's business in a log."""
        return f"About({len(self.tags)} tags, {len(self.metadata)} entries)"


def about(
    name: str | None,
    tags: Sequence[str] = (),
    metadata: dict[str, Any] | None = None,
    consent_note: str = "",
) -> About:
    """Check what somebody says about a person.

    Raises:
        BadRequest: An empty or overlong name, tag or note; metadata that is no JSON object, or too much of
            it.
    """
    if name is not None and not 0 < len(name.strip()) <= _NAME_CHARACTERS:
        raise BadRequest(f"A person needs a name of 1 to {_NAME_CHARACTERS} characters.")
    for text in (name or "", consent_note, *tags):
        if any(0xD800 <= ord(letter) < 0xE000 or letter == "\0" for letter in text):
            raise BadRequest("A name, note or tag holds characters that are no text.")
    if isinstance(tags, str) or len(tags) > _TAGS:
        raise BadRequest(f"Tags are a list of at most {_TAGS} words.")
    if odd := [tag for tag in tags if not 0 < len(tag.strip()) <= _TAG_CHARACTERS]:
        raise BadRequest(f"A tag has 1 to {_TAG_CHARACTERS} characters, not {len(odd[0])}.")
    if len(consent_note) > _NOTE_CHARACTERS:
        raise BadRequest(f"A consent note has at most {_NOTE_CHARACTERS} characters.")
    return About(
        None if name is None else name.strip(),
        tuple(sorted({tag.strip() for tag in tags})),
        _checked(metadata or {}),
        consent_note,
    )


def checked_day(day: date | None) -> date | None:
    """The last day of a consent. Raises BadRequest if it is none."""
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        raise BadRequest("The last day of a consent is a date.", hint="datetime.date(2030, 12, 31)")
    return day


def _checked(metadata: dict[str, Any]) -> dict[str, Any]:
    try:
        # Not by msgspec, which makes null of what is no number.
        text = json.dumps(metadata, allow_nan=False, ensure_ascii=False).encode()
        same = msgspec.json.decode(text, type=dict[str, Any])
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadRequest(f"Metadata is no JSON object: {error}.") from error
    if len(text) > _METADATA_BYTES:
        raise BadRequest(f"Metadata has at most {_METADATA_BYTES:,} bytes as JSON, not {len(text):,}.")
    return same


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a face came from; sealed by its person's key.

    Attributes:
        source: Path or name of the photograph, as it was given.
        digest: SHA-256 of the photograph's bytes, hexadecimal; empty if it came as pixels.
        box: xyxy in pixels of the upright original; empty if unknown.
        size_wh: Of the photograph; empty if unknown.
        quality: 0..1; None if nobody measured it.
        packs: Detector and embedder, `name@digest`.
        taken: Day or year the photograph was taken, ISO 8601; empty if unknown.
    """

    source: str = ""
    digest: str = ""
    box: tuple[float, ...] = ()
    size_wh: tuple[int, ...] = ()
    quality: float | None = None
    packs: tuple[str, ...] = ()
    taken: str = ""

    def __repr__(self) -> str:
        """Where photographs lie is nobody's business in a log."""
        return f"Provenance(size_wh={self.size_wh}, quality={self.quality})"

    @property
    def place(self) -> str:
        """The face in the photograph, to recognise it when it is enrolled again; empty if unknown."""
        if not self.digest:
            return ""
        return f"{self.digest}|{','.join(f'{edge:.0f}' for edge in self.box)}"


@dataclass(frozen=True, slots=True, eq=False)
class NewFace:
    """A face to be kept.

    Attributes:
        vector: `(d,)` float32, its embedding.
        provenance: Where it came from.
        crop: An encoded picture of it, if crops are kept.
        id: The identifier it had where it was exported; empty: it gets one.
    """

    vector: Vector
    provenance: Provenance = field(default_factory=Provenance)
    crop: bytes | None = None
    id: str = ""

    def __repr__(self) -> str:
        """Templates are nobody's business in a log."""
        return f"NewFace({len(self.vector)} numbers)"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a collection.

    Attributes:
        id: Stays the same when the person is renamed.
        about: Name, tags, metadata, consent note.
        consent_until: Last day of the consent; None: no end.
        faces: How many are kept.
        created: ISO 8601, UTC.
        version: Rises with each change of the person.
    """

    id: str
    about: About = field(repr=False)
    consent_until: date | None
    faces: int
    created: str
    version: int

    @property
    def name(self) -> str:
        """The name, or the identifier of somebody unnamed."""
        return self.about.name or self.id

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to filter by."""
        return self.about.tags


@dataclass(frozen=True, slots=True)
class StoredFace:
    """A face that is kept.

    Attributes:
        id: Its identifier.
        person_id: Whose it is.
        provenance: Where it came from.
        has_crop: Whether a picture of it is kept.
        by_hand: Whether somebody said whose it is, rather than a network.
        created: ISO 8601, UTC.
    """

    id: str
    person_id: str
    provenance: Provenance = field(repr=False)
    has_crop: bool
    by_hand: bool
    created: str


@dataclass(frozen=True, slots=True)
class Collection:
    """People of one purpose, in one embedding space.

    Attributes:
        id: Its identifier.
        name: What it is called; not sealed.
        space: Embedding space of its templates.
        embedder: Pack that makes them.
        next_space: The space it is being upgraded to, if it is.
        created: ISO 8601, UTC.
    """

    id: str
    name: str
    space: str
    embedder: str
    next_space: str | None
    created: str
