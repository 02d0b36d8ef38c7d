import sys

import numpy as np
import onnxruntime
import pytest
from scipy.signal import correlate2d

from mien.convert.building.graph import Graph
from mien.errors import ConversionFailed, ExtraMissing


def run(data, **inputs):
    return onnxruntime.InferenceSession(data).run(None, inputs)


def test_convolution_pool_and_matrix(rng):
    kernel, bias = rng.standard_normal((1, 1, 3, 3)).astype(np.float32), np.float32([0.5])
    matrix, shift = rng.standard_normal((4, 2)).astype(np.float32), rng.standard_normal(2).astype(np.float32)
    graph = Graph("toy")
    x = graph.conv(graph.input("x", ("n", 1, 5, 5)), kernel, bias, pad=1)
    x = graph.max_pool(x, 3, 2)
    data = graph.finish({"y": graph.gemm(graph.add("Flatten", x), matrix, shift)}, {"y": ("n", 2)})
    picture = rng.standard_normal((5, 5)).astype(np.float32)
    plane = correlate2d(picture, kernel[0, 0], "same") + 0.5
    pooled = [plane[i : i + 3, j : j + 3].max() for i in (0, 2) for j in (0, 2)]
    np.testing.assert_allclose(
        run(data, x=picture[None, None])[0][0], pooled @ matrix + shift, rtol=1e-4, atol=1e-5
    )


def test_same_calls_same_bytes():
    def build():
        graph = Graph("toy")
        return graph.finish({"y": graph.add("Relu", graph.input("x", (1,)))}, {"y": (1,)})

    assert build() == build()


def test_inconsistent_graph_is_refused():
    graph = Graph("toy")
    with pytest.raises(ConversionFailed):
        graph.finish({"y": graph.add("NoSuchOperator", graph.input("x", (1,)))}, {"y": (1,)})


def test_without_onnx_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExtraMissing) as failure:
        Graph("toy")
    assert "mien[convert]" in failure.value.hint
