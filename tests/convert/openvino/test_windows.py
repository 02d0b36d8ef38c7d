import numpy as np
import onnxruntime
import pytest

from irfiles import by_openvino, ints, weights, with_const, written
from mien.convert.openvino.network import network
from mien.errors import ConversionFailed

PLANES = (1, 4, 7, 9)
CONV = {"strides": "2,1", "dilations": "1,1", "pads_begin": "1,0", "pads_end": "0,2"}
POOL = {"kernel": "3,3", "strides": "2,2", "pads_begin": "1,1", "pads_end": "1,1"}
EVEN = {"strides": "2,2"}
EXCLUDED, INCLUDED = {"exclude__pad": "true"}, {"exclude__pad": "false"}


def windowed(x, kernel, pads, strides, fill, dilation=1):
    """All windows of a padded plane, `(n, c, rows, columns, kernel, kernel)`; pads top left bottom right."""
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    reach = (kernel - 1) * dilation + 1
    views = np.lib.stride_tricks.sliding_window_view(x, (reach, reach), (2, 3))
    return views[:, :, :: strides[0], :: strides[1], ::dilation, ::dilation]


def convolved(x, kernel, pads, strides, dilation=1):
    return np.einsum("nihwyx,oiyx->nohw", windowed(x, 3, pads, strides, 0, dilation), kernel)


def grouped(x):
    kernel = weights(2, 3, 2, 3, 3)
    return np.concatenate(
        [convolved(x[:, 2 * i : 2 * i + 2], kernel[i], (1, 0, 0, 2), (2, 1)) for i in range(2)], 1
    )


def maximum(x, pads):
    return windowed(x, 3, pads, (2, 2), -np.inf).max((4, 5))


def mean(x, pads, *, include):
    counted = np.full_like(x, 1)
    total = windowed(x, 3, pads, (2, 2), 0).sum((4, 5))
    return total / (9 if include else windowed(counted, 3, pads, (2, 2), 0).sum((4, 5)))


def conv(size, shape, **attributes):
    return (1, 4, *size), with_const("Convolution", weights(6, 4, 3, 3), shape=shape, **(CONV | attributes))


def pool(kind, shape, **attributes):
    return (1, 4, 8, 10), with_const(kind, shape=shape, **(POOL | attributes))


def resize(version, sizes, shape, **attributes):
    """Interpolate rows and columns; operation set 4 has the scales beside the sizes, 11 in their place."""
    scales = np.array([shape[2] / 7, shape[3] / 9], np.float32)
    said = {
        "mode": "nearest",
        "shape_calculation_mode": "sizes",
        "pads_begin": "0",
        "pads_end": "0",
    } | attributes
    inputs = {"opset4": [ints(*sizes), scales, ints(2, 3)], "opset1": [ints(*sizes)]}
    inputs["opset11"] = [scales if said["shape_calculation_mode"] == "scales" else ints(*sizes), ints(2, 3)]
    return PLANES, with_const("Interpolate", *inputs[version], shape=shape, version=version, **said)


def nearest(frame, way, sizes=(14, 27), how="sizes", version="opset4"):
    said = {"coordinate_transformation_mode": frame, "nearest_mode": way, "shape_calculation_mode": how}
    return resize(version, sizes, (1, 4, *sizes), **said)


def linear(frame, sizes=(14, 23), mode="linear_onnx"):
    said = {"mode": mode, "coordinate_transformation_mode": frame, "nearest_mode": "floor"}
    return resize("opset4", sizes, (1, 4, *sizes), **said)


def first(mode, corners):
    return resize("opset1", (14, 20), (1, 4, 14, 20), mode=mode, align_corners=corners, axes="2,3")


def between_corners(x):
    """Linear interpolation from 7 x 9 to 14 x 23 in which corners stay corners."""
    rows, columns = np.linspace(0, 6, 14), np.linspace(0, 8, 23)
    x = np.apply_along_axis(lambda line: np.interp(rows, np.arange(7), line), 2, x)
    return np.apply_along_axis(lambda line: np.interp(columns, np.arange(9), line), 3, x)


CEIL, FLOOR = {"rounding_type": "ceil"}, {"rounding_type": "floor"}
KERNEL = weights(6, 4, 3, 3)

