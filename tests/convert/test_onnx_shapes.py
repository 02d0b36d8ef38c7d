import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from mien.convert.onnx_shapes import free_batch, free_size
from mien.errors import ConversionFailed


def frozen(target=(1, -1), shape=(1, 2, 4, 4), how="initializer"):
    """A network with everything that exporters freeze: scales each channel, then reshapes."""
    weights = [numpy_helper.from_array(np.array([[[[2.0]], [[3.0]]]], np.float32), "scale")]
    nodes = [helper.make_node("Mul", ["x", "scale"], ["y"])]
    value = numpy_helper.from_array(np.array(target, np.int64), "target")
    if how == "initializer":
        weights.append(value)
    else:
        nodes.append(helper.make_node("Constant", [], ["target"], value=value))
    nodes.append(helper.make_node("Reshape", ["y", "target"], ["z"]))
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 1
    model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 32
    return model


def run(data, x):
    session = onnxruntime.InferenceSession(data)
    return session.run(None, {session.get_inputs()[0].name: x})[0]


@pytest.mark.parametrize("how", ["initializer", "constant"])
def test_any_number_of_pictures(how, rng):
    x = rng.random((3, 2, 4, 4), np.float32)
    freed = run(free_batch(frozen(how=how).SerializeToString()), x)
    expected = (x * np.array([2, 3], np.float32)[:, None, None]).reshape(3, 32)
    np.testing.assert_allclose(freed, expected, rtol=1e-6)


def test_any_size(rng):
    model = frozen(target=(1, 2, -1))
    model.graph.output[0].type.tensor_type.shape.dim.add().dim_value = 16
    x = rng.random((2, 2, 6, 5), np.float32)
    freed = run(free_size(model.SerializeToString()), x)
    np.testing.assert_allclose(
        freed, (x * np.array([2, 3], np.float32)[:, None, None]).reshape(2, 2, 30), rtol=1e-6
    )


def test_says_the_same_twice():
    data = frozen().SerializeToString()
    assert free_batch(data) == free_batch(data)


def external(model):
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "elsewhere.bin")


def foreign(model):
    model.graph.node[0].domain = "com.microsoft"


def sound(model):
    model.graph.input[0].type.tensor_type.shape.dim.pop()


def contradictory(model):
    model.graph.node[0].input[1] = "nowhere"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (external, "other files"),
        (foreign, "com.microsoft"),
        (sound, "3 sides"),
        (contradictory, "inconsistent"),
    ],
)
def test_refuses(spoil, said):
    model = frozen()
    spoil(model)
    with pytest.raises(ConversionFailed, match=said):
        free_batch(model.SerializeToString())


@pytest.mark.parametrize(
    "data", [b"", b"not a network", b"\x08\x08" * 1000, frozen().SerializeToString()[:100]]
)
def test_refuses_what_is_no_network(data):
    with pytest.raises(ConversionFailed):
        free_batch(data)


REAL = ["foamliu_MobileFaceNet", "fsanet-1x1", "fsanet-var", "peppa_slim_160_68", "ultraface_RFB-320"]


@pytest.mark.parametrize("name", REAL)
def test_real_networks_say_in_a_batch_what_they_say_alone(name, shared, rng):
    data = shared(f"models/open/{name}.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    alone = onnxruntime.InferenceSession(data, options)
    given = alone.get_inputs()[0]
    x = rng.random((3, *given.shape[1:]), np.float32)
    together = onnxruntime.InferenceSession(free_batch(data), options).run(None, {given.name: x})
    for i in range(3):
        for one, all_ in zip(alone.run(None, {given.name: x[i : i + 1]}), together, strict=True):
            np.testing.assert_allclose(all_[i], one[0], atol=1e-4)
