import json
import struct
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.signal import correlate2d
from scipy.special import softmax

from mien.convert.mxnet.network import network
from mien.convert.mxnet.params import read_params
from mien.errors import ConversionFailed

# --- MXNet's formats ---

LEGACY, V1, V2, V3 = None, 0xF993FAC8, 0xF993FAC9, 0xF993FACA
TYPES = {"<f4": 0, "<f8": 1, "<f2": 2, "|u1": 3, "<i4": 4, "|i1": 5, "<i8": 6}


def array_bytes(array, version):
    out = b"" if version is LEGACY else struct.pack("<I", version)
    if version in (V2, V3):
        out += struct.pack("<i", 0)
    code = "I" if version is LEGACY else "q"
    out += struct.pack(f"<I{array.ndim}{code}", array.ndim, *array.shape)
    return out + struct.pack("<iii", 1, 0, TYPES[array.dtype.str]) + array.tobytes()


def params_of(named, version=V2):
    """Write a `.params` file; names without a kind are arguments."""
    arrays = [np.asarray(a) for a in named.values()]
    arrays = [a.astype(np.float32) if a.dtype == np.float64 and version == V2 else a for a in arrays]
    names = [(n if ":" in n else f"arg:{n}").encode() for n in named]
    return (
        struct.pack("<QQQ", 0x112, 0, len(arrays))
        + b"".join(array_bytes(a, version) for a in arrays)
        + struct.pack("<Q", len(names))
        + b"".join(struct.pack("<Q", len(n)) + n for n in names)
    )


def symbol_of(*operators, style="attrs", heads=None):
    """Write a `symbol.json`; an operator is its kind, name, names of inputs, and parameters."""
    nodes, number = [], {}
    triple = (0,) if style == "attrs" else ()
    for kind, name, inputs, given in operators:
        for variable in inputs:
            if variable.partition("#")[0] not in number:
                number[variable] = len(nodes)
                nodes.append({"op": "null", "name": variable, "inputs": []})
        below = [(*x.partition("#"),) for x in inputs]
        references = [[number[x], int(output or 0), *triple] for x, _, output in below]
        texts = {key: str(value) for key, value in given.items()}
        number[name] = len(nodes)
        nodes.append({"op": kind, "name": name, "inputs": references, style: texts})
    found = [x.partition("#") for x in heads or [operators[-1][1]]]
    return json.dumps(
        {
            "nodes": nodes,
            "arg_nodes": [i for i, node in enumerate(nodes) if node["op"] == "null"],
            "heads": [[number[x], int(i or 0), *triple] for x, _, i in found],
        }
    ).encode()


def run(data, /, **inputs):
    session = onnxruntime.InferenceSession(data)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def input_lengths(data):
    (given,) = onnx.load_from_string(data).graph.input
    return [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim]


# --- A network of the usual kind ---

CONV = {"kernel": "(3, 3)", "num_filter": 6, "num_group": 2, "pad": "(1, 1)", "no_bias": "True"}
SMALL = [
    ("_minus_scalar", "_minusscalar0", ["data"], {"scalar": "127.5"}),
    ("_mul_scalar", "_mulscalar0", ["_minusscalar0"], {"scalar": "0.0078125"}),
    ("Convolution", "conv", ["_mulscalar0", "conv_weight"], CONV),
    (
        "BatchNorm",
        "bn",
        ["conv", "bn_gamma", "bn_beta", "bn_moving_mean", "bn_moving_var"],
        {"fix_gamma": "False"},
    ),
    ("LeakyReLU", "prelu", ["bn", "prelu_gamma"], {"act_type": "prelu"}),
    ("Pooling", "pool", ["prelu"], {"kernel": "(3,3)", "stride": "(2, 2)", "pooling_convention": "full"}),
    ("FullyConnected", "fc", ["pool", "fc_weight", "fc_bias"], {"num_hidden": "5"}),
    ("SoftmaxOutput", "prob", ["fc", "prob_label"], {}),
]
MEAN, VARIANCE = "aux:bn_moving_mean", "aux:bn_moving_var"


def small_params(rng):
    return {
        "conv_weight": rng.normal(size=(6, 2, 3, 3)),
        "bn_gamma": rng.normal(size=6),
        "bn_beta": rng.normal(size=6),
        "prelu_gamma": rng.uniform(0, 1, 6),
        "fc_weight": rng.normal(size=(5, 6 * 4 * 4)),
        "fc_bias": rng.normal(size=5),
        MEAN: rng.normal(size=6),
        VARIANCE: rng.uniform(0.5, 2, 6),
    }


