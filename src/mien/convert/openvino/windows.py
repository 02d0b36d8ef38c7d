"""OpenVINO's operations on neighbourhoods: convolutions, pooling, padding, resizing."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mien.convert.building.blocks import Array, Wide, batch_norm, fold
from mien.convert.openvino.ir import Layer, Source
from mien.convert.openvino.translation import Operator, Translation, known


def _convolution(t: Translation, layer: Layer) -> str:
    kernel = t.constant(layer, 1).astype(np.float32)
    group = 1
    if layer.kind == "GroupConvolution":
        group, per_group = kernel.shape[:2]
        kernel = kernel.reshape(group * per_group, *kernel.shape[2:])
    if kernel.ndim != t.rank(layer):
        raise layer.broken("has a kernel that does not fit its input")
    kernel, bias, absorbed = _absorb(t, layer, kernel)
    pads, strides, dilations = _windows(t, layer, kernel.shape[2:])
    output = t.graph.add(
        "Conv",
        t.x(layer),
        t.graph.weight(kernel),
        t.graph.weight(bias),
        kernel_shape=list(kernel.shape[2:]),
        strides=strides,
        pads=pads,
        dilations=dilations,
        group=group,
    )
    t.names |= {Source(done.key, 0): output for done in absorbed}
    return output


def _absorb(t: Translation, layer: Layer, kernel: Array) -> tuple[Array, Array, list[Layer]]:
    """Merge what scales or shifts the channels after a convolution into it; also return those layers."""
    bias, absorbed = np.zeros(len(kernel), np.float32), [layer]
    while (following := t.only_reader(Source(absorbed[-1].key, 0))) is not None:
        affine = _affine(t, following, Source(absorbed[-1].key, 0), len(kernel), kernel.ndim)
        if affine is None:
            break
        kernel, bias = fold(kernel, bias, *affine)
        absorbed.append(following)
    return kernel, bias, absorbed


def _affine(
    t: Translation, layer: Layer, source: Source, channels: int, rank: int
) -> tuple[Wide, Wide] | None:
    """Scale and shift per channel of a layer that does nothing else to `source`, else None."""
    if layer.kind == "BatchNormInference":
        return _normalisation(t, layer)
    if layer.kind not in ("Add", "Multiply", "Subtract", "Divide"):
        return None
    at = layer.sources.index(source)
    other = t.constants.get(layer.source(1 - at))
    if other is None or other.ndim > rank or (at and layer.kind in ("Subtract", "Divide")):
        return None
    shape = (1,) * (rank - other.ndim) + other.shape
    if other.size != 1 and shape != (1, channels) + (1,) * (rank - 2):
        return None
    value = np.broadcast_to(other.astype(np.float64).ravel(), channels)
    one, none = np.ones(channels), np.zeros(channels)
    with np.errstate(divide="ignore"):
        return {
            "Add": (one, value),
            "Subtract": (one, -value),
            "Multiply": (value, none),
            "Divide": (1 / value, none),
        }[layer.kind]


def _normalisation(t: Translation, layer: Layer) -> tuple[Wide, Wide]:
    # Operation set 1 had the data third, set 5 put it first.
    order = (0, 1, 3, 4) if layer.version == "opset1" else (1, 2, 3, 4)
    gamma, beta, mean, variance = (t.constant(layer, i).astype(np.float32).ravel() for i in order)
    return batch_norm(gamma, beta, mean, variance, layer.real("epsilon"))


def _batch_norm(t: Translation, layer: Layer) -> str:
    data = layer.source(2 if layer.version == "opset1" else 0)
    tail = [1] * (len(t.shape(data)) - 2)
    scale, shift = (
        t.graph.weight(part.astype(np.float32).reshape(1, -1, *tail)) for part in _normalisation(t, layer)
    )
    return t.graph.add("Add", t.graph.add("Mul", t.name(data), scale), shift)


def _windows(t: Translation, layer: Layer, kernel: Iterable[int]) -> tuple[list[int], list[int], list[int]]:
    """Read where windows stand: pads (all begins, all ends), strides, dilations.

    What the file leaves to be worked out (`auto_pad`, rounding up) is said as explicit pads, in
    which OpenVINO and ONNX Runtime cannot differ.
    """
    sizes = t.shape(layer.source(0))[2:]
    ones = ",".join("1" for _ in sizes)
    strides, dilations = (layer.integers(name, ones, least=1) for name in ("strides", "dilations"))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    how = layer.text("auto_pad", "explicit")
    if how == "explicit":
        begin, end = layer.integers("pads_begin"), layer.integers("pads_end")
    elif how == "valid":
        begin, end = [0] * len(sizes), [0] * len(sizes)
    elif how in ("same_upper", "same_lower"):
        lengths = known(layer, sizes)
        missing = [
            max((math.ceil(n / s) - 1) * s + r - n, 0)
            for n, s, r in zip(lengths, strides, reach, strict=True)
        ]
        begin = [(m + (how == "same_lower")) // 2 for m in missing]
        end = [m - b for m, b in zip(missing, begin, strict=True)]
    else:
        raise layer.broken("pads in a way that is not supported")
    if not len(sizes) == len(begin) == len(end) == len(strides) == len(reach) > 0:
        raise layer.broken("has windows of another dimension than its input")
    return begin + end, strides, dilations


def _max_pool(t: Translation, layer: Layer) -> str:
    kernel, pads, strides, dilations = _pool(t, layer)
    return t.graph.add(
        "MaxPool", t.x(layer), kernel_shape=kernel, strides=strides, pads=pads, dilations=dilations
    )


def _avg_pool(t: Translation, layer: Layer) -> str:
    kernel, pads, strides, _ = _pool(t, layer)
    include = not layer.flag("exclude-pad", default=True)
    return t.graph.add(
        "AveragePool",
        t.x(layer),
        kernel_shape=kernel,
        strides=strides,
        pads=pads,
        count_include_pad=int(include),
    )


def _pool(t: Translation, layer: Layer) -> tuple[list[int], list[int], list[int], list[int]]:
    """Read kernel, pads, strides and dilations; where the number of windows is rounded up, pads grow."""
    kernel = layer.integers("kernel", least=1)
    pads, strides, dilations = _windows(t, layer, kernel)
    rounding = layer.text("rounding_type", "floor")
    if rounding not in ("floor", "ceil"):
        raise layer.broken("rounds in a way that is not supported")
    if rounding == "ceil" and layer.text("auto_pad", "explicit") == "explicit":
        axes = len(kernel)
        for i, size in enumerate(known(layer, t.shape(layer.source(0))[2:])):
            room = size + pads[i] + pads[i + axes] - (kernel[i] - 1) * dilations[i] - 1
            pads[i + axes] += -room % strides[i]
    return kernel, pads, strides, dilations


def _pad(t: Translation, layer: Layer) -> str:
    mode = layer.text("pad_mode")
    begin, end = (t.constant(layer, i).tolist() for i in (1, 2))
    if mode not in ("constant", "edge", "reflect") or min(begin + end) < 0:
        raise layer.broken("pads in a way that is not supported")
    if begin[0] or end[0]:
        raise layer.broken("pads the batch")
    inputs = [t.x(layer), t.indices(begin + end)]
    if mode == "constant" and len(layer.sources) > 3:
        inputs.append(t.scalar(t.constant(layer, 3).item()))
    return t.graph.add("Pad", *inputs, mode=mode)


def _interpolate(t: Translation, layer: Layer) -> str:
    way = _resize_attributes(layer)
    inputs = {"opset1": (1, 1, None), "opset4": (1, 2, 3), "opset11": (1, 1, 2)}[layer.version]
    sizes_at, scales_at, axes_at = inputs
    if axes_at is None:
        axes = t.axes(layer, np.array(layer.integers("axes")))
    elif axes_at < len(layer.sources):
        axes = t.axes(layer, t.constant(layer, axes_at))
    else:
        axes = list(range(t.rank(layer)))
    before = t.shape(layer.source(0))
    x = t.x(layer)
    if layer.text("shape_calculation_mode", "sizes") == "scales":
        factors = dict(zip(axes, t.constant(layer, scales_at).tolist(), strict=True))
        scales = np.array([factors.get(axis, 1) for axis in range(len(before))], np.float32)
        grows = [factor >= 1 for factor in factors.values()]
        return t.graph.add("Resize", x, "", t.graph.weight(scales), **way, **_nearest(layer, grows))
    after = dict(zip(axes, t.constant(layer, sizes_at).tolist(), strict=True))
    fixed = known(layer, tuple(after.get(axis, before[axis]) for axis in range(1, len(before))))
    grows = [size >= (before[axis] or 0) for axis, size in after.items()]
    zero, one = t.indices([0]), t.indices([1])
    batch = t.graph.add("Slice", t.graph.add("Shape", x), zero, one)
    sizes = t.graph.add("Concat", batch, t.indices(fixed), axis=0)
    return t.graph.add("Resize", x, "", "", sizes, **way, **_nearest(layer, grows))


def _resize_attributes(layer: Layer) -> dict[str, str]:
    mode = {"nearest": "nearest", "linear": "linear", "linear_onnx": "linear"}.get(layer.text("mode"))
    frames = ("half_pixel", "pytorch_half_pixel", "asymmetric", "align_corners")
    if layer.version == "opset1":
        # The first definition knew two frames and called them by a flag.
        frame = frames[3] if layer.flag("align_corners", default=True) else frames[2]
    else:
        frame = layer.text("coordinate_transformation_mode", "half_pixel")
    pads = layer.integers("pads_begin", "") + layer.integers("pads_end", "")
    smooth = layer.flag("antialias", default=False) and mode != "nearest"
    if mode is None or frame not in frames or any(pads) or smooth:
        raise layer.broken("resizes in a way that is not supported")
    return {"mode": mode, "coordinate_transformation_mode": frame}


def _nearest(layer: Layer, grows: list[bool]) -> dict[str, str]:
    """Which neighbour is the nearest; `simple` means another one when shrinking."""
    default = "simple" if layer.version == "opset1" else "round_prefer_floor"
    name = layer.text("nearest_mode", default)
    if name == "simple" and any(grows) == all(grows):
        name = "floor" if all(grows) else "ceil"
    if name not in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        raise layer.broken("resizes in a way that is not supported")
    return {"nearest_mode": name}


NEIGHBOURHOODS: dict[str, Operator] = {
    "AvgPool": _avg_pool,
    "BatchNormInference": _batch_norm,
    "Convolution": _convolution,
    "GroupConvolution": _convolution,
    "Interpolate": _interpolate,
    "MaxPool": _max_pool,
    "Pad": _pad,
}
