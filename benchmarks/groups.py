"""How far error rates differ between groups of people, at one threshold.

    make bench-groups DATA=../shared/data

Of LFW, men and women by their first names: false matches and false non-matches. Of UTKFace, where every
photograph is taken for another person: false matches by gender, age and origin. Labels of UTKFace are those
of its file names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from first_names import MEN, WOMEN
from lfw_vectors import vectors_of
from mien import Mien
from mien.evaluate.looking import COLUMNS, look
from mien.evaluate.measures.comparisons import everybody
from mien.evaluate.measures.groups import Ratio, by_group, ratio_interval
from mien.evaluate.measures.intervals import Draws, clustered_rate, replicated_share
from mien.evaluate.reading.pairs import read_pairs
from mien.evaluate.showing import percent
from mien.ops.vectors import DISTANCES
from sections import stamp, table, write

DETECTOR = "yunet"
EMBEDDERS = ("retail0095", "mobilefacenet", "dlib-resnet29")
SEX = dict.fromkeys(MEN, "men") | dict.fromkeys(WOMEN, "women")
ORIGIN = ("White", "Black", "Asian", "Indian", "other")
AGES = ((18, 30), (30, 45), (45, 60), (60, 130))


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    faces = list(utkface(data / "utkface"))
    text = [
        stamp(),
        "",
        "One threshold for all, that of the manifest. Ratios are of the worst to the best group, with 95 % "
        "intervals "
        f"from people drawn with replacement. Faces found by `{DETECTOR}`.",
        "",
        "**LFW**, people whose first name says so, each photograph compared with every other of the group:",
        "",
        table(("embedder", "group", "people", "FMR", "FNMR"), list(lfw(data / "lfw"))),
        "",
        f"**UTKFace**, {len(faces):,} adults, one photograph each, cut out close around the face: FMR "
        "within groups.",
        "",
        table(("embedder", "by", "FMR by group", "worst to best"), list(strangers(faces))),
    ]
    write("groups", "\n".join(text))


def lfw(folder: Path) -> Iterator[tuple]:
    pairs = read_pairs(folder / "pairs.txt", folder / "images")
    label = [SEX.get(pairs.names[number].split("_")[0], "") for number in pairs.person]
    for name, vectors in vectors_of(pairs.photos, DETECTOR, EMBEDDERS).items():
        rule = Mien(embedder=name).rule()
        compared = everybody(vectors, pairs.person, rule.metric)
        found = by_group(compared, label, rule.distance, Draws(compared.people), "sex")
        for one in found.groups:
            rates = (
                f"{percent(r.value)} ({percent(r.low)} to {percent(r.high)})" for r in (one.fmr, one.fnmr)
            )
            yield (f"`{name}`", one.group, f"{one.people:,}", *rates)
        yield (f"`{name}`", "worst to best", "", told(found.fmr_ratio), told(found.fnmr_ratio))


def told(ratio: Ratio) -> str:
    if ratio.value is None:
        return ratio.note
    return f"{ratio.value:.2f} ({ratio.low:.2f} to {ratio.high or np.inf:.2f}), {ratio.worst}"


def utkface(folder: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """Adults with their labels; a few file names lack one."""
    for path in sorted(folder.glob("*.jpg")):
        words = path.name.split("_")
        if len(words) == 4 and all(word.isdecimal() for word in words[:3]):
            age, sex, origin = (int(word) for word in words[:3])
            band = next((f"{low} to {high - 1}" for low, high in AGES if low <= age < high), None)
            if band and sex < 2 and origin < len(ORIGIN):
                yield path, {"gender": ("men", "women")[sex], "age": band, "origin": ORIGIN[origin]}


def strangers(faces: Sequence[tuple[Path, dict[str, str]]]) -> Iterator[tuple]:
    for name in EMBEDDERS:
        kit = Mien(detector=DETECTOR, embedder=name)
        looked = look(kit.analyze, [path for path, _ in faces], COLUMNS)
        vectors = looked.column("embedding")[looked.found]
        labels = [labels for (_, labels), found in zip(faces, looked.found, strict=True) if found]
        near = DISTANCES[kit.metric()](vectors, vectors) <= kit.rule().distance
        for column in ("gender", "age", "origin"):
            label = np.array([one[column] for one in labels])
            yield (f"`{name}`", column, *within(near, label))


def within(near: np.ndarray, label: np.ndarray) -> tuple[str, str]:
    """False-match rate of each group, and the ratio of the worst to the best."""
    draws = Draws(len(label))
    rates, shares = {}, {}
    for group in sorted(set(label)):
        a, b = np.triu_indices(int((label == group).sum()), 1)
        members = np.flatnonzero(label == group)
        wrong = near[members[a], members[b]]
        rates[group] = clustered_rate(wrong, members[a], members[b], draws)
        shares[group] = replicated_share(wrong, members[a], members[b], draws)
    worst, best = (pick(rates, key=lambda group: rates[group].value) for pick in (max, min))
    low, high = ratio_interval(shares[worst], shares[best])
    said = ", ".join(f"{group} {percent(rate.value)}" for group, rate in rates.items())
    ratio = rates[worst].value / rates[best].value
    return said, f"{ratio:.1f} ({low:.1f} to {high or np.inf:.1f}), {worst} to {best}"


if __name__ == "__main__":
    main()
