"""MXNet networks, a symbol and its parameters, as ONNX (Chen et al. 2015, arXiv:1512.01274)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mien.convert.building.sketch import Array, Shape, Sketch, Value
from mien.convert.mxnet.operators import LABELLED, OPERATORS
from mien.convert.mxnet.params import read_params
from mien.convert.mxnet.symbol import VARIABLE, Node, Symbol, needed, read_symbol
from mien.convert.mxnet.windows import Call, Operand
from mien.errors import ConversionFailed

_CONVOLVES = frozenset({"Convolution", "Convolution_v1"})


def network(symbol: bytes, params: bytes) -> bytes:
    """Convert a network from a checkpoint of any version of MXNet.

    MXNet's files do not say how large the input is. Its channels follow from the first convolution;
    rows and columns stay free, and whoever runs a network that ends in a matrix must know its size.

    Args:
        symbol: `NAME-symbol.json`.
        params: `NAME-0000.params`.

    Returns:
        ONNX bytes; inputs are named as in the symbol, outputs after the nodes that make them (without
        MXNet's `_output`), the batch is free. Labels are no inputs.

    Raises:
        ConversionFailed: A damaged or hostile file, or operators that we do not know; all are named.
        ExtraMissing: The packages of the extra `convert` are not installed.
    """
    found = _without_labels(read_symbol(symbol))
    nodes = needed(found)
    unknown = {found.nodes[number].operator for number in nodes} - OPERATORS.keys() - {VARIABLE}
    if unknown:
        named = ", ".join(operator[:40] for operator in sorted(unknown)[:50])
        raise ConversionFailed(f"MXNet operators that are not supported: {named}.")
    made = _Nodes(found, read_params(params), Sketch(len(params)))
    for number in sorted(nodes):
        made.compute(number)
    return made.finish()


def _without_labels(symbol: Symbol) -> Symbol:
    nodes = (
        replace(node, inputs=node.inputs[:1]) if node.operator in LABELLED else node for node in symbol.nodes
    )
    return replace(symbol, nodes=tuple(nodes))


class _Nodes:
    """The outputs of the nodes that have been computed so far."""

    def __init__(self, symbol: Symbol, params: Mapping[str, Array], sketch: Sketch) -> None:
        self._symbol = symbol
        self._params = params
        self._sketch = sketch
        self._made: dict[int, Sequence[Operand]] = {}

    def compute(self, number: int) -> None:
        node = self._symbol.nodes[number]
        if node.operator == VARIABLE:
            self._made[number] = [self._variable(number, node)]
            return
        try:
            operands = [self._output(*below) for below in node.inputs]
            results = OPERATORS[node.operator](Call(self._sketch, node, operands, self._params))
        except ConversionFailed as error:
            raise type(error)(f"{node}: {str(error)[:300].rstrip('.')}.") from error
        self._made[number] = [results] if isinstance(results, Value) else results

    def finish(self) -> bytes:
        outputs: dict[str, Value] = {}
        for number, output in dict.fromkeys(self._symbol.heads):
            name, value = self._symbol.nodes[number].name, self._output(number, output)
            if len(self._made[number]) > 1:
                name = f"{name}_output{output}"
            if name in outputs or not isinstance(value, Value):
                raise ConversionFailed(f"The output {name[:60]!r} is there twice, or not computed.")
            outputs[name] = value
        return self._sketch.finish("mxnet", outputs)

    def _output(self, number: int, output: int) -> Operand:
        made = self._made[number]
        if output >= len(made):
            raise ConversionFailed(f"{self._symbol.nodes[number]} has no output {output}.")
        return made[output]

    def _variable(self, number: int, node: Node) -> Operand:
        if node.name in self._params:
            return self._params[node.name]
        lengths = node.attributes.integers("__shape__")
        shape: Shape = (None, *(n or None for n in lengths[1:])) if lengths else self._shape_for(number)
        return self._sketch.input(node.name, shape)

    def _shape_for(self, number: int) -> Shape:
        """The shape of an input, from the weights that it meets first."""
        dependent = {number}
        for at, node in enumerate(self._symbol.nodes):
            if dependent.isdisjoint(below for below, _ in node.inputs):
                continue
            dependent.add(at)
            if len(node.inputs) < 2 or node.inputs[0][0] not in dependent:
                continue
            weight = self._params.get(self._symbol.nodes[node.inputs[1][0]].name)
            if node.operator in _CONVOLVES and weight is not None and weight.ndim == 4:
                return None, weight.shape[1] * node.attributes.integer("num_group", 1), None, None
            if node.operator == "FullyConnected" and weight is not None and weight.ndim == 2:
                return None, weight.shape[1]
        name = self._symbol.nodes[number].name
        raise ConversionFailed(
            f"The .params file has no {name[:60]!r}, and no convolution tells the shape of such an input."
        )
