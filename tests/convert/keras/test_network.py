import io
import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from mien.convert.keras.network import network
from mien.errors import ConversionFailed, ExtraMissing

h5py = pytest.importorskip("h5py", reason="needs h5py: pip install 'mien[convert]'")
torch = pytest.importorskip("torch", reason="needs torch: make oracles")
F = torch.nn.functional


def written(config, weights=None, *, root="model_weights", **attributes):
    """What Keras writes: the architecture in an attribute, a group of datasets per layer."""
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["model_config"] = config if isinstance(config, str) else json.dumps(config)
        for name, value in attributes.items():
            h5.attrs[name] = value
        for layer, arrays in (weights or {}).items():
            group = h5.create_group(f"{root}/{layer}")
            names = [f"{layer}/weight_{i}:0".encode() for i in range(len(arrays))]
            group.attrs["weight_names"] = names
            for name, array in zip(names, arrays, strict=True):
                group[name.decode()] = array
    return file.getvalue()


def layer(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def sequential(kind, shape, config):
    return {
        "class_name": "Sequential",
        "config": {"layers": [layer(kind, "only", batch_input_shape=[None, *shape], **config)]},
    }


def functional(*layers, outputs):
    """Layers are given as (kind, name, sources, config)."""
    described = [
        {**layer(kind, name, **config), "name": name, "inbound_nodes": [[[s, 0, 0, {}] for s in sources]]}
        if sources
        else {**layer(kind, name, **config), "name": name, "inbound_nodes": []}
        for kind, name, sources, config in layers
    ]
    return {
        "class_name": "Model",
        "config": {"layers": described, "output_layers": [[name, 0, 0] for name in outputs]},
    }


def picture(name="image", shape=(6, 5, 4)):
    return "InputLayer", name, [], {"batch_input_shape": [None, *shape]}


def run(data, *inputs):
    session = onnxruntime.InferenceSession(network(data))
    names = [each.name for each in session.get_inputs()]
    laid = [x.transpose(0, 3, 1, 2) if x.ndim == 4 else x for x in inputs]
    return session.run(None, dict(zip(names, laid, strict=True)))


def nchw(x):
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def nhwc(x):
    return x.numpy().transpose(0, 2, 3, 1)


def same(x, sizes, strides, value=0.0):
    """TensorFlow's padding: what is missing for ceil(n / stride) windows, the odd one at the end."""
    pads = []
    for n, size, stride in zip(x.shape[:1:-1], sizes[::-1], strides[::-1], strict=True):
        missing = max((int(np.ceil(n / stride)) - 1) * stride + size - n, 0)
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads, value=value)


def conv(x, kernel, bias=None, *, stride=(1, 1), dilation=1, pad=False, groups=1):
    x, kernel = nchw(x), torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
    if pad:
        x = same(x, [(n - 1) * dilation + 1 for n in kernel.shape[2:]], stride)
    bias = None if bias is None else torch.from_numpy(bias)
    return nhwc(F.conv2d(x, kernel, bias, stride, 0, dilation, groups))


def depthwise(x, kernel, *rest, **options):
    """One channel at a time."""
    parts = [conv(x[..., i : i + 1], kernel[:, :, i : i + 1], **options) for i in range(x.shape[-1])]
    return np.concatenate(parts, -1) + (rest[0] if rest else 0)


def pooled(x, size, stride, *, pad=False):
    x = nchw(x)
    return nhwc(F.max_pool2d(same(x, size, stride, -np.inf) if pad else x, size, stride))


def averaged_same(x, size, stride):
    """The mean of what lies inside."""
    padded, ones = (same(t, size, stride) for t in (nchw(x), torch.ones_like(nchw(x))))
    sums, counts = (F.avg_pool2d(t, size, stride) for t in (padded, ones))
    return nhwc(sums / counts)


