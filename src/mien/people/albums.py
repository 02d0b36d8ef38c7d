"""Albums: photographs that nobody labelled, their faces grouped into people.

An album is a collection of the gallery. Each group of similar faces is somebody without a name, whose
identifier stays when photographs are added: what a reviewer wrote down about it goes on being true.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest, FaceRefused, SpaceMismatch
from mien.gallery.gallery import Gallery
from mien.gallery.store import reading
from mien.gallery.store.adding import already_here
from mien.gallery.store.records import NewFace
from mien.media.expanding import Source, expand
from mien.people.album_grouping import keep
from mien.people.enrolling import Analyze, Keeping, new_face, photograph_digest
from mien.people.gates import let_pass

# Photographs that are lost when the machine stops: some minutes of work. Fewer would group more often.
PORTION = 200


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding photographs to an album.

    Attributes:
        photographs: How many were looked at.
        repeated: How many were not, because they are in the album.
        faces: How many were kept.
        refused: How many were not, because the gate refused them.
        groups: How many the album has now.
        new_groups: How many of them were not there before.
        merged_groups: How many that were there before turned out to be of somebody else's group.
        failures: Photographs that could not be looked at.
    """

    photographs: int
    repeated: int
    faces: int
    refused: int
    groups: int
    new_groups: int
    merged_groups: int
    failures: tuple[Failure, ...]


def add(
    album: Gallery,
    sources: Source | Iterable[Source],
    analyze: Analyze,
    keeping: Keeping,
    *,
    besides: Sequence[str] = (),
    tell: Callable[[int, int], None] = lambda _done, _of: None,
    portion: int = PORTION,
) -> Added:
    """Add every face of photographs to an album, and group all faces of it into people.

    Photographs that are in the album are passed over, whatever they are called now. Those in which nobody was
    found leave no trace, and are looked at again. A portion is kept as a whole when it was looked at, so that
    a run that was stopped goes on where it ended when it is repeated. Groups that have a name, or of which
    somebody decided on a face, take in others and are never merged with each other.

    Args:
        album: The collection.
        sources: Photographs, or folders of them.
        analyze: `Mien.analyze`.
        keeping: How faces are kept; every face of a photograph is.
        besides: Names of other collections, to which groups of this album were taken over; their faces are
            not added once more.
        tell: Told how many photographs are done, of how many.
        portion: How many are kept together.

    Raises:
        SpaceMismatch: The faces are of another embedder.
        GalleryError: They cannot be kept.
    """
    wanted = list(expand(sources))
    run = Adding(album, keeping, besides)
    try:
        for start, some in _unknown(run, wanted, portion):
            results = analyze([source for source, _ in some], keeping.columns)
            for done, ((_, digest), result) in enumerate(zip(some, results, strict=True), 1):
                run.take(result, digest)
                tell(start + done, len(wanted))
            run.acknowledge()
    except KeyboardInterrupt:
        run.acknowledge()
        raise
    tell(len(wanted), len(wanted))
    return run.report()


def _unknown(
    run: Adding, wanted: Sequence[Source], portion: int
) -> Iterator[tuple[int, list[tuple[Source, str]]]]:
    """Portions of the photographs that are not in the album, with their digests, and how many came before."""
    some: list[tuple[Source, str]] = []
    for place, source in enumerate(wanted):
        digest = _file_digest(source)
        if not run.knows(digest):
            some.append((source, digest))
        if len(some) == portion:
            yield place + 1 - len(some), some
            some = []
    if some:
        yield len(wanted) - len(some), some


def _file_digest(source: Source) -> str:
    """As `photograph_digest`, before the file is decoded; empty if it is no file, or cannot be read."""
    if isinstance(source, Image):
        return source.digest or ""
    if not isinstance(source, (str, Path)):
        return ""
    try:
        with Path(source).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""  # looking at it says why


class Adding:
    """What was seen while photographs are added to an album, and the faces that wait to be kept.

    Args:
        album: The collection.
        keeping: How faces are kept.
        besides: As in `add`.
    """

    def __init__(self, album: Gallery, keeping: Keeping, besides: Sequence[str]) -> None:
        self._album, self._keeping, self._besides = album, keeping, besides
        with album.store.reading() as snapshot:
            stored = reading.faces(snapshot, album.collection.id)
        self._seen = {face.provenance.digest for face in stored} - {""}
        self._waiting: list[NewFace] = []
        self._failures: list[Failure] = []
        self._photographs = self._repeated = self._faces = self._refused = 0
        self._made: set[str] = set()
        self._merged: set[str] = set()

    def knows(self, digest: str) -> bool:
        """Whether a photograph was seen before; the next time it was."""
        known = digest in self._seen
        self._repeated += known
        if digest:
            self._seen.add(digest)
        return known

    def take(self, result: Analysis | Failure, digest: str) -> int:
        """Note what a photograph gave; an empty digest is of what came from no file.

        Returns:
            How many faces of it wait to be kept.
        """
        if isinstance(result, Failure):
            self._photographs += 1
            self._failures.append(result)
            return 0
        if not digest:
            digest = photograph_digest(result.image)
            if self.knows(digest):
                return 0
        self._photographs += 1
        if len(result.faces) and result.faces.space != self._album.rule.space:
            raise SpaceMismatch(
                f"The album holds embeddings of {self._album.rule.space}, not of {result.faces.space}."
            )
        looked_at = [self._taken(result, result.faces[[row]], digest) for row in range(len(result.faces))]
        taken = [face for face in looked_at if face is not None]
        # All at once: half a photograph, were it kept, would never be looked at again.
        self._waiting += taken
        return len(taken)

    def _taken(self, photograph: Analysis, found: Faces, digest: str) -> NewFace | None:
        try:
            let_pass(found[0], self._keeping.gate, photograph.source)
        except FaceRefused:
            self._refused += 1
            return None
        face = new_face(photograph.image, found, self._keeping, digest)
        if not face.vector.any():
            # It has no direction: kept, it would stop every later grouping of the album.
            error = BadRequest(f"The embedder gave nothing but zeros for a face in {photograph.source}.")
            self._failures.append(Failure(photograph.source, error))
            return None
        return face

    def acknowledge(self) -> None:
        """Keep what waits."""
        done = keep(self._album, _without(self._album, self._besides, self._waiting))
        self._faces += done.faces
        # A group of this run that merged in this run was never there for anybody.
        self._merged |= done.merged - self._made
        self._made = (self._made | done.made) - done.merged
        self._waiting = []

    def report(self) -> Added:
        """What came of it."""
        with self._album.store.reading() as snapshot:
            groups = len(reading.ids_of_people(snapshot, self._album.collection.id))
        return Added(
            self._photographs,
            self._repeated,
            self._faces,
            self._refused,
            groups,
            len(self._made),
            len(self._merged),
            tuple(self._failures),
        )


def _without(album: Gallery, besides: Sequence[str], found: list[NewFace]) -> list[NewFace]:
    """Those that no other collection holds from the same place of the same photograph."""
    if not besides or not found:
        return found
    with album.store.writing(light=True) as writing:
        others = [one for one in reading.collections(writing) if one.name in besides]
        held = {place for other in others for place, _ in already_here(writing, other, found)}
    return [face for face in found if face.provenance.place not in held]
