import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.compare.weights import FILES, fed_with, of_one_picture, write_weights
from mien.errors import PackMissing
from mien.packs.store import PackStore


def network(nodes, outputs, width=4):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, width, width])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.array([1, -1, 4], np.int64), "rows")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model.SerializeToString()


def run(content, x):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})


def test_fed_with_undoes_what_a_program_does(rng):
    """Handed `(pixel - 127.5) / 127.5`, the network sees `(pixel - mean) * scale`."""
    plain = network([helper.make_node("Identity", ["x"], ["y"])], ["y"])
    pixels = rng.integers(0, 256, (1, 3, 4, 4)).astype(np.float32)
    mean = np.array([120.0, 110.0, 100.0], np.float32)
    scale = np.array([0.01, 0.02, 0.03], np.float32)
    content = fed_with(plain, 127.5 * scale, (127.5 - mean) * scale)
    found = run(content, (pixels - 127.5) / 127.5)[0]
    expected = (pixels - mean[:, None, None]) * scale[:, None, None]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_insightface_does_not_take_it_for_a_network_of_raw_pixels():
    plain = network([helper.make_node("Identity", ["x"], ["y"])], ["y"])
    names = [node.name for node in onnx.load_from_string(fed_with(plain, np.ones(3), np.ones(3))).graph.node]
    assert not any(name.startswith(("Sub", "_minus", "Mul", "_mul")) for name in names)


def test_of_one_picture_drops_the_batch(rng):
    content = network([helper.make_node("Reshape", ["x", "rows"], ["bbox_8"])], ["bbox_8"])
    x = rng.random((1, 3, 4, 4), np.float32)
    found = run(of_one_picture(content), x)[0]
    assert found.shape == (12, 4)
    np.testing.assert_array_equal(found, x.reshape(12, 4))


def test_a_missing_pack_says_how_to_install_it(tmp_path):
    with pytest.raises(PackMissing) as caught:
        write_weights(PackStore(tmp_path / "packs"), ["yunet.onnx"], tmp_path)
    assert caught.value.hint == "mien packs install yunet-2023mar"


def test_dlib_gets_the_very_file_it_was_made_from(mien_home, tmp_path):
    name = ".deepface/weights/dlib_face_recognition_resnet_model_v1.dat"
    write_weights(PackStore(mien_home / "packs"), [name], tmp_path)
    source = PackStore(mien_home / "packs").get(FILES[name][0]).manifest.sources[0]
    assert (tmp_path / name).stat().st_size == source.bytes


def test_embedders_see_the_same_from_every_program(modern_home, tmp_path, rng):
    """One crop, handed over as Mien, as InsightFace and UniFace, and as OpenCV do, gives one vector."""
    store = PackStore(modern_home / "packs")
    write_weights(store, ["arcface.onnx", "sface.onnx"], tmp_path)
    pack = store.get("mobilefacenet")
    pixels = rng.integers(0, 256, (1, 3, 112, 112)).astype(np.float32)
    wanted = pack.manifest.input
    mean, scale = (np.array(values, np.float32)[:, None, None] for values in (wanted.mean, wanted.scale))
    expected = run(pack.file("mobilefacenet.onnx").read_bytes(), (pixels - mean) * scale)[0]
    np.testing.assert_allclose(run((tmp_path / "sface.onnx").read_bytes(), pixels)[0], expected, atol=1e-4)
    handed = (pixels - 127.5) / 127.5
    np.testing.assert_allclose(run((tmp_path / "arcface.onnx").read_bytes(), handed)[0], expected, atol=1e-4)