def softmax(x):
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def normalised(x, gamma, beta, mean, variance, epsilon=1e-3):
    return (x - mean) / np.sqrt(variance + epsilon) * gamma + beta


MAP, ROW = (6, 5, 4), (7,)
CASES = {
    "conv": ("Conv2D", MAP, {}, [(3, 2, 4, 5), (5,)], conv),
    "conv without bias": ("Conv2D", MAP, {"use_bias": False}, [(3, 2, 4, 5)], conv),
    "conv same, even": (
        "Conv2D",
        (6, 8, 4),
        {"padding": "same", "strides": [2, 2]},
        [(3, 3, 4, 5), (5,)],
        lambda x, k, b: conv(x, k, b, stride=(2, 2), pad=True),
    ),
    "conv same, odd, oblong": (
        "Conv2D",
        (7, 8, 4),
        {"padding": "same", "strides": [2, 3]},
        [(4, 3, 4, 5), (5,)],
        lambda x, k, b: conv(x, k, b, stride=(2, 3), pad=True),
    ),
    "conv dilated": (
        "Conv2D",
        (9, 9, 4),
        {"padding": "same", "dilation_rate": [2, 2]},
        [(3, 3, 4, 5), (5,)],
        lambda x, k, b: conv(x, k, b, dilation=2, pad=True),
    ),
    "conv in groups": (
        "Conv2D",
        MAP,
        {"groups": 2},
        [(3, 3, 2, 6), (6,)],
        lambda x, k, b: conv(x, k, b, groups=2),
    ),
    "conv relu": (
        "Conv2D",
        MAP,
        {"activation": "relu"},
        [(1, 1, 4, 5), (5,)],
        lambda x, k, b: np.maximum(conv(x, k, b), 0),
    ),
    "depthwise": (
        "DepthwiseConv2D",
        MAP,
        {"padding": "same", "strides": [2, 2], "depth_multiplier": 2},
        [(3, 3, 4, 2), (8,)],
        lambda x, k, b: depthwise(x, k, b, stride=(2, 2), pad=True),
    ),
    "separable": (
        "SeparableConv2D",
        MAP,
        {"padding": "same", "depth_multiplier": 3},
        [(3, 3, 4, 3), (1, 1, 12, 5), (5,)],
        lambda x, d, p, b: conv(depthwise(x, d, pad=True), p, b),
    ),
    "dense": ("Dense", ROW, {"activation": "tanh"}, [(7, 3), (3,)], lambda x, w, b: np.tanh(x @ w + b)),
    "dense on maps": ("Dense", MAP, {"use_bias": False}, [(4, 3)], lambda x, w: x @ w),
    "norm": ("BatchNormalization", MAP, {"axis": [3]}, [(4,)] * 4, normalised),
    "norm of rows": (
        "BatchNormalization",
        ROW,
        {"epsilon": 0.1},
        [(7,)] * 4,
        lambda x, *w: normalised(x, *w, 0.1),
    ),
    "norm, plain": (
        "BatchNormalization",
        MAP,
        {"scale": False, "center": False},
        [(4,)] * 2,
        lambda x, m, v: normalised(x, 1, 0, m, v),
    ),
    "norm, scaled": (
        "BatchNormalization",
        MAP,
        {"center": False},
        [(4,)] * 3,
        lambda x, g, m, v: normalised(x, g, 0, m, v),
    ),
    "relu": ("ReLU", MAP, {}, [], lambda x: np.maximum(x, 0)),
    "relu6": ("ReLU", MAP, {"max_value": 0.6, "negative_slope": 0.0}, [], lambda x: x.clip(0, 0.6)),
    "relu, sloping": ("ReLU", MAP, {"negative_slope": 0.2}, [], lambda x: np.where(x < 0, 0.2 * x, x)),
    "leaky": ("LeakyReLU", MAP, {}, [], lambda x: np.where(x < 0, np.float32(0.3) * x, x)),
    "leaky, Keras 2": ("LeakyReLU", MAP, {"alpha": 0.1}, [], lambda x: np.where(x < 0, 0.1 * x, x)),
    "leaky, Keras 3": ("LeakyReLU", MAP, {"negative_slope": 0.1}, [], lambda x: np.where(x < 0, 0.1 * x, x)),
    "prelu": ("PReLU", MAP, {"shared_axes": [1, 2]}, [(1, 1, 4)], lambda x, a: np.where(x < 0, a * x, x)),
    "prelu, each": ("PReLU", MAP, {}, [(6, 5, 4)], lambda x, a: np.where(x < 0, a * x, x)),
    "prelu of rows": ("PReLU", ROW, {}, [(7,)], lambda x, a: np.where(x < 0, a * x, x)),
    "softmax": ("Softmax", MAP, {"axis": -1}, [], softmax),
    "activation": ("Activation", ROW, {"activation": "softmax"}, [], softmax),
    "tanh": ("Activation", MAP, {"activation": "tanh"}, [], np.tanh),
    "swish": ("Activation", MAP, {"activation": "swish"}, [], lambda x: x / (1 + np.exp(-x))),
    "elu": ("Activation", MAP, {"activation": "elu"}, [], lambda x: np.where(x < 0, np.expm1(x), x)),
    "softplus": ("Activation", MAP, {"activation": "softplus"}, [], lambda x: np.log1p(np.exp(x))),
    "max": ("MaxPooling2D", MAP, {}, [], lambda x: pooled(x, (2, 2), (2, 2))),
    "max same": (
        "MaxPooling2D",
        MAP,
        {"pool_size": [3, 3], "strides": [2, 2], "padding": "same"},
        [],
        lambda x: pooled(x, (3, 3), (2, 2), pad=True),
    ),
    "average same": (
        "AveragePooling2D",
        MAP,
        {"pool_size": [3, 2], "strides": [2, 2], "padding": "same"},
        [],
        lambda x: averaged_same(x, (3, 2), (2, 2)),
    ),
    "global average": ("GlobalAveragePooling2D", MAP, {}, [], lambda x: x.mean((1, 2))),
    "global max": ("GlobalMaxPooling2D", MAP, {"keepdims": True}, [], lambda x: x.max((1, 2), keepdims=True)),
    "flatten": ("Flatten", MAP, {}, [], lambda x: x.reshape(len(x), -1)),
    "reshape": ("Reshape", MAP, {"target_shape": [3, -1, 5]}, [], lambda x: x.reshape(len(x), 3, 8, 5)),
    "reshape rows": ("Reshape", (24,), {"target_shape": [2, 3, 4]}, [], lambda x: x.reshape(len(x), 2, 3, 4)),
    "dropout": ("Dropout", MAP, {"rate": 0.5}, [], lambda x: x),
    "border": (
        "ZeroPadding2D",
        MAP,
        {"padding": [[1, 2], [0, 3]]},
        [],
        lambda x: np.pad(x, [(0, 0), (1, 2), (0, 3), (0, 0)]),
    ),
    "even border": (
        "ZeroPadding2D",
        MAP,
        {"padding": 2},
        [],
        lambda x: np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)]),
    ),
    "larger": ("UpSampling2D", MAP, {"size": [2, 3]}, [], lambda x: x.repeat(2, 1).repeat(3, 2)),
}


