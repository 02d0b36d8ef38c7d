"""TFLite networks as ONNX, and the networks inside MediaPipe's `.task` files.

Pictures become NCHW and the batch becomes free, although TFLite files are written for one picture;
a file that truly computes across the batch keeps its batch of one. Outputs keep the file's names
and shapes (channels last where they are maps). Float16 weights are stored as float32.
"""

from __future__ import annotations

import io
import zipfile
import zlib

import numpy as np

from mien.convert.building.channels_last import MixesPictures, Network, Shape, Value
from mien.convert.building.graph import Graph
from mien.convert.tflite.flatbuffer import damaged
from mien.convert.tflite.model import Model, Operator, Tensor, read
from mien.convert.tflite.operators import OPERATORS, Step
from mien.errors import ConversionFailed

_LARGEST_MEMBER = 64 << 20


def network(data: bytes) -> bytes:
    """Convert a TFLite file of one float network.

    Returns:
        ONNX bytes. A network of one input of rank 4 takes `image` float32 `(n, channels, h, w)`;
        other inputs keep their names and shapes, the first axis free.

    Raises:
        ConversionFailed: Damaged, quantised, or with operators that are not supported (all are named).
        ExtraMissing: The package onnx is not installed.
    """
    model = read(data)
    unknown = sorted({operator.kind for operator in model.operators} - set(OPERATORS))
    if unknown:
        raise ConversionFailed(
            f"This TFLite file uses operators that are not supported: {', '.join(unknown)}.",
            hint=f"Supported: {', '.join(sorted(OPERATORS))}.",
        )
    with np.errstate(all="ignore"):  # damaged weights
        try:
            return _Conversion(model, len(data), free=True).run()
        except MixesPictures:
            return _Conversion(model, len(data), free=False).run()


def mediapipe_mesh(data: bytes) -> bytes:
    """Convert the face mesh of 478 points inside MediaPipe's `face_landmarker*.task`.

    Returns:
        ONNX bytes; `image` `(n, 3, h, w)` to the points `(n, 1, 1, 1434)` and a logit `(n, 1, 1, 1)`.
    """
    return network(task_member(data, "face_landmarks_detector.tflite"))


def mediapipe_blendshapes(data: bytes) -> bytes:
    """Convert the blendshapes network inside MediaPipe's `face_landmarker*.task`.

    Returns:
        ONNX bytes; 146 points of the mesh `(n, 146, 2)` to 52 coefficients `(n, 52)`.
    """
    return network(task_member(data, "face_blendshapes.tflite"))


def task_member(data: bytes, name: str) -> bytes:
    """Read one file of a `.task` archive.

    Raises:
        ConversionFailed: Not an archive, damaged, without that file, or the file is over 64 MiB.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.getinfo(name)
            if entry.file_size > _LARGEST_MEMBER:
                raise ConversionFailed(f"{name} claims to unpack to {entry.file_size} bytes.")
            with archive.open(entry) as member:
                return member.read(_LARGEST_MEMBER)
    except KeyError as error:
        raise ConversionFailed(f"This .task file holds no {name}.") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        OSError,
        OverflowError,
        RuntimeError,
        ValueError,
    ) as error:
        raise ConversionFailed(
            f"Not a .task file, or a damaged one: {error}.",
            hint="Get the file again from its publisher and compare its sha256.",
        ) from error


class _Conversion:
    """One attempt at a file, with a free batch or with a batch of one."""

    def __init__(self, model: Model, size: int, *, free: bool) -> None:
        self._model = model
        self._inputs = _input_names([model.tensors[i] for i in model.inputs])
        self._outputs = _distinct([model.tensors[i] for i in model.outputs])
        reserved = frozenset(self._inputs + self._outputs)
        self._network = Network(Graph("tflite"), 16 * size + (16 << 20), reserved, single=True)
        self._free = free and all(model.tensors[i].shape[:1] == (1,) for i in model.inputs)
        self._values: dict[int, Value] = {}
        # Values whose batch the file has dropped: they may be handed out, but not computed with.
        self._dropped: set[int] = set()

    def run(self) -> bytes:
        """Write the network."""
        for i, name in zip(self._model.inputs, self._inputs, strict=True):
            tensor = self._model.tensors[i]
            if tensor.kind != 0:
                raise ConversionFailed(
                    f"The input {tensor.name!r} is not float32.",
                    hint="Use the float32 or float16 version of this network, not a quantised one.",
                )
            shape: Shape = (None, *tensor.shape[1:]) if self._free else tensor.shape
            self._values[i] = self._network.input(name, shape)
        for operator in self._model.operators:
            self._apply(operator)
        found = [self._value(i) for i in self._model.outputs]
        return self._network.finish(dict(zip(self._outputs, found, strict=True)))

    def _apply(self, operator: Operator) -> None:
        if self._dropped.intersection(operator.inputs):
            raise MixesPictures("The file computes with a tensor that has no batch.")
        if len(operator.outputs) != 1 or operator.outputs[0] < 0:
            raise damaged(f"the operator {operator.kind} has {len(operator.outputs)} results")
        index = operator.outputs[0]
        inputs = [None if i < 0 else self._value(i) for i in operator.inputs]
        claimed = self._model.tensors[index].shape
        try:
            value = OPERATORS[operator.kind](Step(self._network, operator, inputs, claimed))
        except (ValueError, IndexError) as error:
            # An operator that lacks an input, or has a constant where a tensor belongs.
            raise damaged(f"an operator {operator.kind} does not fit its tensors ({error})") from error
        self._check(index, value, claimed)
        self._values[index] = value

    def _check(self, index: int, value: Value, claimed: tuple[int, ...]) -> None:
        ours = tuple(1 if length is None else length for length in value.shape)
        if value.is_free and ours == (1, *claimed):
            self._dropped.add(index)
        elif ours != claimed:
            raise damaged(f"a tensor of shape {ours} is said to have the shape {claimed}")

    def _value(self, index: int) -> Value:
        if index not in self._values:
            constant = self._model.tensors[index].constant
            if constant is None:
                raise damaged(f"the tensor {self._model.tensors[index].name!r} is used before it is made")
            self._values[index] = Value.of(constant)
        return self._values[index]


def _input_names(inputs: list[Tensor]) -> list[str]:
    if len(inputs) == 1 and len(inputs[0].shape) == 4:
        return ["image"]
    return _distinct(inputs)


def _distinct(tensors: list[Tensor]) -> list[str]:
    names = [tensor.name for tensor in tensors]
    if len({*names, ""}) != len(names) + 1:
        raise damaged(f"inputs or outputs are called {names}")
    return names
