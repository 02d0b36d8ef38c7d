"""Mien beside other programs: what `mien compare` says of LFW, and of larger photographs.

    make bench-compare DATA=../shared/data

Pairs of LFW are spread evenly over its ten folds. Its photographs are small, which flatters programs that do
not enlarge them, so speed is measured again on photographs in the sizes that people have.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mien import Mien
from mien.compare.compare import compare
from mien.evaluate.evaluation import Evaluation
from mien.evaluate.reading.pairs import read_pairs
from mien.media.images import find_images
from sections import stamp, table, write

AGAINST = ("face_recognition", "deepface", "insightface", "uniface", "opencv")
ORACLES = Path(__file__).parents[1] / ".oracles"
PYTHONS = {
    "insightface": ORACLES / "peers" / "bin" / "python",
    "uniface": ORACLES / "peers" / "bin" / "python",
    "deepface": ORACLES / "deepface" / "bin" / "python",
    "opencv": ORACLES / "deepface" / "bin" / "python",
}
PAIRS = 600
PHOTOS = 40
# Accuracy is the same in every round; more of them only steady the speeds, which the larger photographs tell.
LFW_ROUNDS = 1
ROUNDS = 3


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
    kit = Mien()
    threads = kit.runtime.threads
    pairs = read_pairs(data / "lfw" / "pairs.txt", data / "lfw" / "images")
    wild = sorted(find_images([data / "faces_wild"]))
    small = compare(
        AGAINST, (), pairs, kit.packs, threads=threads, rounds=LFW_ROUNDS, limit=PAIRS, pythons=PYTHONS
    )
    large = compare(
        AGAINST, wild, None, kit.packs, threads=threads, rounds=ROUNDS, limit=PHOTOS, pythons=PYTHONS
    )
    text = [
        stamp(),
        "",
        f"**{PAIRS} pairs of LFW**, photographs of 250 x 250 pixels. {small.headline}",
        "",
        *tables(small),
        f"**{PHOTOS} photographs of faces_wild**, as people take them. {large.headline}",
        "",
        *tables(large),
    ]
    write("compare", "\n".join(text).rstrip())


def tables(found: Evaluation) -> list[str]:
    parts = []
    for one in found.tables:
        parts += [table(one.header, one.rows), "", one.note, ""]
    return parts


if __name__ == "__main__":
    main()
