import numpy as np
import onnxruntime
import pytest

from irfiles import by_openvino, ints, one, weights, with_const, written
from mien.convert.openvino.network import network

PLANES = (1, 4, 7, 9)
ROWS = (1, 6)
CONV = {"strides": "1,1", "dilations": "1,1", "pads_begin": "0,0", "pads_end": "0,0"}
STILL = {"begin_mask": "1,0,1", "end_mask": "1,0,1", "new_axis_mask": "0,0,0", "ellipsis_mask": "0,0,0"}


def scalar(value):
    return np.array(value, np.float32)


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def erf_free_mish(x):
    return x * np.tanh(np.log1p(np.exp(x)))


def affine_chain(ir, x, given):
    x = ir.one("Convolution", (x, ir.const(weights(4, 4, 1, 1))), given, **CONV)
    x = ir.one("Multiply", (x, ir.const(weights(1, 4, 1, 1))), given)
    x = ir.one("Add", (ir.const(weights(4, 1, 1)), x), given)
    x = ir.one("Subtract", (x, ir.const(scalar(0.5))), given)
    x = ir.one("Divide", (x, ir.const(scalar(4))), given)
    parts = [ir.const(np.abs(weights(4)) + i) for i in range(4)]
    return ir.one("BatchNormInference", (x, *parts), given, version="opset5", epsilon="1e-5")