def random(rng, shapes):
    return [rng.uniform(0.2, 1.2, shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("case", CASES)
def test_each_layer_equals_an_independent_one(case, rng):
    kind, shape, config, shapes, expected = CASES[case]
    weights = random(rng, shapes)
    data = written(sequential(kind, shape, config), {"only": weights})
    x = rng.standard_normal((3, *shape)).astype(np.float32)
    found = run(data, x)[0]
    wanted = expected(x, *weights)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, atol=2e-5 * max(1, np.abs(wanted).max()))
    assert network(data) == network(data)


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("Add", {}, lambda a, b: a + b),
        ("Multiply", {}, lambda a, b: a * b),
        ("Concatenate", {"axis": -1}, lambda a, b: np.concatenate([a, b], 3)),
        ("Concatenate", {"axis": 1}, lambda a, b: np.concatenate([a, b], 1)),
        ("Merge", {"mode": "sum"}, lambda a, b: a + b),
        ("Merge", {"mode": "mul"}, lambda a, b: a * b),
        ("Merge", {"mode": "concat", "concat_axis": 3}, lambda a, b: np.concatenate([a, b], 3)),
    ],
)
def test_merging(kind, config, expected, rng):
    # Layers may come in any order.
    config = functional((kind, "both", ["a", "b"], config), picture("a"), picture("b"), outputs=["both"])
    a, b = (rng.standard_normal((2, *MAP)).astype(np.float32) for _ in "ab")
    np.testing.assert_allclose(run(written(config), a, b)[0], expected(a, b), atol=1e-6)


