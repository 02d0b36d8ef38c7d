import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest

from mien.convert.building.graph import Graph
from mien.errors import DeviceUnavailable, InferenceError, OutOfMemory, PackCorrupt
from mien.runtime.session import PROVIDERS, Runtime, Signature, available_cores, available_devices

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)
BIAS = np.array([1, -2, 3, 0.5], np.float32)


@pytest.fixture
def linear(tmp_path):
    """A network of one layer: `y = x @ MATRIX + BIAS`, and its doubled `z`."""
    graph = Graph("linear")
    y = graph.gemm(graph.input("x", ("n", 3)), MATRIX, BIAS)
    z = graph.add("Add", y, y)
    path = tmp_path / "linear.onnx"
    path.write_bytes(graph.finish({"y": y, "z": z}, {"y": ("n", 4), "z": ("n", 4)}))
    return path


@pytest.fixture
def runtime():
    return Runtime(threads=1)


def save_nodes(path, nodes, inputs, outputs, opset=17):
    graph = onnx.helper.make_graph(nodes, "g", inputs, outputs)
    ids = [onnx.helper.make_opsetid("", opset)]
    path.write_bytes(onnx.helper.make_model(graph, opset_imports=ids, ir_version=8).SerializeToString())
    return path


def value(name, shape, kind=onnx.TensorProto.FLOAT):
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def test_a_network_runs_and_names_its_outputs(runtime, linear, rng):
    x = rng.normal(0, 1, (5, 3)).astype(np.float32)
    found = runtime.network(linear).run({"x": x})
    assert set(found) == {"y", "z"}
    exact = x.astype(float) @ MATRIX + BIAS
    np.testing.assert_allclose(found["y"], exact, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["z"], 2 * exact, rtol=1e-5, atol=1e-5)


def test_an_empty_batch_gives_an_empty_answer(runtime, linear):
    assert runtime.network(linear).run({"x": np.zeros((0, 3), np.float32)})["y"].shape == (0, 4)


def test_a_file_is_opened_once(runtime, linear, tmp_path):
    assert runtime.opened() == ()
    network = runtime.network(linear)
    assert runtime.network(linear) is network
    other = tmp_path / "other.onnx"
    other.write_bytes(linear.read_bytes())
    assert runtime.network(other) is not network
    assert runtime.opened() == (network, runtime.network(other))
    assert (network.path, network.device, network.providers[0]) == (linear, "cpu", "CPUExecutionProvider")
    assert "session" not in repr(network).lower()


def test_threads_open_a_file_once(runtime, linear):
    start = threading.Barrier(8)

    def opened(_):
        start.wait()
        return runtime.network(linear)

    with ThreadPoolExecutor(8) as pool:
        assert len({id(network) for network in pool.map(opened, range(8))}) == 1


def test_threads_get_their_own_answers(runtime, linear):
    network = runtime.network(linear)

    def answers(seed):
        rng = np.random.default_rng(seed)
        for _ in range(50):
            x = rng.normal(0, 1, (rng.integers(1, 9), 3)).astype(np.float32)
            np.testing.assert_allclose(network.run({"x": x})["y"], x @ MATRIX + BIAS, rtol=1e-4, atol=1e-4)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(answers, range(4)))


@pytest.mark.parametrize(
    "content",
    [b"", b"not a network" * 10, b"\0" * 100, b"PK\x03\x04 zip", None],
    ids=["empty", "text", "zeros", "zip", "half"],
)
def test_a_file_that_is_no_network_is_corrupt(runtime, linear, tmp_path, content, capfd):
    path = tmp_path / "bad.onnx"
    whole = linear.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(PackCorrupt) as caught:
        runtime.network(path)
    assert str(path) in str(caught.value)
    assert "packs install" in caught.value.hint
    assert runtime.opened() == ()
    path.write_bytes(whole)
    assert runtime.network(path).run({"x": np.zeros((1, 3), np.float32)}), "a repaired file is opened"
    assert capfd.readouterr() == ("", "")


def test_no_file_and_a_folder_are_corrupt(runtime, tmp_path):
    for path in (tmp_path / "none.onnx", tmp_path):
        with pytest.raises(PackCorrupt):
            runtime.network(path)


def test_a_network_that_this_runtime_cannot_execute_is_refused(runtime, tmp_path):
    x, y, half = value("x", [1]), value("y", [1]), onnx.TensorProto.BFLOAT16
    nodes = {name: [onnx.helper.make_node(name, ["x"], ["y"])] for name in ("Relu", "NoSuchOperator")}
    cases = [
        save_nodes(tmp_path / "unknown operator.onnx", nodes["NoSuchOperator"], [x], [y]),
        save_nodes(tmp_path / "from the future.onnx", nodes["Relu"], [x], [y], opset=99),
        save_nodes(
            tmp_path / "no kernel.onnx", nodes["Relu"], [value("x", [1], half)], [value("y", [1], half)]
        ),
    ]
    for path in cases:
        with pytest.raises(PackCorrupt, match=path.name):
            runtime.network(path)


