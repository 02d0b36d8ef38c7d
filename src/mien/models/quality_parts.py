"""What the quality of a face consists of, after OFIQ and without weights.

ISO/IEC 29794-5:2025, Information technology, Biometric sample quality, Part 5: Face image data, names the
components; OFIQ (https://github.com/BSI-OFIQ/OFIQ-Project) is its reference implementation by the German
BSI. Where a component needs no network, OFIQ's formula is used, on the aligned face: OFIQ's frame of
616 x 616 pixels, in which the eyes are 113 pixels apart. OFIQ finds the face, its chin and the background by
98 landmarks and a segmentation; here an oval, a multiple and an arch stand for them (`[facts]`).

    component                    measured                                     0..1, by
    sharpness                    share of detail that a blur takes away       curve
    illumination_uniformity      what the cheeks' histograms have in common   h ** 0.3
    luminance_mean               mean luminance m                             S(m, .2, .05) S(-m, -.8, .05)
    luminance_variance           its variance v                               sin(pi 60 v / (60 v + 1))
    under_exposure_prevention    share of luminances up to 25                 curve
    over_exposure_prevention     share p of luminances from 247               .01 / (p + .01)
    dynamic_range                entropy of luminances in bits                bits / 8
    natural_colour               how far the cheeks are from skin in CIELAB   curve
    background_uniformity        mean gradient beside and above the head      curve
    inter_eye_distance           pixels between the eyes / cos(yaw)           curve
    leftward_crop, rightward_..  picture beside the eyes / between the eyes   curve
    margin_above, margin_below   picture above, below the eyes / to the chin  curve
    head_pose_yaw, head_pose_..  angles, from the five points                 cos ** 2

Luminance is linear, of sRGB, rounded to 0..255. A curve is `height (offset + slope S(x, middle, width))`,
clipped, with S the logistic function; all but that of sharpness are OFIQ's. Not here, because they need
networks: eyes, mouth, expression, occlusion, pitch, compression; some have columns of their own. Head size
and a single face are demands on portraits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from mien.core.columns import BY_NAME
from mien.core.faces import Faces
from mien.core.image import Image
from mien.models.crops import Cut, cut_out, spread_points
from mien.models.stage import read_facts
from mien.ops.align import Matrix, apply_transform, invert_transform, similarity_transform
from mien.ops.measures import (
    alike,
    colour_distance,
    entropy,
    histograms,
    logistic,
    luminance,
    moments,
    sharpness,
)
from mien.packs.store import Pack
from mien.runtime.session import Runtime
from mien.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Parts = dict[str, FloatArray]

# Faces that are measured together: memory stays bounded on crowds.
_MOST_FACES = 32
# Distance in the frame between the places where the background is looked at.
_GRID = 10

Positive = Annotated[float, Meta(gt=0)]
Ellipse = tuple[float, float, Positive, Positive]


class Curve(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a measurement becomes 0..1: `height (offset + slope S(x, middle, width))`, clipped."""

    middle: float
    width: Positive
    height: float = 1.0
    offset: float = 0.0
    slope: float = 1.0

    def __call__(self, x: FloatArray) -> FloatArray:
        """Map measurements of any shape."""
        step = logistic(x, self.middle, self.width)
        mapped: FloatArray = np.clip(self.height * (self.offset + self.slope * step), 0, 1)
        return mapped


