"""Writing ONNX graphs: the few operators that our converters need, deterministically named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed, ExtraMissing

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

Array = NDArray[np.float32]

# Old enough for every ONNX Runtime that we support.
OPSET = 17
IR_VERSION = 8


class Graph:
    """A network under construction; every method adds one operator and returns its output's name.

    Layout is NCHW throughout. Weights are float32.
    """

    def __init__(self, name: str) -> None:
        try:
            import onnx
        except ImportError as error:
            raise ExtraMissing.of("convert", "Converting networks needs the package onnx.") from error
        self._onnx = onnx
        self._name = name
        self._inputs: list[Any] = []
        self._nodes: list[NodeProto] = []
        self._weights: list[TensorProto] = []

    def input(self, name: str, shape: tuple[int | str, ...]) -> str:
        """Declare a float32 input; a string in the shape is a free length."""
        float32 = self._onnx.TensorProto.FLOAT
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, float32, shape))
        return name

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:  # noqa: ANN401
        """Append any operator with one output."""
        # No name in a foreign file looks like this, so that its own names stay free for what is public.
        output = f"{operator.lower()}@{len(self._nodes)}"
        self._nodes.append(
            self._onnx.helper.make_node(operator, list(inputs), [output], output, **attributes)
        )
        return output

    def weight(self, array: NDArray[Any]) -> str:
        """Store an array in the network and return its name."""
        name = f"weight@{len(self._weights)}"
        self._weights.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def conv(self, x: str, kernel: Array, bias: Array, stride: int = 1, pad: int = 0) -> str:
        """Convolution; kernel `(out, in, h, w)`, bias `(out,)`."""
        h, w = kernel.shape[2:]
        return self.add(
            "Conv",
            x,
            self.weight(kernel),
            self.weight(bias),
            kernel_shape=[h, w],
            strides=[stride, stride],
            pads=[pad] * 4,
        )

    def gemm(self, x: str, matrix: Array, bias: Array) -> str:
        """Fully connected; x `(n, in)`, matrix `(in, out)`, bias `(out,)`."""
        return self.add("Gemm", x, self.weight(matrix), self.weight(bias))

    def max_pool(self, x: str, size: int, stride: int, *, ceil: bool = False) -> str:
        """Maximum over windows; with `ceil` the last window may hang over the edge."""
        return self.add(
            "MaxPool", x, kernel_shape=[size, size], strides=[stride, stride], ceil_mode=int(ceil)
        )

    def finish(self, outputs: dict[str, str], shapes: dict[str, tuple[int | str, ...]]) -> bytes:
        """Rename outputs (`{public: internal}`), check the graph and return its bytes."""
        renamed = {internal: public for public, internal in outputs.items()}
        for node in self._nodes:
            for i, name in enumerate(node.output):
                node.output[i] = renamed.get(name, name)
            for i, name in enumerate(node.input):
                node.input[i] = renamed.get(name, name)
        onnx, float32 = self._onnx, self._onnx.TensorProto.FLOAT
        values = [onnx.helper.make_tensor_value_info(name, float32, shapes[name]) for name in outputs]
        graph = onnx.helper.make_graph(self._nodes, self._name, self._inputs, values, self._weights)
        model = onnx.helper.make_model(
            graph,
            opset_imports=[onnx.helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="mien.convert",
        )
        try:
            onnx.checker.check_model(model, full_check=True)
        except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
            raise ConversionFailed(f"The converted network {self._name} is inconsistent: {error}") from error
        written: bytes = model.SerializeToString(deterministic=True)
        return written
