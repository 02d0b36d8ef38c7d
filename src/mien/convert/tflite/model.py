"""What a TFLite file says, as dataclasses; the field numbers are those of TensorFlow's schema.fbs.

Read with our own few lines: `tf2onnx` imports TensorFlow, and generated readers check no offset.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mien.convert.tflite.flatbuffer import Table, damaged
from mien.errors import ConversionFailed

_MOST_TENSORS = 1 << 14
_MOST_SIZE = 1 << 31
_CUSTOM = 32
# Tensor types of the schema that a float32 network has.
_TYPES = {0: "<f4", 1: "<f2", 2: "<i4", 4: "<i8", 6: "?"}
# Builtin operators of the schema that somebody knows how to write; the rest is named by number.
KINDS = {
    0: "ADD",
    1: "AVERAGE_POOL_2D",
    2: "CONCATENATION",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    9: "FULLY_CONNECTED",
    11: "L2_NORMALIZATION",
    14: "LOGISTIC",
    17: "MAX_POOL_2D",
    18: "MUL",
    19: "RELU",
    20: "RELU_N1_TO_1",
    21: "RELU6",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    25: "SOFTMAX",
    28: "TANH",
    34: "PAD",
    39: "TRANSPOSE",
    40: "MEAN",
    41: "SUB",
    42: "DIV",
    43: "SQUEEZE",
    45: "STRIDED_SLICE",
    47: "EXP",
    54: "PRELU",
    55: "MAXIMUM",
    57: "MINIMUM",
    59: "NEG",
    70: "EXPAND_DIMS",
    73: "LOG",
    74: "SUM",
    75: "SQRT",
    76: "RSQRT",
    82: "REDUCE_MAX",
    92: "SQUARE",
    97: "RESIZE_NEAREST_NEIGHBOR",
    98: "LEAKY_RELU",
    99: "SQUARED_DIFFERENCE",
    101: "ABS",
    111: "ELU",
    117: "HARD_SWISH",
}


@dataclass(frozen=True)
class Tensor:
    """A tensor: `shape` as the file claims it, `raw` its bytes if it is a constant."""

    name: str
    shape: tuple[int, ...]
    kind: int
    raw: memoryview

    @property
    def is_float(self) -> bool:
        """Whether it holds float32 or float16."""
        return _TYPES.get(self.kind) in ("<f4", "<f2")

    @cached_property
    def constant(self) -> NDArray[np.generic] | None:
        """The values of a constant, as a view of the file.

        Raises:
            ConversionFailed: The bytes do not fit the shape, or the type is one of quantised networks.
        """
        if not len(self.raw):
            return None
        if self.kind not in _TYPES:
            raise ConversionFailed(
                f"The TFLite tensor {self.name!r} is of a type (number {self.kind}) that is not supported.",
                hint="Use the float32 or float16 version of this network, not a quantised one.",
            )
        dtype = np.dtype(_TYPES[self.kind])
        if math.prod(self.shape) * dtype.itemsize != len(self.raw):
            raise damaged(f"{len(self.raw)} bytes for the tensor {self.name!r} of shape {self.shape}")
        return np.frombuffer(self.raw, dtype).reshape(self.shape)


@dataclass(frozen=True)
class Operator:
    """One step; tensors are numbers into `Model.tensors`, -1 where an optional one is absent."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Table | None

    def option(self, field: int, kind: str = "i", default: int = 0) -> int:
        """An option of this operator, by its number in the schema."""
        return default if self.options is None else self.options.number(field, kind, default)

    def real(self, field: int, default: float) -> float:
        """A float32 option of this operator."""
        return default if self.options is None else self.options.real(field, default)


@dataclass(frozen=True)
class Model:
    """A network: its operators in the order in which they run."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read(data: bytes) -> Model:
    """Read a TFLite file.

    Raises:
        ConversionFailed: Not TFLite, damaged, or of several subgraphs (control flow).
    """
    root = Table.root(data, b"TFL3")
    graphs = root.tables(2, _MOST_TENSORS)
    if len(graphs) != 1:
        raise ConversionFailed(f"A TFLite file of {len(graphs)} graphs; networks with one are supported.")
    buffers = [buffer.raw(0) for buffer in root.tables(4, _MOST_TENSORS)]
    codes = [_kind(code) for code in root.tables(1, _MOST_TENSORS)]
    tensors = tuple(_tensor(table, buffers) for table in graphs[0].tables(0, _MOST_TENSORS))
    operators = tuple(_operator(table, codes) for table in graphs[0].tables(3, _MOST_TENSORS))
    model = Model(tensors, operators, graphs[0].integers(1), graphs[0].integers(2))
    used = {*model.inputs, *model.outputs}
    used.update(*(operator.inputs + operator.outputs for operator in operators))
    if not used <= set(range(-1, len(tensors))) or -1 in {*model.inputs, *model.outputs}:
        raise damaged("a tensor is used that does not exist")
    return model


def _kind(code: Table) -> str:
    # Numbers above 127 came later and have a field of their own.
    number = max(code.number(0, "b"), code.number(3, "i"))
    return f"custom {code.text(1)!r}" if number == _CUSTOM else KINDS.get(number, f"builtin {number}")


def _tensor(table: Table, buffers: list[memoryview]) -> Tensor:
    shape, buffer = table.integers(0), table.number(2, "I")
    name = table.text(3)
    if buffer >= len(buffers):
        raise damaged(f"the tensor {name!r} names a buffer that does not exist")
    if len(shape) > 8 or min(shape, default=1) < 1 or math.prod(shape) > _MOST_SIZE:
        raise damaged(f"the tensor {name!r} has the shape {shape}")
    return Tensor(name, shape, table.number(1, "b"), buffers[buffer])


def _operator(table: Table, codes: list[str]) -> Operator:
    code = table.number(0, "I")
    if code >= len(codes):
        raise damaged("an operator has no code")
    return Operator(codes[code], table.integers(1), table.integers(2), table.table(4))
