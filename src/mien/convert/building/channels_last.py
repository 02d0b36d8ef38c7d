"""Networks of the TensorFlow family, which lie as NHWC, written as ONNX in NCHW.

Shapes and axes are always said as the file says them: channels last. In the graph every tensor of
rank 4 lies as NCHW and every other as in the file; `Network.plain` and `Network.lay` cross over.

The batch is free: its length is `None`, always the first axis. What the file computes *across* that
axis cannot be said for any number of pictures and raises `MixesPictures`.

Convolutions are written when their result is first needed, so that biases, scales and
normalisations which follow are folded into the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.graph import Array, Graph
from mien.errors import ConversionFailed

Shape = tuple[int | None, ...]
Constant = NDArray[Any]

# Where an axis of NHWC lies in NCHW, and the permutations that cross over.
NCHW_AXIS = (0, 2, 3, 1)
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)

_FOLDED_UNARY: dict[str, Callable[[Constant], Constant]] = {
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Abs": np.abs,
    "Reciprocal": np.reciprocal,
}
_FOLDED_BINARY: dict[str, Callable[[Constant, Constant], Constant]] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Max": np.maximum,
    "Min": np.minimum,
    "Pow": np.power,
}


class MixesPictures(ConversionFailed):
    """The file computes across the pictures of a batch, so that the batch cannot be free."""


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution that is not written yet; kernel `(out, in / groups, rows, columns)`, bias `(out,)`."""

    x: str
    kernel: Array
    bias: Array
    attributes: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor: a constant, a pending convolution, or a name in the graph."""

    shape: Shape
    constant: Constant | None = None
    convolution: Convolution | None = None
    name: str = ""

    @classmethod
    def of(cls, constant: Constant) -> Value:
        """A constant, as the file holds it."""
        return cls(constant.shape, constant)

    @property
    def known(self) -> tuple[int, ...]:
        """The shape behind the batch, where every length must be known."""
        if None in self.shape[1:]:
            raise ConversionFailed(
                "This network reshapes maps whose size is free.",
                hint="Freeze it again with a fixed picture size.",
            )
        return tuple(length for length in self.shape[1:] if length is not None)

    @property
    def is_free(self) -> bool:
        """Whether the first axis is the batch, of any length."""
        return bool(self.shape) and self.shape[0] is None


@dataclass
class Network:
    """A network under construction.

    Args:
        graph: Where it is written.
        limit: How many bytes of weights may be made: a small file may use one array a million times.
        names: The names of the inputs and outputs, which nothing else may have.
        single: The file was written for one picture at a time, so that taking the first is taking all.
    """

    graph: Graph
    limit: int
    names: frozenset[str] = frozenset()
    single: bool = False
    _written: dict[Value, str] = field(default_factory=dict)
    _nodes: int = 0

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Append an operator with one output."""
        self._nodes += 1
        if f"{operator.lower()}_{self._nodes - 1}" in self.names:
            inputs = (self.graph.add("Identity", inputs[0]), *inputs[1:])
            self._nodes += 1
        return self.graph.add(operator, *inputs, **attributes)

    def input(self, name: str, shape: Shape) -> Value:
        """Declare an input; one of rank 4 is a picture and becomes NCHW."""
        letters = ("n", "h", "w", "c") if len(shape) == 4 else tuple("nabdefgh")
        lengths = [letters[i] if length is None else length for i, length in enumerate(shape)]
        laid = [lengths[axis] for axis in TO_NCHW] if len(shape) == 4 else lengths
        return Value(shape, name=self.graph.input(name, tuple(laid)))

    def spend(self, size: int) -> None:
        """Account for `size` bytes of weights, or refuse."""
        self.limit -= size
        if self.limit < 0:
            raise ConversionFailed("This file's weights unfold to far more than the file itself.")

    def floats(self, array: Constant) -> Array:
        """The weights of a layer as float32, refusing those of quantised networks."""
        if array.dtype.kind != "f":
            raise ConversionFailed(
                "The weights of this network are not floats.",
                hint="Use the float32 or float16 version of this network, not a quantised one.",
            )
        if array.dtype != np.float32:
            self.spend(4 * array.size)
        return array.astype(np.float32, copy=False)

    def weight(self, array: Constant) -> str:
        """Store a constant: integers as int64, all else as float32."""
        self.spend(4 * array.size)
        if array.dtype.kind == "f" and np.isnan(array).any():
            raise ConversionFailed(
                "Some weights of this network are not numbers.",
                hint="Get the file again from its publisher and compare its sha256.",
            )
        return self.graph.weight(np.asarray(array, np.int64 if array.dtype == np.int64 else np.float32))

    def integers(self, values: Sequence[int]) -> str:
        """Store shapes, axes and the like."""
        return self.weight(np.array(values, np.int64))

    def name(self, value: Value) -> str:
        """The name of a value in the graph, writing it if nobody needed it before."""
        if value.name:
            return value.name
        if value not in self._written:
            self._written[value] = self._write(value)
        return self._written[value]

    def _write(self, value: Value) -> str:
        pending = value.convolution
        if pending is not None:
            kernel, bias = self.weight(pending.kernel), self.weight(pending.bias)
            return self.add("Conv", pending.x, kernel, bias, **pending.attributes)
        array = np.asarray(value.constant, np.float32)
        return self.weight(array.transpose(TO_NCHW) if array.ndim == 4 else array)

    def plain(self, value: Value) -> str:
        """The name of a value whose elements follow each other as in the file."""
        name = self.name(value)
        if len(value.shape) != 4 or one_order(value.shape):
            return name
        return self.add("Transpose", name, perm=TO_NHWC)

    def lay(self, name: str, shape: Shape) -> Value:
        """Give a tensor whose elements follow each other as in the file a new shape."""
        if len(shape) != 4 or one_order(shape):
            laid = [shape[axis] for axis in TO_NCHW] if len(shape) == 4 else shape
            return Value(shape, name=self._reshape(name, laid))
        name = self._reshape(name, shape)
        return Value(shape, name=self.add("Transpose", name, perm=TO_NCHW))

    def _reshape(self, name: str, shape: Sequence[int | None]) -> str:
        return self.add("Reshape", name, self.integers([length or 0 for length in shape]))

    def affine(self, x: Value, scale: Constant | float, shift: Constant | float) -> Value:
        """`x * scale + shift`, one number per channel each, or one for all."""
        channels = x.shape[-1]
        if channels is None or not {np.size(scale), np.size(shift)} <= {1, channels}:
            raise ConversionFailed("A normalisation does not fit the number of channels.")
        scales, shifts = (
            np.broadcast_to(np.asarray(each, np.float32).reshape(-1), (channels,)) for each in (scale, shift)
        )
        pending = x.convolution
        if pending is not None:
            self.spend(pending.kernel.nbytes)
            kernel = pending.kernel * scales[:, None, None, None]
            return replace(
                x, convolution=replace(pending, kernel=kernel, bias=pending.bias * scales + shifts)
            )
        around = (1, 1) if len(x.shape) == 4 else ()
        name = self.name(x)
        if (scales != 1).any():
            name = self.add("Mul", name, self.weight(scales.reshape(-1, *around)))
        if (shifts != 0).any():
            name = self.add("Add", name, self.weight(shifts.reshape(-1, *around)))
        return Value(x.shape, name=name)

    def unary(self, operator: str, x: Value, *more: float, **attributes: Any) -> Value:  # noqa: ANN401
        """An operator on every element; `more` are its scalar inputs."""
        if x.constant is not None and operator in _FOLDED_UNARY:
            self.spend(x.constant.nbytes)
            return Value.of(_FOLDED_UNARY[operator](x.constant))
        scalars = [self.weight(np.array(number, np.float32)) for number in more]
        return Value(x.shape, name=self.add(operator, self.name(x), *scalars, **attributes))

    def binary(self, operator: str, a: Value, b: Value) -> Value:
        """An operator on every pair of elements, broadcast as NumPy does."""
        if a.constant is not None and b.constant is not None:
            return self._fold(operator, a.constant, b.constant)
        folded = self._folded_into_convolution(operator, a, b)
        if folded is not None:
            return folded
        rank = max(len(a.shape), len(b.shape))
        a, b = self._raised(a, rank), self._raised(b, rank)
        shape = tuple(_wider(*pair) for pair in zip(a.shape, b.shape, strict=True))
        return Value(shape, name=self.add(operator, self.name(a), self.name(b)))

    def _fold(self, operator: str, a: Constant, b: Constant) -> Value:
        try:
            shape = np.broadcast_shapes(a.shape, b.shape)
        except ValueError as error:
            raise ConversionFailed(f"Two constants do not fit each other: {error}.") from error
        self.spend(8 * math.prod(shape))
        return Value.of(np.asarray(_FOLDED_BINARY[operator](a, b)))

    def _folded_into_convolution(self, operator: str, a: Value, b: Value) -> Value | None:
        x, constant = (a, b.constant) if a.constant is None else (b, a.constant)
        if x.convolution is None or constant is None:
            return None
        if constant.size not in (1, constant.shape[-1] if constant.ndim else 1):
            return None
        if constant.size not in (1, x.shape[-1]) or constant.ndim > 4:
            return None
        scale_shift = {
            "Add": (1.0, constant),
            "Mul": (constant, 0.0),
            "Sub": (1.0, -constant) if x is a else (-1.0, constant),
            "Div": (1 / constant.astype(np.float32), 0.0) if x is a else None,
        }.get(operator)
        return None if scale_shift is None else self.affine(x, *scale_shift)

    def _raised(self, value: Value, rank: int) -> Value:
        if len(value.shape) == rank:
            return value
        ones = (1,) * (rank - len(value.shape))
        if value.constant is not None:
            return Value.of(value.constant.reshape(ones + value.constant.shape))
        if value.is_free:
            raise MixesPictures("An operator combines tensors of different rank.")
        return self.lay(self.plain(value), ones + value.shape)

    def finish(self, outputs: Mapping[str, Value]) -> bytes:
        """Write the network; outputs are laid out and named as in the file."""
        names: dict[str, str] = {}
        for public, value in outputs.items():
            name = self.plain(value)
            if len(value.shape) == 4 and one_order(value.shape):
                name = self._reshape(name, value.shape)
            # An input, a weight or what another output is already cannot be renamed.
            names[public] = self.add("Identity", name)
        shapes = {
            public: tuple("n" if length is None else length for length in value.shape)
            for public, value in outputs.items()
        }
        return self.graph.finish(names, shapes)


def one_order(shape: Shape) -> bool:
    """Whether the elements of a tensor of rank 4 follow each other alike in NHWC and NCHW."""
    return shape[3] == 1 or (shape[1] == 1 and shape[2] == 1)


def _wider(a: int | None, b: int | None) -> int | None:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if None in (a, b):
        raise MixesPictures("An operator combines a batch with something of another length.")
    raise ConversionFailed(f"Lengths {a} and {b} do not fit each other.")
