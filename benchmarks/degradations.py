"""Ten ways to spoil a photograph, from slight to severe, the same in every run."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import PIL.Image
import PIL.ImageFilter

from mien import Image


def degrade(image: Image, number: int) -> Image:
    """Spoil a photograph in the next of ten ways, as much as its number says; the same in every run."""
    rng = np.random.default_rng([7, number])
    way = tuple(WAYS)[number % len(WAYS)]
    picture = PIL.Image.fromarray(image.rgb)
    return Image.from_rgb(np.array(WAYS[way](picture, float(rng.uniform(0.1, 1)), rng)), source=way)


def _pixels(values: np.ndarray) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def _motion(picture: PIL.Image.Image, amount: float, rng: np.random.Generator) -> PIL.Image.Image:
    angle, length = rng.uniform(0, np.pi), 3 + 22 * amount
    steps = np.linspace(-length / 2, length / 2, 25)
    shifted = [
        picture.transform(
            picture.size,
            PIL.Image.Transform.AFFINE,
            (1, 0, step * np.cos(angle), 0, 1, step * np.sin(angle)),
            PIL.Image.Resampling.BILINEAR,
        )
        for step in steps
    ]
    return _pixels(np.mean([np.asarray(one, float) for one in shifted], 0))


def _dark(picture: PIL.Image.Image, amount: float, rng: np.random.Generator) -> PIL.Image.Image:
    values = np.asarray(picture) * 0.9 * (1 - amount) ** 1.5
    return _pixels(values + rng.normal(0, 3, values.shape))


def _small(picture: PIL.Image.Image, amount: float, _: np.random.Generator) -> PIL.Image.Image:
    return picture.reduce(round(2 + 8 * amount))


def _jpeg(picture: PIL.Image.Image, amount: float, _: np.random.Generator) -> PIL.Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=round(32 - 30 * amount))
    return PIL.Image.open(file)


def _turn(picture: PIL.Image.Image, amount: float, rng: np.random.Generator) -> PIL.Image.Image:
    return picture.rotate(rng.choice([-45, 45]) * amount, PIL.Image.Resampling.BILINEAR)


def _side_light(picture: PIL.Image.Image, amount: float, rng: np.random.Generator) -> PIL.Image.Image:
    gain = np.linspace(1.3, 1.3 - 1.25 * amount, picture.width)[:: rng.choice([-1, 1])]
    return _pixels(np.asarray(picture) * gain[:, None])


def _edge(picture: PIL.Image.Image, amount: float, rng: np.random.Generator) -> PIL.Image.Image:
    cut = round((0.25 + 0.27 * amount) * picture.width)
    left = cut if rng.random() < 0.5 else 0
    return picture.crop((left, 0, left + picture.width - cut, picture.height))


# From slight, 0.1, to severe, 1.
WAYS: dict[str, Callable[[PIL.Image.Image, float, np.random.Generator], PIL.Image.Image]] = {
    "out of focus": lambda picture, amount, _: picture.filter(PIL.ImageFilter.GaussianBlur(0.8 + 5 * amount)),
    "moved": _motion,
    "dark": _dark,
    "bright": lambda picture, amount, _: _pixels(np.asarray(picture) * (1 + 3 * amount) + 60 * amount),
    "small": _small,
    "JPEG": _jpeg,
    "turned": _turn,
    "noise": lambda picture, amount, rng: _pixels(
        np.asarray(picture) + rng.normal(0, 10 + 60 * amount, (picture.height, picture.width, 3))
    ),
    "side light": _side_light,
    "at the edge": _edge,
}
