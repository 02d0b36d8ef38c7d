"""Frozen TensorFlow graphs (`.pb`) of image networks as ONNX.

Pictures become NCHW and the batch becomes free. Bool placeholders such as `phase_train` are read as
false, and branches that only training takes are left out. The input keeps its name; every node that
nothing else uses is an output, with the file's name and shape (channels last where it is a map).
"""

from __future__ import annotations

from enum import Enum, auto

import numpy as np

from mien.convert.building.channels_last import MixesPictures, Network, Shape, Value
from mien.convert.building.graph import Graph
from mien.convert.tensorflow.operators import OPERATORS, Step
from mien.convert.tensorflow.proto import BOOL, FLOAT, Node, read
from mien.errors import ConversionFailed


class _Absent(Enum):
    """What stands for a tensor that cannot be had."""

    DEAD = auto()  # the branch that a switch does not take
    UNKNOWN = auto()  # behind an operator that is not supported


_Result = Value | _Absent


def network(data: bytes) -> bytes:
    """Convert a frozen GraphDef.

    Returns:
        ONNX bytes; a picture goes in as float32 `(n, channels, h, w)`.

    Raises:
        ConversionFailed: Damaged, not frozen, or with operators that are not supported (all are named).
        ExtraMissing: The package onnx is not installed.
    """
    nodes = read(data)
    inputs = [node for node in nodes.values() if _is_input(node)]
    if not inputs:
        raise ConversionFailed("This TensorFlow graph has no placeholder of type float32.")
    ends = _ends(nodes, inputs)
    order = _order(nodes, ends)
    with np.errstate(all="ignore"):  # damaged weights
        try:
            return _Conversion(nodes, order, ends, len(data), free=True).run()
        except MixesPictures:
            return _Conversion(nodes, order, ends, len(data), free=False).run()


def _is_input(node: Node) -> bool:
    return node.kind == "Placeholder" and node.integer("dtype") == FLOAT


def _source(reference: str) -> tuple[str, int]:
    """Split `name:output`."""
    name, _, output = reference.partition(":")
    if output and not (output.isdecimal() and len(output) < 4):
        raise ConversionFailed(f"The input {reference!r} of a node is not understood.")
    return name, int(output or 0)


def _ends(nodes: dict[str, Node], inputs: list[Node]) -> list[str]:
    """Nodes that depend on an input and that no node uses, in the order of the file."""
    users: dict[str, list[str]] = {name: [] for name in nodes}
    for node in nodes.values():
        for reference in node.inputs:
            source = _source(reference)[0]
            if source not in users:
                raise ConversionFailed(f"The node {node.name!r} uses {source!r}, which does not exist.")
            users[source].append(node.name)
    reached, waiting = set(), [node.name for node in inputs]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(users[name])
    found = [name for name in nodes if name in reached and not users[name]]
    return [name for name in found if nodes[name].kind not in ("NoOp", "Assert", "Placeholder")]


def _order(nodes: dict[str, Node], ends: list[str]) -> list[str]:
    """All that the ends need, each node after its inputs."""
    order: list[str] = []
    done: dict[str, bool] = {}  # false while the inputs of a node are still being placed
    waiting = list(reversed(ends))
    while waiting:
        name = waiting[-1]
        if name in done:
            waiting.pop()
            if not done[name]:
                done[name] = True
                order.append(name)
            continue
        done[name] = False
        for reference in nodes[name].inputs:
            source = _source(reference)[0]
            if done.get(source) is False:
                raise ConversionFailed(f"The node {source!r} depends on itself: loops are not supported.")
            if source not in done:
                waiting.append(source)
    return order


