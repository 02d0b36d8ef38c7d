"""Cases of missing persons that are kept in the store, sealed, instead of in a folder.

Whatever tells of somebody who is enrolled is attached to the case as his: what was found, what was said about
it, pictures of the face. When he is forgotten it goes with him. Names are not kept; those of today are put in
when a case is read. The photographs of the person who is looked for are attached too, and looked at again
whenever the case is run; their embeddings are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from mien.errors import BadRequest, CaseUnknown, FaceUnknown, PersonUnknown
from mien.gallery.forgetting import Forgotten, forget_documents
from mien.gallery.gallery import Gallery
from mien.gallery.store import attachments, documents, reading
from mien.gallery.store.audit import now
from mien.gallery.store.documents import Document
from mien.gallery.store.reading import Snapshot
from mien.gallery.store.store import Writing
from mien.people.case_search import search_case
from mien.people.cases import (
    FORMAT,
    Candidate,
    Case,
    Review,
    Run,
    Says,
    check_note,
    check_told,
    probe_picture,
)
from mien.people.probes import MOST_PROBES, Looked, check_different, probe_of
from mien.pipeline.choosing import Choice

KIND = "case"
_PHOTO, _PROBE, _CANDIDATE, _REVIEW = "photo-", "probe-", "candidate-", "review-"
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A photograph of the person who is looked for.

    Attributes:
        name: What it is called.
        content: The file.
        looked: What it shows.
        taken: Year or day, as the user says; may be empty.
        by_camera: Year or day, as the photograph says; may be empty.
    """

    name: str = field(repr=False)
    content: bytes = field(repr=False)
    looked: Looked
    taken: str = ""
    by_camera: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a case.

    Attributes:
        title: What it is called.
        notes: Anything else.
        tags: Look only among people who have all of these.
        face: Which face of photographs with several.
    """

    title: str = field(default="", repr=False)
    notes: str = field(default="", repr=False)
    tags: tuple[str, ...] = ()
    face: Choice = "only"


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case as it is kept.

    Attributes:
        id: Its identifier.
        version: Rises with each change.
        case: What it holds. In a list without candidates and reviews.
        reviewed: How many candidates were reviewed.
    """

    id: str
    version: int
    case: Case
    reviewed: int


def begin(people: Gallery, told: Told, photographs: Sequence[Shown]) -> KeptCase:
    """Begin a case among the people of a collection; on the disk when this returns.

    Raises:
        BadRequest: There are no photographs or too many, one of them twice, what is said to be a year is
            none, or a text is too long.
    """
    check_told(told.title, told.notes)
    if not 0 < len(photographs) <= MOST_PROBES:
        raise BadRequest(f"A case has 1 to {MOST_PROBES} photographs, not {len(photographs)}.")
    check_different([one.name for one in photographs], [one.looked.digest for one in photographs])
    case = Case(
        format=FORMAT,
        title=told.title,
        notes=told.notes,
        created=now(),
        collection=people.collection.name,
        tags=told.tags,
        probes=tuple(
            probe_of(one.name, one.looked.digest, told.face, one.taken, one.by_camera) for one in photographs
        ),
    )
    store, here = people.store, people.collection
    with store.writing(counted=False) as writing:
        made = documents.make(writing, KIND, _encoded(case), owner=store.actor, collection_id=here.id)
        for i, one in enumerate(photographs):
            attachments.attach(writing, made.id, _photo(i), one.content)
            attachments.attach(writing, made.id, probe_picture(i), one.looked.picture)
        writing.note("made case", here.id, case=made.id, photographs=len(photographs))
    return KeptCase(made.id, made.version, case, 0)


def cases(people: Gallery, *, after: str | None = None, limit: int = 100) -> tuple[KeptCase, ...]:
    """Cases of a collection, the newest first, without candidates and reviews.

    Args:
        people: The collection.
        after: Identifier of the last case of the page before.
        limit: At most so many.
    """
    with people.store.writing(light=True) as writing:
        found = documents.listed(
            writing,
            KIND,
            collection_id=people.collection.id,
            after=after,
            newest_first=True,
            limit=limit,
        )
        writing.note("listed cases", people.collection.id, cases=len(found))
        return tuple(
            KeptCase(
                one.id,
                one.version,
                _decoded(one),
                len(attachments.names(writing, one.id, beginning=_REVIEW)),
            )
            for one in found
        )


