import io
import zipfile

import numpy as np
import onnx
import pytest

from mien.convert.tflite.network import mediapipe_blendshapes, mediapipe_mesh, network, task_member
from mien.errors import ConversionFailed
from tflitefiles import SAME, File, agree, conv_options, run


def padded_convolution(x, kernel, bias, stride):
    """TensorFlow's SAME convolution in plain NumPy: x (n, h, w, c), kernel (out, rows, columns, in)."""
    n, h, w, _ = x.shape
    out, rows, columns, _ = kernel.shape
    oh, ow = -(-h // stride), -(-w // stride)
    th, tw = max((oh - 1) * stride + rows - h, 0), max((ow - 1) * stride + columns - w, 0)
    x = np.pad(x, ((0, 0), (th // 2, th - th // 2), (tw // 2, tw - tw // 2), (0, 0)))
    y = np.empty((n, oh, ow, out), np.float32)
    for i in range(oh):
        for j in range(ow):
            window = x[:, i * stride : i * stride + rows, j * stride : j * stride + columns]
            y[:, i, j] = np.einsum("nhwc,ohwc->no", window, kernel) + bias
    return y


def small(rng, *, half=False, kernel=None):
    """Convolution, PReLU, flattened into a fully connected layer with ReLU."""
    file = File()
    x = file.input((1, 7, 6, 3))
    weights = rng.standard_normal((4, 3, 3, 3)).astype(np.float16 if half else np.float32)
    bias = rng.standard_normal(4, np.float32)
    slope = rng.standard_normal((1, 1, 4), np.float32)
    matrix = rng.standard_normal((5, 48), np.float32)
    k = file.constant(weights)
    if half:
        k = file.add("DEQUANTIZE", [k], weights.shape)
    x = file.add("CONV_2D", [x, k, file.constant(bias)], (1, 4, 3, 4), conv_options(SAME, (2, 2)), "map", 1)
    file.output(x)
    x = file.add("PRELU", [x, file.constant(slope)], (1, 4, 3, 4))
    x = file.add("RESHAPE", [x, file.integers([1, 48])], (1, 48))
    x = file.add("FULLY_CONNECTED", [x, file.constant(matrix), -1], (1, 5), [(0, "Int8", 1)], "row", 8)
    file.output(x)

    def forward(pictures):
        y = padded_convolution(pictures, weights.astype(np.float32), bias, 2)
        bent = np.where(y > 0, y, y * slope)
        return {"map": y, "row": np.maximum(bent.reshape(len(y), 48) @ matrix.T, 0)}

    return file, forward


@pytest.mark.parametrize("half", [False, True])
def test_small_network_agrees_with_numpy(rng, half):
    file, forward = small(rng, half=half)
    converted = network(file.bytes())
    x = rng.standard_normal((3, 7, 6, 3), np.float32)
    for n in (1, 3):
        found, expected = run(converted, x[:n]), forward(x[:n])
        assert list(found) == ["map", "row"]
        for name in found:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-4)
    assert converted == network(file.bytes())
    model = onnx.load_from_string(converted)
    assert {tensor.data_type for tensor in model.graph.initializer} <= {1, 7}, "float32 and shapes"
    (given,) = model.graph.input
    assert given.name == "image"
    assert [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim] == ["n", 3, 7, 6]


def test_network_that_mixes_pictures_keeps_its_batch_of_one(rng):
    file = File()
    x = file.input((1, 4, 3), "points")
    x = file.add("TRANSPOSE", [x, file.integers([1, 0, 2])], (4, 1, 3), name="turned")
    converted = network(file.output(x).bytes())
    given = rng.standard_normal((1, 4, 3), np.float32)
    np.testing.assert_array_equal(run(converted, given)["turned"], given.transpose(1, 0, 2))
    shape = onnx.load_from_string(converted).graph.input[0].type.tensor_type.shape
    assert [d.dim_value for d in shape.dim] == [1, 4, 3]


def test_names_of_outputs_that_look_like_ours(rng):
    file = File()
    x = file.input((1, 5), "relu_0")
    one = file.add("RELU", [x], (1, 5), name="neg_1")
    two = file.add("NEG", [one], (1, 5), name="exp_2")
    given = rng.standard_normal((2, 5), np.float32)
    found = run(network(file.output(one, two).bytes()), given)
    np.testing.assert_array_equal(found["neg_1"], np.maximum(given, 0))
    np.testing.assert_array_equal(found["exp_2"], -np.maximum(given, 0))


def test_unsupported_operators_are_listed_together():
    file = File()
    x = file.input((1, 5))
    for kind in ("TOPK_V2", "CUSTOM", "GATHER"):
        x = file.add(kind, [x], (1, 5))
    with pytest.raises(ConversionFailed, match=r"builtin 36, builtin 48, custom 'Mine'"):
        network(file.output(x).bytes())


@pytest.mark.parametrize("data", [b"", b"TFL3", b"\0" * 64, b"\xff\xff\xff\xffTFL3" + b"\xff" * 64])
def test_what_is_no_tflite_file_is_refused(data):
    with pytest.raises(ConversionFailed):
        network(data)


def test_any_damage_is_refused_or_harmless(rng):
    whole = small(rng)[0].bytes()
    for size in range(0, len(whole), 41):
        with pytest.raises(ConversionFailed):
            network(whole[:size])
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for at in rng.integers(8, len(whole), 6):
            damaged[at] = rng.integers(256)
        try:
            network(bytes(damaged))
        except ConversionFailed:
            refused += 1
    assert refused > 20


def archive(method=zipfile.ZIP_STORED, **members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, data in members.items():
            file.writestr(f"{name}.tflite", data)
    return made.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_a_task_are_converted(rng, method):
    mesh, shapes = small(rng)[0].bytes(), small(rng, half=True)[0].bytes()
    task = archive(method, face_landmarks_detector=mesh, face_blendshapes=shapes)
    assert mediapipe_mesh(task) == network(mesh)
    assert mediapipe_blendshapes(task) == network(shapes)


def test_hostile_archives_are_refused():
    with pytest.raises(ConversionFailed, match=r"holds no face_blendshapes\.tflite"):
        mediapipe_blendshapes(archive(other=b""))
    with pytest.raises(ConversionFailed, match="claims to unpack"):
        task_member(archive(zipfile.ZIP_DEFLATED, bomb=bytes(65 << 20)), "bomb.tflite")
    good = archive(zipfile.ZIP_DEFLATED, a=bytes(range(256)) * 4)
    for data in (b"", b"PK\x03\x04", good[:40], good.replace(good[40:50], bytes(10), 1)):
        with pytest.raises(ConversionFailed, match=r"Not a \.task file"):
            task_member(data, "a.tflite")
    lying = good.replace((1024).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(ConversionFailed, match=r"Not a \.task file"):
        task_member(lying, "a.tflite")


TASK = "models/open/face_landmarker_v2_with_blendshapes.task"
REAL = {
    "models/open/face_detection_short_range.tflite": (-1, 1),
    "models/open/face_landmark.tflite": (0, 1),
    "models/open/iris_landmark.tflite": (0, 1),
}


def pictures(photos, size, low, high, count=3):
    pil = pytest.importorskip("PIL.Image")
    found = sorted(path for path in photos.rglob("*") if path.suffix in (".jpg", ".png"))[:count]
    raw = np.stack([np.asarray(pil.open(path).convert("RGB").resize((size, size))) for path in found])
    return (raw / 255 * (high - low) + low).astype(np.float32)


@pytest.mark.parametrize("path", REAL)
def test_real_networks_agree_with_the_original_runtime(shared, photos, path):
    data = shared(path).read_bytes()
    converted = network(data)
    size = onnx.load_from_string(converted).graph.input[0].type.tensor_type.shape.dim[2].dim_value
    agree(data, pictures(photos, size, *REAL[path]), converted)


def test_real_detector_inside_the_task(shared, photos):
    data = task_member(shared(TASK).read_bytes(), "face_detector.tflite")
    agree(data, pictures(photos, 128, -1, 1))


def test_real_mesh(shared, photos):
    task = shared(TASK).read_bytes()
    data = task_member(task, "face_landmarks_detector.tflite")
    agree(data, pictures(photos, 192, 0, 1), mediapipe_mesh(task))


def test_real_blendshapes(shared, rng):
    task = shared(TASK).read_bytes()
    data = task_member(task, "face_blendshapes.tflite")
    agree(data, rng.uniform(0, 192, (3, 146, 2)).astype(np.float32), mediapipe_blendshapes(task))
