"""The people of one collection: who they are, and who a face may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien.core.matches import Match, Matches
from mien.errors import BadRequest, ConsentExpired, GalleryError, SpaceMismatch, VersionStale
from mien.gallery import people
from mien.gallery.choices import IndexChoices
from mien.gallery.forgetting import Forgotten, drop_collection, forget_everywhere, lapsed_on
from mien.gallery.index import Candidates
from mien.gallery.nearby import Nearby, delete_saved
from mien.gallery.on_server import ServerNearby
from mien.gallery.rule import DecisionRule
from mien.gallery.searching import decide, look_up_faces, look_up_people
from mien.gallery.sql.engine import MEMORY
from mien.gallery.store import audit, reading
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.dropping import drop_faces
from mien.gallery.store.editing import edit_person
from mien.gallery.store.reading import Snapshot, Templates
from mien.gallery.store.records import About, NewFace, Person, StoredFace, about, checked_day
from mien.gallery.store.store import Store, Writing
from mien.gallery.vault.master import random_key

Vectors = NDArray[np.float32]
# An index rounds, and may take neighbours that are equally near for each other.
_SPARE = 4


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of enrolling somebody.

    Attributes:
        person_id: Whose the faces are.
        faces: Identifiers of those that were kept.
        repeated: How many were not, because the same place of the same photograph is this person's already.
        resembles: Other people whom the faces come so near that they may be the same person.
    """

    person_id: str
    faces: tuple[str, ...]
    repeated: int = 0
    resembles: tuple[Match, ...] = field(default=(), repr=False)