@pytest.mark.parametrize(
    "inputs",
    [
        {"x": np.zeros((2, 4), np.float32)},
        {"x": np.zeros(3, np.float32)},
        {"x": np.zeros((2, 3), np.float64)},
        {"x": np.zeros((2, 3), np.float32), "more": np.zeros(1, np.float32)},
        {"y": np.zeros((2, 3), np.float32)},
        {},
    ],
    ids=["shape", "rank", "type", "unknown name", "other name", "nothing"],
)
def test_a_wrong_input_is_an_error_of_inference(runtime, linear, inputs, capfd):
    network = runtime.network(linear)
    with pytest.raises(InferenceError, match=r"linear\.onnx could not be run on cpu") as caught:
        network.run(inputs)
    assert type(caught.value) is InferenceError
    assert network.run({"x": np.zeros((1, 3), np.float32)})["y"].tolist() == [BIAS.tolist()], "it still works"
    assert capfd.readouterr() == ("", ""), "only the CLI prints"


def test_too_large_a_batch_is_out_of_memory(runtime, tmp_path, capfd):
    expand = [onnx.helper.make_node("Expand", ["x", "shape"], ["y"])]
    inputs = [value("x", ["n"]), value("shape", ["k"], onnx.TensorProto.INT64)]
    network = runtime.network(save_nodes(tmp_path / "expand.onnx", expand, inputs, [value("y", None)]))
    petabytes = np.array([1 << 20, 1 << 20, 1 << 10])
    with pytest.raises(OutOfMemory, match=r"expand\.onnx on cpu") as caught:
        network.run({"x": np.ones(1, np.float32), "shape": petabytes})
    assert "MIEN_BATCH" in caught.value.hint
    assert network.run({"x": np.ones(1, np.float32), "shape": np.array([2, 2])})["y"].shape == (2, 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("device", "wheel"),
    [("cuda", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino"), ("coreml", "onnxruntime")],
)
def test_a_device_that_is_not_there_is_an_error_and_never_the_cpu(device, wheel, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(DeviceUnavailable, match=f"Device {device} is not available") as caught:
        Runtime(device)
    assert f"install {wheel} " in caught.value.hint
    assert "Available here: cpu." in caught.value.hint


def test_a_device_that_does_not_start_is_an_error_and_never_the_cpu(monkeypatch, linear):
    class FellBack:
        def __init__(self, *_, providers, enable_fallback):
            assert not enable_fallback
            assert providers == ["CUDAExecutionProvider"]

        def get_providers(self):
            return ["CPUExecutionProvider"]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: list(PROVIDERS.values()))
    monkeypatch.setattr(onnxruntime, "InferenceSession", FellBack)
    runtime = Runtime("cuda")
    with pytest.raises(DeviceUnavailable, match="started CPUExecutionProvider instead"):
        runtime.network(linear)
    assert runtime.opened() == ()


def test_devices_are_those_of_the_installed_onnx_runtime(monkeypatch):
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider", "AzureExecutionProvider"]
    )
    assert available_devices() == ("cpu",)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    assert set(available_devices()) == {"cpu", "cuda"}


def test_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 5, 7}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 3
    assert (Runtime().threads, Runtime(threads=2).threads) == (3, 2)
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_a_network_says_what_it_takes_and_gives(runtime, tmp_path):
    kinds = onnx.TensorProto
    path = save_nodes(
        tmp_path / "kinds.onnx",
        [onnx.helper.make_node("Cast", ["x"], ["y"], to=kinds.INT64)],
        [value("x", ["n", 3, None], kinds.FLOAT16)],
        [value("y", ["n", 3, None], kinds.INT64)],
    )
    network = runtime.network(path)
    assert network.inputs == (Signature("x", "float16", (None, 3, None)),)
    assert network.outputs == (Signature("y", "int64", (None, 3, None)),)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "uint64", "float32", "float64"])
def test_types_have_the_names_of_numpy(runtime, tmp_path, dtype):
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes = [onnx.helper.make_node("Identity", ["x"], ["y"])]
    path = save_nodes(tmp_path / "same.onnx", nodes, [value("x", [2], kind)], [value("y", [2], kind)])
    network = runtime.network(path)
    assert {one.dtype for one in (*network.inputs, *network.outputs)} == {dtype}
    sent = np.array([0, 1], dtype)
    assert network.run({"x": sent})["y"].dtype == sent.dtype


def test_a_type_that_numpy_has_not_keeps_the_name_of_onnx_runtime(runtime, tmp_path):
    kind = onnx.TensorProto.STRING
    nodes = [onnx.helper.make_node("Identity", ["x"], ["y"])]
    path = save_nodes(tmp_path / "text.onnx", nodes, [value("x", [2], kind)], [value("y", [2], kind)])
    assert runtime.network(path).inputs[0].dtype == "tensor(string)"
