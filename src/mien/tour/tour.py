"""The tour: enrol, identify, verify, draw, and measure how long each takes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from pathlib import Path

from mien.core.analysis import Failure
from mien.core.image import Image
from mien.core.matches import Match
from mien.core.results import Identification, Verification
from mien.errors import BadRequest, InputError
from mien.gallery.rule import DecisionRule
from mien.kit import Mien
from mien.media.images import open_image, save_image
from mien.ops.draw import draw_faces
from mien.packs.manifest import Manifest
from mien.tour.photos import Album
from mien.tour.stopwatch import Stopwatch

CONVERT = "convert packs (first use)"
OPEN = "open networks"
DECODE = "decode"
DRAW = "draw and save"

_MOST_PAIRS = 6  # of each kind: a table that one can still read


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A person and the photographs that made them known.

    Attributes:
        name: The name.
        photos: Those that were enrolled, each with one face.
        failures: Those that could not be, and why.
    """

    name: str
    photos: tuple[Image, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A photograph in which known people were looked for.

    Attributes:
        photo: Its path.
        found: Who is in it, or why that could not be said.
        annotated: The picture with boxes and names; None if it could not be read.
        saved: Where that was written.
        time_s: Seconds for decoding it and for identifying everybody in it.
    """

    photo: Path
    found: Identification | Failure
    annotated: Image | None
    saved: Path | None
    time_s: float

    def names(self) -> tuple[str | None, ...]:
        """The name of each face, None for the unknown."""
        return () if isinstance(self.found, Failure) else tuple(self.found.names)

    def candidates(self) -> tuple[Match, ...]:
        """The nearest known person of each face, accepted or not."""
        return () if isinstance(self.found, Failure) else tuple(row[0] for row in self.found.matches if row)


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two photographs of one face each, compared.

    Attributes:
        a: One.
        b: The other.
        verification: Whether they show one person.
        expected: What the folders say; None if they do not.
    """

    a: Image
    b: Image
    verification: Verification
    expected: bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Tour:
    """Everything that the tour saw.

    Attributes:
        album: The photographs.
        people: Everybody who was to be enrolled.
        probes: The photographs that were looked at.
        pairs: The photographs that were compared.
        rule: When two faces count as one person's.
        packs: Manifests of the networks that worked, in the order of their work.
        device: Where they ran.
        threads: Threads inside one network call.
        time_s: Seconds from start to end.
    """

    album: Album
    people: tuple[Known, ...]
    probes: tuple[Probe, ...]
    pairs: tuple[Pair, ...]
    rule: DecisionRule
    packs: tuple[Manifest, ...]
    device: str
    threads: int
    time_s: float


def run_tour(kit: Mien, album: Album, out: Path, watch: Stopwatch) -> Tour:
    """Enrol the known, look for them in the unknown, compare pairs, and write annotated pictures.

    Photographs stay in memory until the tour is forgotten: it is made for dozens, not for thousands.

    Args:
        kit: Its gallery receives the known people; it must observe with `watch`.
        album: Photographs of known people and photographs to look at.
        out: Folder for the annotated pictures; those of an earlier tour are replaced.
        watch: Adds up the seconds of each stage.

    Raises:
        PackError: No usable networks.
        BadRequest: `out` cannot be written.
    """
    start = time.perf_counter()
    packs = _prepare(kit, watch)
    people = tuple(_enrol(kit, name, photos, watch) for name, photos in album.known.items())
    probes = tuple(_look(kit, album, photo, out, watch) for photo in album.unknown)
    pairs = tuple(_compare(kit, people, probes))
    return Tour(
        album, people, probes, pairs, kit.rule(), packs,
        kit.runtime.device, kit.runtime.threads, time.perf_counter() - start,
    )  # fmt: skip


def shown_name(album: Album, source: str | Path | None) -> str:
    """The path of a photograph for people: without the folders that all share."""
    path = Path(source or "")
    for folder in (album.folder / "known", album.folder / "unknown"):
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return str(path)


def _prepare(kit: Mien, watch: Stopwatch) -> tuple[Manifest, ...]:
    """Convert what was never used and open everything, so that no photograph pays for it."""
    before = kit.packs.present()
    start = time.perf_counter()
    stages = kit.stages_for(("embedding",))
    stage = OPEN if kit.packs.present() == before else f"{CONVERT}, {OPEN}"
    watch(stage, 0, time.perf_counter() - start)
    return tuple(kit.packs.manifest(stage.name) for stage in stages)


def _open(kit: Mien, photo: Path, watch: Stopwatch) -> Image:
    with watch.measure(DECODE):
        return open_image(photo, max_pixels=kit.settings.max_pixels, max_bytes=kit.settings.max_bytes)


def _enrol(kit: Mien, name: str, photos: Sequence[Path], watch: Stopwatch) -> Known:
    enrolled, failures = [], []
    for photo in photos:
        try:
            image = _open(kit, photo, watch)
            kit.enroll(name, image)
        except InputError as error:
            failures.append(Failure(str(photo), error))
        else:
            enrolled.append(image)
    return Known(name, tuple(enrolled), tuple(failures))


def _look(kit: Mien, album: Album, photo: Path, out: Path, watch: Stopwatch) -> Probe:
    start = time.perf_counter()
    try:
        found = kit.identify(_open(kit, photo, watch))
    except InputError as error:
        return Probe(photo, Failure(str(photo), error), None, None, time.perf_counter() - start)
    time_s = time.perf_counter() - start
    with watch.measure(DRAW):
        names = found.names
        labels = [name or "unknown" for name in names]
        annotated = draw_faces(found.image, found.faces, labels, known=[name is not None for name in names])
        saved = _save(annotated, _target(album, photo, out))
    return Probe(photo, found, annotated, saved, time_s)


def _target(album: Album, photo: Path, out: Path) -> Path:
    """Where an annotated picture goes: in a folder of its own, so that no original is ever replaced."""
    inside = album.folder / "unknown"
    path = out / "pictures" / (photo.relative_to(inside) if photo.is_relative_to(inside) else photo.name)
    return path if path.suffix.lower() in {".jpg", ".jpeg"} else path.with_name(f"{path.name}.jpg")


def _save(image: Image, path: Path) -> Path:
    make_folder(path.parent)
    save_image(image, path)
    return path


def make_folder(folder: Path) -> None:
    """Make a folder to write into.

    Raises:
        BadRequest: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(
            f"{folder} cannot be made: {error.strerror or error}.", hint="Choose another folder with --out."
        ) from error


def _compare(kit: Mien, people: Iterable[Known], probes: Iterable[Probe]) -> Iterator[Pair]:
    """One person's photographs with each other, people with each other, and probes with who is nearest."""
    photos = {person.name: person.photos for person in people if person.photos}
    same = (pair for of_one in photos.values() for pair in combinations(of_one, 2))
    different = ((a[0], b[0]) for a, b in combinations(photos.values(), 2))
    nearest = (
        (probe.found.image, photos[candidates[0].person][0])
        for probe in probes
        if isinstance(probe.found, Identification)
        and len(probe.found) == 1
        and (candidates := probe.candidates())
    )
    for pairs, expected in ((same, True), (different, False), (nearest, None)):
        for a, b in islice(pairs, _MOST_PAIRS):
            yield Pair(a, b, kit.verify(a, b), expected)