def small_forward(x, p, gamma):
    x = np.pad((x - 127.5) / 128, ((0, 0), (0, 0), (1, 1), (1, 1)))
    y = np.array(
        [
            [
                sum(correlate2d(i[o // 3 * 2 + c], p["conv_weight"][o, c], "valid") for c in range(2))
                for o in range(6)
            ]
            for i in x
        ]
    )
    y = (y - p[MEAN][:, None, None]) / np.sqrt(p[VARIANCE] + 1e-3)[:, None, None]
    y = y * gamma[:, None, None] + p["bn_beta"][:, None, None]
    y = np.where(y > 0, y, p["prelu_gamma"][:, None, None] * y)
    y = np.array([[y[:, :, i : i + 3, j : j + 3].max((2, 3)) for j in (0, 2, 4, 6)] for i in (0, 2, 4, 6)])
    return softmax(y.transpose(2, 3, 0, 1).reshape(len(x), -1) @ p["fc_weight"].T + p["fc_bias"], 1)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("fixed", [{"fix_gamma": "False"}, {"fix_gamma": "True"}, {}])
def test_a_network_equals_its_loops(rng, batch, fixed):
    p = small_params(rng)
    operators = [(k, n, i, fixed if k == "BatchNorm" else a) for k, n, i, a in SMALL]
    data = network(symbol_of(*operators), params_of(p))
    x = rng.uniform(0, 255, (batch, 4, 8, 8)).astype(np.float32)
    expected = small_forward(x, p, p["bn_gamma"] if fixed == {"fix_gamma": "False"} else np.ones(6))
    found = run(data, data=x)
    assert list(found) == ["prob"]
    np.testing.assert_allclose(found["prob"], expected, atol=1e-5)
    assert input_lengths(data) == ["n", 4, "h", "w"]
    assert "BatchNormalization" not in {node.op_type for node in onnx.load_from_string(data).graph.node}


def test_same_files_same_bytes(rng):
    p = params_of(small_params(rng))
    assert network(symbol_of(*SMALL), p) == network(symbol_of(*SMALL), p)


def test_symbols_of_every_version_are_the_same(rng):
    p = params_of(small_params(rng))
    newest = network(symbol_of(*SMALL), p)
    # Before 0.9 the means and variances of a BatchNorm were not listed.
    oldest = [(k, n, i[:3] if k == "BatchNorm" else i, a) for k, n, i, a in SMALL]
    assert network(symbol_of(*oldest, style="param"), p) == newest
    assert network(symbol_of(*SMALL, style="attr"), p) == newest


@pytest.mark.parametrize("version", [LEGACY, V1, V2, V3])
@pytest.mark.parametrize("dtype", TYPES)
def test_params_of_every_version_and_type(version, dtype):
    array = np.arange(-6, 6).astype(dtype).reshape(2, 3, 2)
    found = read_params(params_of({"arg:a": array, "aux:b": array[0], "c": array[:, 0, 0]}, version))
    assert list(found) == ["a", "b", "c"]
    assert all(x.dtype == np.float32 for x in found.values())
    np.testing.assert_array_equal(found["a"], array.astype(np.float32))
    np.testing.assert_array_equal(found["b"], array[0].astype(np.float32))


def test_arrays_without_axes_are_empty_except_in_the_newest_version():
    scalar = np.float32(7)
    assert read_params(params_of({"a": scalar}, V3))["a"] == 7
    empty = struct.pack("<IiI", V2, 0, 0)
    names = struct.pack("<QQ", 1, 1) + b"a"
    assert read_params(struct.pack("<QQQ", 0x112, 0, 1) + empty + names) == {}


# --- Every operator ---

X = np.random.default_rng(5).normal(size=(3, 4, 6, 8)).astype(np.float32)
K = np.random.default_rng(6).normal(size=(4, 4, 3, 3)).astype(np.float32)
V = np.random.default_rng(7).normal(size=4).astype(np.float32)
EACH = V[:, None, None]
CORNERS = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1]])
MATRIX = np.random.default_rng(8).normal(size=(2, 192)).astype(np.float32)


