"""What becomes of faces in odd pictures: turned, tiny, huge, grey, blurred, masked, drawn, and none at all.

    .venv/bin/python benchmarks/odd_pictures.py OUT

Twelve photographs with a clear upright face (the largest counts) are spoilt in each of the ways of `MADE`;
other pictures are odd as they are, and `REAL` says how many faces a person sees in each. Writes a contact
sheet into OUT for each kind and search, and the tables of docs/benchmarks.md. Without the shared photographs
it spoils the demo photographs and writes sheets only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageFilter
import PIL.ImageOps

from mien import Faces, Image, Mien, open_image
from mien.ops.boxes import iou
from mien.ops.draw import contact_sheet, draw_faces
from mien.ops.vectors import cosine_similarity
from sections import pictures_folder, stamp, table, write

SEARCHES = ("normal", "tiny", "close", "thorough")
# Families of detectors draw boxes differently, and boxes of lying faces are not turned with them.
FOUND = 0.4
COLUMNS, CELL = 4, 400
# Longest side of a photograph, and the sides of a picture in which it is far off, in pixels.
PHOTOGRAPH, WIDE = 1000, 2400

CLEAR = (
    "obama_biden/obama-720p.jpg", "obama_biden/biden.jpg", "obama_biden/lin-manuel-miranda.png",
    "obama_biden/two_people.jpg", "pairs_labelled/img12.jpg", "pairs_labelled/img16.jpg",
    "pairs_labelled/img25.jpg", "pairs_labelled/img53.jpg", "people/person-tasia.jpg", "varied/1423.jpg",
    "varied/open_eyes.png", "expressions_and_odd/single_face.jpg",
)  # fmt: skip
DEMO = (
    "known/Barack Obama/congress-2009.jpg", "known/Eileen Collins/portrait.jpg",
    "known/Grace Hopper/portrait.jpg", "unknown/portrait-2012.jpg",
)  # fmt: skip

# Faces that a person sees, by picture.
REAL: Mapping[str, Mapping[str, int]] = {
    "masked": {"varied/mask.png": 1, "varied/mask2.jpg": 1, "varied/crop_mask.png": 1},
    "drawn": {"varied/kun_cartoon_crop.jpg": 1, "varied/kun_cartoon_crop_r90.jpg": 1},
    "black and white": {"expressions_and_odd/BWPictureHuman.jpg": 1, "varied/Tom_Hanks_54745.png": 1},
    "with alpha": {"expressions_and_odd/Image_with_alpha.png": 1},
    "moved": {"varied/blur.jpg": 1},
    "photograph of a screen": {"varied/rgb_fake.jpg": 1},
    "head leaning": {"varied/left_wryneck.png": 1, "varied/right_wryneck.png": 1},
    "profile": {"varied/right_face.png": 1, "expressions_and_odd/45-m7-di-ph.jpg": 1},
    "lying or upside down": {
        "varied/r90.jpg": 1, "varied/r180.jpg": 1, "varied/r270.jpg": 1,
        "varied/rot_90.jpg": 1, "varied/rot_180.jpg": 1, "varied/rot_270.jpg": 1,
    },
    "crowd": {
        "people/solvay1927.jpg": 29, "people/group-4.jpg": 5, "people/group-5.jpg": 7, "varied/t1.jpg": 6,
        "people/stock-group-2.jpg": 4, "expressions_and_odd/multi_face.jpg": 5,
    },
    "faces one above the other": {"people/stock-group-1.jpg": 15},
    "cut by the edge": {"pairs_labelled/selfie-many-people.jpg": 7},
    "no face": {
        "varied/mask_black.jpg": 0, "varied/mask_blue.jpg": 0, "varied/mask_green.jpg": 0,
        "varied/mask_white.jpg": 0, "varied/no_face.png": 0, "varied/view.jpg": 0,
        "expressions_and_odd/free-mountain-vector-01.jpg": 0,
    },
    "a ball beside a face": {"varied/Teresa_Williams_0001_1k.jpg": 1},
    "letters behind faces": {"pairs_labelled/couple.jpg": 2},
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture and the box, xyxy, of the face that counts."""

    picture: PIL.Image.Image
    box: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """One that nothing was done to, and the embedding of its face."""

    name: str
    sample: Sample
    embedding: np.ndarray


