"""Requests as clients of CompreFace send them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from msgspec import Meta

from mien.errors import BadRequest, BodyTooLarge
from mien.gallery.gallery import Vectors
from mien.gallery.index.checks import LARGEST
from mien.pipeline.stages import DETECTION
from mien.server.asking import Ask, fitted
from mien.server.uploads import Upload

S = TypeVar("S", bound=msgspec.Struct)

# Which column answers for a plugin.
PLUGINS = {
    "landmarks": "points",
    "gender": "gender",
    "age": "age",
    "pose": "pose",
    "mask": "mask",
    "calculator": "embedding",
}
_MOST_EMBEDDING_BYTES = 8 * 1024 * 1024
# Places where the JavaScript client begins a parameter with a question mark. It escapes nothing else that
# begins one, and whoever means a question mark sends %3F.
_SECOND_QUESTION = re.compile(r"\?(?=(?:limit|det_prob_threshold|prediction_count|face_plugins|status)=)")

NotNegative = Annotated[int, Meta(ge=0)]
AtLeastOne = Annotated[int, Meta(ge=1)]


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """How sure the detector has to be of a face; below its own least score it finds none."""

    det_prob_threshold: Annotated[float, Meta(ge=0, le=1)] = 0.0


class Looking(Threshold, frozen=True, kw_only=True):
    """How many faces are wanted, the largest first, 0 for all; what about them, by plugins with commas.

    `status` asks which packs were used, and how long it took.
    """

    limit: NotNegative = 0
    face_plugins: str = ""
    status: bool = False


class Recognising(Looking, frozen=True, kw_only=True):
    """How many subjects are wanted for a face; without a detector, the largest face is taken."""

    prediction_count: AtLeastOne = 1
    detect_faces: bool = True


class Embeddings(msgspec.Struct, frozen=True):
    """Embeddings, as the plugin `calculator` gave them."""

    embeddings: Annotated[list[list[float]], Meta(min_length=1)]


class SourceAndTargets(msgspec.Struct, frozen=True):
    """An embedding, and those that it is compared with."""

    source: Annotated[list[float], Meta(min_length=1)]
    targets: Annotated[list[list[float]], Meta(min_length=1)]


async def options(ask: Ask, kind: type[S]) -> S:
    """Parameters of a request. What is unknown or empty is passed over, as in CompreFace.

    Raises:
        BadRequest: A value does not fit.
    """
    given: dict[str, Any] = dict((await ask.given()).values) if ask.plan.photos else {}
    given |= _query(ask)
    known = {one.encode_name for one in msgspec.structs.fields(kind)}
    values = {name: one[-1] if isinstance(one, list) and one else one for name, one in given.items()}
    return fitted({name: one for name, one in values.items() if name in known and one != ""}, kind)


async def upload(ask: Ask) -> Upload:
    """The one photograph of a request. Raises BadRequest, MediaTypeUnsupported."""
    return (await ask.photographs())[0]


async def numbers(ask: Ask, kind: type[S]) -> S:
    """The embeddings of a request. Raises BadRequest, BodyTooLarge."""
    # Each number takes many times its text.
    if len(await ask.request.body()) > _MOST_EMBEDDING_BYTES:
        raise BodyTooLarge(
            f"Embeddings take at most {_MOST_EMBEDDING_BYTES:,} bytes.", hint="Send fewer at once."
        )
    return await ask.body(kind)


def as_vectors(rows: Sequence[Sequence[float]]) -> Vectors:
    """Embeddings `(n, d)` float32. Raises BadRequest if they are of several lengths, or say nothing."""
    if len({len(row) for row in rows}) != 1 or not rows[0]:
        raise BadRequest("Embeddings are lists of numbers, all of one length.")
    vectors = np.array(rows, np.float64)
    if not (np.abs(vectors) <= LARGEST).all() or not vectors.any(axis=1).all():
        raise BadRequest(f"An embedding is all zeros, or holds numbers beyond {LARGEST:,}.")
    return vectors.astype(np.float32)


def plugins_of(ask: Ask, text: str) -> tuple[str, ...]:
    """The plugins that are asked for, each once, in our order.

    Raises:
        BadRequest: There is none of that name.
        Forbidden: Embeddings are asked for, and the key may not read them.
    """
    wanted = {word for word in (part.strip() for part in text.split(",")) if word}
    if unknown := wanted - PLUGINS.keys():
        raise BadRequest(f"There is no plugin {min(unknown)!r}.", hint=f"Plugins: {', '.join(PLUGINS)}.")
    if "calculator" in wanted:
        ask.caller.demand("verify")
    return tuple(plugin for plugin in PLUGINS if plugin in wanted)


def columns_of(plugins: Sequence[str], *more: str) -> tuple[str, ...]:
    """What to compute; always in one order, so that requests can be looked at together."""
    wanted = {*more, *(PLUGINS[plugin] for plugin in plugins)} - set(DETECTION)
    return (*DETECTION, *sorted(wanted))


def _query(ask: Ask) -> dict[str, str]:
    text = _SECOND_QUESTION.sub("&", ask.request.url.query)
    return dict(parse_qsl(text, keep_blank_values=True))
