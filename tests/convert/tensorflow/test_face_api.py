import json

import numpy as np
import onnxruntime
import pytest

from mien.convert.tensorflow.face_api import arrays, face_api_age_gender, face_api_expression
from mien.errors import ConversionFailed

torch = pytest.importorskip("torch", reason="needs torch: make oracles")
F = pytest.importorskip("torch.nn.functional", reason="needs torch: make oracles")

EXPRESSION = {
    "dense0/conv0": ("conv", 3, 3, 32),
    **{f"dense0/conv{i}": ("separable", 3, 32, 32) for i in (1, 2, 3)},
    **{
        f"dense{block}/conv{i}": ("separable", 3, width // 2 if i == 0 else width, width)
        for block, width in ((1, 64), (2, 128), (3, 256))
        for i in range(4)
    },
    "fc": ("dense", None, 256, 7),
}


def reduction(name, before, width):
    return {
        f"{name}/separable_conv0": ("separable", 3, before, width),
        f"{name}/separable_conv1": ("separable", 3, width, width),
        f"{name}/expansion_conv": ("conv", 1, before, width),
    }


AGE_GENDER = {
    "entry_flow/conv_in": ("conv", 3, 3, 32),
    **reduction("entry_flow/reduction_block_0", 32, 64),
    **reduction("entry_flow/reduction_block_1", 64, 128),
    **{
        f"middle_flow/main_block_{block}/separable_conv{i}": ("separable", 3, 128, 128)
        for block in range(2)
        for i in range(3)
    },
    **reduction("exit_flow/reduction_block", 128, 256),
    "exit_flow/separable_conv": ("separable", 3, 256, 512),
    "fc/age": ("dense", None, 512, 1),
    "fc/gender": ("dense", None, 512, 2),
}
NETWORKS = {"face_expression_model": face_api_expression, "age_gender_model": face_api_age_gender}


def manifest(weights, paths=("shard",)):
    return json.dumps([{"paths": paths, "weights": weights}]).encode()


def random_model(layers, rng):
    """Write a manifest and a shard of random weights, quantised to a byte as the publisher does."""
    weights, shard = [], b""

    def add(name, shape, quantised):
        nonlocal shard
        entry = {"name": name, "shape": shape, "dtype": "float32"}
        if quantised:
            deviation = np.sqrt(2 / np.prod(shape[:-1]))
            if name.endswith("depthwise_filter"):
                deviation = np.sqrt(2 / np.prod(shape[:2]))
            scale = 6 * deviation / 255
            entry["quantization"] = {"dtype": "uint8", "scale": scale, "min": -128 * scale}
            shard += rng.integers(0, 256, shape).astype(np.uint8).tobytes()
        else:
            shard += rng.standard_normal(shape).astype("<f4").tobytes()
        weights.append(entry)

    for name, (kind, size, before, width) in layers.items():
        if kind == "conv":
            add(f"{name}/filters", [size, size, before, width], True)
        elif kind == "separable":
            add(f"{name}/depthwise_filter", [size, size, before, 1], True)
            add(f"{name}/pointwise_filter", [1, 1, before, width], True)
        else:
            add(f"{name}/weights", [before, width], True)
        add(f"{name}/bias", [width], False)
    return manifest(weights), shard


def independent_arrays(manifest_bytes, shard):
    found, at = {}, 0
    for entry in json.loads(manifest_bytes)[0]["weights"]:
        count = int(np.prod(entry["shape"]))
        coded = entry.get("quantization")
        if coded:
            values = np.array(list(shard[at : at + count])) * coded["scale"] + coded["min"]
            at += count
        else:
            values = np.frombuffer(shard[at : at + 4 * count], "<f4")
            at += 4 * count
        found[entry["name"]] = torch.tensor(values.reshape(entry["shape"]), dtype=torch.float32)
    assert at == len(shard)
    return found


def same(x, size, stride, value=0.0):
    """TensorFlow's padding: what is missing for ceil(n / stride) windows, the odd one at the end."""
    n = x.shape[-1]
    missing = max((int(np.ceil(n / stride)) - 1) * stride + size - n, 0)
    first = missing // 2
    return F.pad(x, (first, missing - first, first, missing - first), value=value)


def conv(x, w, name, stride=1):
    kernel = w[f"{name}/filters"].permute(3, 2, 0, 1)
    return F.conv2d(same(x, kernel.shape[-1], stride), kernel, w[f"{name}/bias"], stride)


def separable(x, w, name, stride=1):
    each = w[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
    x = F.conv2d(same(x, 3, stride), each, None, stride, groups=x.shape[1])
    return F.conv2d(x, w[f"{name}/pointwise_filter"].permute(3, 2, 0, 1), w[f"{name}/bias"])


def forward_expression(x, w):
    for block in range(4):
        name = f"dense{block}/conv"
        one = F.relu((conv if block == 0 else separable)(x, w, f"{name}0", 2))
        two = separable(one, w, f"{name}1")
        three = separable(F.relu(one + two), w, f"{name}2")
        four = separable(F.relu(one + two + three), w, f"{name}3")
        x = F.relu(one + two + three + four)
    x = F.avg_pool2d(x, 7, 2).flatten(1)
    return {"expression": (x @ w["fc/weights"] + w["fc/bias"]).softmax(1)}


def forward_age_gender(x, w):
    def reduce(x, name, activate=True):
        out = separable(F.relu(x) if activate else x, w, f"{name}/separable_conv0")
        out = separable(F.relu(out), w, f"{name}/separable_conv1")
        return F.max_pool2d(same(out, 3, 2, -np.inf), 3, 2) + conv(x, w, f"{name}/expansion_conv", 2)

    x = F.relu(conv(x, w, "entry_flow/conv_in", 2))
    x = reduce(x, "entry_flow/reduction_block_0", activate=False)
    x = reduce(x, "entry_flow/reduction_block_1")
    for block in range(2):
        out = x
        for i in range(3):
            out = separable(F.relu(out), w, f"middle_flow/main_block_{block}/separable_conv{i}")
        x = x + out
    x = reduce(x, "exit_flow/reduction_block")
    x = F.avg_pool2d(F.relu(separable(x, w, "exit_flow/separable_conv")), 7, 2).flatten(1)
    age = x @ w["fc/age/weights"] + w["fc/age/bias"]
    return {"age": age, "gender": (x @ w["fc/gender/weights"] + w["fc/gender/bias"]).softmax(1)}


def assert_parity(convert, forward, files, x):
    session = onnxruntime.InferenceSession(convert(*files))
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"image": x}), strict=True))
    with torch.no_grad():
        expected = forward(torch.from_numpy(x), independent_arrays(*files))
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        scale = max(1.0, float(value.abs().max()))
        np.testing.assert_allclose(found[name] / scale, value.numpy() / scale, atol=1e-4)