def turned(quarters: int) -> Callable[[Sample], Sample]:
    """Clockwise quarter turns of the whole picture."""

    def turn(sample: Sample) -> Sample:
        picture, box = sample.picture, sample.box
        for _ in range(quarters):
            x1, y1, x2, y2 = box
            height = picture.height
            picture = picture.transpose(PIL.Image.Transpose.ROTATE_270)
            box = np.array([height - y2, x1, height - y1, x2])
        return Sample(picture, box)

    return turn


def mirrored(sample: Sample) -> Sample:
    x1, y1, x2, y2 = sample.box
    width = sample.picture.width
    return Sample(PIL.ImageOps.mirror(sample.picture), np.array([width - x2, y1, width - x1, y2]))


def face_of(side_px: float) -> Callable[[Sample], Sample]:
    """The picture shrunk or enlarged until the longer side of the face has so many pixels."""

    def scale(sample: Sample) -> Sample:
        return _scaled(sample, side_px / _side(sample.box))

    return scale


def far_off(side_px: float) -> Callable[[Sample], Sample]:
    """The same, amid emptiness, in a picture so large that a detector sees it shrunk."""

    def place(sample: Sample) -> Sample:
        small = face_of(side_px)(sample)
        wide = PIL.Image.new("RGB", (WIDE, WIDE), (96, 112, 128))
        left, top = (round((WIDE - side) / 3) for side in small.picture.size)
        wide.paste(small.picture, (left, top))
        return Sample(wide, small.box + np.array([left, top, left, top]))

    return place


def filling(part: float) -> Callable[[Sample], Sample]:
    """The picture cropped to so many times the face's box, about its middle, and enlarged."""

    def crop(sample: Sample) -> Sample:
        middle, half = (sample.box[:2] + sample.box[2:]) / 2, part * (sample.box[2:] - sample.box[:2]) / 2
        size_wh = np.array(sample.picture.size)
        left, top = np.rint(np.maximum(middle - half, 0)).astype(int)
        right, bottom = np.rint(np.minimum(middle + half, size_wh)).astype(int)
        cropped = sample.picture.crop((left, top, right, bottom))
        box = np.clip(sample.box - [left, top, left, top], 0, [*cropped.size, *cropped.size])
        return _scaled(Sample(cropped, box), PHOTOGRAPH / max(cropped.size))

    return crop


def blurred(part: float) -> Callable[[Sample], Sample]:
    """Out of focus by a Gaussian whose deviation is this part of the longer side of the face."""

    def blur(sample: Sample) -> Sample:
        radius = part * _side(sample.box)
        return Sample(sample.picture.filter(PIL.ImageFilter.GaussianBlur(radius)), sample.box)

    return blur


def grey(sample: Sample) -> Sample:
    return Sample(sample.picture.convert("L").convert("RGB"), sample.box)


def _side(box: np.ndarray) -> float:
    return float((box[2:] - box[:2]).max())


def _scaled(sample: Sample, factor: float) -> Sample:
    size_wh = tuple(max(1, round(side * factor)) for side in sample.picture.size)
    picture = sample.picture.resize(size_wh, PIL.Image.Resampling.LANCZOS)
    return Sample(picture, sample.box * np.tile(np.array(size_wh) / sample.picture.size, 2))


MADE: Mapping[str, Callable[[Sample], Sample]] = {
    "as they are": lambda sample: sample,
    "mirrored": mirrored,
    "turned by 90°": turned(1),
    "turned by 180°": turned(2),
    "turned by 270°": turned(3),
    "face of 40 px": face_of(40),
    "face of 20 px": face_of(20),
    "face of 12 px": face_of(12),
    "face of 8 px": face_of(8),
    "40 px, in a picture of 2400": far_off(40),
    "20 px, in a picture of 2400": far_off(20),
    "face and a margin": filling(1.5),
    "face fills the frame": filling(1.0),
    "only three quarters of a face": filling(0.75),
    "only half of a face": filling(0.5),
    "grey": grey,
    "blurred, 3 % of the face": blurred(0.03),
    "blurred, 6 % of the face": blurred(0.06),
    "blurred, 12 % of the face": blurred(0.12),
}


