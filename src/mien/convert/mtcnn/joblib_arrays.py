"""Reading a list of arrays that joblib pickled, without pickle's power to call anything.

A joblib file is a pickle in which each array is announced by a `NumpyArrayWrapper`, its raw bytes
following in the stream. Such a file needs three names; every other name is refused.
"""

from __future__ import annotations

import io
import pickle
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed, ExtraMissing

_LARGEST = 64 << 20
_CODES = frozenset({"f4", "f8"})


class _Announced:
    """Stands for joblib's `NumpyArrayWrapper`: what the next array looks like."""

    shape: tuple[int, ...]
    order: str
    dtype: _Dtype
    numpy_array_alignment_bytes: int | None = None


class _Dtype:
    """Stands for `numpy.dtype`, which must not be handed state from a file."""

    def __init__(self, code: str, *_: bool) -> None:
        if code not in _CODES:
            raise pickle.UnpicklingError(f"weights of type {code!r}")
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] != "<":
            raise pickle.UnpicklingError("weights that are not little-endian")


_ALLOWED: dict[tuple[str, str], type] = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"): _Announced,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): _Dtype,
}


# The unpickler written in Python: only it can stop after an opcode to read the array's bytes.
_PurePython: Any = pickle._Unpickler  # noqa: SLF001


class _Unpickler(_PurePython):  # type: ignore[misc]
    dispatch = dict(_PurePython.dispatch)  # noqa: RUF012 - the base class keeps its table there

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.file = file

    def find_class(self, module: str, name: str) -> type:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the name {module}.{name}") from None

    def load_build(self) -> None:
        super().load_build()
        if isinstance(self.stack[-1], _Announced):
            self.stack.append(_read_array(self.file, self.stack.pop()))

    dispatch[pickle.BUILD[0]] = load_build


def read_arrays(data: bytes) -> list[NDArray[np.float32]]:
    """Read a list of float arrays from a joblib file compressed with LZ4.

    Raises:
        ConversionFailed: Damaged, too large, or holding anything but float arrays.
        ExtraMissing: The package lz4 is not installed.
    """
    try:
        import lz4.frame
    except ImportError as error:
        raise ExtraMissing.of("convert", "Reading LZ4 needs the package lz4.") from error
    try:
        plain = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=_LARGEST)
        found = _Unpickler(io.BytesIO(plain)).load()
    except (
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        OverflowError,
        MemoryError,
        struct.error,
    ) as error:
        raise ConversionFailed(
            f"Not a joblib file of weights: {error}.",
            hint="Get the file again from its publisher and compare its sha256.",
        ) from error
    if not isinstance(found, list) or not all(isinstance(array, np.ndarray) for array in found):
        raise ConversionFailed("A joblib file of weights holds a list of arrays; this one does not.")
    return [array.astype(np.float32) for array in found]


def _read_array(file: io.BytesIO, announced: _Announced) -> NDArray[Any]:
    if announced.numpy_array_alignment_bytes is not None:
        file.seek(file.read(1)[0], io.SEEK_CUR)
    dtype = np.dtype(announced.dtype.code)
    size = int(np.prod(announced.shape, dtype=object))
    raw = file.read(size * dtype.itemsize)
    array: NDArray[Any] = np.frombuffer(raw, dtype, size).reshape(announced.shape, order=announced.order)  # type: ignore[call-overload]
    return array
