"""A network while a converter reads it: values with shapes, and steps to be tidied before they are written.

Every value has the batch as its first axis, of free length; no step may mix the images of a batch.
What no output needs is not written, and a scaling per channel goes into the convolution or matrix
before it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.convert.building.blocks import prelu
from mien.convert.building.graph import Graph
from mien.errors import ConversionFailed

Array = NDArray[np.float32]
# A length that is None is known only when the network runs.
Shape = tuple[int | None, ...]

_MOST_AXES = 8
_LONGEST = (1 << 31) - 1


class Unsized(ConversionFailed):
    """A layer can only be converted where the size of its input is known."""


@dataclass(frozen=True, slots=True)
class Value:
    """What a step computes: the step's number and the shape, whose first axis is the batch."""

    step: int
    shape: Shape


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One operator of ONNX, or `Input`, `Affine` or `PRelu`, which are written in ways of their own."""

    operator: str
    inputs: tuple[Value | NDArray[Any], ...]
    attributes: Mapping[str, Any]

    @property
    def values(self) -> list[Value]:
        """The inputs that are computed."""
        return [x for x in self.inputs if isinstance(x, Value)]

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """The inputs that are stored in the network."""
        return [x for x in self.inputs if not isinstance(x, Value)]


class Sketch:
    """Steps in the order of their computation.

    Args:
        source_bytes: Size of the file of weights. A few lines of a hostile description can ask for
            the same weights ten thousand times; what we store is bounded by what the file holds.
        batch: Number of images that the description was written for, where it says one: a reshape to
            that many at the front keeps images apart.
    """

    def __init__(self, source_bytes: int, batch: int | None = None) -> None:
        self.batch = batch
        self._steps: list[Step] = []
        self._stored: set[int] = set()
        # Bytes become float32 (4 times), slopes and scalings are stored beside their convolution.
        self._budget = 8 * source_bytes + (1 << 20)

    def input(self, name: str, shape: Shape) -> Value:
        """Declare an input of the network."""
        return self.add("Input", shape, name=name, lengths=shape)

    def add(self, operator: str, shape: Shape, *inputs: Value | NDArray[Any], **attributes: Any) -> Value:  # noqa: ANN401
        """Append a step that computes a value of this shape.

        Raises:
            ConversionFailed: More weights than the source can back, a number that is not finite, or a
                shape that no network has.
        """
        if not all(math.isfinite(value) for value in attributes.values() if isinstance(value, float)):
            raise ConversionFailed(f"A number of {operator} is not finite.")
        if len(shape) > _MOST_AXES or not all(n is None or 1 <= n <= _LONGEST for n in shape):
            raise ConversionFailed(f"{operator} makes a value of the shape {str(shape)[:80]}.")
        step = Step(operator, inputs, attributes)
        for array in step.arrays:
            if id(array) not in self._stored:  # the steps keep arrays alive, so ids stay unique
                self._stored.add(id(array))
                self._budget -= array.nbytes
        if self._budget < 0:
            raise ConversionFailed("The network asks for many times more weights than its file holds.")
        self._steps.append(step)
        return Value(len(self._steps) - 1, shape)

    def affine(self, x: Value, scale: NDArray[Any] | float, shift: NDArray[Any] | float) -> Value:
        """Scale and shift; both `(channels,)` or one number for all."""
        arrays = [as_float32(a).reshape(-1) for a in (scale, shift)]
        if any(a.size not in (1, x.shape[1] or a.size) for a in arrays):
            raise ConversionFailed(f"A scaling of {max(a.size for a in arrays)} channels meets {x.shape[1]}.")
        return self.add("Affine", x.shape, x, *arrays)

    def prelu(self, x: Value, slope: Array) -> Value:
        """Rectifier with a slope for negative numbers, `(channels,)` or one for all."""
        if slope.size == 1:
            return self.add("LeakyRelu", x.shape, x, alpha=float(slope.reshape(())))
        if slope.size != (x.shape[1] or slope.size):
            raise ConversionFailed(f"Slopes for {slope.size} channels meet {x.shape[1]}.")
        return self.add("PRelu", x.shape, x, slope)

    def finish(self, name: str, outputs: Mapping[str, Value]) -> bytes:
        """Write the steps that the outputs need as ONNX.

        Raises:
            ConversionFailed: No outputs, weights that are not finite, or an inconsistent network.
        """
        if not outputs:
            raise ConversionFailed("The network has no outputs.")
        steps = list(self._steps)
        uses = _uses(steps, outputs)
        _fold(steps, uses)
        writer = _Writer(Graph(name))
        for number, step in enumerate(steps):
            if uses[number]:
                writer.write(number, step)
        if not any(step.operator == "Input" and uses[number] for number, step in enumerate(steps)):
            raise ConversionFailed("The outputs of the network do not depend on an input.")
        return writer.finish(outputs)


def as_float32(array: NDArray[Any] | float) -> Array:
    """Make numbers float32; those too large become infinite, which `Sketch.finish` refuses."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(array).astype(np.float32, copy=False)