def case(people: Gallery, case_id: str) -> KeptCase:
    """A case with all that is known by now. Raises CaseUnknown."""
    with people.store.writing(light=True) as writing:
        found = _whole(writing, _known(writing, people, case_id))
        seen = [] if found.case.run is None else [one.person_id for one in found.case.run.candidates]
        writing.note("saw case", people.collection.id, case=case_id, people=seen)
    return found


def photographs(people: Gallery, case_id: str) -> tuple[Case, tuple[bytes, ...]]:
    """What a case looks for: its photographs in the order of its probes. Raises CaseUnknown."""
    with people.store.reading() as snapshot:
        found = _decoded(_known(snapshot, people, case_id))
        kept = attachments.page(snapshot, case_id, beginning=_PHOTO, limit=MOST_PROBES)
    return found, tuple(one.content for one in kept)


def run(people: Gallery, case_id: str, looked: Sequence[Looked], *, version: int | None = None) -> KeptCase:
    """Look for the person of a case, and keep what is found.

    Args:
        people: The collection, opened to be searched.
        case_id: Which.
        looked: What each of its photographs shows.
        version: Refuse if the case is not of this version any more.

    Raises:
        CaseUnknown: There is no such case.
        SpaceMismatch: The people are of another embedder.
        VersionStale: The case was changed meanwhile.
    """
    with people.store.reading() as snapshot:
        before = _decoded(_known(snapshot, people, case_id))
        kept = {
            name.removeprefix(attachments.FACE)
            for name in attachments.names(snapshot, case_id, beginning=attachments.FACE)
        }
    found, pictures = search_case(before, people, looked, kept)
    with people.store.writing(counted=False) as writing:
        latest = _decoded(_known(writing, people, case_id))
        value = _encoded(msgspec.structs.replace(latest, run=found))
        changed = documents.change(writing, case_id, value=value, version=version)
        _keep_candidates(writing, case_id, found, pictures)
        return _whole(writing, changed)


def review(
    people: Gallery, case_id: str, who: str, says: Says, note: str = "", *, version: int | None = None
) -> KeptCase:
    """Keep what a person says about a candidate.

    Args:
        people: The collection.
        case_id: Which case.
        who: Identifier of somebody whom the last run found, or who was reviewed before.
        says: Whether it is the person who is looked for.
        note: Anything else.
        version: Refuse if the case is not of this version any more.

    Raises:
        CaseUnknown: There is no such case.
        PersonUnknown: There is no such candidate.
        BadRequest: The note is too long.
        VersionStale: The case was changed meanwhile.
    """
    check_note(note)
    with people.store.writing(counted=False) as writing:
        _known(writing, people, case_id)
        names = attachments.names(writing, case_id)
        if not {f"{_CANDIDATE}{who}", f"{_REVIEW}{who}"} & set(names):
            raise PersonUnknown("This person is no candidate of the case.")
        said = msgspec.json.encode(Review(says, now(), note))
        attachments.attach(writing, case_id, f"{_REVIEW}{who}", said, person_id=who)
        changed = documents.change(writing, case_id, version=version)
        writing.note("reviewed case", people.collection.id, case=case_id, person=who, says=says)
        return _whole(writing, changed)


def picture(people: Gallery, case_id: str, name: str) -> bytes:
    """A picture of a case as JPEG: of a probe or of a face, by the names that `picture_names` gives.

    Raises:
        CaseUnknown: There is no such case.
        FaceUnknown: It has no such picture, or the face is not enrolled any more.
    """
    with people.store.writing(light=True) as writing:
        _known(writing, people, case_id)
        found = (
            attachments.read(writing, case_id, name) if name.startswith((_PROBE, attachments.FACE)) else None
        )
        face = name.removeprefix(attachments.FACE).removesuffix(".jpg")
        if found is not None and name.startswith(attachments.FACE):
            there = reading.ids_of_faces(writing, people.collection.id, [face])
            found = found if face in there else None
        if found is None:
            raise FaceUnknown("The case has no such picture.")
        writing.note("saw case", people.collection.id, case=case_id, picture=name)
    return found.content


