"""`Mien`: everything one does with faces, by name.

mien = Mien()
mien.verify("a.jpg", "b.jpg").verified
mien.enroll("Ada", ["ada1.jpg", "ada2.jpg"])   # kept on the disk, encrypted
mien.identify("party.jpg").names
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mien.core.analysis import Analysis, Failure
from mien.core.matches import Match, Matches
from mien.core.results import Enrolment, Identification
from mien.gallery.choices import IndexChoices
from mien.gallery.gallery import Gallery
from mien.gallery.opening import open_store
from mien.gallery.overview import overview
from mien.gallery.store import reading
from mien.gallery.store.records import about
from mien.gallery.store.store import Store
from mien.looker import Looker, embedding_of
from mien.media.expanding import Source
from mien.packs.sources import Progress, no_progress
from mien.people.albums import Added, add
from mien.people.case_run import run_case
from mien.people.cases import Case
from mien.people.enrolling import Keeping, Told, enroll
from mien.people.gates import GATES
from mien.people.upgrading import Upgraded, upgrade
from mien.pipeline.analyzer import Observer
from mien.pipeline.choosing import Choice, choose
from mien.pipeline.stages import DETECTION
from mien.settings import Gate, Settings


class Mien(Looker):
    """Finds, compares and recognises faces on this machine, and remembers the people whom you enrol.

    Networks are opened when first needed; the first use of a pack from installed packages converts
    it. One `Mien` may be shared by threads.

    Args:
        settings: Everything an operator can choose; read from file and environment if None.
        progress: Told about conversions; see `mien.packs.sources.Progress`.
        observe: Told how long each stage took; see `mien.pipeline.analyzer.Observer`.
        **choices: Fields of `Settings` that win over file and environment, such as
            `detector="mmod"`, `device="cuda"`, `threads=1`.

    Raises:
        SettingsError: A setting cannot be used.
        DeviceUnavailable: The chosen device is not there.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        progress: Progress = no_progress,
        observe: Observer | None = None,
        **choices: Any,  # noqa: ANN401 - validated by load_settings
    ) -> None:
        super().__init__(settings, progress=progress, observe=observe, **choices)
        self._store: Store | None = None
        self._galleries: dict[str, Gallery] = {}

    def enroll(
        self,
        person: str,
        sources: Source | Iterable[Source],
        *,
        face: Choice = "only",
        tags: Sequence[str] = (),
        metadata: dict[str, Any] | None = None,
        consent_note: str = "",
        consent_until: date | None = None,
    ) -> Enrolment:
        """Make a person known by one or several pictures; enrolling again adds faces.

        Who is enrolled is kept in the store that settings name, on the disk when this returns.

        Args:
            person: Name to be given back by `identify`.
            sources: Pictures or folders of pictures.
            face: As in `verify`.
            tags: Words to filter by.
            metadata: Anything else that is JSON.
            consent_note: On what the consent, or another ground, rests.
            consent_until: Last day of the consent; `Gallery.sweep` forgets who is beyond.

        Returns:
            How many faces were added, the pictures that gave none, and whom the person resembles.

        Raises:
            MienError: No picture gave a face; the error of the first.
            BadRequest: No picture was given, or the name is empty.
        """
        told = Told(person, tuple(tags), metadata or {}, consent_note, consent_until)
        about(told.name, told.tags, told.metadata, told.consent_note)  # before anything is looked at
        gallery = self.gallery()
        keeping = self.keeping(face)
        return enroll(gallery, told, self.analyze(sources, keeping.columns), keeping, gallery.rule.space)

    def keeping(self, face: Choice = "only", gate: Gate | None = None) -> Keeping:
        """How settings want faces to be kept, or another gate does."""
        gate = gate or self.settings.gate
        demands = GATES[gate]
        here = [column for column in demands.takes if column in self.available()]
        packs = tuple(self.packs.manifest(self.stages.giver(one)).label for one in ("box", "embedding"))
        columns = (*DETECTION, "embedding", *demands.needs, *here)
        return Keeping(columns, packs, gate, self.settings.keep_crops, face)

    def identify(self, image: Source, k: int = 1, *, tags: Sequence[str] = ()) -> Identification:
        """Say who is in one picture, among the people enrolled.

        Args:
            image: The picture.
            k: How many candidates to give for each face.
            tags: Look only among people who have all of these.

        Raises:
            InputError: The picture cannot be read.
        """
        self.gallery()  # which knows the embedder
        return self._identification(self.look(image, (*DETECTION, "embedding")), k, tags)

    def identify_all(
        self, sources: Source | Iterable[Source], k: int = 1, *, tags: Sequence[str] = ()
    ) -> Iterator[Identification | Failure]:
        """`identify` for any number of pictures or folders, with failures beside results."""
        self.gallery()
        for result in self.analyze(sources, (*DETECTION, "embedding")):
            yield result if isinstance(result, Failure) else self._identification(result, k, tags)

    def search(
        self, image: Source, k: int = 10, *, face: Choice = "only", tags: Sequence[str] = ()
    ) -> Matches:
        """Find the k enrolled faces that are most like one in a picture, several of a person too.

        Raises:
            NoFace: The picture shows no face.
            ManyFaces: It shows several and `face` is `only`.
            InputError: It cannot be read.
        """
        gallery = self.gallery()
        found = choose(self.look(image, (*DETECTION, "embedding")), face)
        return gallery.search(*embedding_of(found), k, tags=tags)

    def verify_person(self, image: Source, person: str, *, face: Choice = "only") -> Match:
        """Decide whether a picture shows somebody who is enrolled: 1:1, whatever others look like.

        Raises:
            PersonUnknown: Nobody is enrolled under that name or identifier.
            NoFace: The picture shows no face.
            ManyFaces: It shows several and `face` is `only`.
            InputError: It cannot be read.
        """
        gallery = self.gallery()
        found = choose(self.look(image, (*DETECTION, "embedding")), face)
        return gallery.compare(person, *embedding_of(found))[0][0]

    def cluster(
        self,
        album: str,
        sources: Source | Iterable[Source],
        *,
        tell: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Added:
        """Add every face of photographs to an album and group them into people.

        The album is a collection of the store; see `mien.people.albums.add`. Its groups, and what a reviewer
        does with them, are in `mien.people.album_groups`.
        """
        gallery = self.gallery(album)
        keeping = replace(self.keeping(), crops=True)
        besides = (self.settings.collection,) if self.settings.collection != album else ()
        return add(gallery, sources, self.analyze, keeping, besides=besides, tell=tell)

    def run_case(self, folder: Path) -> Case:
        """Look for the missing person of a case folder; see `mien.people.case_run.run_case`."""
        return run_case(folder, self.gallery, self.analyze)[0]

    def upgrade(
        self,
        collection: str | None = None,
        *,
        leave_behind: bool = False,
        tell: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> Upgraded:
        """Bring the people of a collection over to this embedder; see `mien.people.upgrading.upgrade`."""
        name = collection or self.settings.collection
        _, space = self._embedder()
        with self._lock:
            self._galleries.pop(name, None)
        return upgrade(self.store(), name, space, self.analyze, leave_behind=leave_behind, tell=tell)

    def gallery(self, collection: str | None = None) -> Gallery:
        """The people of a collection of the store that settings name; both are made if they are missing.

        Args:
            collection: Its name; None: the one that settings name.

        Raises:
            GalleryError: The store cannot be opened; see `mien.gallery.store.Store`.
            SpaceMismatch: The collection is of another embedder.
        """
        name = collection or self.settings.collection
        with self._lock:
            if name in self._galleries and not self._galleries[name].is_there():
                del self._galleries[name]  # somebody has deleted it, and perhaps made another of that name
            if name in self._galleries and self._galleries[name].rule is not self.rule():
                self._galleries.pop(name).save()  # somebody has calibrated
            if name not in self._galleries:
                settings = self.settings
                # People stay findable when a better embedder is installed: it is used once they are upgraded.
                if known := self._embedder_of(name):
                    self.stages.prefer("embedding", known)
                choices = IndexChoices(
                    kind=settings.index,
                    exact_up_to=settings.exact_up_to,
                    policy=settings.policy,
                    folder=settings.indexes_dir,
                    threads=settings.threads,
                )
                self._galleries[name] = Gallery(
                    self.store(),
                    self.rule(),
                    name,
                    embedder=self.stages.giver("embedding"),
                    choices=choices,
                    least_margin=settings.least_margin,
                )
            return self._galleries[name]

    def prefer_known(self) -> None:
        """Embed as those people were embedded who are here, unless settings name an embedder.

        To be called before networks are opened. A better embedder that was installed since is used once the
        people are upgraded.
        """
        here = [one for one in overview(self.store()).collections if one.people]
        if not here:
            return
        most = max(here, key=lambda one: (one.name == self.settings.collection, one.people))
        manifest = self.packs.manifests().get(most.embedder)
        if manifest is not None and self.packs.is_at_hand(manifest):
            self.stages.prefer("embedding", manifest.name)

    def let_go(self, collection: str) -> None:
        """Know nothing more of a collection that is gone."""
        with self._lock:
            self._galleries.pop(collection, None)

    def store(self) -> Store:
        """The open store that settings name; made if it is missing. Raises GalleryError."""
        with self._lock:
            if self._store is None:
                self._store = open_store(self.settings.store_address, self.settings.key_name, os.environ)
            return self._store

    def close(self) -> None:
        """Save search indexes and let go of the store; using this `Mien` again opens it again."""
        with self._lock:
            for gallery in self._galleries.values():
                gallery.save()
            if self._store is not None:
                self._store.close()
            self._galleries, self._store = {}, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _embedder_of(self, collection: str) -> str | None:
        """The pack that embedded the people of a collection; None if there is nobody."""
        with self.store().reading() as snapshot:
            known = {one.name: one.embedder for one in reading.collections(snapshot)}
        return known.get(collection)

    def _identification(self, analysis: Analysis, k: int, tags: Sequence[str]) -> Identification:
        matches = self.gallery().identify(*embedding_of(analysis.faces), k, tags=tags)
        return Identification(analysis.image, analysis.faces, matches)