def test_squeeze_and_excitation_and_several_outputs(rng):
    config = functional(
        picture(),
        ("GlobalAveragePooling2D", "mean", ["image"], {}),
        ("Dense", "chance", ["mean"], {"activation": "sigmoid"}),
        ("Reshape", "planes", ["chance"], {"target_shape": [1, 1, 4]}),
        ("Multiply", "scaled", ["image", "planes"], {}),
        outputs=["scaled", "chance"],
    )
    matrix, bias = random(rng, [(4, 4), (4,)])
    x = rng.standard_normal((2, *MAP)).astype(np.float32)
    scaled, chance = run(written(config, {"chance": [matrix, bias]}), x)
    wanted = 1 / (1 + np.exp(-(x.mean((1, 2)) @ matrix + bias)))
    np.testing.assert_allclose(chance, wanted, atol=1e-5)
    np.testing.assert_allclose(scaled, x * wanted[:, None, None], atol=1e-5)


def test_a_normalisation_goes_into_the_convolution_before_it(rng):
    config = functional(
        picture(),
        ("SeparableConv2D", "conv", ["image"], {"use_bias": False}),
        ("BatchNormalization", "norm", ["conv"], {}),
        ("Activation", "relu", ["norm"], {"activation": "relu"}),
        outputs=["relu"],
    )
    each, over, *norm = random(rng, [(3, 3, 4, 1), (1, 1, 4, 5), (5,), (5,), (5,), (5,)])
    data = written(config, {"conv": [each, over], "norm": norm})
    operators = [node.op_type for node in onnx.load_from_string(network(data)).graph.node]
    assert [each for each in operators if each not in ("Transpose", "Identity")] == ["Conv", "Conv", "Relu"]
    x = rng.standard_normal((2, *MAP)).astype(np.float32)
    expected = np.maximum(normalised(conv(depthwise(x, each), over), *norm), 0)
    np.testing.assert_allclose(run(data, x)[0], expected, atol=1e-4)


def test_a_convolution_that_others_see_before_its_normalisation(rng):
    config = functional(
        picture(),
        ("Conv2D", "conv", ["image"], {}),
        ("BatchNormalization", "norm", ["conv"], {}),
        ("Add", "sum", ["conv", "norm"], {}),
        outputs=["sum"],
    )
    kernel, bias, *norm = random(rng, [(1, 1, 4, 4), (4,), (4,), (4,), (4,), (4,)])
    x = rng.standard_normal((2, *MAP)).astype(np.float32)
    found = run(written(config, {"conv": [kernel, bias], "norm": norm}), x)[0]
    plain = conv(x, kernel, bias)
    np.testing.assert_allclose(found, plain + normalised(plain, *norm), atol=1e-4)


