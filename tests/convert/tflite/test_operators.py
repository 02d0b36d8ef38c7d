import numpy as np
import onnx
import pytest

from mien.convert.tflite.network import network
from mien.errors import ConversionFailed
from tflitefiles import (
    SAME,
    VALID,
    File,
    agree,
    conv_options,
    depthwise_options,
    pool_options,
    run,
)


def layers(rng, shape=(1, 8, 9, 4)):
    """A network of many branches from one picture: every operator that keeps or shrinks maps."""
    file = File()
    x = file.input(shape)
    _, h, w, c = shape
    number = rng.standard_normal
    kernel = file.constant(number((6, 3, 2, c), np.float32))
    bias = file.constant(number(6, np.float32))
    y = file.add(
        "CONV_2D", [x, kernel, bias], (1, 3, 8, 6), conv_options(VALID, (2, 1), activation=3), "valid", 1
    )
    spread = file.add(
        "CONV_2D", [x, kernel, bias], (1, h, w, 6), conv_options(SAME, (1, 1), dilation=(2, 3)), "spread", 1
    )
    k = file.constant(number((1, 3, 3, 2 * c), np.float32))
    deep = file.add(
        "DEPTHWISE_CONV_2D",
        [x, k, file.constant(number(2 * c, np.float32))],
        (1, 4, 5, 2 * c),
        depthwise_options(SAME, 2, 2, 1),
        "deep",
        2,
    )
    most = file.add("MAX_POOL_2D", [x], (1, 4, 5, c), pool_options(SAME, 2, 3), "most", 5)
    average = file.add("AVERAGE_POOL_2D", [x], (1, 4, 5, c), pool_options(SAME, 2, 3), "average", 5)
    wide = file.add(
        "PAD",
        [most, file.integers([[0, 0], [1, 2], [0, 3], [0, c]])],
        (1, 7, 8, 2 * c),
        name="wide",
    )
    joined = file.add(
        "CONCATENATION",
        [most, average, deep],
        (1, 4, 5, 4 * c),
        [(0, "Int32", 3), (1, "Int8", 0)],
        "joined",
        10,
    )
    linear = file.add(
        "RESIZE_BILINEAR",
        [most, file.integers([9, 7])],
        (1, 9, 7, c),
        [(2, "Bool", False), (3, "Bool", True)],
        "linear",
        15,
    )
    corners = file.add(
        "RESIZE_BILINEAR",
        [most, file.integers([9, 7])],
        (1, 9, 7, c),
        [(2, "Bool", True), (3, "Bool", False)],
        "corners",
        15,
    )
    plain = file.add(
        "RESIZE_BILINEAR",
        [most, file.integers([9, 7])],
        (1, 9, 7, c),
        [(2, "Bool", False)],
        "plain",
        15,
    )
    nearest = file.add(
        "RESIZE_NEAREST_NEIGHBOR",
        [most, file.integers([9, 7])],
        (1, 9, 7, c),
        [(1, "Bool", True)],
        "nearest",
        74,
    )
    nearest_plain = file.add(
        "RESIZE_NEAREST_NEIGHBOR",
        [most, file.integers([9, 7])],
        (1, 9, 7, c),
        [(0, "Bool", False)],
        "nearest plain",
        74,
    )
    turned = file.add("TRANSPOSE", [most, file.integers([0, 3, 1, 2])], (1, c, 4, 5), name="turned")
    cut = file.add(
        "STRIDED_SLICE",
        [
            x,
            *(file.integers(each) for each in ([0, 1, 0, 2], [1, 7, 9, 3], [1, 2, 3, 1])),
        ],
        (1, 3, 3, 1),
        [(0, "Int32", 4), (1, "Int32", 5), (4, "Int32", 0)],
        "cut",
        32,
    )
    mean = file.add("MEAN", [x, file.integers([1, 2])], (1, c), [(0, "Bool", False)], "mean", 27)
    summed = file.add("SUM", [x, file.integers([-1])], (1, h, w, 1), [(0, "Bool", True)], "sum", 27)
    column = file.add("MEAN", [x, file.integers([1])], (1, w, c), [(0, "Bool", False)], "column", 27)
    chances = file.add("SOFTMAX", [x], shape, [(0, "Float32", 1.0)], "chances", 9)
    unit = file.add("L2_NORMALIZATION", [x], shape, [(0, "Int8", 0)], "unit", 3)
    spatial = file.add("PRELU", [x, file.constant(number((h, w, c), np.float32))], shape, name="spatial")
    hard = file.add("HARD_SWISH", [x], shape, name="hard")
    leaky = file.add("LEAKY_RELU", [x], shape, [(0, "Float32", 0.3)], "leaky", 75)
    square = file.add("SQUARED_DIFFERENCE", [x, summed], shape, name="square")
    rank3 = file.add("RESHAPE", [x, file.integers([1, h * w, c])], (1, h * w, c), name="rank3")
    back = file.add("RESHAPE", [rank3, file.integers([1, w, h, c])], (1, w, h, c), name="back")
    over = file.add(
        "FULLY_CONNECTED",
        [rank3, file.constant(number((3, c), np.float32)), file.constant(number(3, np.float32))],
        (1, h * w, 3),
        [(0, "Int8", 0), (2, "Bool", True)],
        "over",
        8,
    )
    mapped = file.add(
        "MUL", [x, file.constant(number((1, h, w, 1), np.float32))], shape, [(0, "Int8", 2)], "mapped", 21
    )
    return file.output(
        y, spread, deep, most, average, wide, joined, linear, corners, plain, nearest, nearest_plain,
        turned, cut, mean, summed, column, chances, unit, spatial, hard, leaky, square, rank3, back, over,
        mapped,
    )  # fmt: skip