def correlate(x, kernel, group=1):
    out, each = kernel.shape[:2]
    planes = [
        sum(correlate2d(i[o * group // out * each + c], kernel[o, c], "valid") for c in range(each))
        for i in x
        for o in range(out)
    ]
    return np.array(planes).reshape(len(x), out, *planes[0].shape)


def windows(x, size, stride, count):
    """The windows of a plane that is large enough, `(rows, columns, n, channels, size, size)`."""
    at = [[i * stride for i in range(n)] for n in count]
    return np.array([[x[:, :, i : i + size, j : j + size] for j in at[1]] for i in at[0]])


def deconvolve(x, kernel, stride, pad):
    n, _, h, w = x.shape
    size = kernel.shape[2]
    y = np.zeros((n, kernel.shape[1], stride * (h - 1) + size, stride * (w - 1) + size))
    for i in range(h):
        for j in range(w):
            part = np.einsum("nc,cohw->nohw", x[:, :, i, j], kernel)
            y[:, :, i * stride : i * stride + size, j * stride : j * stride + size] += part
    return y[:, :, pad : y.shape[2] - pad, pad : y.shape[3] - pad]


def pooled(x, size, stride, count, how):
    return how(windows(x, size, stride, count), (4, 5)).transpose(2, 3, 0, 1)


def padded(x, before, after, value=0):
    return np.pad(x, ((0, 0), (0, 0), (before, after), (before, after)), constant_values=value)


def unit(x, axes):
    return x / np.sqrt((x**2).sum(axes, keepdims=True) + 1e-10)


def lrn(x):
    square = np.pad(x**2, ((0, 0), (1, 1), (0, 0), (0, 0)))
    return x / (2 + 0.5 / 3 * sum(square[:, i : i + 4] for i in range(3))) ** 0.75


# Kind, parameters, weights, and what comes of X.
OPERATORS = [
    ("Activation", {"act_type": "relu"}, {}, lambda x: np.maximum(x, 0)),
    ("Activation", {"act_type": "sigmoid"}, {}, lambda x: 1 / (1 + np.exp(-x))),
    ("Activation", {"act_type": "tanh"}, {}, np.tanh),
    ("Activation", {"act_type": "softrelu"}, {}, lambda x: np.log1p(np.exp(x))),
    ("Activation", {"act_type": "softsign"}, {}, lambda x: x / (1 + np.abs(x))),
    ("LeakyReLU", {}, {}, lambda x: np.where(x > 0, x, 0.25 * x)),
    ("LeakyReLU", {"act_type": "elu", "slope": 0.5}, {}, lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    ("LeakyReLU", {"act_type": "rrelu"}, {}, lambda x: np.where(x > 0, x, (0.125 + 0.334) / 2 * x)),
    ("LeakyReLU", {"act_type": "prelu"}, {"gamma": V}, lambda x: np.where(x > 0, x, EACH * x)),
    ("BlockGrad", {}, {}, lambda x: x),
    ("Dropout", {"p": 0.4}, {}, lambda x: x),
    ("_copy", {}, {}, lambda x: x),
    ("Cast", {"dtype": "float32"}, {}, lambda x: x),
    ("_plus_scalar", {"scalar": 2}, {}, lambda x: x + 2),
    ("_rminus_scalar", {"scalar": 2}, {}, lambda x: 2 - x),
    ("_div_scalar", {"scalar": 4}, {}, lambda x: x / 4),
    ("_rdiv_scalar", {"scalar": 2}, {}, lambda x: 2 / x),
    ("_power_scalar", {"scalar": 2}, {}, lambda x: x**2),
    ("_maximum_scalar", {"scalar": 0.5}, {}, lambda x: np.maximum(x, 0.5)),
    ("_minimum_scalar", {"scalar": 0.5}, {}, lambda x: np.minimum(x, 0.5)),
    ("abs", {}, {}, np.abs),
    ("negative", {}, {}, np.negative),
    ("exp", {}, {}, np.exp),
    ("clip", {"a_min": -0.5, "a_max": 0.25}, {}, lambda x: np.clip(x, -0.5, 0.25)),
    ("broadcast_mul", {}, {"scale": V.reshape(1, 4, 1, 1)}, lambda x: x * EACH),
    ("broadcast_sub", {}, {"mean": V.reshape(1, 4, 1, 1)}, lambda x: x - EACH),
    (
        "BatchNorm",
        {"eps": 0.01},
        {"gamma": V, "beta": V, "moving_mean": V, "moving_var": V**2},
        lambda x: (x - EACH) / np.sqrt(EACH**2 + 0.01) + EACH,
    ),
    (
        "Convolution",
        {"kernel": (3, 3), "num_filter": 4, "stride": (2, 2)},
        {"weight": K, "bias": V},
        lambda x: correlate(x, K)[:, :, ::2, ::2] + EACH,
    ),
    (
        "Convolution",
        {"kernel": "(3L, 3L)", "num_filter": 4, "num_group": 4, "no_bias": "True"},
        {"weight": K[:, :1]},
        lambda x: correlate(x, K[:, :1], 4),
    ),
    (
        "Convolution",
        {"kernel": "(2, 2)", "dilate": "(2, 2)", "num_filter": 4, "no_bias": 1},
        {"weight": K[:, :, ::2, ::2]},
        lambda x: correlate(x, K * CORNERS),
    ),
    (
        "Deconvolution",
        {"kernel": (3, 3), "num_filter": 4, "stride": (2, 2), "pad": (1, 1)},
        {"weight": K},
        lambda x: deconvolve(x, K, 2, 1),
    ),
    (
        "Pooling",
        {"kernel": (2, 2), "stride": (2, 2), "pool_type": "max"},
        {},
        lambda x: pooled(x, 2, 2, (3, 4), np.max),
    ),
    (
        "Pooling",
        {"kernel": (3, 3), "stride": (2, 2), "pool_type": "avg"},
        {},
        lambda x: pooled(x, 3, 2, (2, 3), np.mean),
    ),
    (
        "Pooling",
        {"kernel": (3, 3), "stride": (2, 2), "pool_type": "max", "pooling_convention": "full"},
        {},
        lambda x: pooled(padded(x, 0, 1, -99), 3, 2, (3, 4), np.max),
    ),
    (
        "Pooling",
        {"kernel": (3, 3), "pad": (1, 1), "pool_type": "avg"},
        {},
        lambda x: pooled(padded(x, 1, 1), 3, 1, (6, 8), np.mean),
    ),
    (
        "Pooling",
        {"kernel": (7, 7), "global_pool": "True", "pool_type": "avg"},
        {},
        lambda x: x.mean((2, 3), keepdims=True),
    ),
    (
        "UpSampling",
        {"scale": 2, "sample_type": "nearest", "num_args": 1},
        {},
        lambda x: x.repeat(2, 2).repeat(2, 3),
    ),
    ("L2Normalization", {}, {}, lambda x: unit(x, (1, 2, 3))),
    ("L2Normalization", {"mode": "channel"}, {}, lambda x: unit(x, 1)),
    ("L2Normalization", {"mode": "spatial"}, {}, lambda x: unit(x, (2, 3))),
    ("LRN", {"nsize": 3, "alpha": 0.5}, {}, lrn),
    ("SoftmaxActivation", {"mode": "channel"}, {}, lambda x: softmax(x, 1)),
    ("softmax", {}, {}, lambda x: softmax(x, -1)),
    ("softmax", {"axis": 1}, {}, lambda x: softmax(x, 1)),
    ("Flatten", {}, {}, lambda x: x.reshape(3, -1)),
    ("Reshape", {"shape": (0, -1)}, {}, lambda x: x.reshape(3, -1)),
    ("Reshape", {"shape": (0, 2, -1, 0)}, {}, lambda x: x.reshape(3, 2, 12, 8)),
    ("Reshape", {"shape": (0, -4, 2, -1, -3)}, {}, lambda x: x.reshape(3, 2, 2, 48)),
    ("Reshape", {"shape": (0, 0, -3)}, {}, lambda x: x.reshape(3, 4, 48)),
    ("transpose", {"axes": (0, 2, 3, 1)}, {}, lambda x: x.transpose(0, 2, 3, 1)),
    ("SwapAxis", {"dim1": 1, "dim2": 3}, {}, lambda x: x.swapaxes(1, 3)),
    ("expand_dims", {"axis": -1}, {}, lambda x: x[..., None]),
    ("slice_axis", {"axis": 1, "begin": 1, "end": 3}, {}, lambda x: x[:, 1:3]),
    ("slice_axis", {"axis": 2, "begin": -2, "end": "None"}, {}, lambda x: x[:, :, -2:]),
    ("mean", {"axis": "(2, 3)"}, {}, lambda x: x.mean((2, 3))),
    ("sum", {"axis": 1, "keepdims": "True"}, {}, lambda x: x.sum(1, keepdims=True)),
    ("max", {"axis": "(1,)"}, {}, lambda x: x.max(1)),
    (
        "FullyConnected",
        {"num_hidden": 2},
        {"weight": MATRIX, "bias": V[:2]},
        lambda x: x.reshape(3, -1) @ MATRIX.T + V[:2],
    ),
]


def one_operator(kind, given, weights):
    """A network of one operator, after one that says how many channels there are."""
    first = (
        "Convolution",
        "same",
        ["data", "same_weight"],
        {"kernel": (1, 1), "num_filter": 4, "no_bias": True},
    )
    named = {("aux:" if "moving" in n else "arg:") + f"it_{n}": a for n, a in weights.items()}
    identity = np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1)
    symbol = symbol_of(first, (kind, "it", ["same", *(n.partition(":")[2] for n in named)], given))
    return symbol, params_of({"arg:same_weight": identity, **named})


@pytest.mark.parametrize(("kind", "given", "weights", "expected"), OPERATORS, ids=lambda v: str(v)[:30])
def test_an_operator_equals_its_formula(kind, given, weights, expected):
    found = run(network(*one_operator(kind, given, weights)), data=X)["it"]
    reference = expected(X.astype(np.float64))
    assert found.shape == reference.shape
    np.testing.assert_allclose(found, reference, rtol=1e-4, atol=1e-5)


PAIR = [
    ("Convolution", "a", ["data", "w"], {"kernel": (1, 1), "num_filter": 4, "no_bias": True}),
    ("tanh", "b", ["a"], {}),
]
TWO = [
    ("elemwise_add", {}, lambda a, b: a + b),
    ("_Plus", {}, lambda a, b: a + b),
    ("broadcast_sub", {}, lambda a, b: a - b),
    ("_mul", {}, lambda a, b: a * b),
    ("broadcast_div", {}, lambda a, b: a / b),
    ("broadcast_maximum", {}, np.maximum),
    ("add_n", {"num_args": 2}, lambda a, b: a + b),
    ("Concat", {"num_args": 2}, lambda a, b: np.concatenate([a, b], 1)),
    ("Concat", {"num_args": 2, "dim": 3}, lambda a, b: np.concatenate([a, b], 3)),
]


@pytest.mark.parametrize(("kind", "given", "expected"), TWO, ids=lambda v: str(v)[:20])
def test_operators_of_two_inputs(kind, given, expected):
    symbol = symbol_of(*PAIR, (kind, "it", ["a", "b"], given))
    found = run(network(symbol, params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})), data=X)["it"]
    np.testing.assert_allclose(found, expected(X, np.tanh(X)), rtol=1e-4, atol=1e-5)


def test_channels_are_sliced_and_each_part_is_an_output():
    parts = ("SliceChannel", "s", ["a"], {"num_outputs": 2})
    symbol = symbol_of(*PAIR, parts, ("tanh", "t", ["s#1"], {}), heads=["s#0", "t", "a"])
    found = run(network(symbol, params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})), data=X)
    assert list(found) == ["s_output0", "t", "a"]
    np.testing.assert_array_equal(found["s_output0"], X[:, :2])
    np.testing.assert_allclose(found["t"], np.tanh(X[:, 2:]), rtol=1e-5)


