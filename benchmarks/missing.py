"""Missing people: several photographs at once, and photographs years apart, among all people of LFW.

    python benchmarks/missing.py ../shared/data

How probes are fused is chosen on people of LFW with five photographs or more: three of each are looked for
among two at most of everybody, as they are and spoilt (benchmarks/degradations.py), because LFW alone is too
easy. Years apart are photographs of four people of LFW whom the file names or labels of other collections
name; that they are four is why nothing is fitted to them. Vectors of LFW are kept in out/lfw; see
benchmarks/lfw_vectors.py.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from degradations import degrade
from lfw_vectors import vectors_of
from mien import Mien, open_image
from mien.core.columns import BY_NAME
from mien.evaluate.calibration.fitting import calibrate
from mien.evaluate.measures.comparisons import everybody
from mien.evaluate.reading.pairs import Pairs, read_pairs
from mien.evaluate.showing import percent
from mien.gallery.gallery import Gallery, memory_gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, about
from mien.ops.vectors import DISTANCES
from mien.people.case_search import search_case
from mien.people.cases import FORMAT, Case, Probe
from mien.people.probes import Looked
from missing_fusion import (
    ENROLLED,
    FUSIONS,
    LEAST_PHOTOS,
    PLACES,
    PROBES,
    Trials,
    chosen,
    distances,
    fusion_rows,
    trust_row,
)  # fmt: skip
from sections import stamp, table, write

DETECTOR = "yunet"
EMBEDDERS = ("retail0095", "mobilefacenet", "dlib-resnet29")
WAYS = 10  # of benchmarks/degradations.py
CHOICES = 40
BATCH = 8
FMR = 1e-3
# LFW was collected from news of 2002 and 2003. Of the others a camera dated three, 2010, 2018 and 2019; the
# rest is undated. Names are those of files, and those by which deepface's tests call two people; a photograph
# of one of them is in LFW too, which confirms the name, and is left out here.
LFW_YEAR = "2003"
LATER = {
    "Angelina_Jolie": [f"pairs_labelled/img{i}.jpg" for i in (1, 2, 4, 5, 6, 7, 10, 11)],
    "Jennifer_Aniston": [f"pairs_labelled/img{i}.jpg" for i in (3, 53, 54, 55, 56)],
    "Joseph_Biden": ["obama_biden/biden.jpg", "obama_biden/biden2.jpg"],
    "Tom_Hanks": ["varied/Tom_Hanks_54745.png"],
}


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    pairs = read_pairs(data / "lfw" / "pairs.txt", data / "lfw" / "images")
    clean = vectors_of(pairs.photos, DETECTOR, EMBEDDERS)
    trials = chosen(pairs)
    spoilt = embedded(
        degrade(open_image(pairs.photos[photo]), number) for number, photo in enumerate(trials.photos.flat)
    )
    files = {name: [data / "faces_wild" / file for file in files] for name, files in LATER.items()}
    spoilt_later = {
        name: embedded(
            degrade(open_image(file), WAYS * i + way) for i, file in enumerate(some) for way in range(WAYS)
        )
        for name, some in files.items()
    }
    later = {
        name: embedded(open_image(data / "faces_wild" / file) for file in files)
        for name, files in LATER.items()
    }
    rules = {name: measured(name, clean[name], pairs, trials) for name in EMBEDDERS}
    fused, trust, apart, gaps = [], [], [], []
    for name in EMBEDDERS:
        probes = {"as they are": clean[name][trials.photos.ravel()], "spoilt": spoilt[name]}
        near = {kind: distances(rules[name], clean[name], of, pairs, trials) for kind, of in probes.items()}
        fused += fusion_rows(name, rules[name], near, trials)
        trust.append(trust_row(name, rules[name], near, trials))
        new = {who: vectors[name] for who, vectors in later.items()}
        hard = {who: vectors[name] for who, vectors in spoilt_later.items()}
        apart += list(apart_rows(name, rules[name], clean[name], new, hard, pairs))
        gaps.append(gap_row(name, rules[name], clean[name], new, pairs))
    write("missing", report(pairs, trials, fused, trust, apart, gaps))


def embedded(images: Iterator) -> dict[str, np.ndarray]:
    """Vectors `(n, d)` of the largest face by embedder; rows of NaN where none is found."""
    kit = Mien(detector=DETECTOR)
    stages = [kit.stage(name) for name in EMBEDDERS]
    columns = ("box", *sorted({column for stage in stages for column in stage.needs if column in BY_NAME}))
    rows: dict[str, list[np.ndarray | None]] = {name: [] for name in EMBEDDERS}
    while batch := list(itertools.islice(images, BATCH)):
        for found in kit.analyze(batch, columns):
            faces = found.faces.largest()
            for stage in stages:
                one = stage([found.image], [faces])[0].embedding if len(faces) else None
                rows[stage.name].append(None if one is None else one[0])
    return {name: stacked(found) for name, found in rows.items()}


def stacked(rows: list[np.ndarray | None]) -> np.ndarray:
    size = next(len(row) for row in rows if row is not None)
    return np.stack([np.full(size, np.nan, np.float32) if row is None else row for row in rows])


def measured(name: str, vectors: np.ndarray, pairs: Pairs, trials: Trials) -> DecisionRule:
    """The rule of an embedder, calibrated on the people who are not looked for."""
    kit = Mien(detector=DETECTOR, embedder=name)
    names = np.array(pairs.names)
    missing = np.isin(pairs.person, trials.who) | np.isin(names[pairs.person], list(LATER))
    rest = ~missing & np.isfinite(vectors).all(axis=1)
    person = np.unique(pairs.person[rest], return_inverse=True)[1].astype(np.int32)
    found = calibrate(
        everybody(vectors[rest], person, kit.metric()),
        space=kit.rule().space,
        metric=kit.metric(),
        fmr=FMR,
        acquired=np.ones(len(person), bool),
    ).calibration
    return DecisionRule(found.space, found.metric, found.threshold, FMR, found)


def apart_rows(name, rule, clean, later, spoilt, pairs) -> Iterator[tuple]:
    """Ranks of the right person among everybody, by how many probes are given, in both directions of time."""
    names = np.array(pairs.names)[pairs.person]
    old = {who: clean[names == who] for who in later}
    people = {"LFW": gallery(rule, clean, names, old), "other years": gallery(rule, clean, names, later)}
    for label, known, taken, many_of in (
        ("other years", "LFW", "", lambda many: every(later, many)),
        ("LFW", "other years", LFW_YEAR, lambda many: every(old, many)),
        ("other years, spoilt", "LFW", "", lambda many: some(spoilt, many)),
    ):
        for many in range(1, PROBES + 1):
            given = np.array([place(people[known], probes, who, taken) for who, probes in many_of(many)])
            lost = (f"{(given > limit).sum()} of {len(given)}" for limit in PLACES)
            yield (f"`{name}`", label, known, many, *lost)


def every(photographs: dict[str, np.ndarray], many: int) -> Iterator[tuple[str, np.ndarray]]:
    """Every choice of so many photographs of one person."""
    for who, vectors in photographs.items():
        for choice in itertools.combinations(range(len(vectors)), many):
            yield who, vectors[list(choice)]


def some(photographs: dict[str, np.ndarray], many: int) -> Iterator[tuple[str, np.ndarray]]:
    """Choices of so many different photographs, each spoilt in one of `WAYS` ways, that still show a face."""
    rng = np.random.default_rng(many)
    for who, vectors in photographs.items():
        ways = vectors.reshape(-1, WAYS, vectors.shape[-1])
        for _ in range(CHOICES * (len(ways) >= many)):
            which = rng.choice(len(ways), many, replace=False)
            probes = ways[which, rng.integers(0, WAYS, many)]
            seen = probes[np.isfinite(probes).all(axis=1)]
            if len(seen):
                yield who, seen


def gallery(rule, clean, names, enrolled) -> Gallery:
    people = memory_gallery(rule)
    known = np.isfinite(clean).all(axis=1)
    lfw = [
        (who, clean[(names == who) & known], {"year": 2003})
        for who in np.unique(names)
        if who not in enrolled
    ]
    targets = [(who, vectors, {}) for who, vectors in enrolled.items()]
    newcomers = [
        Newcomer(about(str(who), metadata=year), [NewFace(vector) for vector in vectors])
        for who, vectors, year in (*lfw, *targets)
    ]
    people.enroll_many(newcomers, rule.space)
    return people


def place(people: Gallery, vectors: np.ndarray, who: str, taken: str) -> float:
    """On the shortlist of the product; inf if the right person is not on it."""
    probes = tuple(Probe(str(i), str(i), taken=taken) for i in range(len(vectors)))
    case = Case(FORMAT, "", "", "", "default", (), probes)
    looked = [Looked(vector, people.rule.space, "", b"") for vector in vectors]
    run, _ = search_case(case, people, looked, ())
    return next((one.rank for one in run.candidates if one.person == who), np.inf)


def gap_row(name, rule, clean, later, pairs) -> tuple:
    """Distances of one person within LFW and years apart, of the same four people."""
    names = np.array(pairs.names)[pairs.person]
    measure = DISTANCES[rule.metric]
    near, far = [], []
    for who, vectors in later.items():
        old = clean[names == who]
        near.append(measure(old, old)[np.triu_indices(len(old), 1)])
        far.append(measure(vectors, old).ravel())
    wide = rule.calibration.threshold_at(10 * FMR)
    cells = [f"{len(np.concatenate(some))}" for some in (near, far)]
    for some in (near, far):
        all_ = np.concatenate(some)
        cells += [
            f"{np.median(all_):.3f}",
            *(percent(float((all_ > at).mean())) for at in (rule.distance, wide)),
        ]
    return (f"`{name}`", *cells)


def report(pairs, trials, fused, trust, apart, gaps) -> str:
    places = [f"FNIR at {place}" for place in PLACES]
    kinds = [f"{fusion}, {kind}" for kind in ("as they are", "spoilt") for fusion in FUSIONS]
    beyond = ("beyond 0.1 %", "beyond 1 %")
    parts = (
        stamp(),
        FUSION.format(people=len(trials.who), of=len(pairs.names)),
        table(("embedder", "probes", "how many", "fusion", "searches", *places), fused),
        TRUST,
        table(("embedder", *kinds), trust),
        APART.format(photographs=sum(map(len, LATER.values())), people=len(LATER), of=len(pairs.names)),
        table(("embedder", "probes", "enrolled", "how many", *(f"up to {place}" for place in PLACES)), apart),
        GAPS,
        table(
            ("embedder", "pairs, LFW", "pairs, apart", "median, LFW", *beyond, "median, apart", *beyond), gaps
        ),
    )
    return "\n\n".join(parts)


FUSION = (
    "**Fusion.** {people} people of LFW with "
    f"{LEAST_PHOTOS} photographs or more, looked for by one to {PROBES} of them among "
    "{of:,} people of whom "
    f"{ENROLLED} at most are enrolled. Faces found by `{DETECTOR}`. FNIR: share of searches that do not list "
    "the right person up to that place."
)
TRUST = (
    f"Cllr (0 is perfect, 1 says nothing) of likelihood ratios of {PROBES} probes together, fitted to single "
    "comparisons of other people:"
)
APART = (
    "**Years apart.** {photographs} photographs of {people} people of LFW from other collections (of 2010, "
    "2018 and 2019, and undated ones), and those that LFW has of them, of 2002 and 2003. The ones are looked "
    "for among all {of:,} people of LFW, where they are enrolled with the others. Of photographs as they "
    f"are, every choice of so many of a person is a search; of spoilt ones, {CHOICES} choices of each. "
    "Searches of four people are far from independent, and these are public figures, of whom the embedders "
    "may have been taught other photographs. How many searches do not list the right person:"
)
GAPS = (
    "Distances of the same people, within LFW and years apart, and the share beyond the distance at a "
    "false-match rate of 0.1 % and of 1 %:"
)


if __name__ == "__main__":
    main()