class _Conversion:
    """One attempt at a graph, with a free batch or with a batch of one."""

    def __init__(
        self, nodes: dict[str, Node], order: list[str], ends: list[str], size: int, *, free: bool
    ) -> None:
        self._nodes, self._order, self._ends = nodes, order, ends
        self._shapes = {name: _input_shape(nodes[name]) for name in order if _is_input(nodes[name])}
        batches = {shape[0] for shape in self._shapes.values()}
        self._free = free and batches <= {1, -1}
        reserved = frozenset([*ends, *self._shapes])
        self._network = Network(Graph("tensorflow"), 16 * size + (16 << 20), reserved, single=batches == {1})
        self._results: dict[str, list[_Result]] = {}
        self._unknown: set[str] = set()

    def run(self) -> bytes:
        """Write the network."""
        for name in self._order:
            self._results[name] = self._result(self._nodes[name])
        if self._unknown:
            raise ConversionFailed(
                f"This TensorFlow graph uses operators that are not supported: "
                f"{', '.join(sorted(self._unknown))}.",
                hint=f"Supported: {', '.join(sorted(OPERATORS))}.",
            )
        found = {name: self._results[name][0] for name in self._ends}
        outputs = {
            name: value
            for name, value in found.items()
            if isinstance(value, Value) and value.constant is None
        }
        if not outputs:
            raise ConversionFailed("Nothing in this TensorFlow graph is computed from its input.")
        return self._network.finish(outputs)

    def _result(self, node: Node) -> list[_Result]:
        if node.kind == "Const":
            constant = node.tensor()
            self._network.spend(constant.nbytes)
            return [Value.of(constant)]
        if node.kind == "Placeholder":
            return [self._placeholder(node)]
        inputs = [self._input(node, reference) for reference in node.inputs]
        if node.kind == "Merge":
            return [next((each for each in inputs if each is not _Absent.DEAD), _Absent.DEAD)]
        if _Absent.DEAD in inputs:
            return [_Absent.DEAD, _Absent.DEAD]
        if node.kind not in OPERATORS and node.kind != "Switch":
            self._unknown.add(node.kind)
        values = [each for each in inputs if isinstance(each, Value)]
        if node.kind in self._unknown or len(values) < len(inputs):
            return [_Absent.UNKNOWN, _Absent.UNKNOWN]
        if node.kind == "Switch":
            return _switch(node, values)
        try:
            return [OPERATORS[node.kind](Step(self._network, node, values))]
        except (ValueError, IndexError) as error:
            # An operator that lacks an input, or has a constant where a tensor belongs.
            raise ConversionFailed(
                f"The node {node.name!r} ({node.kind}) does not fit its inputs: {error}."
            ) from error

    def _input(self, node: Node, reference: str) -> _Result:
        name, output = _source(reference)
        found = self._results[name]
        if output >= len(found):
            raise ConversionFailed(
                f"The node {node.name!r} uses result {output} of {name!r}, which only training does."
            )
        return found[output]

    def _placeholder(self, node: Node) -> Value:
        if node.integer("dtype") == BOOL:
            return Value.of(np.array(False))
        if node.name not in self._shapes:
            raise ConversionFailed(f"The input {node.name!r} is neither float32 nor bool.")
        shape = self._shapes[node.name]
        first = None if self._free else max(shape[0], 1)
        lengths: Shape = (first, *(None if length == -1 else length for length in shape[1:]))
        return self._network.input(node.name, lengths)


def _input_shape(node: Node) -> tuple[int, ...]:
    shape = node.shape("shape")
    if not shape or any(length == 0 or length < -1 for length in shape) or shape[-1] == -1:
        raise ConversionFailed(
            f"The input {node.name!r} has the shape {shape}; its channels must be known.",
            hint="Freeze the network with a placeholder of shape (None, height, width, channels).",
        )
    return shape


def _switch(node: Node, values: list[Value]) -> list[_Result]:
    """Result 0 is the branch of a false predicate, result 1 that of a true one."""
    taken = values[1].constant if len(values) == 2 else None
    if taken is None or taken.size != 1:
        raise ConversionFailed(f"The switch {node.name!r} depends on the picture: that is not supported.")
    return [_Absent.DEAD, values[0]] if taken.item() else [values[0], _Absent.DEAD]