def test_sliced_channels_lose_their_axis():
    parts = ("SliceChannel", "s", ["a"], {"num_outputs": 4, "squeeze_axis": "True"})
    symbol = symbol_of(*PAIR, parts, heads=["s#3"])
    found = run(network(symbol, params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})), data=X)
    np.testing.assert_array_equal(found["s_output3"], X[:, 3])


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("SoftmaxOutput", {"multi_output": "True"}, lambda x: softmax(x, 1)),
        ("SoftmaxOutput", {"preserve_shape": "True"}, lambda x: softmax(x, -1)),
        ("LogisticRegressionOutput", {}, lambda x: 1 / (1 + np.exp(-x))),
        ("LinearRegressionOutput", {}, lambda x: x),
    ],
)
def test_losses_do_not_ask_for_labels(kind, given, expected):
    symbol = symbol_of(*PAIR, (kind, "it", ["a", "it_label"], given))
    found = run(network(symbol, params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})), data=X)["it"]
    np.testing.assert_allclose(found, expected(X), rtol=1e-5, atol=1e-6)


def test_crop_to_another_value():
    half = ("Pooling", "half", ["a"], {"kernel": (2, 2), "stride": (2, 2)})
    symbol = symbol_of(*PAIR, half, ("Crop", "it", ["a", "half"], {"offset": (1, 2), "num_args": 2}))
    found = run(network(symbol, params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})), data=X)["it"]
    np.testing.assert_array_equal(found, X[:, :, 1:4, 2:6])


