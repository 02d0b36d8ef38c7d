"""Networks in OpenVINO's intermediate representation (`.xml` + `.bin`, versions 10 and 11) as ONNX.

float32, float16 and int8 files. float16 weights become float32, which is exact. int8 weights are
turned back into what they stand for; the rounding of activations (`FakeQuantize`) that such a
network was trained or calibrated with is kept as arithmetic, so that it answers as OpenVINO does
(but for ties, which fall differently even between two modes of OpenVINO).

What the networks of Intel's Open Model Zoo that we know take and give (its documentation, and the
files; all take BGR 0..255, the scaling is inside):

- `face-reidentification-retail-0095`: `0` `(n, 3, 128, 128)`, aligned by its own five-point
  template; gives `658` `(n, 256, 1, 1)`, not of unit length, compared by cosine.
- `landmarks-regression-retail-0009`: `0` `(n, 3, 48, 48)`, a tight crop of the face; gives `95`
  `(n, 10, 1, 1)`: x and y, 0..1 of the crop, of left eye, right eye, nose, left and right corner
  of the mouth as the viewer sees them.
- `head-pose-estimation-adas-0001`: `data` `(n, 3, 60, 60)`; gives `fc_r`, `fc_p`, `fc_y`, each
  `(n, 1)`: degrees of roll (+ clockwise), pitch (+ down) and yaw (+ towards image right).
- `age-gender-recognition-retail-0013`: `data` `(n, 3, 62, 62)`; gives `age_conv3` `(n, 1, 1, 1)`,
  years / 100, and `prob` `(n, 2, 1, 1)`, female and male. Not for children.
- `face-detection-retail-0005`: `input.1` `(n, 3, 300, 300)`. It ends in `DetectionOutput`, which is
  cut off: see `network`.
"""

from __future__ import annotations

from collections.abc import Sequence

from mien.convert.building.graph import Graph
from mien.convert.openvino.fold import fold
from mien.convert.openvino.ir import Layer, Shape, Source, broken, read_layers
from mien.convert.openvino.operators import OPERATORS
from mien.convert.openvino.translation import Translation
from mien.errors import ConversionFailed

# What a detector hands to `DetectionOutput`, in order.
_DETECTION = ("location", "confidence", "prior")


def network(xml: bytes, weights: bytes) -> bytes:
    """Convert any network whose operations we know.

    A final `DetectionOutput` (decoding and suppression) is cut off, and what it reads is given
    instead: `location` `(n, 4 * boxes)`, offsets; `confidence` `(n, classes * boxes)`; `prior`
    `(1, 2, 4 * boxes)`, xyxy of the anchors in units of the picture, then the variances. In all
    three, boxes are outermost. With `code_type` CENTER_SIZE, a box has its centre at
    `prior_centre + variance * offset * prior_size` and the size `prior_size * exp(variance * offset)`.

    Args:
        xml: The `.xml` file: layers and edges.
        weights: The `.bin` file that belongs to it.

    Returns:
        ONNX bytes. Inputs and outputs have the names that OpenVINO gives them, are float32 in the
        layout of the file, and axis 0 of all is the batch, of any length.

    Raises:
        ConversionFailed: Damaged or hostile files; operations that are not supported (all are
            listed), or that mix the pictures of a batch.
    """
    layers = read_layers(xml)
    _refuse_unknown(layers)
    constants = fold(layers, weights)
    t = Translation(Graph("openvino"), layers, constants)
    try:
        for layer in layers:
            if layer.kind == "Parameter":
                t.names[Source(layer.key, 0)] = t.graph.input(*_input(layer))
            elif not {Source(layer.key, 0)} & (constants.keys() | t.names.keys()):
                _write(t, layer)
        outputs = _outputs(t, layers)
        names = {name: t.graph.add("Identity", t.name(source)) for name, (source, _) in outputs.items()}
        return t.graph.finish(names, {name: shape for name, (_, shape) in outputs.items()})
    except (ValueError, IndexError, KeyError, TypeError, ArithmeticError) as error:
        raise broken(f"it contradicts itself ({error})") from error


def _refuse_unknown(layers: Sequence[Layer]) -> None:
    unknown = sorted(
        {
            f"{layer.kind[:40]} ({layer.version[:20]})"
            for layer in layers
            if layer.kind not in OPERATORS.keys() | {"Parameter"} or not layer.version.startswith("opset")
        }
    )
    if unknown:
        raise ConversionFailed(
            f"This OpenVINO network has operations that are not supported: {', '.join(unknown)}.",
            hint="Export the network as ONNX from where it was trained, or run it with OpenVINO itself.",
        )


def _write(t: Translation, layer: Layer) -> None:
    written = OPERATORS[layer.kind](t, layer)
    for i, name in enumerate([written] if isinstance(written, str) else written):
        t.names[Source(layer.key, i)] = name


def _input(layer: Layer) -> tuple[str, tuple[int | str, ...]]:
    if layer.text("element_type") not in ("f32", "f16", "u8") or not layer.outputs:
        raise layer.broken("is an input that is not a picture")
    return _public_name(layer, 0), _free(layer, layer.outputs[0].shape)


def _outputs(t: Translation, layers: Sequence[Layer]) -> dict[str, tuple[Source, tuple[int | str, ...]]]:
    """Find the outputs: name, value and shape."""
    by_key = {layer.key: layer for layer in layers}
    batches = {layer.outputs[0].shape[0] for layer in layers if layer.kind == "Parameter"}
    found: dict[str, tuple[Source, tuple[int | str, ...]]] = {}
    for result in (layer for layer in layers if layer.kind == "Result"):
        source = result.source(0)
        last = by_key[source.layer]
        named = [(_public_name(last, source.output, result.name), source)]
        if last.kind == "DetectionOutput":
            named = list(zip(_DETECTION, last.sources, strict=False))
        for name, value in named:
            shape = t.shape(value)
            if value in t.constants and name == "prior":
                found[name] = value, t.constants[value].shape
            elif value in t.constants or shape[:1] not in [(batch,) for batch in batches]:
                raise last.broken("is a result that is not one per picture")
            else:
                found[name] = value, _free(last, shape)
    if not found:
        raise broken("it has no result")
    return found


def _public_name(layer: Layer, output: int, preferred: str = "") -> str:
    names = layer.outputs[output].names or (layer.name,)
    return preferred if preferred in names else names[0]


def _free(layer: Layer, shape: Shape) -> tuple[int | str, ...]:
    if len(shape) < 2:
        raise layer.broken("has no axis for the batch")
    return ("n", *(f"d{axis}" if size is None else size for axis, size in enumerate(shape[1:], 1)))
