"""dlib's shape predictors (ensembles of regression trees) as plain arrays.

Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, CVPR 2014.
"""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from mien.convert.dlib.stream import Stream

# The zip stamps files with a time; this one keeps equal inputs equal.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def shape_predictor(data: bytes) -> bytes:
    """Convert a `shape_predictor_*.dat`.

    With c cascades of t trees of s splits (s + 1 leaves, a full binary tree), f pixels looked at
    and p points, in the frame where the face's box is the unit square:

    Returns:
        An uncompressed `.npz`: `mean` `(p, 2)` float32, `splits` `(c, t, s, 2)` uint16 (the two
        pixels whose difference is compared), `limits` `(c, t, s)` float32, `leaves`
        `(c, t, s + 1, p, 2)` float32, `anchors` `(c, f)` uint16 (nearest point of the mean),
        `deltas` `(c, f, 2)` float32 (offset from it).

    Raises:
        ConversionFailed: Damaged or hostile file.
    """
    stream = Stream(data)
    stream.version(1)
    mean = _mean_shape(stream)
    points = len(mean)
    forests = [_forest(stream, points) for _ in range(stream.count(1000))]
    anchors = [stream.integers(stream.count(1 << 16)) for _ in range(stream.count(1000))]
    deltas = [
        stream.reals_from(stream.integers(4 * stream.count(1 << 16))) for _ in range(stream.count(1000))
    ]
    stream.finished()
    try:
        splits, limits, leaves = (np.stack(part) for part in zip(*forests, strict=True))
        anchor, delta = np.stack(anchors), np.stack(deltas)
        delta = delta.reshape(*anchor.shape, 2)
    except ValueError:
        raise stream.broken("its cascades are empty or differ in size") from None
    for index, end in ((splits, anchor.shape[1]), (anchor, points)):
        if index.min() < 0 or index.max() >= end:
            raise stream.broken("a tree looks at a pixel that does not exist")
    return _npz(
        {
            "mean": mean.astype(np.float32),
            "splits": splits.astype(np.uint16),
            "limits": limits,
            "leaves": leaves,
            "anchors": anchor.astype(np.uint16),
            "deltas": delta.astype(np.float32),
        }
    )


def _mean_shape(stream: Stream) -> NDArray[np.float64]:
    # Sizes are written negative, to tell this layout from an older one.
    rows, columns = -stream.integer(), -stream.integer()
    if not 0 < rows < 1 << 16 or rows % 2 or columns != 1:
        raise stream.broken("the mean shape is empty or odd")
    return stream.reals_from(stream.integers(2 * rows)).reshape(-1, 2)


def _forest(
    stream: Stream, points: int
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Read the trees of one cascade at once: all are full and equally deep, and all of it is integers."""
    trees = stream.count(1 << 16)
    start = stream.at
    splits = stream.count(1 << 12)
    stream.at = start
    leaves, outputs = splits + 1, 2 * points
    per_tree = 1 + 4 * splits + 1 + leaves * (2 + 2 * outputs)
    if trees * per_tree > len(stream.data):
        raise stream.broken("a forest is larger than the file")
    table = stream.integers(trees * per_tree).reshape(trees, per_tree)
    head, tail = table[:, 1 : 1 + 4 * splits], table[:, 2 + 4 * splits :]
    head, tail = head.reshape(trees, splits, 4), tail.reshape(trees, leaves, 2 + 2 * outputs)
    full = (
        leaves & (leaves - 1) == 0
        and (table[:, 0] == splits).all()
        and (table[:, 1 + 4 * splits] == leaves).all()
    )
    if not full or (tail[..., 0] != -outputs).any() or (tail[..., 1] != -1).any():
        raise stream.broken("a tree is not full, or a leaf does not fit the mean shape")
    limits = stream.reals_from(head[..., 2:])[..., 0].astype(np.float32)
    values = stream.reals_from(tail[..., 2:]).astype(np.float32)
    return head[..., :2], limits, values.reshape(trees, leaves, points, 2)


def _npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), member.getvalue())
    return file.getvalue()