def test_a_normalised_input_keeps_its_padding():
    """A BatchNorm on the input must not go into a convolution that pads: zeros come after it."""
    symbol = symbol_of(
        ("BatchNorm", "bn_data", ["data", "g", "b", "m", "v"], {"eps": 0}),
        (
            "Convolution",
            "it",
            ["bn_data", "w"],
            {"kernel": (3, 3), "pad": (1, 1), "num_filter": 4, "no_bias": True},
        ),
    )
    params = {"g": V, "b": V, "aux:m": V * 2, "aux:v": V**2, "w": K}
    normal = (X - 2 * EACH) / np.abs(EACH) + EACH
    expected = correlate(padded(normal, 1, 1), K)
    np.testing.assert_allclose(
        run(network(symbol, params_of(params)), data=X)["it"], expected, rtol=1e-4, atol=1e-4
    )


def test_a_declared_shape_is_kept():
    symbol = json.loads(
        symbol_of(
            ("Pooling", "it", ["data"], {"kernel": (1, 1), "stride": (2, 2), "pooling_convention": "full"})
        )
    )
    symbol["nodes"][0]["attrs"] = {"__shape__": "(1, 3, 7, 9)"}
    data = network(json.dumps(symbol).encode(), params_of({}))
    assert input_lengths(data) == ["n", 3, 7, 9]
    x = np.arange(189, dtype=np.float32).reshape(1, 3, 7, 9)
    np.testing.assert_array_equal(run(data, data=x)["it"], x[:, :, ::2, ::2])


