"""How right age, gender, expression and liveness are, for every installed pack that gives them.

    make bench-looks

- expression: FER2013's private test pictures, 48 x 48, a folder per class; the picture is the face.
- age and gender: UTKFace, adults; names begin with age_gender, 0 male, 1 female. Faces are found first.
- gender also: LFW, people whose first name says it, one photograph each. No publisher names LFW among
  its data, while face-api-age-gender has learned from four fifths of UTKFace.
- liveness: the three samples of Silent-Face-Anti-Spoofing; T is live, F is not.

A column of probabilities that does not reach the column's `least` counts as "uncertain"; accuracy is of
the decided ones, beside the accuracy of the most probable label of all. Calibration is the expected
calibration error over ten bins (Guo et al., On Calibration of Modern Neural Networks, ICML 2017).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from first_names import SEX
from mien import Image, Mien, open_image
from mien.core.columns import BY_NAME, UNCERTAIN, decide
from mien.core.faces import Faces
from mien.models.stage import Stage
from sections import stamp, table, write

DATA = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data")
BINS = 10


def main() -> None:
    kit = Mien()
    installed = {pack.name: pack.manifest for pack in kit.packs.installed()}
    giving = {
        column: [name for name, manifest in installed.items() if column in manifest.gives]
        for column in ("expression", "age", "gender", "live")
    }
    people = list(utkface(kit))
    faces48 = list(fer2013())
    text = [stamp(), ""]
    text += ["**Expression**, " + f"{len(faces48):,} pictures of FER2013's private test.", ""]
    rows = [(name, *classified(kit.stage(name), "expression", faces48)) for name in giving["expression"]]
    text += [table(("pack", "accuracy", "decided", "accuracy of these", "calibration error"), rows), ""]
    text += ["**Gender**, " + f"{len(people):,} adults of UTKFace in which a face was found.", ""]
    labelled = [(image, face, ("male", "female")[sex]) for image, face, _, sex in people]
    rows = [(name, *classified(kit.stage(name), "gender", labelled)) for name in giving["gender"]]
    text += [table(("pack", "accuracy", "decided", "accuracy of these", "calibration error"), rows), ""]
    named = list(lfw_by_name(kit))
    text += ["**Gender**, " + f"{len(named):,} people of LFW by their first names.", ""]
    rows = [(name, *classified(kit.stage(name), "gender", named)) for name in giving["gender"]]
    text += [table(("pack", "accuracy", "decided", "accuracy of these", "calibration error"), rows), ""]
    text += ["**Age**, the people of UTKFace.", ""]
    rows = [(name, *aged(kit.stage(name), people)) for name in giving["age"]]
    text += [table(("pack", "mean absolute error, years", "within 5 years", "mean error"), rows), ""]
    text += ["**Liveness**, the publisher's three samples: probability of a live face.", ""]
    rows = [(name, *judged(kit, name)) for name in giving["live"]]
    text += [table(("pack", "T1 (live)", "F1 (print)", "F2 (screen)"), rows)]
    write("looks", "\n".join(text))


def fer2013() -> Iterator[tuple[Image, Faces, str]]:
    for path in sorted((DATA / "fer2013_private_test").glob("*/*")):
        image = open_image(path)
        yield image, Faces(image.size_wh, [[0, 0, *image.size_wh]], [1.0]), path.parent.name


def utkface(kit: Mien) -> Iterator[tuple[Image, Faces, float, int]]:
    for path in sorted((DATA / "utkface").glob("*.jpg")):
        age, sex = (int(word) for word in path.name.split("_")[:2])
        if age >= 18 and sex in (0, 1):  # a few names hold something else
            image = open_image(path)
            faces = kit.detect(image)
            if len(faces):
                yield image, faces.largest(), age, sex


def lfw_by_name(kit: Mien) -> Iterator[tuple[Image, Faces, str]]:
    for folder in sorted((DATA / "lfw" / "images").iterdir()):
        sex = SEX.get(folder.name.split("_")[0])
        if sex:
            image = open_image(min(folder.iterdir()))
            faces = kit.detect(image)
            if len(faces):
                yield image, faces.central(), sex


def classified(stage: Stage, column: str, examples: list[tuple[Image, Faces, str]]) -> tuple[str, ...]:
    described = BY_NAME[column]
    seen = [(getattr(stage([image], [face])[0], column)[0], truth) for image, face, truth in examples]
    probability = np.array([p for p, _ in seen])
    truth = np.array([described.labels.index(word) for _, word in seen])
    right = probability.argmax(1) == truth
    decided = np.array([decide(described, p) != UNCERTAIN for p in probability])
    return (
        f"{right.mean():.1%}",
        f"{decided.mean():.1%}",
        f"{right[decided].mean():.1%}",
        f"{calibration_error(probability.max(1), right):.3f}",
    )


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [
        (place == i).mean() * abs(confidence[place == i].mean() - right[place == i].mean())
        for i in range(BINS)
        if (place == i).any()
    ]
    return float(np.sum(gaps))


def aged(stage: Stage, people: list[tuple[Image, Faces, float, int]]) -> tuple[str, ...]:
    error = np.array([stage([image], [face])[0].age[0] - age for image, face, age, _ in people])
    return f"{np.abs(error).mean():.2f}", f"{(np.abs(error) <= 5).mean():.1%}", f"{error.mean():+.1f}"


def judged(kit: Mien, name: str) -> Iterator[str]:
    for sample in ("T1", "F1", "F2"):
        image = open_image(DATA / "liveness" / f"image_{sample}.jpg")
        yield f"{kit.stage(name)([image], [kit.detect(image).largest()])[0].live[0]:.3f}"


if __name__ == "__main__":
    main()