def integers(*values: int) -> NDArray[np.int64]:
    """Sizes, axes and positions as ONNX wants them."""
    try:
        return np.array(values, np.int64)
    except OverflowError as error:
        raise ConversionFailed("A size or an axis is not a sensible number.") from error


def _uses(steps: list[Step], outputs: Mapping[str, Value]) -> list[int]:
    uses = [0] * len(steps)
    for value in outputs.values():
        uses[value.step] += 1
    for number in reversed(range(len(steps))):
        if uses[number]:
            for value in steps[number].values:
                uses[value.step] += 1
    return uses


def _fold(steps: list[Step], uses: list[int]) -> None:
    """Merge scalings into what is before them, where nothing else uses that or its weights."""
    held = Counter(id(a) for number, step in enumerate(steps) if uses[number] for a in step.arrays)
    for number, step in enumerate(steps):
        if not uses[number] or step.operator != "Affine":
            continue
        below = step.values[0].step
        before = steps[below]
        fold = _FOLDS.get(before.operator)
        if fold is None or uses[below] > 1 or any(held[id(a)] > 1 for a in before.arrays):
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            weight, bias = fold(*before.arrays, *step.arrays)
        steps[number] = Step(before.operator, (before.inputs[0], weight, bias), before.attributes)
        uses[below] = 0


def _fold_rows(weight: Array, bias: Array, scale: Array, shift: Array) -> tuple[Array, Array]:
    """Outputs are the first axis of a kernel, and of a matrix."""
    return weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), bias * scale + shift


def _fold_affine(scale: Array, shift: Array, outer_scale: Array, outer_shift: Array) -> tuple[Array, Array]:
    return scale * outer_scale, shift * outer_scale + outer_shift


_FOLDS: Mapping[str, Callable[..., tuple[Array, Array]]] = {
    "Conv": _fold_rows,
    "Gemm": _fold_rows,
    "Affine": _fold_affine,
}


class _Writer:
    """Turns steps into operators of ONNX."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names: dict[int, str] = {}
        self._weights: dict[int, str] = {}
        self._inputs: set[str] = set()
        self._special: dict[str, Callable[[Step], str]] = {
            "Input": self._input,
            "Affine": self._affine,
            "PRelu": self._prelu,
        }

    def write(self, number: int, step: Step) -> None:
        self._names[number] = self._special.get(step.operator, self._plain)(step)

    def finish(self, outputs: Mapping[str, Value]) -> bytes:
        internal: dict[str, str] = {}
        for public, value in outputs.items():
            name = self._names[value.step]
            taken = name in internal.values() or name in self._inputs
            internal[public] = self._graph.add("Identity", name) if taken else name
        shapes = {
            public: _named(value.shape, ["n", *(f"{public}_{axis}" for axis in range(1, len(value.shape)))])
            for public, value in outputs.items()
        }
        return self._graph.finish(internal, shapes)

    def _plain(self, step: Step) -> str:
        names = [self._names[x.step] if isinstance(x, Value) else self._shared(x) for x in step.inputs]
        return self._graph.add(step.operator, *names, **step.attributes)

    def _input(self, step: Step) -> str:
        name = str(step.attributes["name"])
        self._inputs.add(name)
        lengths: Shape = step.attributes["lengths"]
        free = ["n", "channels", "h", "w", *(f"{name}_{axis}" for axis in range(4, len(lengths)))]
        return self._graph.input(name, _named(lengths, free))

    def _affine(self, step: Step) -> str:
        x, (scale, shift) = step.values[0], step.arrays
        name, rank = self._names[x.step], len(x.shape)
        if rank == 4 and scale.size > 1:
            scale, shift, zero, one = np.broadcast_arrays(scale, shift, as_float32(0), as_float32(1))
            weights = [self._weight(a) for a in (scale, shift, zero, one)]
            return self._graph.add("BatchNormalization", name, *weights, epsilon=0.0)
        if (scale != 1).any():
            name = self._graph.add("Mul", name, self._weight(_along_channels(scale, rank)))
        if (shift != 0).any():
            name = self._graph.add("Add", name, self._weight(_along_channels(shift, rank)))
        return name

    def _prelu(self, step: Step) -> str:
        x, slope = step.values[0], step.arrays[0]
        name, rank = self._names[x.step], len(x.shape)
        if rank != 4:
            return self._graph.add("PRelu", name, self._weight(_along_channels(slope, rank)[0]))
        return prelu(self._graph, name, _finite(slope.ravel()))

    def _shared(self, array: NDArray[Any]) -> str:
        """Store an array once for all steps that hold it."""
        if id(array) not in self._weights:
            self._weights[id(array)] = self._weight(array)
        return self._weights[id(array)]

    def _weight(self, array: NDArray[Any]) -> str:
        return self._graph.weight(_finite(array))


def _finite(array: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(array).all():
        raise ConversionFailed("The network has weights that are not finite.")
    return array


def _along_channels(array: NDArray[Any], rank: int) -> NDArray[Any]:
    return array.reshape(1, -1, *[1] * (rank - 2))


def _named(shape: Shape, free: Sequence[str]) -> tuple[int | str, ...]:
    return tuple(free[axis] if length is None else length for axis, length in enumerate(shape))