def test_layers_agree_with_the_original_runtime(rng):
    agree(layers(rng).bytes(), rng.standard_normal((3, 8, 9, 4), np.float32))


def elementwise(rng):
    file = File()
    x = file.input((1, 5, 3), "points")
    positive = file.add(
        "ADD",
        [file.add("ABS", [x], (1, 5, 3)), file.constant(np.float32([0.5]))],
        (1, 5, 3),
        [(0, "Int8", 0)],
        "ADD",
        11,
    )
    made = [
        file.add(kind, [x], (1, 5, 3), name=kind)
        for kind in ("NEG", "EXP", "LOGISTIC", "TANH", "RELU", "RELU6", "RELU_N1_TO_1", "ELU", "SQUARE")
    ]
    made += [file.add(kind, [positive], (1, 5, 3), name=kind) for kind in ("SQRT", "RSQRT", "LOG")]
    other = file.constant(rng.standard_normal((1, 1, 3), np.float32))
    made += [file.add(kind, [x, other], (1, 5, 3), name=kind) for kind in ("MAXIMUM", "MINIMUM")]
    made += [file.add("SUB", [other, x], (1, 5, 3), [(0, "Int8", 1)], "SUB", 28)]
    made += [file.add("DIV", [x, positive], (1, 5, 3), [(0, "Int8", 0)], "DIV", 29)]
    made += [
        file.add(
            "REDUCE_MAX",
            [x, file.integers([1])],
            (1, 1, 3),
            [(0, "Bool", True)],
            "REDUCE_MAX",
            27,
        )
    ]
    token = file.constant(rng.standard_normal((1, 2, 3), np.float32))
    made += [
        file.add(
            "CONCATENATION", [token, x], (1, 7, 3), [(0, "Int32", 1), (1, "Int8", 0)], "CONCATENATION", 10
        )
    ]
    made += [file.add("EXPAND_DIMS", [x, file.integers(2)], (1, 5, 1, 3), name="EXPAND_DIMS")]
    last = file.add(
        "STRIDED_SLICE",
        [x, *(file.integers(each) for each in ([0, 4, 0], [1, 5, 3], [1, 1, 1]))],
        (3,),
        [(0, "Int32", 0), (1, "Int32", 0), (4, "Int32", 3)],
        "STRIDED_SLICE",
        32,
    )
    return file.output(positive, *made, last)


def test_elementwise_operators_agree_with_the_original_runtime(rng):
    data = elementwise(rng).bytes()
    agree(data, rng.standard_normal((3, 5, 3), np.float32))
    model = onnx.load_from_string(network(data))
    assert model.graph.input[0].name == "points"
    dropped = next(each for each in model.graph.output if each.name == "STRIDED_SLICE")
    assert [d.dim_param or d.dim_value for d in dropped.type.tensor_type.shape.dim] == ["n", 3], (
        "batch put back"
    )


def test_scale_and_shift_are_folded_into_the_convolution(rng):
    file = File()
    x = file.input((1, 4, 4, 2))
    kernel, bias, scale, shift = (
        rng.standard_normal(s, np.float32) for s in ((3, 1, 1, 2), (3,), (3,), (1, 1, 1, 3))
    )
    x = file.add(
        "CONV_2D", [x, file.constant(kernel), file.constant(bias)], (1, 4, 4, 3), conv_options(SAME, (1, 1))
    )
    x = file.add("MUL", [x, file.constant(scale)], (1, 4, 4, 3), [(0, "Int8", 0)], options_type=21)
    x = file.add("SUB", [file.constant(shift), x], (1, 4, 4, 3), [(0, "Int8", 0)], "out", 28)
    converted = network(file.output(x).bytes())
    picture = rng.standard_normal((2, 4, 4, 2), np.float32)
    expected = shift - (picture @ kernel[:, 0, 0].T + bias) * scale
    np.testing.assert_allclose(run(converted, picture)["out"], expected, rtol=1e-4, atol=1e-5)
    assert {node.op_type for node in onnx.load_from_string(converted).graph.node} == {
        "Conv",
        "Transpose",
        "Identity",
    }