# --- Damaged and hostile files ---


def small(**changes):
    return {**json.loads(symbol_of(*SMALL)), **changes}


def test_operators_that_are_not_supported_are_all_named(rng):
    symbol = symbol_of(("Warp", "a", ["data"], {}), ("exp", "b", ["a"], {}), ("RNN", "c", ["b"], {}))
    with pytest.raises(ConversionFailed, match="RNN, Warp"):
        network(symbol, params_of({}))


def test_cycles_and_references_to_nowhere_are_refused(rng):
    p = params_of(small_params(rng))
    for below in ([1, 0, 0], [99, 0, 0], [-1, 0, 0], [0, -1, 0], [True, 0], ["0", 0], [0], None):
        symbol = small()
        symbol["nodes"][1]["inputs"] = [below]
        with pytest.raises(ConversionFailed, match=r"symbol\.json"):
            network(json.dumps(symbol).encode(), p)
    with pytest.raises(ConversionFailed, match="no output 3"):
        network(json.dumps(small(heads=[[4, 3, 0]])).encode(), p)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"nodes": 3, "heads": []}',
        b'{"nodes": [[]], "heads": []}',
        b" " * (17 << 20),
    ],
)
def test_descriptions_that_make_no_sense_are_refused(text):
    with pytest.raises(ConversionFailed):
        network(text, params_of({}))


