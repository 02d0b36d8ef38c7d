"""What an index accepts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.gallery.index.answers import NAME, Floats, Names
from mien.gallery.index.kernels import Kernel

# Half precision ends soon after.
LARGEST = 65_000


def checked_names(names: Iterable[bytes], what: str) -> Names:
    """Ids `(n,)` as S13.

    Raises:
        BadRequest: One is empty, too long, or no bytes.
    """
    given: NDArray[Any] = names if isinstance(names, np.ndarray) else np.array(list(names))
    if given.ndim != 1 or (len(given) and given.dtype.kind != "S"):
        raise BadRequest(f"{what} want a flat array of bytes.")
    if len(given) and (np.char.str_len(given).max() > NAME.itemsize or (given == b"").any()):
        raise BadRequest(f"{what} want 1 to {NAME.itemsize} characters.")
    return given.astype(NAME)


def checked_faces(ids: Iterable[bytes]) -> Names:
    """Ids `(n,)` of faces, each once.

    Raises:
        BadRequest: See `checked_names`; or one comes twice.
    """
    found = checked_names(ids, "Ids of faces")
    if len(set(found.tolist())) < len(found):
        raise BadRequest(
            "A face is given twice.", hint="Each id once: the last vector of a face is the one to keep."
        )
    return found


def check_counts(*columns: NDArray[Any]) -> None:
    """Refuse ids, owners and vectors of different number.

    Raises:
        BadRequest: They are.
    """
    if len({len(column) for column in columns}) > 1:
        counts = ", ".join(str(len(column)) for column in columns)
        raise BadRequest(f"Ids, owners and vectors want to be as many as each other, got {counts}.")


def checked_vectors(vectors: NDArray[Any], dim: int | None, what: str) -> NDArray[Any]:
    """Vectors `(n, d)`.

    Raises:
        BadRequest: The shape does not fit, or a number is none, infinite or too large for half precision.
    """
    given: NDArray[Any] = np.asarray(vectors)
    if given.ndim != 2 or given.dtype.kind not in "fiu" or (dim is not None and given.shape[1] != dim):
        raise BadRequest(
            f"{what} want numbers of shape (n, {'d' if dim is None else dim}), got {given.shape}."
        )
    # Not true of NaN either.
    if given.size and not (given.min() >= -LARGEST and given.max() <= LARGEST):
        raise BadRequest(f"A number of the {what.lower()} is none, infinite, or beyond {LARGEST:,}.")
    return given


def prepared(vectors: NDArray[Any], kernel: Kernel) -> Floats:
    """Vectors `(n, d)` as the metric wants them."""
    return np.ascontiguousarray(kernel.prepare(vectors.astype(np.float32)))
