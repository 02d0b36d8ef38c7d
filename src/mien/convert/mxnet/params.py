"""Reading MXNet's `.params`: named arrays, in every layout that MXNet has written (`ndarray.cc`)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.sketch import Array, as_float32
from mien.errors import ConversionFailed

_LIST = 0x112
_V1, _V2, _V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA
_DENSE = 0
_MOST_AXES = 8
_LONGEST_NAME = 4096

# MXNet's numbers for types (`mshadow/base.h`).
_DTYPES: Mapping[int, str] = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}


def read_params(data: bytes) -> dict[str, Array]:
    """Read the arrays of a checkpoint as float32, without the `arg:` and `aux:` before their names.

    Raises:
        ConversionFailed: Damaged, sparse, of an unknown type, or without names.
    """
    stream = _Stream(data)
    if stream.number("<Q") != _LIST:
        raise stream.broken("it does not begin as one")
    stream.number("<Q")  # reserved
    # Not a list of that length at once: the count may be a lie.
    arrays = [_array(stream) for _ in range(stream.count())]
    if stream.count() != len(arrays):
        raise stream.broken("its arrays have no names, or too many")
    names = [_name(stream) for _ in arrays]
    stream.finished()
    if len(set(names)) != len(names):
        raise stream.broken("two of its arrays have the same name")
    return {name: array for name, array in zip(names, arrays, strict=True) if array is not None}


def _array(stream: _Stream) -> Array | None:
    """Read one array; none where MXNet wrote an empty one."""
    magic = stream.number("<I")
    if magic in (_V2, _V3) and stream.number("<i") != _DENSE:
        raise stream.broken("it has sparse arrays, which are not supported")
    if magic in (_V1, _V2, _V3):
        axes, code = stream.number("<i"), "q"
    else:
        axes, code = magic, "I"  # the oldest layout begins with the number of axes
    if not -1 <= axes <= _MOST_AXES:
        raise stream.broken(f"it has an array of {axes} axes")
    shape = struct.unpack(f"<{max(axes, 0)}{code}", stream.take(max(axes, 0) * struct.calcsize(f"<{code}")))
    if axes == -1 or -1 in shape or (axes == 0 and magic != _V3):
        return None
    stream.take(8)  # the device that it was on
    kind = stream.number("<i")
    if kind not in _DTYPES:
        raise stream.broken(f"it has an array of the unknown type {kind}")
    dtype = np.dtype(_DTYPES[kind])
    if min(shape, default=0) < 0:
        raise stream.broken(f"it has an array of the shape {shape}")
    raw: NDArray[Any] = np.frombuffer(stream.take(math.prod(shape) * dtype.itemsize), dtype)
    return as_float32(raw.reshape(shape))


def _name(stream: _Stream) -> str:
    length = stream.number("<Q")
    if length > _LONGEST_NAME:
        raise stream.broken(f"it has a name of {length} bytes")
    try:
        name = stream.take(length).decode()
    except UnicodeDecodeError as error:
        raise stream.broken("it has a name that is not UTF-8") from error
    kind, colon, rest = name.partition(":")
    return rest if colon and kind in ("arg", "aux") else name


class _Stream:
    """Bytes that are read from front to back, and never beyond their end."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise self.broken("it ends too early")
        self._at += count
        return bytes(self._data[self._at - count : self._at])

    def number(self, layout: str) -> int:
        (value,) = struct.unpack(layout, self.take(struct.calcsize(layout)))
        return int(value)

    def count(self) -> int:
        """A number of things, each of which takes four bytes or more."""
        count = self.number("<Q")
        if count * 4 > len(self._data) - self._at:
            raise self.broken(f"it cannot hold {count} arrays")
        return count

    def finished(self) -> None:
        if self._at != len(self._data):
            raise self.broken("bytes are left over")

    def broken(self, what: str) -> ConversionFailed:
        return ConversionFailed(
            f"Not a .params file of MXNet: {what} (byte {self._at} of {len(self._data)}).",
            hint="Get the file again from its publisher and compare its sha256.",
        )
