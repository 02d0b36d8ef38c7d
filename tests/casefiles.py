"""Small photographs whose faces are known beforehand, and a stand-in for `Mien.analyze` that finds them."""

import hashlib
from pathlib import Path

import numpy as np
import PIL.Image

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.errors import MienError
from mien.gallery.calibration import Behind, Calibration, Interval
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.media.images import open_image
from mien.people.cases import FORMAT, Candidate, Case, Comparison, FoundFace, Probe, Run

SPACE = "s"
BOX = (8.0, 8.0, 40.0, 40.0)


def photograph(path, day=None):
    """Write a picture of noise, one of its own for each path."""
    rng = np.random.default_rng(list(str(path).encode()))
    exif = PIL.Image.Exif()
    exif[271] = "camera"  # Pillow writes no EXIF without a tag of the first kind
    if day:
        exif.get_ifd(0x8769)[0x9003] = day
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.fromarray(rng.integers(0, 255, (48, 48, 3), np.uint8)).save(path, "PNG", exif=exif)
    return path


class Eyes:
    """Finds the faces that it was told of."""

    def __init__(self):
        self.known = {}
        self.calls = 0

    def photograph(self, path, *vectors, day=None):
        photograph(path, day)
        self.known[digest(path)] = vectors
        return path

    def analyze(self, sources, columns):
        assert "embedding" in columns
        self.calls += 1
        for source in sources:
            try:
                image = open_image(source)
            except MienError as error:
                yield Failure(str(source), error)
                continue
            vectors = self.known.get(digest(source), ())
            boxes = np.float32([np.array(BOX) - (0, 0, i, i) for i in range(len(vectors))]).reshape(-1, 4)
            faces = Faces(image.size_wh, boxes, np.ones(len(vectors), np.float32))
            embedded = np.float32(vectors).reshape(len(vectors), -1 if vectors else 3)
            yield Analysis(image, faces.with_(embedding=embedded, space=SPACE))


def digest(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def gallery(threshold=1.0, *, calibration=None, fmr=None, review=None, **options):
    """People in memory, compared by straight-line distance."""
    rule = DecisionRule(SPACE, "euclidean", threshold, fmr, calibration, review)
    return memory_gallery(rule, **options)


def enrol(people, name, *vectors, taken="", year=None, crop=None, source="", digest="", tags=()):
    """Somebody with a face for each vector; gives the identifier."""
    place = Provenance(source=source, digest=digest, taken=taken, box=BOX if source else ())
    faces = [NewFace(np.float32(vector), place, crop) for vector in vectors]
    told = about(name, tags, {} if year is None else {"year": year})
    return people.enroll_many([Newcomer(told, faces)], SPACE)[0].person_id


def calibration(distances, rates, threshold):
    return Calibration(
        space="s",
        metric="euclidean",
        made="2026-01-01",
        requested_fmr=rates[0],
        threshold=threshold,
        fmr=Interval(rates[0], 0, 1),
        fnmr=Interval(0.1, 0, 1),
        distances=distances,
        rates=rates,
        evidence_distances=[0.0, 2.0],
        evidence=[4.0, -4.0],
        method="logistic",
        cllr=0.1,
        behind=Behind(10, 20, 0, 10, 180),
        detector="",
    )


def a_case(names=("Ada", "Bo"), **changes):
    """A case that was run: two probes, candidates `p1`, `p2` ... at 0.2, 0.4 ... from them."""
    candidates = tuple(
        Candidate(
            rank=i + 1,
            person_id=f"p{i + 1}",
            person=name,
            score=0.2 * (i + 1),
            decision="known" if not i else "uncertain",
            log10_evidence=None,
            probability=None,
            margin=0.2 if i + 1 < len(names) else None,
            gap_years=7,
            far_apart=True,
            probes=tuple(Comparison(probe, f"f{i + 1}", 0.2 * (i + 1), 7) for probe in range(2)),
            faces=(FoundFace(f"f{i + 1}", 1, 0.2 * (i + 1), 7, f"/album/{i + 1}.jpg", "2003", True),),
        )
        for i, name in enumerate(names)
    )
    run = Run(
        made="2026-01-02T03:04:05Z",
        store="store",
        change=5,
        space=SPACE,
        metric="euclidean",
        threshold=0.5,
        fmr=0.001,
        source="manifest",
        review_distance=None,
        far_review_distance=None,
        candidates=candidates,
    )
    probes = (
        Probe("/photos/one.jpg", "1" * 64, "only", "2010-05-10", "photograph"),
        Probe("two.jpg", "2" * 64, "largest"),
    )
    given = {"title": "Somebody", "notes": "", "collection": "default", "tags": (), "run": run}
    return Case(format=FORMAT, created="2026-01-01T00:00:00Z", probes=probes, **(given | changes))
