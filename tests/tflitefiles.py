"""Writing small TFLite files field by field, for tests: valid ones and contradictory ones."""

import flatbuffers
import numpy as np
import onnxruntime
import pytest

from mien.convert.tflite.model import KINDS
from mien.convert.tflite.network import network

CODES = {name: number for number, name in KINDS.items()} | {"GATHER": 36, "TOPK_V2": 48, "CUSTOM": 32}
TYPES = {np.dtype(np.float32): 0, np.dtype(np.float16): 1, np.dtype(np.int32): 2, np.dtype(np.int8): 9}
SAME, VALID = 0, 1


class File:
    """A TFLite file under construction, written field by field as schema.fbs says."""

    def __init__(self):
        self.tensors, self.operators, self.inputs, self.outputs = [], [], [], []

    def tensor(self, shape, name="", array=None, kind=0):
        self.tensors.append((tuple(shape), name or f"t{len(self.tensors)}", array, kind))
        return len(self.tensors) - 1

    def input(self, shape, name="input", kind=0):
        self.inputs.append(self.tensor(shape, name, kind=kind))
        return self.inputs[-1]

    def constant(self, array):
        array = np.asarray(array)
        return self.tensor(array.shape, array=array, kind=TYPES[array.dtype])

    def integers(self, values):
        return self.constant(np.array(values, np.int32))

    def add(self, kind, inputs, shape, options=(), name="", options_type=1):
        """`options` are (field, type, value); the result has the shape."""
        output = self.tensor(shape, name)
        self.operators.append((kind, list(inputs), [output], options, options_type))
        return output

    def output(self, *tensors):
        self.outputs.extend(tensors)
        return self

    def bytes(self, *, buffer_override=None):
        b = flatbuffers.Builder(1024)
        buffers = [self._table(b, [])]
        tensors = []
        for shape, name, array, kind in self.tensors:
            buffer = 0
            if array is not None:
                buffer = len(buffers)
                raw = b.CreateByteVector(array.tobytes())
                buffers.append(self._table(b, [(0, "UOffsetTRelative", raw)]))
            fields = [
                (0, "UOffsetTRelative", self._vector(b, shape)),
                (1, "Int8", kind),
                (2, "Uint32", buffer if buffer_override is None else buffer_override),
                (3, "UOffsetTRelative", b.CreateString(name)),
            ]
            tensors.append(self._table(b, fields))
        kinds = sorted({operator[0] for operator in self.operators})
        codes = []
        for kind in kinds:
            custom = [(1, "UOffsetTRelative", b.CreateString("Mine"))] if kind == "CUSTOM" else []
            codes.append(
                self._table(b, [(0, "Int8", min(CODES[kind], 127)), (3, "Int32", CODES[kind]), *custom])
            )
        operators = []
        for kind, inputs, outputs, options, options_type in self.operators:
            fields = [
                (0, "Uint32", kinds.index(kind)),
                (1, "UOffsetTRelative", self._vector(b, inputs)),
                (2, "UOffsetTRelative", self._vector(b, outputs)),
            ]
            if options:
                fields += [(3, "Uint8", options_type), (4, "UOffsetTRelative", self._table(b, options))]
            operators.append(self._table(b, fields))
        lists = [self._tables(b, tensors), self._vector(b, self.inputs), self._vector(b, self.outputs)]
        lists.append(self._tables(b, operators))
        graph = self._table(b, [(i, "UOffsetTRelative", each) for i, each in enumerate(lists)])
        model = [(0, "Uint32", 3), (1, "UOffsetTRelative", self._tables(b, codes))]
        model += [(2, "UOffsetTRelative", self._tables(b, [graph]))]
        model += [(4, "UOffsetTRelative", self._tables(b, buffers))]
        b.Finish(self._table(b, model), b"TFL3")
        return bytes(b.Output())

    @staticmethod
    def _table(b, fields):
        b.StartObject(12)
        for slot, kind, value in fields:
            # A default that equals no value, so that every field is written.
            getattr(b, f"Prepend{kind}Slot")(slot, value, -1 if kind == "Float32" else 0)
        return b.EndObject()

    @staticmethod
    def _vector(b, values):
        return b.CreateNumpyVector(np.array(values, np.int32))

    @staticmethod
    def _tables(b, offsets):
        b.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            b.PrependUOffsetTRelative(offset)
        return b.EndVector()


def conv_options(padding, stride, activation=0, dilation=(1, 1)):
    rows, columns = stride
    return [
        (0, "Int8", padding), (1, "Int32", columns), (2, "Int32", rows),
        (3, "Int8", activation), (4, "Int32", dilation[1]), (5, "Int32", dilation[0]),
    ]  # fmt: skip


def depthwise_options(padding, stride, times, activation=0):
    return [
        (0, "Int8", padding), (1, "Int32", stride), (2, "Int32", stride), (3, "Int32", times),
        (4, "Int8", activation), (5, "Int32", 1), (6, "Int32", 1),
    ]  # fmt: skip


def pool_options(padding, stride, size):
    return [
        (0, "Int8", padding), (1, "Int32", stride), (2, "Int32", stride),
        (3, "Int32", size), (4, "Int32", size), (5, "Int8", 0),
    ]  # fmt: skip


def run(converted, x):
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    laid = x.transpose(0, 3, 1, 2) if x.ndim == 4 else x
    (given,) = session.get_inputs()
    return dict(
        zip((o.name for o in session.get_outputs()), session.run(None, {given.name: laid}), strict=True)
    )


def original(data, x):
    """What the original runtime says, row by row."""
    runtime = pytest.importorskip("ai_edge_litert.interpreter", reason="needs ai-edge-litert")
    interpreter = runtime.Interpreter(model_content=data, num_threads=1)
    interpreter.allocate_tensors()
    (given,), made = interpreter.get_input_details(), interpreter.get_output_details()
    rows = {each["name"]: [] for each in made}
    for row in x:
        interpreter.set_tensor(given["index"], row[None])
        interpreter.invoke()
        for each in made:
            rows[each["name"]].append(interpreter.get_tensor(each["index"]).copy())
    return rows


def agree(data, x, converted=None):
    """Compare batches of one and of three with the original, relative to the scale of each output."""
    converted = network(data) if converted is None else converted
    expected = original(data, x)
    for n in (1, len(x)):
        found = run(converted, x[:n])
        assert list(found) == list(expected)
        for name, rows in expected.items():
            assert len(found[name]) == n
            wanted = np.stack(rows[:n]).reshape(found[name].shape)
            scale = max(np.abs(wanted).max(), 1e-6)
            assert np.abs(found[name] - wanted).max() / scale < 1e-4, name