# Case and what it must compute; None where OpenVINO alone judges.
CASES = {
    "conv": (conv((7, 9), (1, 6, 3, 9)), lambda x: convolved(x, KERNEL, (1, 0, 0, 2), (2, 1))),
    "conv-group": (
        ((1, 4, 7, 9), with_const("GroupConvolution", weights(2, 3, 2, 3, 3), shape=(1, 6, 3, 9), **CONV)),
        grouped,
    ),
    "conv-dilated": (
        conv((7, 9), (1, 6, 4, 5), dilations="2,2", strides="1,1", pads_end="0,0"),
        lambda x: convolved(x, KERNEL, (1, 0, 0, 0), (1, 1), 2),
    ),
    "conv-same-upper": (
        conv((8, 10), (1, 6, 4, 5), auto_pad="same_upper", **EVEN),
        lambda x: convolved(x, KERNEL, (0, 0, 1, 1), (2, 2)),
    ),
    "conv-same-lower": (
        conv((8, 10), (1, 6, 4, 5), auto_pad="same_lower", **EVEN),
        lambda x: convolved(x, KERNEL, (1, 1, 0, 0), (2, 2)),
    ),
    "conv-valid": (
        conv((8, 10), (1, 6, 3, 4), auto_pad="valid", **EVEN),
        lambda x: convolved(x, KERNEL, (0, 0, 0, 0), (2, 2)),
    ),
    "max-floor": (pool("MaxPool", (1, 4, 4, 5), **FLOOR), lambda x: maximum(x, (1, 1, 1, 1))),
    "max-ceil": (pool("MaxPool", (1, 4, 5, 6), **CEIL), lambda x: maximum(x, (1, 1, 2, 2))),
    "avg-floor": (
        pool("AvgPool", (1, 4, 4, 5), **FLOOR, **INCLUDED),
        lambda x: mean(x, (1, 1, 1, 1), include=True),
    ),
    "avg-exclude": (
        pool("AvgPool", (1, 4, 5, 6), **CEIL, **EXCLUDED),
        lambda x: mean(x, (1, 1, 2, 2), include=False),
    ),
    "avg-include": (
        pool("AvgPool", (1, 4, 5, 6), **CEIL, **INCLUDED),
        lambda x: mean(x, (1, 1, 2, 2), include=True),
    ),
    "avg-same": (
        pool("AvgPool", (1, 4, 4, 5), auto_pad="same_upper", **EXCLUDED),
        lambda x: mean(x, (0, 0, 1, 1), include=False),
    ),
    "nearest-simple": (nearest("asymmetric", "simple"), lambda x: x.repeat(2, 2).repeat(3, 3)),
    "nearest-simple-shrinking": (nearest("asymmetric", "simple", (4, 5)), None),
    "nearest-half": (nearest("half_pixel", "round_prefer_floor", (3, 20)), None),
    "nearest-scales": (
        nearest("asymmetric", "floor", (14, 18), "scales"),
        lambda x: x.repeat(2, 2).repeat(2, 3),
    ),
    "nearest-scales-11": (
        nearest("asymmetric", "floor", (14, 18), "scales", "opset11"),
        lambda x: x.repeat(2, 2).repeat(2, 3),
    ),
    "linear-half": (linear("half_pixel"), None),
    "linear-corners": (linear("align_corners"), between_corners),
    "linear-asymmetric": (linear("asymmetric", (14, 18), "linear"), None),
    "linear-pytorch": (linear("pytorch_half_pixel", (5, 4)), None),
    "interpolate-1": (first("linear", "false"), None),
    "interpolate-1-corners": (first("linear", "true"), None),
    "interpolate-1-nearest": (first("nearest", "false"), None),
}


def run(ir, x):
    return onnxruntime.InferenceSession(network(ir.xml, ir.weights)).run(None, {"data": x})[0]


@pytest.mark.parametrize("name", [name for name, (_, expected) in CASES.items() if expected])
def test_windows_compute_what_they_are_defined_to(name, rng):
    (shape, build), expected = CASES[name]
    x = rng.standard_normal((3, *shape[1:])).astype(np.float32)
    np.testing.assert_allclose(run(written(shape, build), x), expected(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_windows_answer_as_openvino(name, rng):
    (shape, build), _ = CASES[name]
    ir, x = written(shape, build), rng.standard_normal((3, *shape[1:])).astype(np.float32)
    np.testing.assert_allclose(run(ir, x), by_openvino(ir, x), rtol=1e-4, atol=1e-5)


REFUSED = {
    "rounding": pool("AvgPool", (1, 4, 4, 5), rounding_type="ceil_torch"),
    "standing still": pool("MaxPool", (1, 4, 4, 5), strides="0,0"),
    "dimensions": pool("MaxPool", (1, 4, 4, 5), pads_begin="0"),
    "padding": conv((7, 9), (1, 6, 4, 9), auto_pad="same"),
    "cubic": resize("opset4", (14, 18), (1, 4, 14, 18), mode="cubic"),
    "frame": nearest("tf_half_pixel_for_nn", "floor"),
    "antialias": resize("opset4", (14, 18), (1, 4, 14, 18), mode="linear", antialias="true"),
    "mixed": nearest("asymmetric", "simple", (4, 18)),
    "symmetric": (PLANES, with_const("Pad", ints(0, 0, 1, 1), ints(0, 0, 1, 1), pad_mode="symmetric")),
    "cropping": (PLANES, with_const("Pad", ints(0, 0, -1, 0), ints(0, 0, 0, 0), pad_mode="constant")),
    "kernel": (PLANES, with_const("Convolution", weights(6, 4, 3), shape=PLANES, **CONV)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_refused(name):
    ir = written(*REFUSED[name])
    with pytest.raises(ConversionFailed) as failure:
        network(ir.xml, ir.weights)
    assert "inconsistent" not in failure.value.message
