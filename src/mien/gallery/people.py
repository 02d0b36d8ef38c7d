"""Enrol, merge, move and adopt people, each within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from mien.errors import BadRequest, CollectionExists, CollectionUnknown, SpaceMismatch
from mien.gallery.index.checks import LARGEST
from mien.gallery.store import reading
from mien.gallery.store.adding import Newcomer, add_collection, add_faces, add_people, already_here
from mien.gallery.store.dropping import drop_person
from mien.gallery.store.editing import edit_person, move_faces
from mien.gallery.store.forgotten import absorb
from mien.gallery.store.records import About, Collection, NewFace, Person, StoredFace, about
from mien.gallery.store.store import Store, Writing
from mien.gallery.vault.keyring import same_form


def opened_collection(store: Store, name: str, space: str, embedder: str) -> Collection:
    """A collection by name; made if it is missing.

    Raises:
        SpaceMismatch: It is of another embedder.
        BadRequest: It is no name.
    """
    try:
        with store.reading() as snapshot:
            found = reading.collection_named(snapshot, name)
    except CollectionUnknown:
        try:
            found = new_collection(store, name, space, embedder)
        except CollectionExists:  # somebody was faster
            with store.reading() as snapshot:
                found = reading.collection_named(snapshot, name)
    if found.space != space:
        raise SpaceMismatch(
            f"The collection {name!r} holds embeddings of {found.embedder or found.space}.",
            hint=f"Use that embedder, MIEN_EMBEDDER={found.embedder}; or bring the people over to this one: "
            "mien gallery upgrade",
        )
    return found


def new_collection(store: Store, name: str, space: str, embedder: str) -> Collection:
    """Make a collection.

    Raises:
        CollectionExists: There is one of that name.
        BadRequest: It is no name.
    """
    if not 0 < len(name.strip()) <= 200:
        raise BadRequest("A collection needs a name of 1 to 200 characters.")
    with store.writing() as writing:
        made = add_collection(writing, name, space, embedder)
        writing.note("made collection", made.id)
    return made


def enroll(
    writing: Writing, collection: Collection, newcomers: Sequence[Newcomer], *, told: bool = True
) -> list[tuple[str, tuple[str, ...], int]]:
    """Keep people and faces; faces of a place in a photograph that is theirs already are not kept again.

    What is given about people who are known replaces what was known, if it is `told`.

    Returns:
        For each newcomer: the person's identifier, those of the faces, and how many were there already.

    Raises:
        BadRequest: Somebody is given twice, or an embedding is not finite or of another length.
        SpaceMismatch: The collection was brought over to another embedder meanwhile.
    """
    check_space(writing, collection)
    _check_vectors(reading.dimensions(writing, collection), newcomers)
    known = _known(writing, collection, newcomers)
    names = [same_form(one.about.name) for one in newcomers if one.about.name is not None]
    for given in (names, [one.id for one in newcomers if one.id], [who for who in known if who]):
        if len(given) != len(set(given)):
            raise BadRequest("Somebody is given twice.")
    given_faces = [len(one.faces) for one in newcomers]
    newcomers = [replace(one, faces=_each_place_once(one.faces)) for one in newcomers]
    pairs = list(zip(newcomers, known, strict=True))
    made = iter(add_people(writing, collection, [one for one, who in pairs if who is None]))
    again = [face for one, who in pairs if who is not None for face in one.faces]
    there = already_here(writing, collection, again)
    ids = reading.ids_of_faces(writing, collection.id, [face.id for face in again if face.id])
    additions = [
        (who, [f for f in one.faces if f.id not in ids and (f.provenance.place, who) not in there])
        for one, who in pairs
        if who is not None
    ]
    added = iter(add_faces(writing, collection, additions, by_hand=True))
    for one, who in pairs:
        # An export knew somebody by another identifier: forgetting has to know it too.
        if who is not None and one.id not in {"", who} and not reading.ids_of_people(writing, among=[one.id]):
            absorb(writing, [one.id], who)
    if told:
        _tell(writing, collection, {who: one for one, who in pairs if who is not None})
    done = []
    for who, wanted in zip(known, given_faces, strict=True):
        person, *faces = next(made) if who is None else (who, *next(added))
        done.append((person, tuple(faces), wanted - len(faces)))
    return done


def _each_place_once(faces: Sequence[NewFace]) -> list[NewFace]:
    """A photograph may be given twice; faces without a known place are all different."""
    kept: dict[str, NewFace] = {}
    for i, face in enumerate(faces):
        kept.setdefault(face.provenance.place or str(i), face)
    return list(kept.values())


def _known(writing: Writing, collection: Collection, newcomers: Sequence[Newcomer]) -> list[str | None]:
    """Who of them is here already, by name, or by identifier if unnamed."""
    by_name = reading.named(writing, collection.id, [one.about.name for one in newcomers if one.about.name])
    unnamed = [one.id for one in newcomers if one.id and one.about.name is None]
    by_id = reading.ids_of_people(writing, collection.id, unnamed) if unnamed else frozenset()
    return [
        by_name.get(one.about.name) if one.about.name else (one.id if one.id in by_id else None)
        for one in newcomers
    ]


def merge(
    writing: Writing,
    collection: Collection,
    target: Person,
    others: Sequence[Person],
    *,
    by_hand: bool = True,
) -> None:
    """Give the faces and tags of others to one person, and delete the others; `by_hand` if somebody said so.

    Raises:
        BadRequest: Somebody is to be merged with himself.
    """
    others = list({other.id: other for other in others}.values())
    if target.id in {other.id for other in others} or not others:
        raise BadRequest("Merging needs somebody else.")
    tags = sorted({*target.tags, *(tag for other in others for tag in other.tags)})
    for other in others:
        owned = reading.faces(writing, collection.id, person=other.id)
        move_faces(writing, collection, owned, target.id, collection, by_hand=by_hand)
        drop_person(writing, collection, other.id)
    absorb(writing, [other.id for other in others], target.id)
    told = about(target.about.name, tags, target.about.metadata, target.about.consent_note)
    edit_person(writing, collection, target, told, _first_end([target, *others]))


def move(writing: Writing, collection: Collection, moved: Sequence[StoredFace], to: str | None) -> str:
    """Give faces to somebody known, or to somebody new; the identifier of the person.

    Somebody unnamed who is left without a face is deleted.

    Raises:
        BadRequest: No face is given.
    """
    if not moved:
        raise BadRequest("No face is given.")
    sources = reading.people(writing, collection.id, ids=sorted({face.person_id for face in moved}))
    target = _somebody(writing, collection, to, consent_until=_first_end(sources))
    move_faces(writing, collection, moved, target, collection)
    left = sorted({face.person_id for face in moved} - {target})
    for person in reading.people(writing, collection.id, ids=left):
        if not person.faces and person.about.name is None:
            drop_person(writing, collection, person.id)
    return target


def adopt(writing: Writing, album: Collection, person: Person, collection: Collection, name: str) -> str:
    """Take somebody over from another collection; the identifier of the person there.

    Raises:
        BadRequest: Both collections are one.
    """
    if album.id == collection.id:
        raise BadRequest("Both collections are one.", hint="Rename the person instead: mien people rename")
    target = _somebody(writing, collection, name, person.about, _first_end([person]))
    move_faces(writing, album, reading.faces(writing, album.id, person=person.id), target, collection)
    drop_person(writing, album, person.id)
    absorb(writing, [person.id], target)
    (there,) = reading.people(writing, collection.id, ids=[target])
    if there.consent_until != (end := _first_end([there, person])):
        edit_person(writing, collection, there, there.about, end)
    return target


def _first_end(found: Sequence[Person]) -> date | None:
    """The consent that ends first: faces of several people must not outlast it."""
    return min((one.consent_until for one in found if one.consent_until), default=None)


def _somebody(
    writing: Writing,
    collection: Collection,
    who: str | None,
    told: About | None = None,
    consent_until: date | None = None,
) -> str:
    """Somebody known, by name or identifier, or somebody new of that name, of whom this is told."""
    known = reading.named(writing, collection.id, [who] if who else [])
    if who in known:
        return known[who]
    if who is not None and reading.ids_of_people(writing, collection.id, [who]):
        return who
    new = about(who) if told is None else about(who, told.tags, told.metadata, told.consent_note)
    return add_people(writing, collection, [Newcomer(new, [], consent_until)])[0][0]


def _tell(writing: Writing, collection: Collection, told: dict[str, Newcomer]) -> None:
    """Replace what was known about people by what was given."""
    said = {
        person: one for person, one in told.items() if one.consent_until or one.about != About(one.about.name)
    }
    for person in reading.people(writing, collection.id, ids=sorted(said)):
        new = said[person.id]
        merged = _told(person.about, new.about)
        edit_person(writing, collection, person, merged, new.consent_until or person.consent_until)


def _told(old: About, new: About) -> About:
    """What was known, with what is given instead."""
    return About(
        old.name, new.tags or old.tags, new.metadata or old.metadata, new.consent_note or old.consent_note
    )


def check_space(snapshot: reading.Snapshot, collection: Collection) -> None:
    """Another process may have brought the collection over to another embedder since it was opened.

    Raises:
        SpaceMismatch: It has.
    """
    now = reading.collection_named(snapshot, collection.name)
    if (now.id, now.space) != (collection.id, collection.space):
        raise SpaceMismatch(
            f"The collection {collection.name!r} holds embeddings of {now.embedder or now.space} now.",
            hint="Open it again.",
        )


def _check_vectors(dimensions: int | None, newcomers: Sequence[Newcomer]) -> None:
    found: list[NewFace] = [face for one in newcomers for face in one.faces]
    for face in found:
        wanted = dimensions or len(found[0].vector)
        if face.vector.ndim != 1 or len(face.vector) != wanted:
            raise BadRequest(f"An embedding wants {wanted} numbers, got shape {face.vector.shape}.")
        if not wanted:
            raise BadRequest("An embedding without numbers says nothing.")
        # An index keeps them in half precision; embeddings are about one.
        if not (np.abs(face.vector) <= LARGEST).all():
            raise BadRequest(f"An embedding holds numbers that are not finite, or beyond {LARGEST:,}.")
