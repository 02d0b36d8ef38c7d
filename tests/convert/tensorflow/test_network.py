import struct
import sys
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
import pytest

import tffiles as tf
from mien.convert.tensorflow.network import network
from mien.errors import ConversionFailed, ExtraMissing
from tffiles import const, constant, field, flag, ints, kind, node, placeholder, window

REAL = "models/open/lightqnet-dm050.pb"


def run(converted, x):
    session = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    laid = x.transpose(0, 3, 1, 2) if x.ndim == 4 else x
    (given,) = session.get_inputs()
    return dict(
        zip((o.name for o in session.get_outputs()), session.run(None, {given.name: laid}), strict=True)
    )


def agree(data, x, **expected):
    """Compare outputs by name (`_` stands for what a name cannot have), for one row and for all."""
    converted = network(data)
    for n in (1, len(x)):
        found = run(converted, x[:n])
        assert set(found) == set(expected)
        for name, value in expected.items():
            wanted = value(x[:n])
            assert found[name].shape == wanted.shape, name
            np.testing.assert_allclose(found[name], wanted, rtol=1e-4, atol=1e-4, err_msg=name)
    return converted


def bordered(x, kernel, stride, dilation=(1, 1), value=0.0):
    """TensorFlow's SAME border and all windows: (n, rows, columns, kernel rows, kernel columns, c)."""
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    sizes = [-(-length // s) for length, s in zip(x.shape[1:3], stride, strict=True)]
    total = [
        max((o - 1) * s + r - n, 0) for o, s, r, n in zip(sizes, stride, reach, x.shape[1:3], strict=True)
    ]
    pads = [(0, 0), *((t // 2, t - t // 2) for t in total), (0, 0)]
    x = np.pad(x, pads, constant_values=value)
    views = np.lib.stride_tricks.sliding_window_view(x, reach, (1, 2))
    views = views[:, :: stride[0], :: stride[1], :, :: dilation[0], :: dilation[1]]
    return views.transpose(0, 1, 2, 4, 5, 3)


def same_conv(x, kernel, stride=(1, 1), dilation=(1, 1)):
    return np.einsum("nijhwc,hwco->nijo", bordered(x, kernel.shape[:2], stride, dilation), kernel)


def same_depthwise(x, kernel, stride):
    y = np.einsum("nijhwc,hwcm->nijcm", bordered(x, kernel.shape[:2], stride), kernel)
    return y.reshape(*y.shape[:3], -1)


NORM = ["gamma", "beta", "mean", "variance"]


def small(rng):
    """Convolution, batch normalisation, ReLU, depthwise, average, flattened into a row, sigmoid."""
    weights = {
        "kernel": rng.standard_normal((3, 3, 3, 4), np.float32),
        "gamma": rng.uniform(0.5, 2, 4).astype(np.float32),
        "beta": rng.standard_normal(4, np.float32),
        "mean": rng.standard_normal(4, np.float32),
        "variance": rng.uniform(0.5, 2, 4).astype(np.float32),
        "depth": rng.standard_normal((2, 3, 4, 2), np.float32),
        "matrix": rng.standard_normal((8, 2), np.float32),
        "bias": rng.standard_normal(2, np.float32),
    }
    data = placeholder() + b"".join(const(name, array) for name, array in weights.items())
    data += node("kernel/read", "Identity", ["kernel"])
    data += node("conv", "Conv2D", ["input", "kernel/read"], **window("SAME", (2, 2)))
    data += node("bn", "FusedBatchNorm", ["conv", *NORM], is_training=flag(False), epsilon=field(4, 0.01))
    data += node("relu", "Relu", ["bn"])
    data += node("dw", "DepthwiseConv2dNative", ["relu", "depth"], **window("SAME", (1, 1)))
    data += node("pool", "AvgPool", ["dw"], **window("VALID", size=(4, 3)))
    data += const("shape", np.array([-1, 8], np.int32)) + node("flat", "Reshape", ["pool", "shape"])
    data += node("product", "MatMul", ["flat", "matrix"]) + node("sum", "BiasAdd", ["product", "bias"])
    data += node("chance", "Sigmoid", ["sum"])

    def forward(x):
        w = weights
        y = same_conv(x, w["kernel"], (2, 2))
        y = (y - w["mean"]) / np.sqrt(w["variance"] + 0.01) * w["gamma"] + w["beta"]
        y = same_depthwise(np.maximum(y, 0), w["depth"], (1, 1)).mean((1, 2))
        return 1 / (1 + np.exp(-(y @ w["matrix"] + w["bias"])))

    return data, forward


def test_small_network_agrees_with_numpy(rng):
    data, forward = small(rng)
    converted = agree(data, rng.standard_normal((3, 7, 6, 3), np.float32), chance=forward)
    assert converted == network(data)
    graph = onnx.load_from_string(converted).graph
    kinds = {each.op_type for each in graph.node}
    assert "BatchNormalization" not in kinds
    assert "Mul" not in kinds, "folded into the convolution"
    (given,) = graph.input
    assert [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim] == ["n", 3, 7, 6]
    assert given.name == "input"


def test_layers_agree_with_numpy(rng):
    kernel = rng.standard_normal((3, 2, 3, 4), np.float32)
    more = rng.standard_normal((1, 7, 6, 1), np.float32)
    data = placeholder() + const("k", kernel) + const("one", np.float32([1.5])) + const("more", more)
    data += node("wide", "Conv2D", ["input", "k"], **window("SAME", dilation=(2, 1)))
    data += node("max", "MaxPool", ["input"], **window("SAME", (2, 2), (3, 3)))
    data += node("average", "AvgPool", ["input"], **window("SAME", (2, 2), (3, 3)))
    data += const("hw", np.array([1, 2], np.int32)) + node(
        "mean", "Mean", ["input", "hw"], keep_dims=flag(False)
    )
    data += const("pads", np.array([[0, 0], [1, 0], [0, 2], [0, 0]], np.int32)) + node(
        "pad", "Pad", ["input", "pads"]
    )
    data += const("last", np.array(3, np.int32)) + node("joined", "ConcatV2", ["input", "square", "last"])
    data += node("square", "Square", ["input"]) + node("leaky", "LeakyRelu", ["input"], alpha=field(4, 0.1))
    data += node("sum", "AddN", ["input", "square", "more"]) + node("relu6", "Relu6", ["sum"])
    data += node("soft", "Softmax", ["input"])
    data += const("order", np.array([0, 2, 1, 3], np.int32)) + node("turned", "Transpose", ["input", "order"])
    data += const("from", np.array([0, 1, 2, 0], np.int32)) + const(
        "size", np.array([-1, 3, -1, 2], np.int32)
    )
    data += node("part", "Slice", ["input", "from", "size"]) + node("less", "Sub", ["one", "input"])
    data += const("new", np.array([3, 12], np.int32)) + node(
        "resized", "ResizeNearestNeighbor", ["input", "new"]
    )

    def softmax(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def mean_of_windows(x):
        counted = bordered(np.ones_like(x), (3, 3), (2, 2)).sum((3, 4))
        return bordered(x, (3, 3), (2, 2)).sum((3, 4)) / counted

    agree(
        data,
        rng.standard_normal((3, 7, 6, 3), np.float32),
        wide=lambda x: same_conv(x, kernel, dilation=(2, 1)),
        max=lambda x: bordered(x, (3, 3), (2, 2), value=-np.inf).max((3, 4)),
        average=mean_of_windows,
        mean=lambda x: x.mean((1, 2)),
        pad=lambda x: np.pad(x, ((0, 0), (1, 0), (0, 2), (0, 0))),
        joined=lambda x: np.concatenate([x, x * x], 3),
        leaky=lambda x: np.where(x > 0, x, 0.1 * x),
        relu6=lambda x: np.clip(x + x * x + more, 0, 6),
        soft=softmax,
        turned=lambda x: x.transpose(0, 2, 1, 3),
        part=lambda x: x[:, 1:4, 2:, :2],
        less=lambda x: 1.5 - x,
        resized=lambda x: x[:, [0, 2, 4]][:, :, np.arange(12) // 2],
    )


def test_normalisation_spelled_out_is_folded(rng):
    """What `tf.layers` without the fused operator leaves: (gamma * rsqrt(variance + eps)) * x + ..."""
    kernel = rng.standard_normal((1, 1, 3, 4), np.float32)
    gamma, beta, mean = rng.standard_normal((3, 4), np.float32)
    variance = rng.uniform(0.5, 2, 4).astype(np.float32)
    data = placeholder() + const("k", kernel) + const("eps", np.float32(0.001))
    data += b"".join(const(n, a) for n, a in zip(NORM, (gamma, beta, mean, variance), strict=True))
    data += node("conv", "Conv2D", ["input", "k"], **window())
    data += (
        node("v", "Add", ["variance", "eps"])
        + node("r", "Rsqrt", ["v"])
        + node("scale", "Mul", ["r", "gamma"])
    )
    data += node("scaled", "Mul", ["conv", "scale"]) + node("m", "Mul", ["mean", "scale"])
    data += node("shift", "Sub", ["beta", "m"]) + node("out", "AddV2", ["scaled", "shift"])

    def forward(x):
        return (x @ kernel[0, 0] - mean) / np.sqrt(variance + 0.001) * gamma + beta

    converted = agree(data, rng.standard_normal((2, 7, 6, 3), np.float32), out=forward)
    kinds = {each.op_type for each in onnx.load_from_string(converted).graph.node}
    assert kinds == {"Conv", "Transpose", "Identity"}


def test_flatten_that_asks_for_the_shape(rng):
    data = placeholder() + node("shape", "Shape", ["input"])
    data += b"".join(const(f"c{i}", np.array([i], np.int32)) for i in (0, 1))
    data += node("n", "StridedSlice", ["shape", "c0", "c1", "c1"], shrink_axis_mask=field(3, 1))
    data += const("rest", np.array(-1, np.int32)) + node("target", "Pack", ["n", "rest"])
    data += node("flat", "Reshape", ["input", "target"])
    agree(data, rng.standard_normal((3, 7, 6, 3), np.float32), flat=lambda x: x.reshape(len(x), -1))


def test_training_is_left_out(rng):
    """A switch on `phase_train`: the branch of training has an operator that nobody supports."""
    data = placeholder() + placeholder("phase_train", (), tf.BOOL)
    data += node("not", "LogicalNot", ["phase_train"]) + node("again", "LogicalNot", ["not"])
    data += node("switch", "Switch", ["input", "again"])
    data += node("train", "RandomDropout", ["switch:1"]) + node("test", "Neg", ["switch"])
    data += node("merge", "Merge", ["train", "test"]) + node("out", "Relu", ["merge:0", "^train"])
    agree(data, rng.standard_normal((2, 7, 6, 3), np.float32), out=lambda x: np.maximum(-x, 0))


def test_free_picture_size(rng):
    kernel = rng.standard_normal((3, 3, 3, 2), np.float32)
    data = placeholder(lengths=(-1, -1, -1, 3)) + const("k", kernel)
    data += node("conv", "Conv2D", ["input", "k"], **window("SAME", (2, 2)))
    for size in ((7, 6), (8, 5)):
        x = rng.standard_normal((2, *size, 3), np.float32)
        agree(data, x, conv=lambda x: same_conv(x, kernel, (2, 2)))


@pytest.mark.parametrize("number", ["half", "float", "double", "splat"])
def test_ways_to_store_a_constant(rng, number):
    values = np.float32([1.5, -2, 0.25])
    halves = values.astype(np.float16).view(np.uint16)
    stored = {
        "half": (tf.HALF, field(13, b"".join(tf.varint(int(half)) for half in halves))),
        "float": (1, field(5, values.tobytes())),
        "double": (2, field(6, values.astype(np.float64).tobytes())),
        "splat": (1, field(5, struct.pack("<2f", 1.5, -2))),
    }
    expected = np.float32([1.5, -2, -2]) if number == "splat" else values
    dtype, listed = stored[number]
    data = placeholder() + constant("c", dtype, [3], listed) + node("out", "Add", ["input", "c"])
    agree(data, rng.standard_normal((2, 7, 6, 3), np.float32), out=lambda x: x + expected)


def test_unsupported_operators_are_listed_together():
    data = placeholder() + node("a", "Foo", ["input"]) + node("b", "Relu", ["a"]) + node("c", "Bar", ["b"])
    with pytest.raises(ConversionFailed, match=r"not supported: Bar, Foo\."):
        network(data)


def broken():
    kernel = const("k", np.zeros((3, 3, 5, 4), np.float32))
    whole = const("k", np.zeros((1, 1, 3, 4), np.int32))
    flat = const("s", np.array([-1, 9], np.int32))
    norm = b"".join(const(name, np.zeros(3, np.float32)) for name in NORM)
    one = field(5, struct.pack("<f", 1))
    splats = [constant(f"s{i}", 1, [1 << 20], one) for i in range(40)]
    chain = [node(f"a{i}", "Add", [f"a{i - 1}" if i else "input", f"s{i}"]) for i in range(40)]
    plus_c = node("a", "Add", ["input", "c"])
    conv = node("a", "Conv2D", ["input", "k"], **window())
    free, channels = placeholder(lengths=(-1, -1, -1, 3)), placeholder(lengths=(-1, 7, 6, -1))
    reshape = node("a", "Reshape", ["input", "s"])
    return {
        "have one name": [node("input", "Relu", ["input"])],
        "Nothing in this": [],
        "does not exist": [node("a", "Relu", ["nowhere"])],
        "depends on itself": [
            node("a", "Add", ["input", "b"]),
            node("b", "Relu", ["a"]),
            node("c", "Neg", ["b"]),
        ],
        "is not understood": [node("a", "Relu", ["input:x"])],
        "which only training does": [node("a", "Relu", ["input:2"])],
        "repeats 1 values": [constant("c", 1, [1 << 20, 1 << 20], one), plus_c],
        "lacks bytes": [constant("c", 1, [4], field(4, bytes(12))), plus_c],
        "lacks values": [constant("c", 1, [4], b""), plus_c],
        "has type 1 and shape": [constant("c", 1, [-4], field(4, bytes(12))), plus_c],
        "has type 7": [constant("c", 7, [], b""), plus_c],
        "has no value": [node("c", "Const"), plus_c],
        "unfold": [*splats, *chain],
        "does not fit 3 channels": [kernel, conv],
        "laid out as NCHW": [kernel, node("a", "Conv2D", ["input", "k"], data_format=tf.text("NCHW"))],
        "has the padding": [node("a", "MaxPool", ["input"], **window("EXPLICIT", size=(2, 2)))],
        "makes no sense": [node("a", "MaxPool", ["input"], **window("SAME", (0, 1), (2, 2)))],
        "over pictures": [node("a", "MaxPool", ["input"], padding=tf.text("SAME"), ksize=ints([2, 1, 1, 1]))],
        "does not fit its inputs": [node("a", "Add", ["input"])],
        "computed from the picture": [node("a", "Reshape", ["input", "input"])],
        "statistics from the batch": [norm, node("a", "FusedBatchNorm", ["input", *NORM])],
        "are not floats": [whole, conv],
        "not numbers": [const("c", np.full(3, np.nan, np.float32)), plus_c],
        "channels must be known": [channels.replace(b"input", b"other"), node("a", "Relu", ["other"])],
        "whose size is free": [free.replace(b"input", b"other"), flat, reshape.replace(b"input", b"other")],
        "neither float32 nor bool": [placeholder("c", (), tf.INT), plus_c],
        "depends on the picture": [node("a", "Switch", ["input", "input"])],
        "another type": [node("a", "Cast", ["input"], DstT=kind(9))],
        "Lengths": [const("c", np.zeros(4, np.float32)), plus_c],
    }


def test_contradictions_are_refused():
    for why, nodes in broken().items():
        with pytest.raises(ConversionFailed, match=why):
            network(placeholder() + b"".join(nodes))


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.protobuf.message", None)
    with pytest.raises(ExtraMissing) as caught:
        network(placeholder())
    assert "mien[convert]" in caught.value.hint


def test_what_is_no_graph_is_refused():
    for why, data in {
        "holds no nodes": b"",
        "Not a TensorFlow": b"\x0a\xff\xff\xff\xff\x7f",
        "no placeholder": const("c", np.zeros(3, np.float32)),
    }.items():
        with pytest.raises(ConversionFailed, match=why):
            network(data)


def test_long_chains_do_not_overflow_the_stack(rng):
    data = placeholder() + const("k", np.float32(rng.standard_normal((1, 1, 3, 3))))
    names = ["input", *(f"c{i}" for i in range(3000))]
    data += b"".join(node(b, "Conv2D", [a, "k"], **window()) for a, b in pairwise(names))
    assert len(onnx.load_from_string(network(data)).graph.node) >= 3000


def test_any_damage_is_refused_or_harmless(rng):
    whole, _ = small(rng)
    refused = 0
    for _ in range(200):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), 4):
            damaged[at] = rng.integers(256)
        try:
            network(bytes(damaged))
        except ConversionFailed:
            refused += 1
    assert refused > 20


def test_real_lightqnet_agrees_with_opencv(shared, photos):
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless < 5")
    if not hasattr(cv2.dnn, "readNetFromTensorflow"):
        pytest.skip("this OpenCV reads no TensorFlow graphs")
    data = shared(REAL).read_bytes()
    paths = sorted(path for path in photos.rglob("*") if path.suffix in (".jpg", ".png"))[:3]
    raw = np.stack([cv2.resize(cv2.imread(str(path))[..., ::-1], (96, 96)) for path in paths])
    x = ((raw - 128.0) / 128).astype(np.float32)
    oracle = cv2.dnn.readNetFromTensorflow(np.frombuffer(data, np.uint8))
    rows = []
    for row in x.transpose(0, 3, 1, 2):
        oracle.setInput(np.ascontiguousarray(row[None]))
        rows.append(oracle.forward()[0].copy())
    agree(data, x, confidence_st=lambda part: np.stack(rows[: len(part)]))
