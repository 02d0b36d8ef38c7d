"""Reading dlib's portable serialisation (`dlib/serialize.h`, `dlib/float_details.h`).

An integer is a control byte (0x80: negative; low nibble: count of bytes) and its little-endian
magnitude. A float is two integers, mantissa and exponent. A string is its length and its bytes.
Tensors hold raw little-endian float32. Damaged or hostile files end in `ConversionFailed`:
no length is believed before the bytes are there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed

# Exponents from here on mean infinity and not-a-number.
_INFINITY = 32000


class Stream:
    """A cursor over the bytes of a dlib file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def integer(self) -> int:
        """Read one signed integer."""
        control = self.byte()
        length = control & 0x0F
        if control & 0x70 or not 1 <= length <= 8:
            raise self.broken("an integer cannot start here")
        magnitude = int.from_bytes(self.raw(length), "little")
        return -magnitude if control & 0x80 else magnitude

    def count(self, most: int = 1 << 24) -> int:
        """Read an integer that says how many things follow."""
        value = self.integer()
        if not 0 <= value <= most:
            raise self.broken(f"a count of {value} is not credible")
        return value

    def real(self) -> float:
        """Read one floating-point number."""
        mantissa, exponent = self.integer(), self.integer()
        if not -_INFINITY < exponent < _INFINITY:
            raise self.broken("a number is infinite or not a number")
        return float(np.ldexp(float(mantissa), exponent))

    def flag(self) -> bool:
        """Read one boolean, an ASCII '0' or '1'."""
        value = self.byte()
        if value not in b"01":
            raise self.broken("a flag is neither 0 nor 1")
        return value == ord("1")

    def string(self) -> str:
        """Read a string."""
        return self.raw(self.count(1 << 12)).decode("latin-1")

    def expect(self, *accepted: str) -> str:
        """Read a string that must be one of these."""
        found = self.string()
        if found not in accepted:
            raise self.broken(f"expected {' or '.join(accepted)}, found {found[:40]!r}")
        return found

    def version(self, *accepted: int) -> int:
        """Read a version number that must be one of these."""
        found = self.integer()
        if found not in accepted:
            raise self.broken(f"unknown version {found}")
        return found

    def tensor(self) -> NDArray[np.float32]:
        """Read a tensor `(samples, k, rows, columns)`."""
        self.version(2)
        shape = tuple(self.count() for _ in range(4))
        size = int(np.prod(shape, dtype=object))
        raw = self.raw(4 * size)
        values = np.frombuffer(raw, "<f4").reshape(shape)
        if not np.isfinite(values).all():
            raise self.broken("a tensor holds values that are not finite")
        return values

    def alias(self) -> tuple[int, ...]:
        """Read the shape of a part of a tensor."""
        self.version(1)
        return tuple(self.count() for _ in range(4))

    def integers(self, count: int) -> NDArray[np.int64]:
        """Read `count` integers at once.

        The 68-point predictor holds thirty-three million of them, so the loop only finds where each
        begins and NumPy does the arithmetic.
        """
        data, at = self.data, self.at
        starts: list[int] = []
        add = starts.append
        try:
            for _ in range(count):
                add(at)
                at += 1 + (data[at] & 0x0F)
        except IndexError:
            raise self.broken("the file is truncated") from None
        block = np.frombuffer(self.raw(at - self.at), np.uint8)
        first = np.array(starts, np.int64) - (at - len(block))
        control = block[first]
        length = (control & 0x0F).astype(np.int64)
        if ((control & 0x70) != 0).any() or (length < 1).any() or (length > 7).any():
            raise self.broken("a list of numbers is damaged")
        value = np.zeros(count, np.int64)
        for i in range(int(length.max(initial=0))):
            longer = np.flatnonzero(length > i)
            value[longer] |= block[first[longer] + 1 + i].astype(np.int64) << (8 * i)
        return np.where(control & 0x80, -value, value)

    def reals_from(self, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Turn integers `(..., 2 k)`, mantissa before exponent, into `(..., k)` numbers."""
        mantissa, exponent = pairs[..., 0::2], pairs[..., 1::2]
        if exponent.size and np.abs(exponent).max() >= _INFINITY:
            raise self.broken("a number is infinite or not a number")
        return np.ldexp(mantissa.astype(np.float64), exponent.astype(np.int32))

    def raw(self, length: int) -> bytes:
        """Read this many bytes as they are."""
        end = self.at + length
        if end > len(self.data):
            raise self.broken("the file is truncated")
        found = self.data[self.at : end]
        self.at = end
        return found

    def byte(self) -> int:
        """Read one byte."""
        return self.raw(1)[0]

    def finished(self) -> None:
        """Insist that nothing is left."""
        if self.at != len(self.data):
            raise self.broken(f"{len(self.data) - self.at} bytes are left over")

    def broken(self, why: str) -> ConversionFailed:
        """Make the error that says where the file stopped making sense."""
        return ConversionFailed(
            f"Not a dlib file of the expected kind: {why} (byte {self.at} of {len(self.data)}).",
            hint="Get the file again from its publisher and compare its sha256.",
        )