def broken_inputs(rng):
    def file(kind, shape, *constants, result=(1, 5), options=()):
        made = File()
        x = made.input(shape)
        inputs = [x, *(made.constant(each) for each in constants)]
        return made.output(made.add(kind, inputs, result, options)).bytes()

    late = File()
    x, later = late.input((1, 5)), late.tensor((1, 5))
    late.output(late.add("ADD", [x, later], (1, 5)))
    loop = File()
    x = loop.input((1, 5))
    loop.operators.append(("ADD", [x, 1], [loop.tensor((1, 5))], (), 11))
    loop.output(1)
    short = File()
    x = short.input((1, 5))
    short.tensors.append(((1, 500), "short", np.zeros(5, np.float32), 0))
    short.output(short.add("ADD", [x, 1], (1, 500)))
    far = File()
    far.output(far.add("RELU", [77], (1, 5)))
    integers = File()
    integers.output(integers.add("RELU", [integers.input((1, 5), kind=2)], (1, 5)))
    huge = File()
    huge.output(huge.add("RELU", [huge.input((1, 1 << 30, 1 << 30, 4))], (1, 5)))
    twice = File()
    a = twice.add("RELU", [twice.input((1, 5))], (1, 5), name="same")
    twice.output(a, twice.add("NEG", [a], (1, 5), name="same"))
    lost = File()
    lost.output(lost.add("RELU", [lost.input((1, 5))], (1, 5)))
    kernel = rng.standard_normal((4, 3, 3, 3), np.float32)
    bias = np.zeros(4, np.float32)
    same, backward, valid = (
        conv_options(SAME, (1, 1)),
        conv_options(SAME, (-1, 1)),
        conv_options(VALID, (1, 1)),
    )
    return {
        "used before it is made": late.bytes(),
        "before it is made": loop.bytes(),
        "20 bytes": short.bytes(),
        "does not exist": far.bytes(),
        "not float32": integers.bytes(),
        "has the shape": huge.bytes(),
        "are called": twice.bytes(),
        "a buffer that does not exist": lost.bytes(buffer_override=99),
        "is said to have": file("RELU", (1, 5), result=(1, 6)),
        "lacks an input": file("CONV_2D", (1, 7, 7, 3)),
        "does not fit 5 channels": file("CONV_2D", (1, 7, 7, 5), kernel, bias, options=same),
        "makes no sense": file("CONV_2D", (1, 7, 7, 3), kernel, bias, options=backward),
        "does not fit into a map": file("CONV_2D", (1, 2, 2, 3), kernel, bias, options=valid),
        "are not floats": file("CONV_2D", (1, 7, 7, 3), kernel.astype(np.int8).astype(np.int32), bias),
        "quantised": file("CONV_2D", (1, 7, 7, 3), kernel.astype(np.int8), bias),
        "no order of the axes": file("TRANSPOSE", (1, 5), np.int32([0, 7])),
        "no axis 9": file("MEAN", (1, 5), np.int32([9])),
        "takes nothing": file("STRIDED_SLICE", (1, 5), *np.int32([[0, 3], [1, 2], [1, 1]])),
        "steps backward": file("STRIDED_SLICE", (1, 5), *np.int32([[0, 0], [1, 2], [1, 0]])),
        "does not fit its tensors": file("PAD", (1, 5), np.int32([1, 2, 3])),
        "does not fit a tensor of rank": file("PAD", (1, 5), np.int32([[0, 0], [-1, 0]])),
        "cannot take the shape": file("RESHAPE", (2, 5), result=(3, 4)),
        "is resized": file("RESIZE_BILINEAR", (1, 5, 5, 3), np.int32([0, 1 << 30])),
        "activation of number 4": file("ADD", (1, 5), bias[:1], options=[(0, "Int8", 4)]),
    }  # fmt: skip


def test_contradictions_are_refused(rng):
    for why, data in broken_inputs(rng).items():
        with pytest.raises(ConversionFailed, match=why):
            network(data)


def test_weights_that_unfold_are_refused():
    file = File()
    x = file.input((1, 8))
    rows = file.constant(np.ones((3000, 1), np.float32))
    columns = file.constant(np.ones((1, 3000), np.float32))
    for _ in range(4):
        rows = file.add("MUL", [rows, columns], (3000, 3000), [(0, "Int8", 0)])
    file.output(file.add("ADD", [x, rows], (3000, 3000)))
    with pytest.raises(ConversionFailed, match="unfold"):
        network(file.bytes())
