"""`Looker`: what one does with faces without remembering anybody."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.core.results import Verification
from mien.errors import BadRequest
from mien.gallery.rule import DecisionRule, calibration_file, decide_by, load_calibration, metric_of
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
from mien.pipeline.ahead import read_ahead
from mien.pipeline.analyzer import Analyzer, Observer
from mien.pipeline.choosing import Choice, choose
from mien.pipeline.quantise import quantised
from mien.pipeline.stages import DETECTION, Stages
from mien.runtime.session import Runtime
from mien.settings import Settings, load_settings


class Looker:
    """Finds and compares faces on this machine, and remembers nobody; `Mien` does.

    Networks are opened when first needed; the first use of a pack from installed packages converts
    it. It may be shared by threads.

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
        self._calibrated_by = Path()
        self._calibrated: tuple[int, int] | None = None
        self._lock = threading.RLock()

    def detect(self, image: Source) -> Faces:
        """Find the faces of one picture: boxes, scores and, if the detector has them, points.

        Raises:
            InputError: The picture cannot be read.
        """
        return self.look(image, DETECTION).faces

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
        analysis = self.look(image, ("box", "score"))
        return hide_faces(analysis.image, analysis.faces, way, grow=grow)

    def embed(self, image: Source) -> Faces:
        """Find the faces of one picture and embed each."""
        return self.look(image, (*DETECTION, "embedding")).faces

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
            choose(self.look(picture, (*DETECTION, "embedding")), choice)
            for picture, choice in zip((a, b), which, strict=True)
        )
        return self.decide(one, two)

    def decide(self, one: Faces, two: Faces) -> Verification:
        """Decide whether two faces, each alone and embedded, are one person's."""
        rule = self.rule()
        (vector, _), (other, _) = embedding_of(one), embedding_of(two)
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

    def rule(self) -> DecisionRule:
        """Threshold, metric and false-match rate: as calibrated here, or as the embedder's manifest says.

        A calibration that was written or deleted since, by this process or another one, counts at once.

        Raises:
            ManifestInvalid: The embedder states no threshold, and nobody calibrated.
            CalibrationError: The calibration cannot be used, or does not know the false-match rate wanted.
            SpaceMismatch: The calibration is of another embedder.
        """
        with self._lock:
            if self._rule is None or _state_of(self._calibrated_by) != self._calibrated:
                self._rule = None  # whatever was, if the new one cannot be read
                manifest, space = self._embedder()
                self._calibrated_by = self.settings.calibration or self.calibration_file()
                self._calibrated = _state_of(self._calibrated_by)
                file = self.calibration_in_use()
                calibration = load_calibration(file, space) if file else None
                self._rule = decide_by(
                    manifest, space, calibration, self.settings.fmr, self.settings.review_fmr
                )
            return self._rule

    def metric(self) -> Metric:
        """What distance means between embeddings of the chosen embedder."""
        return metric_of(self._embedder()[0])

    def space(self) -> str:
        """The embedding space of the chosen embedder."""
        return self._embedder()[1]

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

    def look(self, source: Source, columns: Sequence[str]) -> Analysis:
        """Analyse one picture; `analyze` is for many.

        Raises:
            InputError: The picture cannot be read.
        """
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


def embedding_of(faces: Faces) -> tuple[NDArray[Any], str]:
    """The embeddings that were asked for, and their space."""
    assert faces.embedding is not None  # noqa: S101 - the embedder was among the stages
    assert faces.space is not None  # noqa: S101 - it comes with the embeddings
    return faces.embedding, faces.space


def _state_of(file: Path) -> tuple[int, int] | None:
    """Changes when a file is replaced; None: there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _raised(result: Analysis | Failure) -> Analysis:
    if isinstance(result, Failure):
        raise result.error
    return result
