"""Faces of photographs as CompreFace tells of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from msgspec import UNSET, UnsetType

from mien.core.analysis import Analysis, Failure
from mien.core.columns import BY_NAME
from mien.core.faces import Face, Faces
from mien.errors import NoFace
from mien.server.asking import Ask
from mien.server.compreface.reading import PLUGINS, Looking, columns_of, plugins_of
from mien.server.compreface.shapes import AgeRow, BoxRow, FoundFace, PoseRow, ValueRow
from mien.server.uploads import Upload

T = TypeVar("T", bound=FoundFace)
_MASKED = 0.5


@dataclass(frozen=True, slots=True)
class Looked:
    """The faces of a photograph that are wanted.

    Attributes:
        faces: The largest first.
        plugins: What is told about them.
        times: How long it took, in milliseconds, if that is asked for.
    """

    faces: Faces
    plugins: tuple[str, ...]
    times: dict[str, float] | UnsetType = UNSET

    def row(self, i: int, kind: type[T], **more: Any) -> T:  # noqa: ANN401 - fields of the kind
        """One of the faces, with fields that its kind has besides those of all faces."""
        face = self.faces[i]
        told = {plugin: _TOLD[plugin](face) for plugin in self.plugins}
        named = {_FIELD.get(plugin, plugin): value for plugin, value in told.items() if value is not None}
        return kind(box=_box(face), execution_time=self.times, **named, **more)


async def look(ask: Ask, uploads: Sequence[Upload], wanted: Looking, *columns: str) -> list[Looked]:
    """Look at photographs, for what is wanted and for more columns.

    Raises:
        NoFace: One of them shows no face of which the detector is sure enough.
        MienError: One of them cannot be looked at.
    """
    plugins, begun = plugins_of(ask, wanted.face_plugins), time.perf_counter()
    results = await ask.look_at_all(columns_of(plugins, *columns), uploads)
    # Photographs of several requests go through all networks together: nobody's share is known.
    whole = {"detector": round((time.perf_counter() - begun) * 1000, 1)}
    times = whole | dict.fromkeys(_timed(plugins, columns), 0.0) if wanted.status else UNSET
    return [Looked(_wanted(one, wanted), plugins, times) for one in results]


def versions(ask: Ask, wanted: Looking, *columns: str) -> dict[str, str] | UnsetType:
    """Which pack found the faces, and which answered for each plugin, if that is asked for."""
    if not wanted.status:
        return UNSET
    kit, plugins = ask.service.kit, plugins_of(ask, wanted.face_plugins)
    stages = kit.stages_for(columns_of(plugins, *columns))
    sought = {"detector": "box"} | {plugin: PLUGINS[plugin] for plugin in _timed(plugins, columns)}
    givers = {name: [one.name for one in stages if column in one.gives] for name, column in sought.items()}
    return {name: kit.packs.manifest(found[0]).label for name, found in givers.items() if found}


def sure(faces: Faces, least: float) -> Faces:
    """The faces of which the detector is as sure as that."""
    return faces[faces.score >= least]


def _timed(plugins: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The plugins that were used, asked for or not; landmarks come with the faces."""
    used = {*columns, *(PLUGINS[plugin] for plugin in plugins)} - {PLUGINS["landmarks"]}
    return [plugin for plugin, column in PLUGINS.items() if column in used]


def _wanted(result: Analysis | Failure, wanted: Looking) -> Faces:
    if isinstance(result, Failure):
        raise result.error
    faces = sure(result.faces, wanted.det_prob_threshold)
    if not len(faces):
        raise NoFace("No face is found in the given image.")
    sides = faces.box[:, 2:] - faces.box[:, :2]
    largest = np.argsort(-sides.prod(axis=1), kind="stable")
    return faces[largest[: wanted.limit or len(faces)]]


def _box(face: Face) -> BoxRow:
    x_min, y_min, x_max, y_max = (round(float(edge)) for edge in face.box)
    return BoxRow(round(face.score, 5), x_max, y_max, x_min, y_min)


def _landmarks(face: Face) -> list[tuple[int, int]] | None:
    return None if face.points is None else [(round(float(x)), round(float(y))) for x, y in face.points]


def _gender(face: Face) -> ValueRow | None:
    if face.gender is None:
        return None
    best = int(np.argmax(face.gender))
    return ValueRow(round(float(face.gender[best]), 5), BY_NAME["gender"].labels[best])


def _age(face: Face) -> AgeRow | None:
    return None if face.age is None else AgeRow(1.0, round(face.age), round(face.age))


def _pose(face: Face) -> PoseRow | None:
    if face.pose is None:
        return None
    yaw, pitch, roll = (round(float(angle), 2) for angle in face.pose)
    return PoseRow(pitch, roll, yaw)


def _mask(face: Face) -> ValueRow | None:
    if face.mask is None:
        return None
    worn = face.mask >= _MASKED
    return ValueRow(round(face.mask if worn else 1 - face.mask, 5), "with_mask" if worn else "without_mask")


def _embedding(face: Face) -> list[float] | None:
    return None if face.embedding is None else face.embedding.tolist()


_TOLD: dict[str, Callable[[Face], Any]] = {
    "landmarks": _landmarks,
    "gender": _gender,
    "age": _age,
    "pose": _pose,
    "mask": _mask,
    "calculator": _embedding,
}
_FIELD = {"calculator": "embedding"}
