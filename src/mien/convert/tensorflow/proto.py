"""The messages of a TensorFlow GraphDef, built at run time from a table: no generated code, no TensorFlow.

Only the fields that a frozen network for inference has; protobuf skips the others. The numbers are
those of tensorflow/core/framework/{graph,node_def,attr_value,tensor,tensor_shape}.proto.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed, ExtraMissing

_HINT = "Get the file again from its publisher and compare its sha256."
_MOST_AXES = 8
_LARGEST_SPLAT = 1 << 20

# Message: field name, number, type; a type that is no scalar is a message, * is repeated.
_MESSAGES: dict[str, tuple[tuple[str, int, str], ...]] = {
    "GraphDef": (("node", 1, "*NodeDef"), ("library", 2, "Library")),
    "Library": (("function", 1, "*Function"),),
    "Function": (),
    "NodeDef": (
        ("name", 1, "string"),
        ("op", 2, "string"),
        ("input", 3, "*string"),
        ("attr", 5, "*Attribute"),
    ),
    "Attribute": (("key", 1, "string"), ("value", 2, "AttrValue")),
    "AttrValue": (
        ("list", 1, "ListValue"),
        ("s", 2, "bytes"),
        ("i", 3, "int64"),
        ("f", 4, "float"),
        ("b", 5, "bool"),
        ("type", 6, "int32"),
        ("shape", 7, "Shape"),
        ("tensor", 8, "Tensor"),
    ),
    "ListValue": (("i", 3, "*int64"),),
    "Shape": (("dim", 2, "*Dim"), ("unknown_rank", 3, "bool")),
    "Dim": (("size", 1, "int64"),),
    "Tensor": (
        ("dtype", 1, "int32"),
        ("tensor_shape", 2, "Shape"),
        ("tensor_content", 4, "bytes"),
        ("float_val", 5, "*float"),
        ("double_val", 6, "*double"),
        ("int_val", 7, "*int32"),
        ("int64_val", 10, "*int64"),
        ("bool_val", 11, "*bool"),
        ("half_val", 13, "*int32"),
    ),
}


@dataclass(frozen=True)
class _Dtype:
    code: str
    field: str


# DataType of the schema; half floats are kept as integers in `half_val`.
_DTYPES = {
    1: _Dtype("<f4", "float_val"),
    2: _Dtype("<f8", "double_val"),
    3: _Dtype("<i4", "int_val"),
    9: _Dtype("<i8", "int64_val"),
    10: _Dtype("?", "bool_val"),
    19: _Dtype("<f2", "half_val"),
}
FLOAT, BOOL = 1, 10


@dataclass(frozen=True)
class Node:
    """One node: inputs are `name` or `name:output`, those of order only are left out."""

    name: str
    kind: str
    inputs: tuple[str, ...]
    attributes: dict[str, Any]

    def integers(self, key: str, default: Sequence[int] = ()) -> tuple[int, ...]:
        """A list attribute."""
        return tuple(self.attributes[key].list.i) if key in self.attributes else tuple(default)

    def integer(self, key: str, default: int = 0) -> int:
        """An integer or type attribute."""
        found = self.attributes.get(key)
        return default if found is None else found.i or found.type

    def real(self, key: str, default: float) -> float:
        """A float attribute."""
        return self.attributes[key].f if key in self.attributes else default

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A bool attribute."""
        return self.attributes[key].b if key in self.attributes else default

    def text(self, key: str, default: str = "") -> str:
        """A string attribute."""
        return self.attributes[key].s.decode("utf-8", "replace") if key in self.attributes else default

    def shape(self, key: str) -> tuple[int, ...] | None:
        """A shape attribute, -1 for free lengths; none if even the rank is unknown."""
        found = self.attributes[key].shape if key in self.attributes else None
        if found is None or found.unknown_rank or len(found.dim) > _MOST_AXES:
            return None
        return tuple(dim.size for dim in found.dim)

    def tensor(self) -> NDArray[Any]:
        """The value of a constant.

        Raises:
            ConversionFailed: Another type than numbers, or fewer bytes than its shape claims.
        """
        if "value" not in self.attributes:
            raise ConversionFailed(f"The constant {self.name!r} has no value.", hint=_HINT)
        return _array(self.name, self.attributes["value"].tensor)


def read(data: bytes) -> dict[str, Node]:
    """Read a frozen graph; nodes by name, in the order of the file.

    Raises:
        ConversionFailed: Not a GraphDef, damaged, or not frozen into one graph.
        ExtraMissing: The package protobuf (it comes with onnx) is not installed.
    """
    try:
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ExtraMissing.of("convert", "Converting networks needs the package onnx.") from error
    graph = _graph_class()()
    try:
        graph.ParseFromString(data)
    except DecodeError as error:
        raise ConversionFailed(
            f"Not a TensorFlow GraphDef, or a damaged one: {error}.", hint=_HINT
        ) from error
    if not graph.node:
        raise ConversionFailed(
            "This TensorFlow file holds no nodes.", hint="Freeze the network into one GraphDef (.pb) first."
        )
    nodes = {
        node.name: Node(
            node.name,
            node.op,
            tuple(each for each in node.input if not each.startswith("^")),
            {entry.key: entry.value for entry in node.attr},
        )
        for node in graph.node
    }
    if len(nodes) != len(graph.node):
        raise ConversionFailed("Several nodes of this TensorFlow graph have one name.", hint=_HINT)
    return nodes


def _array(name: str, tensor: Any) -> NDArray[Any]:  # noqa: ANN401
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype not in _DTYPES or len(shape) > _MOST_AXES or min(shape, default=1) < 0:
        raise ConversionFailed(f"The constant {name!r} has type {tensor.dtype} and shape {shape}.")
    dtype = _DTYPES[tensor.dtype]
    size = math.prod(shape)
    if tensor.tensor_content:
        if len(tensor.tensor_content) != size * np.dtype(dtype.code).itemsize:
            raise ConversionFailed(f"The constant {name!r} lacks bytes for its shape {shape}.", hint=_HINT)
        return np.frombuffer(tensor.tensor_content, dtype.code).reshape(shape)
    listed = getattr(tensor, dtype.field)
    if not 0 < len(listed) <= size and size:
        raise ConversionFailed(f"The constant {name!r} lacks values for its shape {shape}.", hint=_HINT)
    # The last value stands for all that follow: a few bytes may claim any size.
    if size > max(_LARGEST_SPLAT, len(listed)):
        raise ConversionFailed(f"The constant {name!r} repeats {len(listed)} values to {size}.")
    if dtype.field == "half_val":
        values = np.array(listed, np.int64).astype(np.uint16).view(np.float16)
    else:
        values = np.array(listed, dtype.code)
    return (
        np.pad(values, (0, size - len(values)), mode="edge").reshape(shape) if size else values.reshape(shape)
    )


def _graph_class() -> Any:  # noqa: ANN401
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field_types = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="mien/tf.proto", package="mien_tf", syntax="proto3")
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, number, kind in fields:
            scalar = kind.lstrip("*")
            repeated = field_types.LABEL_REPEATED if kind[0] == "*" else field_types.LABEL_OPTIONAL
            added = described.field.add(name=name, number=number, label=repeated)
            if scalar in _MESSAGES:
                added.type, added.type_name = field_types.TYPE_MESSAGE, f".mien_tf.{scalar}"
            else:
                added.type = getattr(field_types, f"TYPE_{scalar.upper()}")
    pool = descriptor_pool.DescriptorPool()  # our own: the default one is everybody's
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("mien_tf.GraphDef"))
