import struct

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.signal import correlate2d

from mien.convert.caffe.network import network
from mien.errors import ConversionFailed

# --- Caffe's binary format, byte by byte -------------------------------------------------------


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def chunk(field, data):
    return varint(field << 3 | 2) + varint(len(data)) + data


def number(field, n):
    return varint(field << 3) + varint(n)


def blob(array, *, old=False, double=False):
    array = np.asarray(array)
    if old:
        four = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(number(i, n) for i, n in enumerate(four, start=1))
    else:
        shape = chunk(7, chunk(1, b"".join(varint(n) for n in array.shape)))
    data = chunk(8, array.astype("<f8").tobytes()) if double else chunk(5, array.astype("<f4").tobytes())
    return shape + data


def caffemodel(weights, *, version=2, **form):
    layer, name_field, blobs_field = {1: (2, 4, 6), 2: (100, 1, 7)}[version]
    out = b""
    for name, arrays in weights.items():
        blobs = b"".join(chunk(blobs_field, blob(array, **form)) for array in arrays)
        out += chunk(layer, chunk(name_field, name.encode()) + blobs)
    return out


def layer(kind, params="", bottom="data", top="y", name=None):
    name = name or top.split()[0]
    bottoms, tops = (
        "".join(f'{w}: "{x}" ' for x in v.split()) for w, v in (("bottom", bottom), ("top", top))
    )
    return f'layer {{ name: "{name}" type: "{kind}" {bottoms}{tops}{params} }}\n'


def declared(*shape, name="data"):
    return f'input: "{name}" ' + "".join(f"input_dim: {n} " for n in shape) + "\n"


def convert(text, weights=None, **form):
    return network(text.encode(), caffemodel(weights or {}, **form))


def run(data, /, **inputs):
    session = onnxruntime.InferenceSession(data)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def input_lengths(data):
    (given,) = onnx.load_from_string(data).graph.input
    return [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim]


def operators(data):
    return sorted(node.op_type for node in onnx.load_from_string(data).graph.node)


# --- What the layers compute, said again with loops ----------------------------------------------