def test_the_spelling_of_keras_1(rng):
    first = {"batch_input_shape": [None, *MAP], "subsample": [2, 2], "border_mode": "same", "nb_filter": 5}
    config = {
        "class_name": "Sequential",
        "config": [
            layer("Convolution2D", "conv", nb_row=3, nb_col=3, dim_ordering="tf", bias=False, **first),
            layer("ZeroPadding2D", "border", padding=[1, 2], dim_ordering="tf"),
            layer("Flatten", "row"),
            layer("Dense", "end", output_dim=2, activation="linear", bias=True),
        ],
    }
    kernel, matrix, bias = random(rng, [(3, 3, 4, 5), (5 * 7 * 5, 2), (2,)])
    data = written(config, {"conv": [kernel], "end": [matrix, bias]})
    session = onnxruntime.InferenceSession(network(data))
    assert [each.name for each in (*session.get_inputs(), *session.get_outputs())] == ["conv_input", "end"]
    x = rng.standard_normal((2, *MAP)).astype(np.float32)
    map_ = np.pad(conv(x, kernel, stride=(2, 2), pad=True), [(0, 0), (1, 1), (2, 2), (0, 0)])
    np.testing.assert_allclose(run(data, x)[0], map_.reshape(2, -1) @ matrix + bias, rtol=1e-4)


def test_the_spelling_of_keras_3(rng):
    def tensor(source):
        return {"class_name": "__keras_tensor__", "config": {"shape": [], "keras_history": [source, 0, 0]}}

    def called(entry, *sources):
        arguments = [tensor(source) for source in sources]
        return {**entry, "inbound_nodes": [{"args": arguments, "kwargs": {"mask": None}}]}

    config = {
        "class_name": "Functional",
        "config": {
            "layers": [
                {**layer("InputLayer", "x", batch_shape=[None, 4], dtype="float32"), "inbound_nodes": []},
                called(layer("Dense", "end", dtype={"class_name": "DTypePolicy"}), "x"),
            ],
            "input_layers": ["x", 0, 0],
            "output_layers": ["end", 0, 0],
        },
    }
    matrix, bias = random(rng, [(4, 2), (2,)])
    x = rng.standard_normal((3, 4)).astype(np.float32)
    found = run(written(config, {"end": [matrix, bias]}), x)[0]
    np.testing.assert_allclose(found, x @ matrix + bias, atol=1e-5)


def test_maps_of_free_size(rng):
    kernel = random(rng, [(3, 3, 4, 5)])
    config = {"use_bias": False, "padding": "same"}
    data = written(sequential("Conv2D", (None, None, 4), config), {"only": kernel})
    for size in ((6, 5), (9, 4)):
        x = rng.standard_normal((2, *size, 4)).astype(np.float32)
        np.testing.assert_allclose(run(data, x)[0], conv(x, *kernel, pad=True), atol=1e-4)


@pytest.mark.parametrize("name", ["add_0", "identity_1", "conv_0", "transpose_1"])
def test_layers_may_be_called_like_our_own_nodes(name, rng):
    config = functional(
        picture(), ("Add", name, ["image", "image"], {}), ("ReLU", "relu", [name], {}), outputs=[name, "relu"]
    )
    x = rng.standard_normal((2, *MAP)).astype(np.float32)
    np.testing.assert_allclose(run(written(config), x)[0], 2 * x, atol=1e-6)


def test_everything_unsupported_is_named_at_once():
    config = functional(
        picture(),
        ("LSTM", "a", ["image"], {}),
        ("Lambda", "b", ["a"], {"function": ["4wEAAAA=", None, None]}),
        ("Conv2D", "c", ["b"], {"activation": "mish"}),
        ("Conv2D", "d", ["c"], {"activation": {"class_name": "Mine"}}),
        ("Merge", "e", ["c", "d"], {"mode": "cos"}),
        outputs=["e"],
    )
    named = "LSTM, Lambda, Merge by cos, activation Mine, activation mish"
    with pytest.raises(ConversionFailed, match=named) as refused:
        network(written(config))
    assert "tf2onnx" in refused.value.hint