def expected_chain(x):
    y = np.einsum("oi,nihw->nohw", weights(4, 4, 1, 1)[..., 0, 0], x)
    y = ((y * weights(1, 4, 1, 1) + weights(4, 1, 1)) - 0.5) / 4
    gamma, beta, mean, variance = (np.reshape(np.abs(weights(4)) + i, (1, 4, 1, 1)) for i in range(4))
    return (y - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def split(ir, x, given):
    parts = ir.add("Split", (x, ir.const(np.array(1, np.int64))), [(1, 2, 7, 9)] * 2, num_splits="2")
    return ir.one("Concat", parts[::-1], given, axis="1")


def variadic(ir, x, given):
    sizes = [(1, 1, 7, 9), (1, 3, 7, 9)]
    parts = ir.add("VariadicSplit", (x, ir.const(np.array(1, np.int64)), ir.ints(1, 3)), sizes)
    return parts[1]


def old_batch_norm(ir, x, given):
    gamma, beta, mean, variance = (ir.const(np.abs(weights(4)) + i) for i in range(4))
    x = ir.one("ReLU", (x,), given)
    return ir.one("BatchNormInference", (gamma, beta, x, mean, variance), given, epsilon="0.001")


def shuffle(ir, x, given):
    """Reshape with the batch written into the constant, as in ShuffleNet."""
    x = ir.one("Reshape", (x, ir.ints(1, 2, 2, 7, 9)), (1, 2, 2, 7, 9), special_zero="true")
    x = ir.one("Transpose", (x, ir.ints(0, 2, 1, 3, 4)), (1, 2, 2, 7, 9))
    return ir.one("Reshape", (x, ir.ints(1, 4, 7, 9)), given, special_zero="false")


def rows_of_all(ir, x, given):
    """Softmax over rows of all pictures at once, and back to a shape that is computed."""
    flat = ir.one("Reshape", (x, ir.ints(-1, 9)), (28, 9), special_zero="true")
    y = ir.one("SoftMax", (flat,), (28, 9), axis="1")
    shape = ir.one("ShapeOf", (x,), (4,), version="opset3", output_type="i64")
    return ir.one("Reshape", (y, shape), given, special_zero="false")


def quantised(ir, x, given):
    low, high = ir.const(np.full((1, 4, 1, 1), -1, np.float32)), ir.const(np.abs(weights(1, 4, 1, 1)) + 1)
    out_low, out_high = ir.const(scalar(-2)), ir.const(scalar(3))
    return ir.one("FakeQuantize", (x, low, high, out_low, out_high), given, levels="16")


def expected_quantised(x):
    low, high = -1, np.abs(weights(1, 4, 1, 1)) + 1
    return np.round((np.clip(x, low, high) - low) / (high - low) * 15) / 15 * 5 - 2


def small_weights(ir, x, given):
    """int8 weights: (w - zero) * scale, in float16, as newer files store them."""
    w = ir.one(
        "Convert", (ir.const(np.arange(24, dtype=np.uint8).reshape(4, 6)),), (4, 6), destination_type="f16"
    )
    w = ir.one("Subtract", (w, ir.const(np.full((4, 1), 12, np.float16))), (4, 6))
    w = ir.one("Multiply", (w, ir.const(np.full((4, 1), 0.25, np.float16))), (4, 6))
    w = ir.one("Convert", (w,), (4, 6), destination_type="f32")
    return ir.one("MatMul", (x, w), (1, 4), transpose_a="false", transpose_b="true")


def fake_weights(ir, x, given):
    """int8 weights: stored bytes, and the range they stand for."""
    w = ir.one(
        "Convert",
        (ir.const(np.arange(24, dtype=np.uint8).reshape(6, 4) * 10),),
        (6, 4),
        destination_type="f32",
    )
    limits = [ir.const(np.array(v, np.float32)) for v in ([0], [254], [[-1] * 4], [[1, 2, 3, 4]])]
    w = ir.one("FakeQuantize", (w, *limits), (6, 4), levels="255")
    return ir.one("MatMul", (x, w), (1, 4))


CASES = {
    "relu": (PLANES, one("ReLU"), lambda x: np.maximum(x, 0)),
    "sigmoid": (ROWS, one("Sigmoid"), lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (ROWS, one("Tanh"), np.tanh),
    "hswish": (ROWS, one("HSwish", version="opset4"), lambda x: x * np.clip(x + 3, 0, 6) / 6),
    "hsigmoid": (ROWS, one("HSigmoid", version="opset5"), lambda x: np.clip(x + 3, 0, 6) / 6),
    "swish": (ROWS, with_const("Swish", scalar(2), version="opset4"), lambda x: x / (1 + np.exp(-2 * x))),
    "mish": (ROWS, one("Mish", version="opset4"), erf_free_mish),
    "elu": (ROWS, one("Elu", alpha="0.5"), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    "clamp": (ROWS, one("Clamp", min="-0.5", max="1"), lambda x: np.clip(x, -0.5, 1)),
    "softmax": (PLANES, one("SoftMax", axis="1"), lambda x: softmax(x, 1)),
    "softmax-8": (PLANES, one("SoftMax", axis="-1", version="opset8"), lambda x: softmax(x, 3)),
    "grn": (PLANES, one("GRN", bias="0.1"), lambda x: x / np.sqrt((x**2).sum(1, keepdims=True) + 0.1)),
    "convert": (PLANES, one("Convert", destination_type="f32"), lambda x: x),
    "add": (PLANES, with_const("Add", weights(1, 4, 1, 1)), lambda x: x + weights(1, 4, 1, 1)),
    "subtract": (ROWS, with_const("Subtract", weights(1, 6), first=True), lambda x: weights(1, 6) - x),
    "divide": (ROWS, with_const("Divide", scalar(3)), lambda x: x / 3),
    "multiply": (PLANES, with_const("Multiply", weights(4, 1, 1)), lambda x: x * weights(4, 1, 1)),
    "maximum": (ROWS, with_const("Maximum", weights(1, 6)), lambda x: np.maximum(x, weights(1, 6))),
    "prelu": (PLANES, with_const("PReLU", scalar([0.3])), lambda x: np.where(x < 0, 0.3 * x, x)),
    "prelu-channels": (
        PLANES,
        with_const("PReLU", weights(4)),
        lambda x: np.where(x < 0, weights(4).reshape(4, 1, 1) * x, x),
    ),
    "prelu-rows": (ROWS, with_const("PReLU", weights(6)), lambda x: np.where(x < 0, weights(6) * x, x)),
    "chain": (PLANES, affine_chain, expected_chain),
    "batch-norm-1": (
        PLANES,
        old_batch_norm,
        lambda x: (
            (np.maximum(x, 0) - (np.abs(weights(4)) + 2).reshape(4, 1, 1))
            / np.sqrt(np.abs(weights(4)) + 3.001).reshape(4, 1, 1)
            * np.abs(weights(4)).reshape(4, 1, 1)
            + (np.abs(weights(4)) + 1).reshape(4, 1, 1)
        ),
    ),
    "matmul": (ROWS, with_const("MatMul", weights(6, 3), shape=(1, 3)), lambda x: x @ weights(6, 3)),
    "reduce-mean": (
        PLANES,
        with_const("ReduceMean", ints(-1, 2), shape=(1, 4), keep_dims="false"),
        lambda x: x.mean((2, 3)),
    ),
    "reduce-sum": (
        PLANES,
        with_const("ReduceSum", ints(1), shape=(1, 1, 7, 9), keep_dims="true"),
        lambda x: x.sum(1, keepdims=True),
    ),
    "normalize-l2": (
        ROWS,
        with_const("NormalizeL2", ints(1), eps="1e-3", eps_mode="max"),
        lambda x: x / np.sqrt(np.maximum((x**2).sum(1, keepdims=True), 1e-3)),
    ),
    "flatten": (
        PLANES,
        with_const("Reshape", ints(1, -1), shape=(1, 252), special_zero="true"),
        lambda x: x.reshape(len(x), -1),
    ),
    "unsqueeze": (ROWS, with_const("Unsqueeze", ints(-1), shape=(1, 6, 1)), lambda x: x[..., None]),
    "squeeze": ((1, 6, 1, 1), with_const("Squeeze", ints(2, 3), shape=ROWS), lambda x: x[..., 0, 0]),
    "transpose": (
        PLANES,
        with_const("Transpose", ints(0, 2, 3, 1), shape=(1, 7, 9, 4)),
        lambda x: x.transpose(0, 2, 3, 1),
    ),
    "split": (PLANES, split, lambda x: x[:, [2, 3, 0, 1]]),
    "variadic-split": (PLANES, variadic, lambda x: x[:, 1:]),
    "strided-slice": (
        PLANES,
        with_const(
            "StridedSlice",
            ints(0, 1, 0),
            ints(0, 4, 0),
            ints(1, 2, 1),
            shape=(1, 2, 7, 9),
            shrink_axis_mask="0,0,0",
            **STILL,
        ),
        lambda x: x[:, 1:4:2],
    ),
    "strided-slice-shrink": (
        PLANES,
        with_const(
            "StridedSlice", ints(0, -1, 0), ints(0, 0, 0), shape=(1, 7, 9), shrink_axis_mask="0,1,0", **STILL
        ),
        lambda x: x[:, -1],
    ),
    "strided-slice-ellipsis": (
        PLANES,
        with_const(
            "StridedSlice",
            ints(0, 8),
            ints(0, 1),
            ints(1, -3),
            shape=(1, 4, 7, 3),
            begin_mask="0,0",
            end_mask="0,0",
            new_axis_mask="",
            shrink_axis_mask="",
            ellipsis_mask="1,0",
        ),
        lambda x: x[..., 8:1:-3],
    ),
    "gather": (
        PLANES,
        with_const("Gather", ints(2, 1, 0), np.array(1, np.int64), shape=(1, 3, 7, 9), version="opset8"),
        lambda x: x[:, [2, 1, 0]],
    ),
    "pad": (
        PLANES,
        with_const(
            "Pad", ints(0, 0, 1, 2), ints(0, 1, 0, 3), scalar(7), shape=(1, 5, 8, 14), pad_mode="constant"
        ),
        lambda x: np.pad(x, ((0, 0), (0, 1), (1, 0), (2, 3)), constant_values=7),
    ),
    "pad-reflect": (
        PLANES,
        with_const("Pad", ints(0, 0, 1, 2), ints(0, 0, 0, 3), shape=(1, 4, 8, 14), pad_mode="reflect"),
        lambda x: np.pad(x, ((0, 0), (0, 0), (1, 0), (2, 3)), mode="reflect"),
    ),
    "shuffle": (
        PLANES,
        shuffle,
        lambda x: x.reshape(-1, 2, 2, 7, 9).transpose(0, 2, 1, 3, 4).reshape(-1, 4, 7, 9),
    ),
    "rows-of-all": (PLANES, rows_of_all, lambda x: softmax(x, 3)),
    "fake-quantize": (PLANES, quantised, expected_quantised),
    "small-weights": (
        ROWS,
        small_weights,
        lambda x: x @ ((np.arange(24).reshape(4, 6) - 12) * 0.25).T.astype(np.float32),
    ),
    "fake-weights": (
        ROWS,
        fake_weights,
        lambda x: x @ (np.arange(24).reshape(6, 4) * 10 / 254 * (1 + np.arange(1, 5)) - 1).astype(np.float32),
    ),
}


def run(ir, x):
    return onnxruntime.InferenceSession(network(ir.xml, ir.weights)).run(None, {"data": x})[0]


@pytest.mark.parametrize("name", CASES)
def test_operations_compute_what_they_are_defined_to(name, rng):
    shape, build, expected = CASES[name]
    for n in (3, 1):  # written for one, used for three
        x = rng.standard_normal((n, *shape[1:])).astype(np.float32) * 2
        np.testing.assert_allclose(run(written(shape, build), x), expected(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_operations_answer_as_openvino(name, rng):
    shape, build, _ = CASES[name]
    ir, x = written(shape, build), rng.standard_normal((3, *shape[1:])).astype(np.float32) * 2
    np.testing.assert_allclose(run(ir, x), by_openvino(ir, x), rtol=1e-4, atol=1e-5)