@pytest.mark.parametrize(
    ("kind", "given", "weights", "words"),
    [
        ("Activation", {"act_type": "swish"}, {}, "swish"),
        ("LeakyReLU", {"act_type": "selu"}, {}, "selu"),
        ("Pooling", {"kernel": (3,)}, {}, "planes"),
        ("Pooling", {"kernel": (0, 0)}, {}, "No such window"),
        ("Pooling", {"kernel": (9**9, 1)}, {}, "No such window"),
        ("Pooling", {"kernel": "__import__('os')"}, {}, "whole numbers"),
        ("Pooling", {"kernel": "(" + "9" * 5000 + ",1)"}, {}, "whole numbers"),
        ("Pooling", {"kernel": (2, 2), "pool_type": "lp"}, {}, "'lp'"),
        ("Pooling", {"kernel": (2, 2), "pooling_convention": "same"}, {}, "valid and full"),
        (
            "Pooling",
            {"kernel": (3, 3), "stride": (2, 2), "pool_type": "avg", "pooling_convention": "full"},
            {},
            "not known",
        ),
        ("Pooling", {"kernel": (2, 2), "global_pool": "maybe"}, {}, "neither true nor false"),
        ("_mul_scalar", {"scalar": "inf"}, {}, "finite"),
        ("_mul_scalar", {"scalar": "two"}, {}, "finite"),
        ("_div_scalar", {"scalar": 0}, {}, "divides by zero"),
        ("clip", {"a_min": 0}, {}, "finite"),
        ("softmax", {"axis": 7}, {}, "no axis"),
        ("softmax", {"axis": 0}, {}, "mixes the images"),
        ("Reshape", {"shape": (-1, 7)}, {}, "depends on the size"),
        ("Reshape", {"shape": (0, 7)}, {}, "depends on the size"),
        ("Reshape", {"shape": (0, -4, 3, -1, -2)}, {}, "split"),
        ("Reshape", {"shape": (0, 0, 0, 0, 0)}, {}, "too few axes"),
        ("transpose", {}, {}, "cannot be ordered"),
        ("SliceChannel", {"num_outputs": 3}, {}, "not cut"),
        ("UpSampling", {"scale": 10**9, "sample_type": "nearest"}, {}, "enlarged"),
        (
            "Convolution",
            {"kernel": (3, 3), "num_filter": 4, "no_bias": 1},
            {"weight": K[:, :3]},
            "meets 4 channels",
        ),
        (
            "Convolution",
            {"kernel": (3, 3), "num_filter": 4, "no_bias": 1, "num_group": 0},
            {"weight": K},
            "cannot slide",
        ),
        ("Convolution", {"kernel": (3, 3), "num_filter": 4}, {"weight": K, "bias": V[:3]}, "stands beside"),
        ("Convolution", {"kernel": (3, 3), "num_filter": 4}, {"weight": K}, "lacks its bias"),
        (
            "Convolution",
            {"kernel": (3, 3), "num_filter": 4, "no_bias": 1},
            {"weight": K * np.inf},
            "not finite",
        ),
        ("Deconvolution", {"kernel": (3, 3), "num_filter": 4, "adj": (1, 1)}, {"weight": K}, "more rows"),
        ("BatchNorm", {}, {"gamma": V, "beta": V, "moving_mean": V, "moving_var": -9 - V**2}, "not finite"),
        ("BatchNorm", {}, {"gamma": V, "beta": V[:3], "moving_mean": V, "moving_var": V}, "differ in length"),
        ("BatchNorm", {}, {"gamma": V}, "lacks its beta"),
        ("FullyConnected", {"num_hidden": 2}, {"weight": V, "bias": V}, "does not fit"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_parameters_that_make_no_sense_are_refused(kind, given, weights, words):
    with np.errstate(all="ignore"):
        symbol, params = one_operator(kind, given, weights)
    with pytest.raises(ConversionFailed, match=words):
        network(symbol, params)


def test_weights_that_the_file_lacks_are_named(rng):
    p = small_params(rng)
    del p["conv_weight"]
    with pytest.raises(ConversionFailed, match="weight"):
        network(symbol_of(*SMALL), params_of(p))


@pytest.mark.parametrize("version", [LEGACY, V1, V2, V3])
def test_cut_params_are_refused(rng, version):
    data = params_of(small_params(rng), version)
    for at in [*range(0, 100, 3), *range(100, len(data), 97), len(data) - 1]:
        with pytest.raises(ConversionFailed, match=r"Not a \.params file"):
            read_params(data[:at])
    with pytest.raises(ConversionFailed, match="left over"):
        read_params(data + b"\0")


def test_damaged_params_are_refused_or_harmless(rng):
    data = params_of(small_params(rng))
    for _ in range(200):
        damaged = bytearray(data)
        damaged[rng.integers(0, 120)] = rng.integers(0, 256)
        try:
            read_params(bytes(damaged))
        except ConversionFailed:
            continue


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (struct.pack("<QQQ", 0x113, 0, 0), "begin"),
        (struct.pack("<QQQ", 0x112, 0, 1 << 60), "cannot hold"),
        (struct.pack("<QQQII", 0x112, 0, 1, 1 << 31, 1), "axes"),
        (struct.pack("<QQQIiI2q", 0x112, 0, 1, V2, 0, 2, 1 << 40, 1 << 40) + bytes(12), "too early"),
        (struct.pack("<QQQIiI2q", 0x112, 0, 1, V2, 0, 2, -4, 1) + bytes(12), "the shape"),
        (struct.pack("<QQQIiI", 0x112, 0, 1, V2, 1, 1) + bytes(40), "sparse"),
        (struct.pack("<QQQIiIq3i", 0x112, 0, 1, V2, 0, 1, 1, 1, 0, 77) + bytes(40), "unknown type 77"),
        (struct.pack("<QQQQ", 0x112, 0, 0, 1) + bytes(9), "no names"),
        (params_of({"a": V})[:-21] + struct.pack("<Q", 0), "no names"),
        (params_of({"a": V})[:-5] + b"\xff\xff\xff\xff\xff", "UTF-8"),
        (params_of({"arg:a": V, "aux:a": V}), "same name"),
    ],
)
def test_hostile_params_are_refused(data, words):
    with pytest.raises(ConversionFailed, match=words):
        read_params(data)


def test_weights_are_not_multiplied_without_bound():
    matrix = np.eye(256, dtype=np.float32)
    shared = [
        ("FullyConnected", f"f{i}", [f"f{i - 1}" if i else "data", "w"], {"no_bias": 1}) for i in range(400)
    ]
    data = network(symbol_of(*shared), params_of({"w": matrix}))
    assert len(data) < 3 * matrix.nbytes  # of which the biases, zeros, are more than one
    bare = ("gamma", "beta", "moving_mean", "moving_var")
    norms = [("BatchNorm", f"b{i}", [f"b{i - 1}" if i else "f399", *bare], {}) for i in range(4000)]
    arrays = {n: np.ones(256, np.float32) for n in bare}
    with pytest.raises(ConversionFailed, match="many times more weights"):
        network(symbol_of(*shared, *norms), params_of({"w": matrix, **arrays}))


# --- Parity with MXNet, which runs in an environment of its own ---

ORACLE = """
import pathlib, sys
import mxnet as mx, numpy as np
for folder in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    symbol = mx.sym.load(str(folder / "net-symbol.json"))
    saved = {k.split(":")[-1]: v for k, v in mx.nd.load(str(folder / "net.params")).items()}
    x = mx.nd.array(np.load(folder / "x.npy"))
    shapes = {n: saved[n].shape for n in symbol.list_arguments() if n in saved}
    bound = symbol.simple_bind(mx.cpu(), grad_req="null", data=x.shape, **shapes)
    for name, array in [*bound.arg_dict.items(), *bound.aux_dict.items()]:
        if name in saved:
            saved[name].copyto(array)
    for i, output in enumerate(bound.forward(is_train=False, data=x)):
        np.save(folder / f"y{i}.npy", output.asnumpy())
"""


@pytest.fixture(scope="module")
def like_mxnet(tmp_path_factory):
    """Compare converted networks, `{name: (symbol, params, x)}`, with what MXNet computes."""
    python = Path(__file__).resolve().parents[3] / ".oracles" / "mxnet" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs mxnet 1.9.1 in .oracles/mxnet: make oracles")

    def compare(jobs):
        root = tmp_path_factory.mktemp("mxnet")
        for name, (symbol, params, x) in jobs.items():
            folder = root / name
            folder.mkdir()
            (folder / "net-symbol.json").write_bytes(symbol)
            (folder / "net.params").write_bytes(params)
            np.save(folder / "x.npy", x)
        done = subprocess.run([python, "-c", ORACLE, root], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        for name, (symbol, params, x) in jobs.items():
            for i, found in enumerate(run(network(symbol, params), data=x).values()):
                expected = np.load(root / name / f"y{i}.npy")
                assert found.shape == expected.shape, name
                error = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-6)
                assert error < 1e-4, f"{name} output {i}: {error}"

    return compare


def test_small_networks_equal_mxnet(like_mxnet, rng):
    jobs = {
        f"{i}-{kind}": (*one_operator(kind, given, weights), X)
        for i, (kind, given, weights, _) in enumerate(OPERATORS)
        if given.get("kernel") != "(3L, 3L)"  # MXNet itself does not read Python 2's long numbers any more
    }
    for i, (kind, given, _) in enumerate(TWO):
        identity = params_of({"w": np.eye(4).reshape(4, 4, 1, 1)})
        jobs[f"two-{i}-{kind}"] = symbol_of(*PAIR, (kind, "it", ["a", "b"], given)), identity, X
    for batch in (1, 3):
        for version in (LEGACY, V1, V2):
            p = {n: a.astype(np.float32) for n, a in small_params(rng).items()}
            x = rng.uniform(0, 255, (batch, 4, 8, 8)).astype(np.float32)
            jobs[f"small-{batch}-{version}"] = symbol_of(*SMALL), params_of(p, version), x
    like_mxnet(jobs)


REAL = {
    "det1": ("0001", (40, 52), ["conv4_2", "prob1"]),
    "det2": ("0001", (24, 24), ["conv5_2", "prob1"]),
    "det3": ("0001", (48, 48), ["conv6_3", "conv6_2", "prob1"]),
    "genderage": ("0000", (112, 112), ["fc1"]),
    "model-y1-test2": ("0000", (112, 112), ["fc1"]),
}


def real(shared, name):
    ends = f"symbol.json {REAL[name][0]}.params".split()
    return [shared(f"models/research/{name}-{end}").read_bytes() for end in ends]


def test_published_networks_equal_mxnet(shared, like_mxnet, rng):
    jobs = {}
    for name, (_, size, _) in REAL.items():
        for batch in (1, 3):
            x = rng.uniform(0, 255, (batch, 3, *size)).astype(np.float32)
            jobs[f"{name}-{batch}"] = (
                *real(shared, name),
                (x - 127.5) / 128 if name.startswith("det") else x,
            )
    like_mxnet(jobs)


@pytest.mark.parametrize("name", REAL)
def test_published_networks_have_the_outputs_that_their_users_want(shared, name):
    data = network(*real(shared, name))
    assert [output.name for output in onnx.load_from_string(data).graph.output] == REAL[name][2]
    assert input_lengths(data) == ["n", 3, "h", "w"]
