"""ONNX files whose shapes were frozen when they were exported, made to take any number of faces.

Exporters write the example's batch of one into the inputs and into the targets of reshapes. Both are
opened again; where that would change what the network computes, the file is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mien.errors import ConversionFailed, ExtraMissing

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

# The largest network that we know has 2,000 nodes.
_MOST_NODES = 100_000


def free_batch(data: bytes) -> bytes:
    """Open the first side of every input: any number of pictures of the size that the file names.

    Returns:
        ONNX bytes; inputs and outputs keep their names.

    Raises:
        ConversionFailed: Not an ONNX network, or one whose batch cannot be opened.
    """
    return _freed(data, sides=1)


def free_size(data: bytes) -> bytes:
    """Open the first side, height and width of every input of four sides; errors as `free_batch`."""
    return _freed(data, sides=3)


def _freed(data: bytes, sides: int) -> bytes:
    model = read_model(data)
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    # Old exporters list weights as inputs too, which keeps ONNX Runtime from folding them.
    pictures = [given for given in graph.input if given.name not in weights]
    del graph.input[:]
    graph.input.extend(pictures)
    for given in graph.input:
        dims = given.type.tensor_type.shape.dim
        if len(dims) != 4:
            raise ConversionFailed(f"The input {given.name} has {len(dims)} sides, not 4 as pictures have.")
        names = {0: "n", 2: "h", 3: "w"} if sides == 3 else {0: "n"}
        for i, name in names.items():
            dims[i].dim_param = name
    for found in graph.output:
        dims = found.type.tensor_type.shape.dim
        for i, dim in enumerate(dims):
            # What the exporter wrote about other sides may no longer be true either.
            if i == 0 or sides == 3:
                dim.dim_param = "n" if i == 0 else f"{found.name}_{i}"
    del graph.value_info[:]
    _free_reshapes(graph)
    return checked_bytes(model)


def _free_reshapes(graph: GraphProto) -> None:
    """Reshapes to `[1, ...]` become reshapes to `[0, ...]`, which keeps the first side whatever it is."""
    from onnx import helper, numpy_helper

    constants: dict[str, Any] = {weight.name: weight for weight in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants |= {name: a.t for name in node.output for a in node.attribute if a.name == "value"}
    made: dict[str, str] = {}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] not in constants:
            continue
        name = node.input[1]
        target = numpy_helper.to_array(constants[name])
        if target.ndim != 1 or len(target) < 2 or target[0] != 1:
            continue
        if name not in made:
            made[name] = f"{name}_free"
            opened = np.concatenate([[0], target[1:]]).astype(np.int64)
            graph.initializer.append(numpy_helper.from_array(opened, made[name]))
        node.input[1] = made[name]
        if any(a.name == "allowzero" and a.i for a in node.attribute):
            kept = [a for a in node.attribute if a.name != "allowzero"]
            del node.attribute[:]
            node.attribute.extend(kept)
            node.attribute.append(helper.make_attribute("allowzero", 0))


def read_model(data: bytes) -> ModelProto:
    """Parse an ONNX file that keeps its weights inside.

    Raises:
        ConversionFailed: Not an ONNX network, or its weights lie in other files.
        ExtraMissing: The package onnx is not installed.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ExtraMissing.of("convert", "Converting networks needs the package onnx.") from error
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ConversionFailed(f"This is not an ONNX network: {error}.") from error
    if not model.graph.node:
        raise ConversionFailed("This is not an ONNX network: it holds no operators.")
    if len(model.graph.node) > _MOST_NODES:
        raise ConversionFailed(f"The network has {len(model.graph.node):,} operators, more than any we know.")
    if any(weight.data_location for weight in model.graph.initializer):
        raise ConversionFailed(
            "The network keeps weights in other files.", hint="Save it again with all weights inside."
        )
    if odd := sorted({node.domain for node in model.graph.node} - {"", "ai.onnx"}):
        raise ConversionFailed(f"The network uses operators of {', '.join(odd)}, which we do not run.")
    return model


def checked_bytes(model: ModelProto) -> bytes:
    """The bytes of a model that is consistent.

    Raises:
        ConversionFailed: Shapes or types contradict each other.
    """
    import onnx

    try:
        onnx.checker.check_model(model)
        onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ConversionFailed(f"The network is inconsistent: {error}") from error
    written: bytes = model.SerializeToString(deterministic=True)
    return written