class Curves(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The curve of each component that has one."""

    sharpness: Curve
    under_exposure_prevention: Curve
    natural_colour: Curve
    background_uniformity: Curve
    inter_eye_distance: Curve
    leftward_crop: Curve
    rightward_crop: Curve
    margin_above: Curve
    margin_below: Curve


class PartsFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Geometry of the aligned face and the curves of its components.

    Attributes:
        template: Where the five points lie in the frame.
        window: x, y, width and height of what is cut out of the frame to be looked at.
        zoom: Pixels of the chip per pixel of the frame; the chip's sides must be even.
        oval: Centre and half axes of the face in the frame; what lies outside is not looked at.
        background: x, y, width and height of the part of the frame that is searched for background.
        head: Centre and half axes of an arch that hides the head and what is below it from that.
        gradient_step: Distance in the frame over which the background's gradient is taken.
        nose: How far the nose stands out, in distances of the eyes.
        chin: From the eyes to the chin, in distances from the eyes to the mouth.
        curves: How measurements become 0..1.
    """

    template: Annotated[tuple[tuple[float, float], ...], Meta(min_length=5, max_length=5)]
    window: tuple[int, int, int, int]
    zoom: Positive
    oval: Ellipse
    background: tuple[int, int, int, int]
    head: Ellipse
    gradient_step: Positive
    nose: Positive
    chin: Positive
    curves: Curves

    def __post_init__(self) -> None:
        if any(side < 16 or side % 2 for side in self.size_wh):
            raise ValueError("window and zoom must make a chip of even sides, 16 at least")

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the chip in pixels."""
        return round(self.window[2] * self.zoom), round(self.window[3] * self.zoom)

    @property
    def chip_template(self) -> FloatArray:
        """The five points in the chip's pixels."""
        places: FloatArray = (np.array(self.template) - self.window[:2] + 0.5) * self.zoom - 0.5
        return places


class QualityParts:
    """Adds `quality_parts`."""

    needs = frozenset({"points"})
    gives = frozenset({"quality_parts"})

    def __init__(self, pack: Pack, runtime: Runtime, settings: Settings) -> None:  # noqa: ARG002
        self.name = pack.manifest.name
        self.facts = read_facts(pack.manifest, PartsFacts)
        template = self.facts.chip_template
        self._cut = Cut(by="points", template=tuple((float(x), float(y)) for x, y in template))
        self._oval = _oval(self.facts)
        self._cheeks = _cheeks(template)
        self._places = _background_places(self.facts)

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Measure every face of the batch."""
        return [
            found.with_(quality_parts=self._measure(image, found))
            for image, found in zip(images, faces, strict=True)
        ]

    def _measure(self, image: Image, faces: Faces) -> FloatArray:
        """All components of the faces of one picture, `(n, k)` in the column's order."""
        labels = BY_NAME["quality_parts"].labels
        rows = [np.zeros((0, len(labels)))]
        for start in range(0, len(faces), _MOST_FACES):
            some = faces[start : start + _MOST_FACES]
            parts = self._geometry(some) | self._light(image, some)
            rows.append(np.stack([parts[label] for label in labels], 1))
        return np.concatenate(rows)

    def _geometry(self, faces: Faces) -> Parts:
        """What the points alone tell."""
        points = spread_points(faces).astype(np.float64)
        width, height = faces.size_wh
        eyes, mouth = points[:, :2].mean(1), points[:, 3:].mean(1)
        # The face's own directions: down from the eyes to the mouth, and across.
        down = (mouth - eyes) / np.maximum(np.linalg.norm(mouth - eyes, axis=1, keepdims=True), 1e-6)
        across = np.stack([down[:, 1], -down[:, 0]], 1)
        apart = np.maximum(np.linalg.norm(points[:, 1] - points[:, 0], axis=1), 1e-6)
        seen_apart = np.maximum(((points[:, 1] - points[:, 0]) * across).sum(1), 0)
        nose = np.abs(((points[:, 2] - eyes) * across).sum(1))
        # Turning by an angle moves the nose by its length times the sine, and brings the eyes together
        # by the cosine.
        cos_yaw = np.cos(np.arctan2(nose, self.facts.nose * seen_apart))
        roll = np.arctan2(points[:, 1, 1] - points[:, 0, 1], points[:, 1, 0] - points[:, 0, 0])
        chin = np.maximum(np.linalg.norm(mouth - eyes, axis=1) * self.facts.chin, 1e-6)
        raw = {
            "inter_eye_distance": apart / np.maximum(cos_yaw, 1e-3),
            "leftward_crop": (points[:, :2, 0].min(1) + 0.5) / apart,
            "rightward_crop": (width - 0.5 - points[:, :2, 0].max(1)) / apart,
            "margin_above": (eyes[:, 1] + 0.5) / chin,
            "margin_below": (height - 0.5 - eyes[:, 1]) / chin,
        }
        return {name: getattr(self.facts.curves, name)(value) for name, value in raw.items()} | {
            "head_pose_yaw": cos_yaw**2,
            "head_pose_roll": np.maximum(np.cos(roll), 0) ** 2,
        }

    def _light(self, image: Image, faces: Faces) -> Parts:
        """What the pixels tell; all 0 for a face of which the picture shows nothing."""
        chips, to_chip = cut_out([image], [faces], self._cut, self.facts.size_wh)
        rgb = np.stack(chips)
        shown = self._oval & _in_picture(to_chip, self.facts.size_wh, faces.size_wh)
        light = luminance(rgb)
        shares = histograms(light, shown)
        mean, variance = moments(shares)
        curves = self.facts.curves
        left, right = (rgb[:, rows, columns] for rows, columns in self._cheeks)
        cheeks = np.stack([left, right], 1)
        parts = {
            "sharpness": curves.sharpness(sharpness(rgb, shown)),
            "illumination_uniformity": alike(luminance(left), luminance(right)) ** 0.3,
            "luminance_mean": logistic(mean, 0.2, 0.05) * (1 - logistic(mean, 0.8, 0.05)),
            "luminance_variance": np.sin(np.pi * 60 * variance / (60 * variance + 1)),
            "under_exposure_prevention": curves.under_exposure_prevention(shares[:, :26].sum(1)),
            "over_exposure_prevention": 0.01 / (shares[:, 247:].sum(1) + 0.01),
            "dynamic_range": entropy(shares) / 8,
            "natural_colour": curves.natural_colour(colour_distance(cheeks)),
            "background_uniformity": curves.background_uniformity(self._gradient(image, faces)),
        }
        return {name: value * shown.any((1, 2)) for name, value in parts.items()}

    def _gradient(self, image: Image, faces: Faces) -> FloatArray:
        """Mean gradient of the luminance of the background, on OFIQ's scale; 0 if none is in the picture.

        OFIQ filters a picture of 0.72 of its frame with Scharr's kernel, which is 32 times the slope. Here
        a grid of single pixels is looked at, which costs the same for a face of any size.
        """
        to_frame = similarity_transform(spread_points(faces), np.array(self.facts.template))
        places = apply_transform(invert_transform(to_frame), self._places.reshape(1, -1, 2))
        x, y = np.moveaxis(np.floor(places + 0.5).astype(np.intp), 2, 0).reshape(2, len(faces), -1, 4)
        width, height = faces.size_wh
        inside = ((x >= 0) & (x < width) & (y >= 0) & (y < height)).all(2)
        pixels = image.rgb[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
        light = luminance(pixels).astype(np.float32)
        slope = 32 * np.hypot(light[..., 1] - light[..., 0], light[..., 3] - light[..., 2]) / 2
        mean: FloatArray = (slope * inside).sum(1) / np.maximum(inside.sum(1), 1)
        return mean


def _in_picture(to_chip: Matrix, size_wh: tuple[int, int], picture_wh: tuple[int, int]) -> Mask:
    """Which pixels of the chips show the picture: `(n, height, width)`."""
    width, height = size_wh
    back = invert_transform(to_chip)
    corners = apply_transform(
        back, np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    )
    limit = np.array(picture_wh) - 1
    inside = np.ones((len(to_chip), height, width), bool)
    rows, columns = np.mgrid[:height, :width]
    grid = np.stack([columns, rows], -1).reshape(1, -1, 2)
    for i in np.flatnonzero(((corners < 0) | (corners > limit)).any((1, 2))):
        places = apply_transform(back[i], grid)
        inside[i] = ((places >= 0) & (places <= limit)).all(-1).reshape(height, width)
    return inside


def _oval(facts: PartsFacts) -> Mask:
    """The face in the chip, `(height, width)`."""
    width, height = facts.size_wh
    rows, columns = np.mgrid[:height, :width]
    x, y, half_width, half_height = facts.oval
    across = ((columns + 0.5) / facts.zoom - 0.5 + facts.window[0] - x) / half_width
    down = ((rows + 0.5) / facts.zoom - 0.5 + facts.window[1] - y) / half_height
    inside: Mask = across**2 + down**2 <= 1
    return inside


def _cheeks(template: FloatArray) -> list[tuple[slice, slice]]:
    """OFIQ's zones in a chip: squares of 0.3 eye distances, outward of the eyes, half-way to the mouth."""
    side = int(0.3 * (template[1, 0] - template[0, 0]))
    eyes, mouth = template[:2].mean(0), template[3:].mean(0)
    top = round(eyes[1] + (mouth[1] - eyes[1]) / 2)
    left, right = round(template[0, 0]), round(template[1, 0])
    rows = slice(top, top + side)
    return [(rows, slice(left - side, left)), (rows, slice(right, right + side))]


def _background_places(facts: PartsFacts) -> FloatArray:
    """Points in the frame, `(m, 4, 2)`: left, right, above and below of m places of the background."""
    left, top, width, height = facts.background
    x, y = np.meshgrid(np.arange(left, left + width, _GRID), np.arange(top, top + height, _GRID))
    cx, cy, half_width, half_height = facts.head
    across, up = (x - cx) / half_width, np.minimum(y - cy, 0) / half_height
    centre = np.stack([x, y], -1)[across**2 + up**2 > 1]
    offsets = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]]) * facts.gradient_step
    places: FloatArray = centre[:, None] + offsets
    return places
