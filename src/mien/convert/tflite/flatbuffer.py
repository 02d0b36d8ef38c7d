"""Reading flatbuffers without trusting them: every offset is checked before it is followed.

The layout is that of https://flatbuffers.dev/internals: little-endian; an offset counts forward
from where it stands, a table begins with the distance *back* to the list of its fields. Nothing
here allocates more than the bytes can back.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed

_MOST_NUMBERS = 4096
_LONGEST_NAME = 1024
_HINT = "Get the file again from its publisher and compare its sha256."


def damaged(what: str) -> ConversionFailed:
    """Make the error of a file that contradicts itself."""
    return ConversionFailed(f"Damaged TFLite file: {what}.", hint=_HINT)


@dataclass(frozen=True)
class Table:
    """One table of a flatbuffer; fields are numbered as in the schema, absent ones have defaults."""

    data: memoryview
    position: int

    @classmethod
    def root(cls, data: bytes, identifier: bytes) -> Table:
        """Open the outermost table of a file that carries `identifier`."""
        if len(data) < 8 or data[4:8] != identifier:
            raise ConversionFailed(
                f"Not a TFLite file: it does not carry the mark {identifier.decode()}.", hint=_HINT
            )
        view = memoryview(data)
        return cls(view, _number(view, "<I", 0))

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """An integer or bool field; `kind` is its code in the module struct."""
        at = self._field(field)
        return default if at is None else int(_number(self.data, f"<{kind}", at))

    def real(self, field: int, default: float = 0.0) -> float:
        """A float32 field."""
        at = self._field(field)
        return default if at is None else _number(self.data, "<f", at)

    def text(self, field: int) -> str:
        """A string field."""
        raw = bytes(self.raw(field))
        if len(raw) > _LONGEST_NAME:
            raise damaged(f"a name of {len(raw)} bytes")
        return raw.decode("utf-8", "replace")

    def raw(self, field: int) -> memoryview:
        """A vector of bytes, as a view."""
        start, count = self._vector(field, 1)
        return self.data[start : start + count]

    def integers(self, field: int) -> tuple[int, ...]:
        """A short vector of int32: a shape, or the tensors of an operator."""
        start, count = self._vector(field, 4)
        if count > _MOST_NUMBERS:
            raise damaged(f"a list of {count} numbers")
        found: NDArray[np.int32] = np.frombuffer(self.data, "<i4", count, start)
        return tuple(found.tolist())

    def table(self, field: int) -> Table | None:
        """A table field."""
        at = self._field(field)
        return None if at is None else Table(self.data, at + _number(self.data, "<I", at))

    def tables(self, field: int, most: int) -> list[Table]:
        """A vector of at most `most` tables: they may share bytes, so that length proves nothing."""
        start, count = self._vector(field, 4)
        if count > most:
            raise damaged(f"a list of {count} entries")
        offsets: NDArray[np.uint32] = np.frombuffer(self.data, "<u4", count, start)
        return [Table(self.data, start + 4 * i + int(offset)) for i, offset in enumerate(offsets)]

    def _field(self, field: int) -> int | None:
        fields = self.position - _number(self.data, "<i", self.position)
        size = _number(self.data, "<H", fields)
        slot = 4 + 2 * field
        offset = _number(self.data, "<H", fields + slot) if slot + 2 <= size else 0
        return self.position + offset if offset else None

    def _vector(self, field: int, item: int) -> tuple[int, int]:
        at = self._field(field)
        if at is None:
            return 0, 0
        start = at + _number(self.data, "<I", at)
        count = _number(self.data, "<I", start)
        if start + 4 + count * item > len(self.data):
            raise damaged(f"a list of {count} entries reaches past the end")
        return start + 4, count


def _number(data: memoryview, kind: str, at: int) -> int:
    # struct counts a negative position from the end, which would read the wrong place.
    if not 0 <= at <= len(data) - struct.calcsize(kind):
        raise damaged(f"something is said to lie at byte {at} of {len(data)}")
    found: int = struct.unpack_from(kind, data, at)[0]
    return found