CONV = {"strides": [1, 1]}
KERNEL = {"only": [np.ones((3, 3, 4, 5), np.float32), np.ones(5, np.float32)]}


@pytest.mark.parametrize(
    ("kind", "config", "weights"),
    [
        ("Conv2D", {}, {}),
        ("Conv2D", {}, {"only": KERNEL["only"][:1]}),
        ("Conv2D", {}, {"only": KERNEL["only"][::-1]}),
        ("Conv2D", {}, {"only": [np.ones((3, 3, 2, 5), np.float32), np.ones(5, np.float32)]}),
        ("Conv2D", {}, {"only": [np.ones((3, 3, 4, 5), np.float32), np.ones(4, np.float32)]}),
        ("Conv2D", {}, {"only": [np.ones((9, 9, 4, 5), np.float32), np.ones(5, np.float32)]}),
        ("Conv2D", {}, {"only": [np.full((3, 3, 4, 5), np.nan, np.float32), np.ones(5, np.float32)]}),
        ("Conv2D", {}, {"only": [np.ones((3, 3, 4, 5), np.int32), np.ones(5, np.float32)]}),
        ("Conv2D", {"strides": [0, 1]}, KERNEL),
        ("Conv2D", {"strides": [1, 1, 1]}, KERNEL),
        ("Conv2D", {"strides": 10**9}, KERNEL),
        ("Conv2D", {"strides": "2"}, KERNEL),
        ("Conv2D", {"padding": "causal"}, KERNEL),
        ("Conv2D", {"padding": ["same"]}, KERNEL),
        ("Conv2D", {"data_format": "channels_first"}, KERNEL),
        ("Conv2D", {"dim_ordering": "th"}, KERNEL),
        ("Conv2D", {"groups": 4}, KERNEL),
        ("DepthwiseConv2D", {"use_bias": False}, {"only": [np.ones((3, 3, 2, 2), np.float32)]}),
        ("Dense", {"use_bias": False}, {"only": [np.ones((5, 2), np.float32)]}),
        ("BatchNormalization", {"axis": 1}, {"only": [np.ones(4, np.float32)] * 4}),
        ("BatchNormalization", {}, {"only": [np.ones(5, np.float32)] * 4}),
        ("BatchNormalization", {}, {"only": [np.ones(4, np.float32)] * 3 + [-np.ones(4, np.float32)]}),
        ("PReLU", {}, {"only": [np.ones((6, 5, 3), np.float32)]}),
        ("ReLU", {"threshold": 1.0}, {}),
        ("ReLU", {"max_value": 6.0, "negative_slope": 0.1}, {}),
        ("Softmax", {"axis": 0}, {}),
        ("Softmax", {"axis": 9}, {}),
        ("Reshape", {"target_shape": [7, 7]}, {}),
        ("Reshape", {"target_shape": [-1, -1]}, {}),
        ("Reshape", {"target_shape": [-5, 4]}, {}),
        ("ZeroPadding2D", {"padding": [[-1, 0], [0, 0]]}, {}),
        ("ZeroPadding2D", {"padding": [10**9, 0]}, {}),
        ("ZeroPadding2D", {"padding": {"top_pad": 1}}, {}),
        ("UpSampling2D", {"interpolation": "bilinear"}, {}),
        ("UpSampling2D", {"size": [10**9, 1]}, {}),
        ("MaxPooling2D", {"pool_size": [7, 7]}, {}),
        ("Add", {}, {}),
    ],
)
def test_layers_that_do_not_fit_are_refused(kind, config, weights):
    with pytest.raises(ConversionFailed):
        network(written(sequential(kind, MAP, config), weights))


def linked(target):
    """A model whose dense layer's matrix is a link."""
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["model_config"] = json.dumps(sequential("Dense", ROW, {"use_bias": False}))
        group = h5.create_group("model_weights/only")
        group.attrs["weight_names"] = [b"matrix"]
        group["other"] = np.ones((7, 2), np.float32)
        group["matrix"] = target
    return file.getvalue()