def main() -> None:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    kits = {search: Mien(detector="yunet", embedder="retail0095", search=search) for search in SEARCHES}
    folder = pictures_folder()[0]
    wild = folder.name == "faces_wild"
    photographs = [photograph(kits["normal"], folder, name) for name in (CLEAR if wild else DEMO)]
    made = [made_row(kind, kits, photographs, out) for kind in MADE]
    if not wild:
        return
    rule = kits["normal"].rule().distance
    real = [real_row(kind, kits, folder, pictures, out) for kind, pictures in REAL.items()]
    named = [f"`{search}`" for search in SEARCHES]
    text = [
        stamp(),
        "",
        f"{len(photographs)} photographs, spoilt: faces found (IoU {FOUND}) and how many of these",
        f"`retail0095` takes for the person of the untouched photograph (distance {rule} or less).",
        "",
        table(("kind", "faces", *named, *(f"same, {name}" for name in named)), made),
        "",
        "Pictures that are odd as they are: boxes found, right or wrong.",
        "",
        table(("kind", "pictures", "faces that a person sees", *named), real),
    ]
    write("odd", "\n".join(text))


def photograph(kit: Mien, folder: Path, name: str) -> Photograph:
    """Open one, at most `PHOTOGRAPH` pixels a side."""
    picture = PIL.Image.fromarray(open_image(folder / name).rgb)
    picture.thumbnail((PHOTOGRAPH, PHOTOGRAPH))
    face = kit.embed(Image.from_rgb(np.array(picture))).largest()
    return Photograph(name, Sample(picture, face.box[0].astype(float)), face.embedding)


def made_row(
    kind: str, kits: Mapping[str, Mien], photographs: Sequence[Photograph], out: Path
) -> tuple[object, ...]:
    found, same = [], []
    samples = [MADE[kind](one.sample) for one in photographs]
    images = [Image.from_rgb(np.array(sample.picture)) for sample in samples]
    for search, kit in kits.items():
        faces = [kit.embed(image) for image in images]
        distances = [
            distance(one, sample, each) for one, sample, each in zip(photographs, samples, faces, strict=True)
        ]
        captions = [
            f"{Path(one.name).stem}: " + ("missed" if away is None else f"distance {away:.2f}")
            for one, away in zip(photographs, distances, strict=True)
        ]
        sheet(out / f"{slug(kind)}-{search}.jpg", images, faces, captions)
        met = [away for away in distances if away is not None]
        found.append(len(met))
        same.append(sum(away <= kit.rule().distance for away in met))
    return kind, len(photographs), *found, *same


def distance(one: Photograph, sample: Sample, faces: Faces) -> float | None:
    """From the face of the untouched photograph to that of the spoilt one; None if it was not found."""
    overlap = iou(faces.box, sample.box[None])[:, 0]
    if not len(faces) or overlap.max() < FOUND:
        return None
    return 1 - float(cosine_similarity(faces.embedding[[overlap.argmax()]], one.embedding)[0, 0])


def real_row(
    kind: str, kits: Mapping[str, Mien], folder: Path, pictures: Mapping[str, int], out: Path
) -> tuple[object, ...]:
    images = [open_image(folder / name) for name in pictures]
    counts = []
    for search, kit in kits.items():
        faces = [kit.detect(image) for image in images]
        captions = [f"{Path(name).stem}: {len(each)}" for name, each in zip(pictures, faces, strict=True)]
        sheet(out / f"{slug(kind)}-{search}.jpg", images, faces, captions)
        counts.append(sum(map(len, faces)))
    return kind, len(pictures), sum(pictures.values()), *counts


def sheet(path: Path, images: Sequence[Image], faces: Sequence[Faces], captions: Sequence[str]) -> None:
    drawn = []
    for image, each in zip(images, faces, strict=True):
        # Drawn at the size of the cell: on a picture of 40 pixels lines would hide all.
        scale = CELL / max(image.size_wh)
        size_wh = tuple(max(1, round(side * scale)) for side in image.size_wh)
        picture = PIL.Image.fromarray(image.rgb).resize(size_wh, PIL.Image.Resampling.BICUBIC)
        drawn.append(draw_faces(Image.from_rgb(np.array(picture)), each.resized(size_wh)))
    made = contact_sheet(drawn, captions, columns=COLUMNS, cell=CELL)
    PIL.Image.fromarray(made.rgb).save(path, quality=88)


def slug(kind: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in kind).split())


if __name__ == "__main__":
    main()
