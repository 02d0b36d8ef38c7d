"""Writing small TensorFlow GraphDefs in protobuf's wire format, for tests: no TensorFlow, no descriptors."""

import struct

import numpy as np

TYPES = {np.dtype(np.float32): 1, np.dtype(np.float64): 2, np.dtype(np.int32): 3, np.dtype(np.int64): 9}
FLOAT, INT, BOOL, HALF = 1, 3, 10, 19


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """One field: bytes and text by length, floats as float32, all else as varint."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def shape(lengths):
    return b"".join(field(2, field(1, int(length))) for length in lengths)


def ints(values):
    return field(1, field(3, b"".join(varint(value) for value in values)))


def flag(value):
    return field(5, int(value))


def kind(value):
    return field(6, value)


def text(value):
    return field(2, value)


def node(name, op, inputs=(), **attributes):
    body = field(1, name) + field(2, op) + b"".join(field(3, each) for each in inputs)
    for key, value in attributes.items():
        body += field(5, field(1, key) + field(2, value))
    return field(1, body)


def placeholder(name="input", lengths=(-1, 7, 6, 3), dtype=FLOAT):
    return node(name, "Placeholder", dtype=kind(dtype), shape=field(7, shape(lengths)))


def constant(name, dtype, lengths, values):
    """A constant whose values are written as the caller says."""
    return node(name, "Const", value=field(8, field(1, dtype) + field(2, shape(lengths)) + values))


def const(name, array):
    array = np.asarray(array)
    return constant(name, TYPES[array.dtype], array.shape, field(4, array.tobytes()))


def window(padding="SAME", stride=(1, 1), size=None, dilation=(1, 1)):
    found = {"padding": text(padding), "strides": ints([1, *stride, 1]), "dilations": ints([1, *dilation, 1])}
    return found | ({"ksize": ints([1, *size, 1])} if size else {})