@pytest.mark.parametrize(
    ("layers", "convert", "forward"),
    [
        (EXPRESSION, face_api_expression, forward_expression),
        (AGE_GENDER, face_api_age_gender, forward_age_gender),
    ],
)
def test_networks_of_random_weights_equal_an_independent_forward(layers, convert, forward, rng):
    files = random_model(layers, rng)
    assert_parity(convert, forward, files, rng.standard_normal((2, 3, 112, 112)).astype(np.float32))
    assert convert(*files) == convert(*files)


@pytest.mark.parametrize(
    ("name", "forward"),
    [("face_expression_model", forward_expression), ("age_gender_model", forward_age_gender)],
)
def test_real_networks_equal_an_independent_forward(shared, rng, name, forward):
    files = [
        shared(f"models/open/{name}{suffix}").read_bytes() for suffix in ("-weights_manifest.json", ".bin")
    ]
    x = rng.uniform(-0.5, 0.5, (3, 3, 112, 112)).astype(np.float32)
    assert_parity(NETWORKS[name], forward, files, x)


def test_a_network_refuses_the_other_ones_weights(rng):
    with pytest.raises(ConversionFailed, match="there is no dense0/conv0/filters"):
        face_api_expression(*random_model(AGE_GENDER, rng))
    with pytest.raises(ConversionFailed, match="2 tensors have no place, such as more/bias"):
        face_api_expression(*random_model({**EXPRESSION, "more": ("dense", None, 2, 2)}, rng))
    with pytest.raises(ConversionFailed, match="fc/weights has the shape"):
        face_api_expression(*random_model({**EXPRESSION, "fc": ("dense", None, 256, 8)}, rng))


def test_a_layer_that_does_not_fit_the_one_before_is_refused(rng):
    with pytest.raises(ConversionFailed, match="dense1/conv2"):
        face_api_expression(*random_model({**EXPRESSION, "dense1/conv2": ("separable", 3, 32, 64)}, rng))


def test_types_and_quantisation():
    half = np.array([0.5, -2], "<f2")
    weights = [
        {"name": "plain", "shape": [2], "dtype": "float32"},
        {"name": "bytes", "shape": [3, 1], "dtype": "float32"},
        {"name": "words", "shape": [2], "dtype": "float32"},
        {"name": "half", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "whole", "shape": [], "dtype": "int32"},
        {"name": "none", "shape": [0, 4], "dtype": "float32"},
    ]
    weights[1]["quantization"] = {"dtype": "uint8", "scale": 0.1, "min": -3}
    weights[2]["quantization"] = {"dtype": "uint16", "scale": 0.001, "min": 1}
    data = np.array([1.5, -4], "<f4").tobytes() + bytes([0, 7, 255])
    data += np.array([0, 65535], "<u2").tobytes() + half.tobytes() + np.array(-9, "<i4").tobytes()
    found = arrays(manifest(weights, ["a", "b"]), data[:10], data[10:])
    expected = {
        "plain": [1.5, -4],
        "bytes": [[-3], [-2.3], [22.5]],
        "words": [1, 66.535],
        "half": [0.5, -2],
        "whole": -9,
        "none": np.empty((0, 4)),
    }
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], value, rtol=1e-6)


def entry(**changes):
    return [{"name": "w", "shape": [2], "dtype": "float32"} | changes]


@pytest.mark.parametrize(
    ("text", "shards"),
    [
        (b"", [b""]),
        (b"{}", [b""]),
        (b"\xff", [b""]),
        (b"[" * 100_000, [b""]),
        (b'[{"paths": [], "weights": 3}]', []),
        (manifest(entry()), []),
        (manifest(entry()), [bytes(8), b""]),
        (manifest(entry()), [bytes(7)]),
        (manifest(entry()), [bytes(9)]),
        (manifest(entry(shape=[-2])), [bytes(8)]),
        (manifest(entry(shape=[2.5])), [bytes(8)]),
        (manifest(entry(shape=[10**9, 10**9])), [bytes(8)]),
        (manifest(entry(dtype="string")), [bytes(8)]),
        (manifest(entry(dtype="object")), [bytes(8)]),
        (manifest(entry(quantization={"dtype": "complex64"})), [bytes(8)]),
        (manifest(entry(quantization={"dtype": "uint8", "scale": 1e300, "min": 0})), [b"\xff\xff"]),
        (manifest(entry()), [np.array([1, np.nan], "<f4").tobytes()]),
        (manifest(entry() * 2), [bytes(16)]),
    ],
)
def test_damaged_or_hostile_files_are_refused(text, shards):
    with pytest.raises(ConversionFailed):
        arrays(text, *shards)
