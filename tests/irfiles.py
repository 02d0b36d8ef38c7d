"""A small writer of OpenVINO's intermediate representation: layers and edges as XML, weights as bytes."""

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

TYPES = {"float32": "f32", "float16": "f16", "int64": "i64", "int32": "i32", "int8": "i8", "uint8": "u8"}


@dataclass
class Ir:
    """A network to write; a value is `(layer, output)`."""

    version: str = "11"
    layers: list = field(default_factory=list)
    edges: list = field(default_factory=list)
    weights: bytes = b""

    def add(self, kind, sources=(), shapes=((),), /, *, version="opset1", name=None, names="", **attributes):
        """Append a layer with any attributes (two underscores stand for a hyphen)."""
        key = len(self.layers)
        said = "".join(f' {re.sub("__", "-", k)}="{v}"' for k, v in attributes.items())
        ins = "".join(f'<port id="{i}"></port>' for i in range(len(sources)))
        outs = "".join(
            f'<port id="{len(sources) + i}" precision="FP32" names="{names}">'
            + "".join(f"<dim>{size}</dim>" for size in shape)
            + "</port>"
            for i, shape in enumerate(shapes)
        )
        self.layers.append(
            f'<layer id="{key}" name="{name or f"{kind}{key}"}" type="{kind}" version="{version}">'
            f"<data{said}/><input>{ins}</input><output>{outs}</output></layer>"
        )
        for i, (source, output) in enumerate(sources):
            self.edges.append(
                f'<edge from-layer="{source}" from-port="{output}" to-layer="{key}" to-port="{i}"/>'
            )
        return [(key, len(sources) + i) for i in range(len(shapes))]

    def one(self, kind, sources, shape, /, **attributes):
        """Append a layer of one output."""
        (value,) = self.add(kind, sources, (shape,), **attributes)
        return value

    def input(self, shape, name="data", kind="f32"):
        said = ",".join("?" if size == -1 else str(size) for size in shape)
        return self.one("Parameter", (), shape, name=name, shape=said, element_type=kind)

    def const(self, array, **changes):
        array = np.asarray(array)
        said = {
            "element_type": TYPES[array.dtype.name],
            "shape": ",".join(map(str, array.shape)),
            "offset": len(self.weights),
            "size": array.nbytes,
        }
        self.weights += array.tobytes()
        return self.one("Const", (), array.shape, **(said | changes))

    def ints(self, *values):
        return self.const(np.array(values, np.int64))

    def result(self, *values):
        for value in values:
            self.add("Result", (value,), ())

    @property
    def xml(self):
        return (
            f'<?xml version="1.0"?><net name="small" version="{self.version}">'
            f"<layers>{''.join(self.layers)}</layers><edges>{''.join(self.edges)}</edges></net>"
        ).encode()


def weights(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def one(kind, shape=None, **attributes):
    """A case of one layer with one input; `shape` is that of its output."""

    def build(ir, x, given):
        return ir.one(kind, (x,), given if shape is None else shape, **attributes)

    return build


def with_const(kind, *arrays, shape=None, first=False, **attributes):
    """A case of one layer which reads the input and constants."""

    def build(ir, x, given):
        constants = [ir.const(array) for array in arrays]
        sources = [*constants, x] if first else [x, *constants]
        return ir.one(kind, sources, given if shape is None else shape, **attributes)

    return build


def ints(*values):
    return np.array(values, np.int64)


def written(shape, build, version="11"):
    ir = Ir(version)
    ir.result(build(ir, ir.input(shape), shape))
    return ir


def by_openvino(ir, x):
    """What OpenVINO answers to each row of `x`, or skip."""
    openvino = pytest.importorskip("openvino", reason="needs openvino: make oracles")
    model = openvino.Core().read_model(ir.xml, ir.weights or b"\0")
    # Elsewhere it may compute in bfloat16, which is not what the file says.
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.concatenate([next(iter(compiled([row[None]]).values())).copy() for row in x])