class Gallery:
    """Known people, in one embedding space.

    A method that changes something has changed it on the disk when it returns, or raises and has changed
    nothing. People are given by name or identifier. Who did what is noted in the audit log.

    Args:
        store: Where they are kept.
        rule: Space, metric and threshold. None: look after people, whatever embedder made their templates,
            without searching; the collection must be there.
        collection: Name of the collection; made if it is missing.
        embedder: Pack that makes the embeddings, for a new collection.
        choices: How it is searched.
        least_margin: See `Matches.least_margin`.

    Raises:
        SpaceMismatch: The collection is of another embedder.
        CollectionUnknown: It is missing, and there is no rule.
    """

    def __init__(
        self,
        store: Store,
        rule: DecisionRule | None,
        collection: str = "default",
        *,
        embedder: str = "",
        choices: IndexChoices | None = None,
        least_margin: float = 0.0,
    ) -> None:
        self.store, self._rule, self.least_margin = store, rule, least_margin
        self.choices = choices or IndexChoices()
        if rule is None:
            with store.reading() as snapshot:
                self.collection = reading.collection_named(snapshot, collection)
        else:
            self.collection = people.opened_collection(store, collection, rule.space, embedder)
        self._index = None if rule is None else self._index_of(self.choices)
        self._face_index: Nearby | ServerNearby | None = None

    @property
    def rule(self) -> DecisionRule:
        """Space, metric and threshold. Raises BadRequest if the gallery was opened without."""
        if self._rule is None:
            raise BadRequest("This gallery was opened to look after people, not to search.")
        return self._rule

    @property
    def nearby(self) -> Nearby | ServerNearby:
        """The index that answers for people."""
        if self._index is None:
            self._index = self._index_of(self.choices)
        return self._index

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """How many people there are."""
        with self.store.reading() as snapshot:
            return len(reading.ids_of_people(snapshot, self.collection.id))

    def is_there(self) -> bool:
        """Whether the store still has the collection."""
        with self.store.reading() as snapshot:
            return any(one.id == self.collection.id for one in reading.collections(snapshot))

    def __repr__(self) -> str:
        return f"Gallery({self.store.name!r}, {self.collection.name!r})"

    def close(self) -> None:
        """Save the index and let go of the store."""
        self.save()
        self.store.close()

    def save(self) -> None:
        """Save the index, if it is in use, so that it need not be built again."""
        if self._index is not None:
            self._index.save()

    # Enrolling

    def enroll(self, person: str, vectors: Vectors, space: str) -> Enrolled:
        """Add embeddings `(n, d)` to a person, known or new.

        Raises:
            SpaceMismatch: They come from another embedder.
            BadRequest: The name is empty, or there is no embedding.
        """
        if vectors.ndim != 2:
            raise BadRequest(f"Embeddings want shape (n, d), got {vectors.shape}.")
        if not len(vectors):
            raise BadRequest(f"No embedding was given for {person!r}.")
        return self.enroll_many([Newcomer(about(person), [NewFace(vector) for vector in vectors])], space)[0]

    def enroll_many(
        self, newcomers: Sequence[Newcomer], space: str, *, warn: bool = False, told: bool = True
    ) -> tuple[Enrolled, ...]:
        """Add many people and faces in one step: all of them are kept, or none.

        To somebody who is known faces are added; tags, metadata and consent replace what was known where they
        are given.

        Args:
            newcomers: Each person once.
            space: Of their embeddings.
            warn: Look for other people whom they resemble.
            told: Whether what is given about people who are known is newer than what is known.

        Raises:
            SpaceMismatch: The embeddings come from another embedder.
            BadRequest: Somebody is given twice, or an embedding is not finite or of another length.
        """
        self._check(space)
        # Before they are kept, or everybody would resemble himself.
        near = [self._resembled(newcomer) if warn else () for newcomer in newcomers]
        with self._changing() as writing:
            done = people.enroll(writing, self.collection, newcomers, told=told)
            everybody, faces = [person for person, _, _ in done], sum(len(kept) for _, kept, _ in done)
            writing.note("enrolled", self.collection.id, people=everybody, faces=faces)
        return tuple(
            Enrolled(person, faces, repeated, tuple(m for m in found if m.person_id != person))
            for (person, faces, repeated), found in zip(done, near, strict=True)
        )

    def _resembled(self, newcomer: Newcomer) -> tuple[Match, ...]:
        """Who is within the threshold of a face, the nearest first, each once."""
        if not newcomer.faces:
            return ()
        matches = self._nearest(np.stack([face.vector for face in newcomer.faces]), 3)
        nearest: dict[str | None, Match] = {}
        for match in sorted((m for row in matches for m in row if m.accepted), key=lambda m: m.distance):
            nearest.setdefault(match.person_id, match)
        return tuple(match for match in nearest.values() if match.person != newcomer.about.name)

    # Searching

    def identify(self, vectors: Vectors, space: str, k: int = 1, *, tags: Sequence[str] = ()) -> Matches:
        """Find the k nearest people for each probe `(q, d)`; fewer if fewer are known.

        Args:
            vectors: The probes.
            space: Of the probes.
            k: How many candidates to give.
            tags: Look only among people who have all of these.

        Raises:
            SpaceMismatch: The probes come from another embedder.
            BadRequest: k is less than one, or a probe is not finite or of another length.
        """
        self._check(space)
        matches = self._nearest(vectors, k, tags)
        if not len(vectors):
            return matches
        with self.store.writing(light=True) as writing:
            near = matches.distance <= matches.threshold
            found = [] if matches.person_id is None else sorted(set(matches.person_id[near].tolist()))
            writing.note("searched", self.collection.id, probes=len(vectors), found=found)
        return matches

    def search(self, vectors: Vectors, space: str, k: int = 10, *, tags: Sequence[str] = ()) -> Matches:
        """Find the k nearest faces for each probe `(q, d)`, several of one person too; see `identify`."""
        self._check(space)
        _check_probes(vectors, k)
        candidates = self._faces().faces(vectors, k + _SPARE, self._allowed(tags))
        with self.store.writing(light=True) as writing:
            known = look_up_faces(writing, self.collection, identifiers(candidates.face))
            found = sorted({one.person_id for one in known.values()})
            writing.note("searched", self.collection.id, probes=len(vectors), found=found)
        return decide(vectors, candidates, known, self.rule, k, by_face=True)

    def compare(self, who: str, vectors: Vectors, space: str) -> Matches:
        """Compare probes `(q, d)` with one person: 1:1, whatever others look like.

        Raises:
            PersonUnknown: Nobody is enrolled under that name.
            ConsentExpired: The person's consent has run out.
            SpaceMismatch: The probes come from another embedder.
            BadRequest: The person has no face.
        """
        self._check(space)
        _check_probes(vectors, 1)
        with self.store.writing(light=True) as writing:
            people.check_space(writing, self.collection)
            person = reading.person_id(writing, self.collection.id, who)
            if (self.collection.id, person) in reading.expired(writing, audit.today(), self.collection.id):
                raise ConsentExpired(f"The consent of {who!r} has run out.")
            own = reading.templates(writing, self.collection, person_ids=[person])
            if not len(own):
                raise BadRequest(f"No face of {who!r} is enrolled.")
            if vectors.shape[1] != own.vectors.shape[1]:
                raise BadRequest(f"Probes want shape (q, {own.vectors.shape[1]}), got {vectors.shape}.")
            if self.choices.policy == "centroid":
                known = look_up_people(writing, self.collection, [person], self.rule)
            else:
                known = look_up_faces(writing, self.collection, identifiers(own.face))
            writing.note("compared", self.collection.id, probes=len(vectors), person=person)
        everybody = np.tile(np.array(sorted(known), "S13"), (len(vectors), 1))
        nothing = np.zeros(everybody.shape, np.float32)
        candidates = Candidates(everybody, everybody, nothing)
        matches = decide(vectors, candidates, known, self.rule, 1, by_face=self._by_face)
        return replace(matches, margin=None)

    def _nearest(self, vectors: Vectors, k: int, tags: Sequence[str] = ()) -> Matches:
        _check_probes(vectors, k)
        # At least two, so that there is a margin.
        candidates = self.nearby.nearest(vectors, k + _SPARE, self._allowed(tags))
        with self.store.reading() as snapshot:
            if self._by_face:
                known = look_up_faces(snapshot, self.collection, identifiers(candidates.face))
            else:
                known = look_up_people(snapshot, self.collection, identifiers(candidates.face), self.rule)
        return decide(
            vectors, candidates, known, self.rule, k, by_face=self._by_face, least_margin=self.least_margin
        )

    def _allowed(self, tags: Sequence[str]) -> NDArray[np.bytes_] | None:
        """Who may be found: with the tags, and whose consent lasts; None: everybody."""
        with self.store.reading() as snapshot:
            people.check_space(snapshot, self.collection)
            lapsed = {who for _, who in reading.expired(snapshot, audit.today(), self.collection.id)}
            if not tags and not lapsed:
                return None
            if tags:
                everybody = reading.people(snapshot, self.collection.id)
                wanted = {one.id for one in everybody if set(tags) <= set(one.tags)}
            else:
                wanted = set(reading.ids_of_people(snapshot, self.collection.id))
        return np.array(sorted(wanted - lapsed), "S13")

    @property
    def _by_face(self) -> bool:
        return self.choices.policy == "best_face"

    def _index_of(self, choices: IndexChoices) -> Nearby | ServerNearby:
        kind = ServerNearby if choices.kind == "pgvector" else Nearby
        return kind(self.store, self.collection, self.rule.metric, choices)

    def _faces(self) -> Nearby | ServerNearby:
        """The index of faces; means of people have another."""
        if self._by_face:
            return self.nearby
        if self._face_index is None:
            self._face_index = self._index_of(replace(self.choices, policy="best_face"))
        return self._face_index

    # Looking

    def people(
        self, tags: Sequence[str] = (), *, after: str = "", limit: int | None = None
    ) -> tuple[Person, ...]:
        """Everybody, or everybody who has all of these tags, in the order of enrolment.

        Args:
            tags: Words.
            after: Begin after this one, by identifier.
            limit: Look at so many at most, whatever their tags.
        """
        with self.store.writing(light=True) as writing:
            found = reading.people(writing, self.collection.id, after=after, limit=limit)
            writing.note("listed", self.collection.id, tags=len(tags), people=len(found))
        return tuple(person for person in found if set(tags) <= set(person.tags))

    def person(self, who: str) -> Person:
        """One person. Raises PersonUnknown."""
        with self.store.writing(light=True) as writing:
            found = self._person(writing, who)
            writing.note("saw", self.collection.id, person=found.id)
        return found

    def faces(self, who: str) -> tuple[StoredFace, ...]:
        """The faces of a person and where they came from. Raises PersonUnknown."""
        with self.store.writing(light=True) as writing:
            person = reading.person_id(writing, self.collection.id, who)
            writing.note("saw", self.collection.id, person=person, faces=True)
            return reading.faces(writing, self.collection.id, person=person)

    def crop(self, face_id: str) -> bytes | None:
        """The kept picture of a face, encoded; None if none is kept. Raises FaceUnknown."""
        with self.store.writing(light=True) as writing:
            found = reading.crop(writing, self.collection.id, face_id)
            if found is not None:
                writing.note("saw", self.collection.id, face=face_id, picture=True)
        return found

    def templates(self) -> Templates:
        """Every template with the identifier of its person, for calibration and clustering."""
        with self.store.writing(light=True) as writing:
            writing.note("read templates", self.collection.id)
            return reading.templates(writing, self.collection)

    # Changing

    def edit(self, who: str, *, version: int | None = None, **changes: Any) -> Person:  # noqa: ANN401 - see below
        """Change what is known about a person.

        Args:
            who: Name or identifier.
            version: Refuse if the person is not of this version any more.
            **changes: `name`, `tags`, `metadata`, `consent_note`, `consent_until`; what is not given stays.

        Raises:
            PersonUnknown: Nobody is enrolled under that name.
            PersonExists: Somebody else has the new name.
            BadRequest: An unknown field or a value that cannot be kept.
            VersionStale: The person was changed meanwhile.
        """
        if unknown := changes.keys() - _FIELDS:
            raise BadRequest(f"A person has no {', '.join(sorted(unknown))}.")
        with self._changing() as writing:
            person = self._person(writing, who)
            if version is not None and person.version != version:
                raise VersionStale(f"{person.name!r} is of version {person.version} now, not {version}.")
            until = checked_day(changes.get("consent_until", person.consent_until))
            told = {name: changes.get(name, getattr(person.about, name)) for name in About.__struct_fields__}
            edit_person(writing, self.collection, person, about(**told), until)
            writing.note("edited", self.collection.id, person=person.id, fields=sorted(changes))
            return self._person(writing, person.id)

    def merge(self, into: str, others: Sequence[str]) -> Person:
        """Make several people one: faces and tags of the others go over, what else is known stays `into`'s.

        Raises:
            PersonUnknown: One of them is not enrolled.
            BadRequest: Somebody is to be merged with himself.
        """
        with self._changing() as writing:
            target = self._person(writing, into)
            merged = [self._person(writing, other) for other in others]
            people.merge(writing, self.collection, target, merged)
            writing.note("merged", self.collection.id, into=target.id, people=[one.id for one in merged])
            return self._person(writing, target.id)

    def move(self, face_ids: Sequence[str], to: str | None = None) -> Person:
        """Give faces to another person ("not this person"): one who is known, or a new one.

        Args:
            face_ids: The faces.
            to: Name or identifier; an unknown name makes a new person; None: somebody unnamed.

        Raises:
            FaceUnknown: A face is not in the collection.
            BadRequest: No face is given.
        """
        with self._changing() as writing:
            moved = reading.known_faces(writing, self.collection.id, face_ids)
            target = people.move(writing, self.collection, moved, to)
            writing.note("moved", self.collection.id, faces=[face.id for face in moved], person=target)
            return self._person(writing, target)

    def split(self, who: str, face_ids: Sequence[str], name: str | None = None) -> Person:
        """Make two people of one: some of the faces go to somebody new, or known under that name.

        Raises:
            PersonUnknown: Nobody is enrolled under `who`.
            BadRequest: A face is somebody else's, or none would be left.
        """
        with self.store.reading() as snapshot:
            person = reading.person_id(snapshot, self.collection.id, who)
            own = {face.id for face in reading.faces(snapshot, self.collection.id, person=person)}
        if not set(face_ids) < own:
            raise BadRequest(f"Splitting {who!r} wants some of the faces of {who!r}, not all and no others.")
        return self.move(face_ids, name)

    def adopt(self, album: Gallery, who: str, name: str) -> Person:
        """Take somebody over from another collection, under a name; who has the name already gets the faces.

        Raises:
            SpaceMismatch: The other collection is of another embedder.
            PersonUnknown: There is nobody like that.
        """
        album._check(self.rule.space)
        with self._changing() as writing:
            people.check_space(writing, album.collection)
            person = album._person(writing, who)
            target = people.adopt(writing, album.collection, person, self.collection, name)
            writing.note(
                "adopted", self.collection.id, person=target, album=album.collection.id, was=person.id
            )
            found = self._person(writing, target)
        album.nearby.follow()
        return found

    def drop_faces(self, face_ids: Sequence[str]) -> None:
        """Delete faces. Raises FaceUnknown."""
        with self._changing() as writing:
            dropped = reading.known_faces(writing, self.collection.id, face_ids)
            drop_faces(writing, self.collection, dropped)
            writing.note("dropped", self.collection.id, faces=[face.id for face in dropped])

    def forget(self, who: str | Sequence[str]) -> Forgotten:
        """Forget people for good; see `mien.gallery.forgetting`.

        Raises:
            PersonUnknown: Somebody is not enrolled.
            StoreLocked: They are forgotten, but traces of what was sealed could not be wiped yet.
        """
        wanted = [who] if isinstance(who, str) else list(who)

        def chosen(writing: Writing) -> list[str]:
            found = [reading.person_id(writing, self.collection.id, one) for one in wanted]
            return list(dict.fromkeys(found))

        return self._forget(lambda: forget_everywhere(self.store, self.collection, chosen))

    def sweep(self, today: date | None = None) -> Forgotten:
        """Forget everybody whose consent has run out.

        Args:
            today: Consent lasts through its last day; None: today, in UTC.
        """
        lapsed = lapsed_on(today or audit.today(), self.collection)
        return self._forget(lambda: forget_everywhere(self.store, self.collection, lapsed, action="swept"))

    def forget_collection(self) -> Forgotten:
        """Forget everybody for good, and delete the collection with its documents; see `forget`.

        Raises:
            CollectionUnknown: It is not there any more.
        """
        return self._forget(lambda: drop_collection(self.store, self.collection))

    def _forget(self, forgetting: Callable[[], Forgotten]) -> Forgotten:
        try:
            return forgetting()
        finally:
            if self.choices.folder is not None:
                delete_saved(self.choices.folder, self.collection.id)
            with suppress(GalleryError):  # as in `_changing`
                for index in (self._index, self._face_index):
                    if index is not None:
                        index.purge()

    @contextmanager
    def _changing(self) -> Iterator[Writing]:
        with self.store.writing() as writing:
            people.check_space(writing, self.collection)
            yield writing
        # It is on the disk: what hinders an index now is said by the next search.
        with suppress(GalleryError):
            for index in (self._index, self._face_index):
                if index is not None:
                    index.follow()

    def _person(self, snapshot: Snapshot, who: str) -> Person:
        identifier = reading.person_id(snapshot, self.collection.id, who)
        return reading.people(snapshot, self.collection.id, ids=[identifier])[0]

    def _check(self, space: str) -> None:
        if space != self.rule.space:
            raise SpaceMismatch(f"The gallery holds embeddings of {self.rule.space}, not of {space}.")


_FIELDS = {*About.__struct_fields__, "consent_until"}


def memory_gallery(rule: DecisionRule, collection: str = "default", **options: Any) -> Gallery:  # noqa: ANN401
    """A gallery that ends with the process; `options` are those of `Gallery`."""
    return Gallery(Store(MEMORY, random_key()), rule, collection, **options)


def identifiers(found: NDArray[np.bytes_]) -> list[str]:
    """Each identifier once, without the places that nobody takes."""
    return [name.decode() for name in np.unique(found) if name]


def _check_probes(vectors: Vectors, k: int) -> None:
    if k < 1:
        raise BadRequest(f"k must be at least 1, got {k}.")
    if vectors.ndim != 2:
        raise BadRequest(f"Probes want shape (q, d), got {vectors.shape}.")
    if not np.isfinite(vectors).all():
        raise BadRequest("A probe holds numbers that are not finite.")
