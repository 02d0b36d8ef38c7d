import logging

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.errors import BadRequest, ConversionFailed
from mien.packs.manifest import EightBits
from mien.runtime.quantise import Recording, quantise
from mien.runtime.session import Runtime

ALL = EightBits()


@pytest.fixture
def network(rng):
    """A convolution, a ReLU and another convolution."""
    kernels = [rng.standard_normal(shape, np.float32) for shape in ((8, 3, 3, 3), (4, 8, 3, 3))]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "k0"], ["a"], "first"),
            helper.make_node("Relu", ["a"], ["b"], "relu"),
            helper.make_node("Conv", ["b", "k1"], ["y"], "second"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 12, 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4, 8, 8])],
        [numpy_helper.from_array(kernel, f"k{i}") for i, kernel in enumerate(kernels)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    return model.SerializeToString()


@pytest.fixture
def examples(rng):
    return [{"x": rng.standard_normal((1, 3, 12, 12), np.float32)} for _ in range(24)]


def run(content, folder, x):
    path = folder / f"{len(content)}.onnx"
    path.write_bytes(content)
    return Runtime("cpu", 1).network(path).run({"x": x})["y"]


def eight_bit_weights(content):
    """Names of the nodes whose weights come out of eight bits."""
    graph = onnx.load_from_string(content).graph
    restored = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    return {node.name for node in graph.node if node.op_type == "Conv" and node.input[1] in restored}


def test_a_network_in_eight_bits_says_nearly_the_same(network, examples, tmp_path, rng):
    made = quantise(network, examples, ALL)
    assert eight_bit_weights(made.content) == {"first", "second"}
    x = rng.standard_normal((5, 3, 12, 12), np.float32)
    before, after = (run(content, tmp_path, x).ravel() for content in (network, made.content))
    assert not np.array_equal(before, after)
    similar = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
    assert similar > 0.99
    assert made.agreement == pytest.approx(similar, abs=0.005)


def test_networks_in_old_operators_too(network, examples):
    old = onnx.load_from_string(network)
    old.opset_import[0].version = 11
    made = quantise(old.SerializeToString(), examples, ALL)
    assert eight_bit_weights(made.content) == {"first", "second"}
    assert made.agreement > 0.99


def test_what_is_to_be_kept_stays_exact(network, examples, tmp_path):
    assert eight_bit_weights(quantise(network, examples, EightBits(keep=("second",))).content) == {"first"}
    none = quantise(network, examples, EightBits(operators=("MatMul",)))
    assert eight_bit_weights(none.content) == set()
    assert none.agreement == pytest.approx(1, abs=1e-6)


def test_the_judges_set_no_range(network, examples):
    """The first of every four examples only judges: were it asked, so wild a one would widen all ranges."""
    wild = [{"x": one["x"] * 1e6} if i % 4 == 0 else one for i, one in enumerate(examples)]
    assert quantise(network, wild, ALL).content == quantise(network, examples, ALL).content
    assert quantise(network, wild, ALL).agreement < quantise(network, examples, ALL).agreement - 0.1


def test_too_few_examples(network, examples):
    for few in ([], examples[:3]):
        with pytest.raises(BadRequest, match="too few"):
            quantise(network, few, ALL)


def test_a_broken_network(examples):
    with pytest.raises(ConversionFailed):
        quantise(b"no network", examples, ALL)


def test_nothing_is_printed(network, examples, capfd):
    before = logging.getLogger().level
    quantise(network, examples, ALL)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger().level == before


def test_a_recording_keeps_single_pictures_up_to_a_limit(network, tmp_path, rng):
    path = tmp_path / "n.onnx"
    path.write_bytes(network)
    recording = Recording(most=5)
    opened = recording.network(path)
    given = [rng.standard_normal((3, 3, 12, 12), np.float32) for _ in range(2)]
    plain = Runtime("cpu").network(path)
    for x in given:
        np.testing.assert_array_equal(opened.run({"x": x})["y"], plain.run({"x": x})["y"])
    assert opened.input_names == plain.input_names
    kept = [one["x"] for one in recording.seen[path]]
    np.testing.assert_array_equal(np.concatenate(kept), np.concatenate(given)[:5])
