"""Speed beside face_recognition on dlib-bin: same weights, same photographs, taking turns in one process.

make bench
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import defaultdict

import numpy as np
import PIL.Image

from mien import Faces, Image, Mien, MienError, open_image
from mien.media.images import find_images
from sections import interleaved, pictures_folder, stamp, table, write

warnings.filterwarnings("ignore", message="pkg_resources")
try:
    import face_recognition
except (ImportError, SystemExit) as missing:  # it calls quit() where its models cannot be imported
    sys.exit(f"face_recognition cannot be imported: {missing}. Run: make peers")

SIDES = (640, 1024, 1600)
PHOTOS = 6
BATCHES = (1, 8, 32)


def main() -> None:
    photographs = large_photographs()
    text = [
        stamp("dlib-bin", "face-recognition"),
        "",
        f"**Detection**, milliseconds a picture, median over {PHOTOS} photographs scaled to a longest side. "
        "`mtcnn` looks for faces of 40 pixels and more, dlib's detectors (not upsampled) for 80 and more.",
        "",
        detection(photographs),
        "",
        "**Embedding**, milliseconds a face, from a box to a vector: five points, aligned chip, network. "
        "face_recognition takes faces one by one.",
        "",
        embedding(photographs[0]),
        "",
        "**Share of each stage** when folders are analysed with embeddings, two threads, batches of 8.",
        "",
        shares(),
    ]
    write("starter", "\n".join(text))


def large_photographs() -> list[Image]:
    """Photographs with a face whose longest side is 640 to 2600 pixels, spread over the folder."""
    kit = Mien()
    found = []
    for path in find_images(pictures_folder()):
        try:
            image = open_image(path)
        except MienError:
            continue
        if 640 <= max(image.size_wh) <= 2600 and len(kit.detect(image)):
            found.append(image)
    step = max(1, len(found) // PHOTOS)
    return found[::step][:PHOTOS]


def scaled(image: Image, side: int) -> Image:
    factor = side / max(image.size_wh)
    size = (round(image.width * factor), round(image.height * factor))
    return Image(np.array(PIL.Image.fromarray(image.rgb).resize(size, PIL.Image.Resampling.LANCZOS)))


def detection(photographs: list[Image]) -> str:
    two, one = Mien(threads=2), Mien(threads=1)
    stages = {
        "mien mtcnn": two.stage("mtcnn"),
        "mien mtcnn, 1 thread": one.stage("mtcnn"),
        "mien mmod": two.stage("mmod"),
        "mien mmod, 1 thread": one.stage("mmod"),
    }
    rows = []
    for side in SIDES:
        seconds: dict[str, list[float]] = defaultdict(list)
        for photograph in photographs:
            image = scaled(photograph, side)
            rgb = image.rgb.copy()
            contestants = {name: (lambda s=stage, i=image: s([i], [None])) for name, stage in stages.items()}
            contestants["face_recognition hog"] = lambda r=rgb: face_recognition.face_locations(r, 0, "hog")
            for name, value in interleaved(contestants, 5).items():
                seconds[name].append(value)
            start = time.perf_counter()  # seconds long: once is enough
            face_recognition.face_locations(rgb, 0, "cnn")
            seconds["face_recognition cnn"].append(time.perf_counter() - start)
        median = {name: float(np.median(values)) for name, values in seconds.items()}
        hog, cnn = median["face_recognition hog"], median["face_recognition cnn"]
        rows.extend(
            (f"{name}, {side} px", f"{value * 1000:.0f}", f"{hog / value:.1f}x", f"{cnn / value:.1f}x")
            for name, value in median.items()
        )
    return table(("detector", "ms", "faster than HOG", "faster than CNN"), rows)


def embedding(photograph: Image) -> str:
    two, one = Mien(threads=2), Mien(threads=1)
    box = two.detect(photograph).largest()[0].box
    left, top, right, bottom = (int(edge) for edge in box)
    rows = []
    for batch in BATCHES:
        faces = Faces(photograph.size_wh, np.repeat(box[None], batch, 0), np.ones(batch))
        locations = [(top, right, bottom, left)] * batch
        rgb = photograph.rgb.copy()

        def ours(kit: Mien, faces: Faces = faces) -> None:
            pointed = kit.stage("dlib-5")([photograph], [faces])
            kit.stage("dlib-resnet29")([photograph], pointed)

        contestants = {
            "mien": lambda run=ours: run(two),
            "mien, 1 thread": lambda run=ours: run(one),
            "face_recognition": lambda r=rgb, at=locations: face_recognition.face_encodings(r, at),
        }
        median = interleaved(contestants, 3 if batch > 8 else 7)
        theirs = median["face_recognition"]
        rows.extend(
            (f"{name}, {batch} faces", f"{value / batch * 1000:.1f}", f"{theirs / value:.1f}x")
            for name, value in median.items()
        )
    return table(("from box to vector", "ms a face", "faster than face_recognition"), rows)


def shares() -> str:
    seconds: dict[str, float] = defaultdict(float)

    def observe(stage: str, _: int, spent: float) -> None:
        seconds[stage] += spent

    kit = Mien(threads=2, observe=observe)
    paths = list(find_images(pictures_folder()))
    kit.stages_for(("embedding",))
    start = time.perf_counter()
    faces = pictures = 0
    for result in kit.analyze(paths, ("box", "embedding")):
        pictures += 1
        faces += len(getattr(result, "faces", ()))
    total = time.perf_counter() - start
    seconds["decode and the rest"] = total - sum(seconds.values())
    rows = [
        (name, f"{spent / pictures * 1000:.1f}", f"{spent / total:.0%}") for name, spent in seconds.items()
    ]
    rows.append((f"all: {pictures} pictures, {faces} faces", f"{total / pictures * 1000:.1f}", "100%"))
    return table(("stage", "ms a picture", "share"), rows)


if __name__ == "__main__":
    main()