def delete(people: Gallery, case_id: str, *, version: int | None = None) -> Forgotten:
    """Delete a case for good, in backups too.

    Raises:
        CaseUnknown: There is no such case.
        VersionStale: It is not of this version any more.
        StoreLocked: It is deleted, but traces could not be wiped yet.
    """
    with people.store.writing(counted=False) as writing:
        _known(writing, people, case_id)
        if version is not None:
            documents.change(writing, case_id, version=version)
    return forget_documents(people.store, [case_id], action="deleted case")


def _known(snapshot: Snapshot, people: Gallery, case_id: str) -> Document:
    found = documents.read(snapshot, KIND, case_id)
    if found is None or found.collection_id != people.collection.id:
        raise CaseUnknown("There is no such case.")
    return found


def _whole(snapshot: Snapshot, document: Document) -> KeptCase:
    """With what is attached, as far as it is about people and faces that are there now."""
    told, here = _decoded(document), document.collection_id or ""
    parts = {
        one.name: one.content
        for beginning in (_CANDIDATE, _REVIEW)
        for one in attachments.page(snapshot, document.id, beginning=beginning, limit=_MOST)
    }
    ids = sorted({name.partition("-")[2] for name in parts})
    names = {one.id: one.name for one in reading.people(snapshot, here, ids=ids)}
    candidates = [
        msgspec.json.decode(parts[f"{_CANDIDATE}{who}"], type=Candidate)
        for who in names
        if f"{_CANDIDATE}{who}" in parts
    ]
    reviews = {
        who: msgspec.json.decode(parts[f"{_REVIEW}{who}"], type=Review)
        for who in names
        if f"{_REVIEW}{who}" in parts
    }
    faces = reading.ids_of_faces(snapshot, here, [face.face_id for one in candidates for face in one.faces])
    if told.run is not None:
        found = tuple(
            msgspec.structs.replace(
                one,
                person=names[one.person_id],
                faces=tuple(face for face in one.faces if face.face_id in faces),
            )
            for one in sorted(candidates, key=lambda one: one.rank)
        )
        told = msgspec.structs.replace(told, run=msgspec.structs.replace(told.run, candidates=found))
    told = msgspec.structs.replace(told, reviews=reviews)
    return KeptCase(document.id, document.version, told, len(reviews))


def _keep_candidates(writing: Writing, case_id: str, found: Run, pictures: Mapping[str, bytes]) -> None:
    """Attach what was found, as those people's whom it is about; what was found before goes."""
    whose = {
        attachments.face_name(face.face_id): one.person_id
        for one in found.candidates
        for face in one.faces
        if face.picture
    }
    before = attachments.names(writing, case_id)
    stale = [name for name in before if name.startswith(attachments.FACE) and name not in whose]
    stale += [name for name in before if name.startswith(_CANDIDATE)]
    attachments.detach(writing, case_id, stale)
    made = {
        f"{_CANDIDATE}{one.person_id}": (
            one.person_id,
            msgspec.json.encode(msgspec.structs.replace(one, person="")),
        )
        for one in found.candidates
    }
    made |= {
        f"{attachments.FACE}{name}": (whose[f"{attachments.FACE}{name}"], content)
        for name, content in pictures.items()
    }
    for name, (who, content) in made.items():
        with suppress(PersonUnknown):  # forgotten since the search
            attachments.attach(writing, case_id, name, content, person_id=who)


def _photo(number: int) -> str:
    return f"{_PHOTO}{number + 1:03}"


def _encoded(told: Case) -> bytes:
    """Without what is attached."""
    run = None if told.run is None else msgspec.structs.replace(told.run, candidates=())
    return msgspec.json.encode(msgspec.structs.replace(told, run=run, reviews={}))


def _decoded(document: Document) -> Case:
    return msgspec.json.decode(document.value, type=Case)
