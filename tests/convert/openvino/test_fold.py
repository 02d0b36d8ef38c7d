import numpy as np
import pytest

from irfiles import Ir
from mien.convert.openvino.fold import fake_quantize, fold
from mien.convert.openvino.ir import Source, read_layers

W = np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 1
N = np.array([7, 2, 9], np.int64)
MASKS = {"begin_mask": "0", "end_mask": "0", "new_axis_mask": "", "ellipsis_mask": ""}

CASES = {
    "transpose": ("Transpose", (W, [2, 0, 1]), {}, W.transpose(2, 0, 1)),
    "reverse": ("Transpose", (W, []), {}, W.T),
    "reshape": ("Reshape", (W, [0, -1]), {"special_zero": "true"}, W.reshape(2, 12)),
    "squeeze": ("Squeeze", (W[:, :1], [1]), {}, W[:, 0]),
    "squeeze-all": ("Squeeze", (W[:1, :1],), {}, W[0, 0]),
    "unsqueeze": ("Unsqueeze", (W, [0, -1]), {}, W[None, ..., None]),
    "gather": ("Gather", (W, [2, 0], np.array(-2)), {}, W[:, [2, 0]]),
    "divide": ("Divide", (W, W[:, :1]), {}, W / W[:, :1]),
    "divide-whole": ("Divide", (N, np.array([2])), {}, N // 2),
    "product": ("ReduceProd", (N, np.array(0)), {"keep_dims": "true"}, [126]),
    "slice": ("StridedSlice", (N, [1], [3], [1]), MASKS | {"shrink_axis_mask": "0"}, [2, 9]),
    "shrink": ("StridedSlice", (N, [1], [2]), MASKS | {"shrink_axis_mask": "1"}, 2),
    "new-axis": ("StridedSlice", (N, [0], [0]), MASKS | {"new_axis_mask": "1"}, N[None]),
    "shape": ("ShapeOf", (W,), {}, [2, 3, 4]),
    "whole": ("Convert", (W / 2,), {"destination_type": "i32"}, (W / 2).astype(np.int32)),
    "half": ("Convert", (W.astype(np.float16),), {"destination_type": "f32"}, W),
}


@pytest.mark.parametrize("name", CASES)
def test_constants_are_computed(name):
    kind, inputs, attributes, expected = CASES[name]
    ir = Ir()
    arrays = [np.asarray(x, None if np.size(x) else np.int64) for x in inputs]
    value = ir.one(kind, [ir.const(array) for array in arrays], np.shape(expected), **attributes)
    ir.result(value)
    found = fold(read_layers(ir.xml), ir.weights)[Source(str(value[0]), 0)]
    assert found.dtype == np.asarray(expected).dtype
    np.testing.assert_array_equal(found, expected)


def test_fake_quantisation_as_defined():
    x = np.array([-2, -1, -0.26, 0, 0.24, 0.26, 1, 5], np.float32)
    one, three = np.float32(1), np.float32(3)
    found = fake_quantize(x, -one, one, np.float32(0), three, 4)
    np.testing.assert_allclose(found, [0, 0, 1, 2, 2, 2, 3, 3])  # the tie at 0 goes to the even step
    assert found.dtype == np.float32
    empty = fake_quantize(x, one, one, -three, three, 4)  # a range of nothing only compares
    np.testing.assert_array_equal(empty, np.where(x > 1, 3, -3))