def test_links_to_elsewhere_are_refused(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as h5:
        h5["matrix"] = np.ones((7, 2), np.float32)
    for target in (h5py.ExternalLink(str(tmp_path / "secret.h5"), "/matrix"), h5py.SoftLink("other")):
        with pytest.raises(ConversionFailed, match="link"):
            network(linked(target))


def datasets(**options):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["model_config"] = json.dumps(sequential("Dense", ROW, {"use_bias": False}))
        group = h5.create_group("model_weights/only")
        group.attrs["weight_names"] = [b"matrix"]
        group.create_dataset("matrix", dtype="f4", **options)
    return file.getvalue()


def test_arrays_that_the_file_does_not_hold_are_refused(tmp_path):
    (tmp_path / "secret").write_bytes(bytes(4096))
    network(datasets(data=np.ones((7, 2))))
    for options in (
        {"shape": (7, 2**40)},
        {"shape": (7, 1000), "chunks": (1, 1000), "compression": "gzip", "data": np.zeros((7, 1000))},
        {"shape": (7, 2), "external": [(str(tmp_path / "secret"), 0, 4096)]},
    ):
        with pytest.raises(ConversionFailed):
            network(datasets(**options))


def test_one_array_under_many_names_is_read_within_bounds():
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5.attrs["model_config"] = json.dumps(sequential("Dense", ROW, {"use_bias": False}))
        group = h5.create_group("model_weights/only")
        group["matrix"] = np.ones((7, 4096), np.float32)
        group.attrs["weight_names"] = [b"matrix"] * 1000
    with pytest.raises(ConversionFailed, match="more than the file holds"):
        network(file.getvalue())


def attribute(**values):
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        for name, value in values.items():
            h5.attrs[name] = value
    return file.getvalue()


GOOD = written(sequential("Dense", ROW, {}), {"only": [np.ones((7, 2), np.float32), np.ones(2, np.float32)]})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89HDF\r\n\x1a\n",
        b"PK\x03\x04 a .keras archive",
        GOOD[:100],
        GOOD[: len(GOOD) // 2],
        written("not JSON"),
        written(sequential("ReLU", MAP, {}), backend=b"theano"),
        written("[" * 100_000),
        written("3"),
        attribute(model_config=3),
        attribute(model_config=h5py.Empty("S5")),
        attribute(model_config=np.array([b"{}"] * 2)),
        attribute(model_config=h5py.Reference()),
        written({"class_name": "Sequential", "config": []}),
        written({"class_name": "Mine", "config": {"layers": []}}),
        written({"class_name": "Model", "config": 3}),
        written({"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {}}]}),
        written({"class_name": "Sequential", "config": [layer("ReLU", "a")]}),
        written(sequential("ReLU", (0, 5, 4), {})),
        written(sequential("ReLU", (), {})),
        written(sequential("ReLU", MAP, {}), backend="theano"),
        written(functional(picture(), picture(), outputs=["image"])),
        written(functional(picture(), outputs=[])),
        written(functional(picture(), outputs=["other"])),
        written(functional(picture(), ("ReLU", "a", ["other"], {}), outputs=["a"])),
        written(functional(("ReLU", "a", ["b"], {}), ("ReLU", "b", ["a"], {}), outputs=["a"])),
        written(functional(("ReLU", "a", ["a"], {}), outputs=["a"])),
        written(functional(picture(), picture("b"), ("ReLU", "a", ["image", "b"], {}), outputs=["a"])),
    ],
)
def test_damaged_or_hostile_files_are_refused(data):
    with pytest.raises(ConversionFailed):
        network(data)


def test_every_cut_is_refused():
    network(GOOD)
    for length in range(0, len(GOOD), 97):
        with pytest.raises(ConversionFailed):
            network(GOOD[:length])


def test_a_layer_used_twice_is_refused():
    config = functional(picture(), ("ReLU", "a", ["image"], {}), outputs=["a"])
    config["config"]["layers"][1]["inbound_nodes"] *= 2
    with pytest.raises(ConversionFailed, match="more than once"):
        network(written(config))


def test_a_file_of_weights_only_says_so():
    file = io.BytesIO()
    with h5py.File(file, "w") as h5:
        h5["dense/kernel"] = np.ones((2, 2))
    with pytest.raises(ConversionFailed, match="weights only") as refused:
        network(file.getvalue())
    assert "model.save" in refused.value.hint


def test_without_h5py_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ExtraMissing, match="h5py") as missing:
        network(GOOD)
    assert "mien[convert]" in missing.value.hint


def mini_xception(x, w):
    """Arriaga, Valdenegro-Toro and Plöger 2017, arXiv:1710.07557, with the names of the file."""

    def plain(x, i, **options):
        return conv(x, *w[f"conv2d_{i}"], **options)

    def separable(x, i):
        each, over = w[f"separable_conv2d_{i}"]
        return conv(depthwise(x, each, pad=True), over)

    def norm(x, i):
        return normalised(x, *w[f"batch_normalization_{i}"])

    def relu(x):
        return np.maximum(x, 0)

    x = relu(norm(plain(x, 1), 1))
    x = relu(norm(plain(x, 2), 2))
    for block in range(4):
        beside = norm(plain(x, 3 + block, stride=(2, 2), pad=True), 3 + 3 * block)
        x = relu(norm(separable(x, 1 + 2 * block), 4 + 3 * block))
        x = norm(separable(x, 2 + 2 * block), 5 + 3 * block)
        x = pooled(x, (3, 3), (2, 2), pad=True) + beside
    return softmax(plain(x, 7, pad=True).mean((1, 2)))


@pytest.mark.parametrize("name", ["fer2013_mini_XCEPTION.102-0.66", "gender_mini_XCEPTION.21-0.95"])
def test_mini_xception_equals_an_independent_forward(shared, rng, name):
    path = shared(f"models/open/{name}.hdf5")
    with h5py.File(path) as h5:
        groups = h5["model_weights"]
        weights = {
            key: [np.asarray(group[each]) for each in group.attrs["weight_names"]]
            for key, group in groups.items()
        }
    x = rng.uniform(-1, 1, (3, 64, 64, 1)).astype(np.float32)
    found = run(path.read_bytes(), x)[0]
    np.testing.assert_allclose(found, mini_xception(x, weights), atol=1e-5)


def heap(*objects, length=4096):
    """A heap of texts as HDF5 lays it out, from (number, claimed length, bytes kept)."""
    body = b"".join(
        number.to_bytes(8, "little") + claimed.to_bytes(8, "little") + bytes(kept)
        for number, claimed, kept in objects
    )
    return b"GCOL\1\0\0\0" + length.to_bytes(8, "little") + body.ljust(length - 16, b"\0")


@pytest.mark.parametrize(
    "damaged",
    [
        # A gap of no length, for which the HDF5 library waits for ever; gaps and texts that do not add up.
        heap((1, 5, 8), (0, 0, 0)),
        heap((1, 5, 8), (0, 16, 0)),
        heap((1, 5, 8), (0, 5000, 0)),
        heap((1, 2**63, 8)),
        heap((1, 5, 8), (0, 4056, 0), length=5000)[:4096],
    ],
)
def test_damaged_heaps_are_refused_before_the_library_sees_them(damaged):
    with pytest.raises(ConversionFailed, match="heap"):
        network(GOOD + damaged)


def test_sound_heaps_are_not():
    for sound in (heap((1, 5, 8), (0, 4056, 0)), heap((1, 4064, 4064)), b"GCOL\1\0\0", b"GCOL"):
        network(GOOD + sound)
