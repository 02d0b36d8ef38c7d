import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.convert.dlib.stream import Stream
from mien.errors import ConversionFailed


def integer(value):
    magnitude = abs(value)
    length = max(1, (magnitude.bit_length() + 7) // 8)
    return bytes([length | (0x80 if value < 0 else 0)]) + magnitude.to_bytes(length, "little")


def real(value):
    mantissa, exponent = np.frexp(np.float64(value))
    return integer(int(mantissa * 2**53)) + integer(int(exponent) - 53)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
@settings(deadline=None, max_examples=100)
def test_integer(value):
    stream = Stream(integer(value))
    assert stream.integer() == value
    stream.finished()


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
@settings(deadline=None, max_examples=100)
def test_real(value):
    assert Stream(real(value)).real() == value


@given(st.lists(st.integers(-(2**55), 2**55), max_size=50))
@settings(deadline=None, max_examples=50)
def test_many_integers_are_the_same_as_one_by_one(values):
    data = b"".join(map(integer, values))
    stream = Stream(data + b"\x01\x07")
    assert stream.integers(len(values)).tolist() == values
    assert stream.integer() == 7


def test_reals_from_pairs(rng):
    values = rng.standard_normal((3, 5)).astype(np.float32)
    stream = Stream(b"".join(real(value) for value in values.ravel()))
    pairs = stream.integers(2 * values.size).reshape(3, 10)
    np.testing.assert_array_equal(stream.reals_from(pairs).astype(np.float32), values)


def test_string_flag_tensor():
    floats = np.arange(6, dtype="<f4")
    data = integer(5) + b"con_4" + b"1" + integer(2)
    data += b"".join(map(integer, (1, 2, 3, 1))) + floats.tobytes()
    stream = Stream(data)
    assert stream.string() == "con_4"
    assert stream.flag() is True
    np.testing.assert_array_equal(stream.tensor(), floats.reshape(1, 2, 3, 1))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"", Stream.integer),
        (b"\x00", Stream.integer),
        (b"\x09123456789", Stream.integer),
        (b"\x71\x00", Stream.integer),
        (b"\x04\x01\x02", Stream.integer),
        (integer(-1), Stream.count),
        (integer(1 << 40), Stream.count),
        (integer(1) + integer(32000), Stream.real),
        (b"2", Stream.flag),
        (integer(4000) + b"short", Stream.string),
        (integer(2) + b"".join(map(integer, (1 << 20,) * 4)), Stream.tensor),
        (integer(3), Stream.tensor),
        (integer(2) + integer(1) * 4 + struct.pack("<f", np.nan), Stream.tensor),
        (integer(2), Stream.alias),
        (integer(1), lambda stream: stream.version(2, 3)),
        (integer(1) + b"x", lambda stream: stream.expect("y")),
        (b"\x01", lambda stream: stream.integers(1)),
        (b"\x00\x00", lambda stream: stream.integers(2)),
        (b"left over", Stream.finished),
        (b"", lambda stream: stream.reals_from(np.array([[1, 32001]]))),
    ],
)
def test_damage_is_said(data, read):
    with pytest.raises(ConversionFailed) as failure:
        read(Stream(data))
    assert failure.value.hint