def correlate(x, kernel, bias, pad=0, stride=1, dilation=1, group=1):
    (out, each, h, w), n = kernel.shape, len(x)
    wide = np.zeros((out, each, dilation * (h - 1) + 1, dilation * (w - 1) + 1))
    wide[:, :, ::dilation, ::dilation] = kernel
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    planes = [
        sum(correlate2d(x[i, o * group // out * each + c], wide[o, c], "valid") for c in range(each))
        + bias[o]
        for i in range(n)
        for o in range(out)
    ]
    return np.array(planes).reshape(n, out, *planes[0].shape)[:, :, ::stride, ::stride]


def caffe_pool(x, size, stride, pad, kind):
    """`PoolingLayer::Reshape` and `Forward_cpu`, for squares."""
    h = x.shape[2]
    out = -(-(h + 2 * pad - size) // stride) + 1
    if pad and (out - 1) * stride >= h + pad:
        out -= 1
    y = np.zeros((*x.shape[:2], out, out))
    for i in range(out):
        for j in range(out):
            top, left = i * stride - pad, j * stride - pad
            bottom, right = min(top + size, h + pad), min(left + size, h + pad)
            area = (bottom - top) * (right - left)
            part = x[:, :, max(top, 0) : min(bottom, h), max(left, 0) : min(right, h)]
            y[:, :, i, j] = part.max((2, 3)) if kind == "MAX" else part.sum((2, 3)) / area
    return y


def softmax(x, axis):
    e = np.exp(x - x.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


SMALL_V2 = (
    declared(1, 4, 9, 9)
    + layer(
        "Convolution",
        "convolution_param { num_output: 6 kernel_size: 3 pad: 2 dilation: 2 group: 2 bias_term: false }",
        name="conv",
        top="a",
    )
    + layer("BatchNorm", "batch_norm_param { eps: 0.001 }", name="bn", bottom="a", top="a")
    + layer("Scale", "scale_param { bias_term: true }", name="scale", bottom="a", top="a")
    + layer("PReLU", name="prelu", bottom="a", top="a")
    + layer("InnerProduct", "inner_product_param { num_output: 5 }", name="fc", bottom="a", top="b")
    + layer("Softmax", name="prob", bottom="b", top="prob")
)


def small_weights(rng):
    return {
        "conv": [rng.normal(size=(6, 2, 3, 3))],
        "bn": [rng.normal(size=6) * 40, rng.uniform(20, 60, 6), np.array([40.0])],
        "scale": [rng.normal(size=6), rng.normal(size=6)],
        "prelu": [rng.uniform(0, 1, 6)],
        "fc": [rng.normal(size=(5, 6 * 9 * 9)) / 20, rng.normal(size=5)],
    }


@pytest.mark.parametrize("batch", [1, 3])
def test_a_network_equals_its_loops(rng, batch):
    w = small_weights(rng)
    data = convert(SMALL_V2, w)
    x = rng.normal(size=(batch, 4, 9, 9)).astype(np.float32)
    a = correlate(x, w["conv"][0], np.zeros(6), pad=2, dilation=2, group=2)
    mean, variance = w["bn"][0] / 40, w["bn"][1] / 40
    a = (a - mean[:, None, None]) / np.sqrt(variance + 0.001)[:, None, None]
    a = a * w["scale"][0][:, None, None] + w["scale"][1][:, None, None]
    a = np.where(a > 0, a, a * w["prelu"][0][:, None, None])
    b = a.reshape(batch, -1) @ w["fc"][0].T + w["fc"][1]
    np.testing.assert_allclose(run(data, data=x)["prob"], softmax(b, 1), atol=1e-5)
    assert "BatchNormalization" not in operators(data)
    assert input_lengths(data) == ["n", 4, 9, 9]  # the matrix ties it to its size


def test_same_files_same_bytes(rng):
    w = small_weights(rng)
    assert convert(SMALL_V2, w) == convert(SMALL_V2, w)


@pytest.mark.parametrize(
    "form", [{"old": True}, {"double": True}, {"version": 1}, {"version": 1, "old": True}]
)
def test_weights_of_every_form_are_the_same(rng, form):
    w = {name: [array.astype(np.float32) for array in arrays] for name, arrays in small_weights(rng).items()}
    assert convert(SMALL_V2, w, **form) == convert(SMALL_V2, w)


def test_both_versions_of_the_description_are_the_same(rng):
    w = {"c": [rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)]}
    conv = "convolution_param { num_output: 2 kernel_size: 3 }"
    two = (
        'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }'
        + layer("Convolution", conv, name="c", top="c")
        + layer("ReLU", name="r", bottom="c", top="c")
    )
    one = declared(1, 3, 8, 8) + (
        f'layers {{ name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 {conv} }}'
        'layers { name: "r" type: RELU bottom: "c" top: "c" }'
    )
    three = 'input: "data" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }' + two.partition("} } }")[2]
    assert convert(one, w, version=1, old=True) == convert(two, w) == convert(three, w)


@pytest.mark.parametrize("kind", ["MAX", "AVE"])
@pytest.mark.parametrize(
    ("size", "stride", "pad"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), (2, 2, 1), (3, 3, 2), (3, 1, 1)]
)
@pytest.mark.parametrize("length", [6, 7, 8, 9])
def test_pools_hang_over_the_edge_as_in_caffe(rng, kind, size, stride, pad, length):
    params = f"pooling_param {{ pool: {kind} kernel_size: {size} stride: {stride} pad: {pad} }}"
    data = convert(declared(1, 2, length, length) + layer("Pooling", params))
    x = rng.normal(size=(3, 2, length, length)).astype(np.float32)
    np.testing.assert_allclose(run(data, data=x)["y"], caffe_pool(x, size, stride, pad, kind), atol=1e-6)


def test_a_pool_of_free_size_fits_every_size(rng):
    data = convert(declared(1, 2, 8, 8) + layer("Pooling", "pooling_param { kernel_size: 3 stride: 2 }"))
    assert input_lengths(data) == ["n", 2, "h", "w"]
    for length in range(5, 12):
        x = rng.normal(size=(1, 2, length, length)).astype(np.float32)
        np.testing.assert_array_equal(
            run(data, data=x)["y"], caffe_pool(x, 3, 2, 0, "MAX").astype(np.float32)
        )


def test_pool_rounding_down():
    x = np.arange(64, dtype=np.float32).reshape(1, 1, 8, 8)
    for said in ("round_mode: FLOOR", "ceil_mode: false"):
        params = f"pooling_param {{ kernel_size: 3 stride: 2 {said} }}"
        found = run(convert(declared(1, 1, 8, 8) + layer("Pooling", params)), data=x)["y"]
        np.testing.assert_array_equal(found, x[:, :, 2:7:2, 2:7:2])


def deconvolve(x, kernel, bias, stride, pad):
    n, _, h, w = x.shape
    size = kernel.shape[2]
    y = np.zeros((n, kernel.shape[1], stride * (h - 1) + size, stride * (w - 1) + size))
    for i in range(h):
        for j in range(w):
            part = np.einsum("nc,cohw->nohw", x[:, :, i, j], kernel)
            y[:, :, i * stride : i * stride + size, j * stride : j * stride + size] += part
    return y[:, :, pad : y.shape[2] - pad, pad : y.shape[3] - pad] + bias[:, None, None]


def _split_channels(x):
    return x.reshape(3, 2, 2, 6, 8)


DATA = declared(1, 4, 6, 8)
X = np.random.default_rng(5).normal(size=(3, 4, 6, 8)).astype(np.float32)
W = np.random.default_rng(6).normal(size=(4, 3, 4, 4)).astype(np.float32)
V = np.random.default_rng(7).normal(size=4).astype(np.float32)
PLAIN = [
    ("ReLU", "", [], lambda x: np.maximum(x, 0)),
    ("ReLU", "relu_param { negative_slope: 0.1 }", [], lambda x: np.where(x > 0, x, 0.1 * x)),
    ("ReLU6", "", [], lambda x: np.clip(x, 0, 6)),
    ("Clip", "clip_param { min: -0.5 max: 0.25 }", [], lambda x: np.clip(x, -0.5, 0.25)),
    ("ELU", "elu_param { alpha: 0.5 }", [], lambda x: np.where(x > 0, x, 0.5 * np.expm1(x))),
    ("PReLU", "prelu_param { channel_shared: true }", [V[:1]], lambda x: np.where(x > 0, x, V[0] * x)),
    ("Sigmoid", "", [], lambda x: 1 / (1 + np.exp(-x))),
    ("TanH", "", [], np.tanh),
    ("AbsVal", "", [], np.abs),
    ("Dropout", "", [], lambda x: x),
    ("Power", "power_param { power: 2 scale: 3 shift: -1 }", [], lambda x: (3 * x - 1) ** 2),
    ("Softmax", "", [], lambda x: softmax(x, 1)),
    ("Softmax", "softmax_param { axis: -1 }", [], lambda x: softmax(x, 3)),
    ("Bias", "", [V], lambda x: x + V[:, None, None]),
    ("Scale", "", [V], lambda x: x * V[:, None, None]),
    ("BatchNorm", "", [V, V**2, np.zeros(1)], lambda x: x / np.sqrt(1e-5)),
    ("Flatten", "", [], lambda x: x.reshape(3, -1)),
    ("Flatten", "flatten_param { axis: 2 }", [], lambda x: x.reshape(3, 4, -1)),
    ("Flatten", "flatten_param { axis: 1 end_axis: 2 }", [], lambda x: x.reshape(3, 24, 8)),
    ("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }", [], lambda x: x.reshape(3, -1, 2)),
    ("Reshape", "reshape_param { shape { dim: 1 dim: -1 dim: 2 } }", [], lambda x: x.reshape(3, -1, 2)),
    ("Reshape", "reshape_param { shape { dim: -1 dim: 192 } }", [], lambda x: x.reshape(3, 192)),
    (
        "Reshape",
        "reshape_param { shape { dim: 2 dim: 2 } axis: 1 num_axes: 1 }",
        [],
        lambda x: x.reshape(3, 2, 2, 6, 8),
    ),
    ("Permute", "permute_param { order: 0 order: 2 }", [], lambda x: x.transpose(0, 2, 1, 3)),
    (
        "Permute",
        "permute_param { order: 0 order: 3 order: 1 order: 2 }",
        [],
        lambda x: x.transpose(0, 3, 1, 2),
    ),
    (
        "Normalize",
        "norm_param { across_spatial: false channel_shared: false }",
        [V],
        lambda x: x / np.sqrt((x**2).sum(1, keepdims=True)) * V[:, None, None],
    ),
    ("Normalize", "", [V[:1]], lambda x: x / np.sqrt((x**2).sum((1, 2, 3), keepdims=True)) * V[0]),
    ("Upsample", "upsample_param { scale: 3 }", [], lambda x: x.repeat(3, 2).repeat(3, 3)),
    (
        "Pooling",
        "pooling_param { pool: AVE global_pooling: true }",
        [],
        lambda x: x.mean((2, 3), keepdims=True),
    ),
    (
        "Pooling",
        "pooling_param { pool: MAX global_pooling: true }",
        [],
        lambda x: x.max((2, 3), keepdims=True),
    ),
    (
        "Deconvolution",
        "convolution_param { num_output: 3 kernel_size: 4 stride: 2 pad: 1 bias_term: true }",
        [W, V[:3]],
        lambda x: deconvolve(x, W, V[:3], 2, 1),
    ),
    (
        "Convolution",
        "convolution_param { num_output: 2 kernel_h: 3 kernel_w: 2 stride_h: 2 stride_w: 1 }",
        [W[:2, [0, 1, 2, 0], :3, :2], V[:2]],
        lambda x: correlate(x, W[:2, [0, 1, 2, 0], :3, :2], V[:2])[:, :, ::2],
    ),
    (
        "DepthwiseConvolution",
        "convolution_param { num_output: 4 kernel_size: 3 pad: 1 stride: 2 }",
        [W[:, :1, :3, :3], V],
        lambda x: correlate(x, W[:, :1, :3, :3], V, pad=1, stride=2, group=4),
    ),
    (
        "InnerProduct",
        "inner_product_param { num_output: 2 }",
        [np.outer(V, np.arange(384) / 99).reshape(2, -1)[:, :192], V[:2]],
        lambda x: x.reshape(3, -1) @ np.outer(V, np.arange(384) / 99).reshape(2, -1)[:, :192].T + V[:2],
    ),
    (
        "InnerProduct",
        "inner_product_param { num_output: 2 bias_term: false transpose: true }",
        [np.tile(V, 96).reshape(192, 2)],
        lambda x: x.reshape(3, -1) @ np.tile(V, 96).reshape(192, 2),
    ),
    ("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.75 }", [], lambda x: lrn(x, 3, 0.5, 0.75)),
]


def lrn(x, size, alpha, beta):
    square = np.pad(x**2, ((0, 0), (size // 2, size // 2), (0, 0), (0, 0)))
    near = sum(square[:, i : i + x.shape[1]] for i in range(size))
    return x / (1 + alpha / size * near) ** beta


@pytest.mark.parametrize(
    ("kind", "params", "blobs", "expected"), PLAIN, ids=[f"{k}-{p[:40]}" for k, p, *_ in PLAIN]
)
def test_a_layer_equals_its_formula(kind, params, blobs, expected):
    data = convert(DATA + layer(kind, params), {"y": blobs})
    found = run(data, data=X)["y"]
    reference = expected(X.astype(np.float64))
    assert found.shape == reference.shape
    np.testing.assert_allclose(found, reference, rtol=1e-4, atol=1e-5)


TWO = layer("Power", "power_param { scale: 2 }", name="p", top="p") + layer("TanH", name="t", top="t")


@pytest.mark.parametrize(
    ("kind", "params", "expected"),
    [
        ("Eltwise", "", lambda a, b: a + b),
        ("Eltwise", "eltwise_param { operation: SUM coeff: 1 coeff: -0.5 }", lambda a, b: a - 0.5 * b),
        ("Eltwise", "eltwise_param { operation: PROD }", lambda a, b: a * b),
        ("Eltwise", "eltwise_param { operation: MAX }", np.maximum),
        ("Concat", "", lambda a, b: np.concatenate([a, b], 1)),
        ("Concat", "concat_param { axis: 2 }", lambda a, b: np.concatenate([a, b], 2)),
        ("Concat", "concat_param { concat_dim: 3 }", lambda a, b: np.concatenate([a, b], 3)),
        ("Scale", "scale_param { axis: 0 }", lambda a, b: a * b),
    ],
)
def test_layers_of_two_inputs(kind, params, expected):
    found = run(convert(DATA + TWO + layer(kind, params, bottom="p t")), data=X)["y"]
    np.testing.assert_allclose(found, expected(2 * X, np.tanh(X)), rtol=1e-5, atol=1e-6)


def test_attention_multiplies_each_channel(rng):
    text = (
        DATA
        + layer("Pooling", "pooling_param { pool: AVE global_pooling: true }", name="g", top="g")
        + layer("InnerProduct", "inner_product_param { num_output: 4 }", name="fc", bottom="g", top="f")
        + layer("Scale", "scale_param { axis: 0 }", bottom="data f")
    )
    w, b = rng.normal(size=(4, 4)), rng.normal(size=4)
    data = convert(text, {"fc": [w, b]})
    factor = X.mean((2, 3)) @ w.T + b
    np.testing.assert_allclose(run(data, data=X)["y"], X * factor[:, :, None, None], rtol=1e-4, atol=1e-5)
    assert input_lengths(data) == ["n", 4, "h", "w"]


@pytest.mark.parametrize(
    ("params", "widths"), [("", (2, 2)), ("slice_param { axis: 1 slice_point: 1 }", (1, 3))]
)
def test_slices_and_splits(params, widths):
    text = DATA + layer("Slice", params, top="a b") + layer("Split", bottom="a", top="c d", name="s")
    found = run(convert(text), data=X)
    assert list(found) == ["b", "c", "d"]
    np.testing.assert_array_equal(found["c"], X[:, : widths[0]])
    np.testing.assert_array_equal(found["d"], X[:, : widths[0]])
    np.testing.assert_array_equal(found["b"], X[:, widths[0] :])


def test_crop_to_another_blob():
    text = (
        DATA
        + layer("Pooling", "pooling_param { kernel_size: 2 stride: 2 }", name="p", top="p")
        + layer("Crop", "crop_param { axis: 2 offset: 1 offset: 2 }", bottom="data p")
    )
    data = convert(text)
    np.testing.assert_array_equal(run(data, data=X)["y"], X[:, :, 1:4, 2:6])
    assert input_lengths(data)[2:] == ["h", "w"]


def test_a_scaling_is_not_folded_where_others_read_the_convolution(rng):
    kernel = rng.normal(size=(4, 4, 1, 1))
    text = (
        DATA
        + layer(
            "Convolution",
            "convolution_param { num_output: 4 kernel_size: 1 bias_term: false }",
            name="c",
            top="c",
        )
        + layer("Scale", name="s", bottom="c", top="s")
        + layer("Eltwise", bottom="c s", name="e")
    )
    found = run(convert(text, {"c": [kernel], "s": [V]}), data=X)["y"]
    plain = correlate(X, kernel, np.zeros(4))
    np.testing.assert_allclose(found, plain + plain * V[:, None, None], rtol=1e-4, atol=1e-5)


def test_decoding_is_left_out():
    text = (
        DATA
        + layer("Flatten", name="loc", top="mbox_loc")
        + layer("PriorBox", "prior_box_param { min_size: 16 }", bottom="data data", top="prior", name="prior")
        + layer("Concat", bottom="prior prior", top="priors", name="priors")
        + layer("DetectionOutput", bottom="mbox_loc priors", top="found", name="found")
    )
    found = run(convert(text), data=X)
    assert list(found) == ["mbox_loc"]
    np.testing.assert_array_equal(found["mbox_loc"], X.reshape(3, -1))


def test_layers_of_the_training_phase_are_left_out():
    text = (
        DATA
        + layer("Dummy", "include { phase: TRAIN }", name="a")
        + layer("Dummy", "exclude { phase: TEST }", name="b")
        + layer("Dummy", 'include { stage: "drawn" }', name="c")
        + layer("ReLU", "include { phase: TEST }", name="d")
        + layer("Silence", bottom="y", top="", name="e")
        + layer("TanH", top="z", name="f")
    )
    assert list(run(convert(text), data=X)) == ["z"]


# --- Damaged and hostile files --------------------------------------------------------------------


CONV = "convolution_param { num_output: 2 kernel_size: 3 }"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no input"),
        (layer("ReLU"), "no input"),
        ("\xff\xfe", "Not a Caffe description"),
        (b"\xff\xfe", "Not a Caffe description"),
        ("layer {", "Not a Caffe description"),
        ("unknown {" * 5000, "Not a Caffe description"),
        ("#" * (5 << 20), "no network's description"),
        (DATA, "no outputs"),
        (declared(1, 4, 6, 1 << 40), "no sensible shape"),
        (declared(1, 4, 0, 8), "no sensible shape"),
        (DATA + layer("ReLU", bottom="y"), "nothing before it makes"),
        (DATA + layer("ReLU", top="y z"), "makes 1 blobs"),
        (DATA + layer("ReLU", bottom="data data"), "2 inputs"),
        (DATA + layer("Convolution", CONV), "0 arrays"),
        (DATA + layer("PReLU"), "0 arrays"),
        (DATA + layer("Permute", "permute_param { order: 1 }"), "cannot be ordered"),
        (DATA + layer("Concat", "concat_param { axis: 0 }"), "mixes the images"),
        (DATA + layer("Softmax", "softmax_param { axis: 9 }"), "no axis"),
        (
            DATA + layer("Reshape", "reshape_param { shape { dim: 8 dim: -1 } }"),
            "mixes the images",
        ),
        (DATA + layer("Reshape", "reshape_param { shape { dim: 0 dim: 5 } }"), "cannot take"),
        (
            DATA
            + layer("Flatten")
            + layer("Reshape", "reshape_param { shape { dim: 0 dim: 5 } }", bottom="y", name="r"),
            "cannot take",
        ),
        (DATA + layer("Pooling"), "no kernel_size"),
        (DATA + layer("Pooling", "pooling_param { kernel_size: 0 }"), "No such window"),
        (
            DATA + layer("Pooling", "pooling_param { kernel_size: 4000000000 }"),
            "No such window",
        ),
        (DATA + layer("Pooling", "pooling_param { kernel_size: 3 pad: 3 }"), "padding"),
        (
            DATA
            + layer("Pooling", "pooling_param { kernel_size: 9 }")
            + layer("InnerProduct", name="fc", bottom="y"),
            "does not fit",
        ),
        (DATA + layer("Slice", "slice_param { slice_point: 9 }", top="a b"), "not cut"),
        (DATA + layer("Power", "power_param { scale: inf }"), "not finite"),
        (DATA + layer("ReLU", "relu_param { negative_slope: nan }"), "not finite"),
        (
            DATA + 'layers { type: RELU bottom: "data" top: "z" }' + layer("ReLU"),
            "both versions",
        ),
    ],
)
def test_descriptions_that_make_no_sense_are_refused(text, words):
    text = text if isinstance(text, bytes) else text.encode("latin-1")
    with pytest.raises(ConversionFailed, match=words):
        network(text, caffemodel({"other": [V]}))


@pytest.mark.parametrize(
    ("blobs", "words"),
    [
        ([V], "only windows over planes"),
        ([W[:2, :, :3, :3], V[:2]], "meets 4 channels"),
        ([W[:2, :, :2, :2], V[:2]], "cannot slide"),
        ([np.zeros((2, 4, 3, 3)), V], "4 weights where 2"),
        ([np.zeros((3, 4, 3, 3)), V[:2]], "stands beside"),
        ([np.full((2, 4, 3, 3), np.nan), V[:2]], "not finite"),
        ([np.zeros((2, 4, 3, 3))], "1 arrays"),
    ],
)
def test_weights_that_do_not_fit_are_refused(blobs, words):
    with pytest.raises(ConversionFailed, match=words):
        convert(DATA + layer("Convolution", CONV), {"y": blobs})


def test_unsupported_layers_are_all_named():
    text = DATA + "".join(layer(kind, name=kind) for kind in ("Warp", "ReLU", "Lstm", "Argmax"))
    with pytest.raises(ConversionFailed, match="Argmax, Lstm, Warp"):
        convert(text)


def test_counts_that_the_bytes_do_not_back_are_refused():
    huge = chunk(7, chunk(1, varint(1 << 40) + varint(1 << 40))) + chunk(5, struct.pack("<2f", 1, 2))
    old = number(1, 1 << 30) + number(2, 1 << 30) + number(3, 4) + number(4, 4)
    negative = chunk(7, chunk(1, varint((1 << 64) - 1))) + chunk(5, b"")
    for made in (huge, old, negative):
        with pytest.raises(ConversionFailed, match="do not make the shape"):
            network(SMALL_V2.encode(), chunk(100, chunk(1, b"conv") + chunk(7, made)))


def test_cut_or_damaged_weights_are_refused_or_harmless(rng):
    whole = caffemodel(small_weights(rng))
    for tenth in range(10):
        with pytest.raises(ConversionFailed):
            network(SMALL_V2.encode(), whole[: len(whole) * tenth // 10])
    for _ in range(40):
        damaged = bytearray(whole)
        damaged[rng.integers(0, 200)] = rng.integers(0, 256)
        try:
            network(SMALL_V2.encode(), bytes(damaged))
        except ConversionFailed:
            continue


def test_an_array_that_many_layers_share_is_stored_once():
    kernel = np.zeros((8, 8, 33, 33), np.float32)
    params = "convolution_param { num_output: 8 kernel_size: 33 pad: 16 bias_term: false }"
    again = "".join(layer("Convolution", params, name="c", bottom="y") for _ in range(300))
    data = convert(declared(1, 8, 6, 8) + layer("Convolution", params, name="c") + again, {"c": [kernel]})
    assert kernel.nbytes < len(data) < 2 * kernel.nbytes


def test_weights_are_not_multiplied_without_bound():
    matrix = "inner_product_param { num_output: 256 bias_term: false }"
    text = declared(1, 256) + layer("InnerProduct", matrix, name="m")
    text += "".join(layer("InnerProduct", matrix, name="m", bottom="y") for _ in range(300))
    with pytest.raises(ConversionFailed, match="many times more weights"):
        convert(
            text.replace("input_dim: 1 input_dim: 256", "input_shape { dim: 1 dim: 256 }"),
            {"m": [np.eye(256)]},
        )


# --- Parity with OpenCV, which reads Caffe's files itself -------------------------------------------


@pytest.fixture(scope="module")
def read_caffe():
    cv2 = pytest.importorskip("cv2", reason="needs opencv-python-headless<5: make oracles")
    if not hasattr(cv2.dnn, "readNetFromCaffe"):
        pytest.skip("needs opencv-python-headless<5, which still reads Caffe")

    def read(text, weights):
        return cv2.dnn.readNetFromCaffe(np.frombuffer(text, np.uint8), np.frombuffer(weights, np.uint8))

    return read


def assert_like_opencv(read_caffe, text, weights, x):
    """Run all images at once in ours, and each by itself in OpenCV, which names blobs after layers."""
    data = network(text, weights)
    found = run(data, **{onnx.load_from_string(data).graph.input[0].name: x})
    theirs = read_caffe(text, weights)
    for i, image in enumerate(x):
        theirs.setInput(image[None])
        for name, expected in zip(found, theirs.forward(list(found)), strict=True):
            ours = found[name][i].ravel()
            np.testing.assert_allclose(ours, expected.ravel(), rtol=0, atol=1e-4 * np.abs(expected).max())


# OpenCV does not know the first four, and takes the others for something else than Caffe does.
NOT_OPENCV = (
    "Clip",
    "Bias",
    "Upsample",
    "DepthwiseConvolution",
    "order: 2 }",
    "transpose",
    "dim: -1 dim: 192",
)


@pytest.mark.parametrize(
    ("kind", "params", "blobs"),
    [(k, p, b) for k, p, b, _ in PLAIN if not any(word in k + p for word in NOT_OPENCV)]
    + [
        ("Interp", "interp_param { height: 11 width: 13 }", []),
        ("Interp", "interp_param { zoom_factor: 2 }", []),
    ],
)
def test_layers_equal_opencv(read_caffe, kind, params, blobs):
    text = (DATA + layer(kind, params)).encode()
    assert_like_opencv(read_caffe, text, caffemodel({"y": blobs}), X)


@pytest.mark.parametrize("form", [{}, {"version": 1, "old": True}])
def test_a_small_network_equals_opencv(read_caffe, rng, form):
    x = rng.normal(size=(3, 4, 9, 9)).astype(np.float32)
    assert_like_opencv(read_caffe, SMALL_V2.encode(), caffemodel(small_weights(rng), **form), x)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("name", "size", "scale"),
    [
        ("RFB-320", (240, 320), 1),
        ("RFB-320", (120, 160), 1),
        ("Widerface-RetinaFace", (192, 224), 100),
        ("face_mask_detection", (260, 260), 1),
    ],
)
def test_published_networks_equal_opencv(shared, read_caffe, rng, name, size, scale, batch):
    text, weights = (shared(f"models/open/{name}.{end}").read_bytes() for end in ("prototxt", "caffemodel"))
    x = rng.uniform(-scale, scale, (batch, 3, *size)).astype(np.float32)
    assert_like_opencv(read_caffe, text, weights, x)


def test_published_networks_have_the_outputs_that_decoders_want(shared):
    outputs = {
        "RFB-320": ["boxes", "scores"],
        "Widerface-RetinaFace": ["mbox_loc", "mbox_conf_flatten"],
        "face_mask_detection": ["loc_branch_concat", "cls_branch_concat"],
    }
    for name, expected in outputs.items():
        files = (shared(f"models/open/{name}.{end}").read_bytes() for end in ("prototxt", "caffemodel"))
        data = network(*files)
        assert sorted(o.name for o in onnx.load_from_string(data).graph.output) == sorted(expected)
        assert input_lengths(data) == ["n", 3, "h", "w"]
