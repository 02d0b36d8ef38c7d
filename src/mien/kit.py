"""`Mien`: everything one does with faces, by name.

mien = Mien()
mien.verify("a.jpg", "b.jpg").verified
mien.enroll("Ada", ["ada1.jpg", "ada2.jpg"])   # kept on the disk, encrypted
mien.identify("party.jpg").names
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from numpy.typing import NDArray

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.core.matches import Match, Matches
from mien.core.results import Enrolment, Identification, Verification
from mien.errors import BadRequest
from mien.gallery.choices import IndexChoices
from mien.gallery.gallery import Gallery
from mien.gallery.opening import open_store
from mien.gallery.rule import DecisionRule, calibration_file, decide_by, load_calibration, metric_of
from mien.gallery.store import reading
from mien.gallery.store.records import about
from mien.gallery.store.store import Store
from mien.media.expanding import Source, expand
from mien.media.images import open_image, read_images
from mien.models.embedder import embedding_space
from mien.models.stage import Stage
from mien.ops.hide import hide_faces
from mien.ops.vectors import DISTANCES, Metric, cosine_similarity
from mien.packs.manifest import Manifest
from mien.packs.own import pack_of_eight_bits, write_pack
from mien.packs.sources import Progress, no_progress
from mien.packs.store import Pack, PackStore
from mien.people.enrolling import Keeping, Told, enroll
from mien.people.gates import GATES
from mien.people.upgrading import Upgraded, upgrade
from mien.pipeline.ahead import read_ahead
from mien.pipeline.analyzer import Analyzer, Observer
from mien.pipeline.choosing import Choice, choose
from mien.pipeline.quantise import quantised
from mien.pipeline.stages import DETECTION, Stages
from mien.runtime.session import Runtime
from mien.settings import Settings, load_settings


class Mien:
    """Finds, compares and recognises faces on this machine.

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
        if settings is not None and choices:
            raise BadRequest("Give either settings or single choices, not both.")
        self.settings = settings or load_settings(**choices)
        self.packs = PackStore(self.settings.packs_dir, self.settings.mirror)
        self.runtime = Runtime(self.settings.device, self.settings.threads)
        self._progress = progress
        self._observe = observe
        self.stages = Stages(self.packs, self.runtime, self.settings, progress)
        self._rule: DecisionRule | None = None
        self._store: Store | None = None
        self._galleries: dict[str, Gallery] = {}
        self._lock = threading.RLock()

    def detect(self, image: Source) -> Faces:
        """Find the faces of one picture: boxes, scores and, if the detector has them, points.

        Raises:
            InputError: The picture cannot be read.
        """
        return self._one(image, DETECTION).faces

    def analyze(
        self, sources: Source | Iterable[Source], columns: Sequence[str] = DETECTION
    ) -> Iterator[Analysis | Failure]:
        """Analyse pictures, or all pictures of folders, as they are iterated over.

        Args:
            sources: Paths, folders, encoded bytes or `Image`s, one or many.
            columns: What to compute, by the names of `mien.core.columns`.

        Yields:
            For each picture, in order, an `Analysis`, or a `Failure` if it could not be processed.
        """
        analyzer = Analyzer(self.stages_for(columns), self.settings.batch, self._observe)
        items = self._read(expand(sources))
        # Files can be read ahead; what else hands out pictures may be live, and is asked when its turn comes.
        if isinstance(sources, (list, tuple, str, Path)):
            items = read_ahead(items, self.settings.batch)
        return analyzer.run(items)

    def anonymise(self, image: Source, way: str = "pixelate", *, grow: float = 0.3) -> Image:
        """Hide every face that is found in one picture; see `mien.ops.hide`.

        What the detector does not find stays visible: a `Mien(search="thorough")` misses least.

        Raises:
            InputError: The picture cannot be read.
            BadRequest: Unknown way.
        """
        if not isinstance(image, Image):
            # In full, whatever the profile: the picture is not only looked at.
            settings = self.settings
            image = open_image(image, max_pixels=settings.max_pixels, max_bytes=settings.max_bytes)
        analysis = self._one(image, ("box", "score"))
        return hide_faces(analysis.image, analysis.faces, way, grow=grow)

    def embed(self, image: Source) -> Faces:
        """Find the faces of one picture and embed each."""
        return self._one(image, (*DETECTION, "embedding")).faces

    def verify(self, a: Source, b: Source, *, face: Choice | tuple[Choice, Choice] = "only") -> Verification:
        """Decide whether two pictures show the same person.

        Args:
            a: First picture.
            b: Second picture.
            face: Which face to take of a picture with several: `only` insists on one, `largest`
                takes the largest, a number takes that one of those `detect` finds. A pair says it
                for each picture.

        Raises:
            NoFace: A picture shows no face.
            ManyFaces: A picture shows several and `face` is `only`.
            InputError: A picture cannot be read.
        """
        which = face if isinstance(face, tuple) else (face, face)
        one, two = (
            choose(self._one(picture, (*DETECTION, "embedding")), choice)
            for picture, choice in zip((a, b), which, strict=True)
        )
        rule = self.rule()
        (vector, _), (other, _) = _embedding(one), _embedding(two)
        distance = DISTANCES[rule.metric](vector, other)[0, 0]
        probability = rule.probability(distance)
        return Verification(
            verified=bool(distance <= rule.distance),
            similarity=float(cosine_similarity(vector, other)[0, 0]),
            distance=float(distance),
            threshold=rule.distance,
            fmr=rule.fmr,
            metric=rule.metric,
            space=rule.space,
            face_a=one[0],
            face_b=two[0],
            probability=None if probability is None else float(probability),
            source=rule.source,
        )

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

    def keeping(self, face: Choice = "only") -> Keeping:
        """How settings want faces to be kept."""
        demands = GATES[self.settings.gate]
        here = [column for column in demands.takes if column in self.available()]
        packs = tuple(self.packs.manifest(self.stages.giver(one)).label for one in ("box", "embedding"))
        columns = (*DETECTION, "embedding", *demands.needs, *here)
        return Keeping(columns, packs, self.settings.gate, self.settings.keep_crops, face)

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
        return self._identification(self._one(image, (*DETECTION, "embedding")), k, tags)

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
        found = choose(self._one(image, (*DETECTION, "embedding")), face)
        return gallery.search(*_embedding(found), k, tags=tags)

    def verify_person(self, image: Source, person: str, *, face: Choice = "only") -> Match:
        """Decide whether a picture shows somebody who is enrolled: 1:1, whatever others look like.

        Raises:
            PersonUnknown: Nobody is enrolled under that name or identifier.
            NoFace: The picture shows no face.
            ManyFaces: It shows several and `face` is `only`.
            InputError: It cannot be read.
        """
        gallery = self.gallery()
        found = choose(self._one(image, (*DETECTION, "embedding")), face)
        return gallery.compare(person, *_embedding(found))[0][0]

    def quantise(self, name: str, sources: Source | Iterable[Source]) -> Pack:
        """Make a pack of eight bits out of an installed one; see `mien.runtime.quantise`.

        It is called `<name>-int8`. Its embeddings are of a space of their own.

        Args:
            name: An installed pack whose files are ONNX networks.
            sources: Photographs of people, like those that it will see; a hundred faces are enough.

        Raises:
            PackMissing: The pack is not installed.
            BadRequest: The pack holds no networks, or the photographs show too few faces.
            ConversionFailed: A network cannot be quantised.
        """
        pack = self.packs.ensure(name, self._progress)
        before = () if "box" in pack.manifest.gives else self.stages_for(self.stage(name).needs)
        made = quantised(pack, before, self._read(expand(sources)), self.settings)
        networks = {name: network.content for name, network in made.items()}
        folder = self.packs.folder / f"{name}-int8"
        agreement = min(network.agreement for network in made.values())
        manifest = pack_of_eight_bits(folder, networks, pack.manifest, agreement)
        write_pack(folder, manifest, networks)
        return self.packs.get(folder.name)

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

    def _embedder_of(self, collection: str) -> str | None:
        """The pack that embedded the people of a collection; None if there is nobody."""
        with self.store().reading() as snapshot:
            known = {one.name: one.embedder for one in reading.collections(snapshot)}
        return known.get(collection)

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
                gallery.nearby.save()
            if self._store is not None:
                self._store.close()
            self._galleries, self._store = {}, None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def rule(self) -> DecisionRule:
        """Threshold, metric and false-match rate: as calibrated here, or as the embedder's manifest says.

        Raises:
            ManifestInvalid: The embedder states no threshold, and nobody calibrated.
            CalibrationError: The calibration cannot be used, or does not know the false-match rate wanted.
            SpaceMismatch: The calibration is of another embedder.
        """
        with self._lock:
            if self._rule is None:
                manifest, space = self._embedder()
                file = self.calibration_in_use()
                calibration = load_calibration(file, space) if file else None
                self._rule = decide_by(
                    manifest, space, calibration, self.settings.fmr, self.settings.review_fmr
                )
            return self._rule

    def metric(self) -> Metric:
        """What distance means between embeddings of the chosen embedder."""
        return metric_of(self._embedder()[0])

    def calibration_file(self) -> Path:
        """Where the calibration of the chosen embedder is kept; `rule` uses it once it is there."""
        return calibration_file(self.settings.calibrations_dir, self._embedder()[1])

    def calibration_in_use(self) -> Path | None:
        """The calibration that `rule` decides by: the one that settings name, or else the one kept."""
        kept = self.calibration_file()
        return self.settings.calibration or (kept if kept.exists() else None)

    def _embedder(self) -> tuple[Manifest, str]:
        """Of the pack that embeds, even if a better one was installed since: its manifest and its space."""
        manifest = self.packs.ensure(self.stages.giver("embedding"), self._progress).manifest
        return manifest, embedding_space(manifest, flip=self.settings.flipping)

    def stages_for(self, columns: Iterable[str]) -> tuple[Stage, ...]:
        """The stages that compute these columns; see `mien.pipeline.stages.Stages.for_columns`."""
        return self.stages.for_columns(columns)

    def available(self) -> tuple[str, ...]:
        """The columns that can be computed here and now; see `mien.pipeline.stages.Stages.available`."""
        return self.stages.available()

    def manifest_for(self, column: str) -> Manifest:
        """The manifest of the pack for a column; see `mien.pipeline.stages.Stages.manifest_for`."""
        return self.stages.manifest_for(column)

    def stage(self, name: str) -> Stage:
        """Open a pack by name; see `mien.pipeline.stages.Stages.stage`."""
        return self.stages.stage(name)

    def _one(self, source: Source, columns: Sequence[str]) -> Analysis:
        image = next(self._read([source]))
        if isinstance(image, Failure):
            raise image.error
        return _raised(next(Analyzer(self.stages_for(columns), 1, self._observe).run([image])))

    def _read(self, sources: Iterable[Source]) -> Iterator[Image | Failure]:
        return read_images(
            sources,
            max_pixels=self.settings.max_pixels,
            max_bytes=self.settings.max_bytes,
            enough_side=self.settings.enough_side,
        )

    def _identification(self, analysis: Analysis, k: int, tags: Sequence[str]) -> Identification:
        matches = self.gallery().identify(*_embedding(analysis.faces), k, tags=tags)
        return Identification(analysis.image, analysis.faces, matches)


def _embedding(faces: Faces) -> tuple[NDArray[Any], str]:
    """The embeddings that were asked for, and their space."""
    assert faces.embedding is not None  # noqa: S101 - the embedder was among the stages
    assert faces.space is not None  # noqa: S101 - it comes with the embeddings
    return faces.embedding, faces.space


def _raised(result: Analysis | Failure) -> Analysis:
    if isinstance(result, Failure):
        raise result.error
    return result
