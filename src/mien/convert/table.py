"""The converters that a manifest can name.

Each takes the bytes of one source file, or of several where a format keeps the network and its weights
apart, and returns the bytes of one pack file, the same bytes every time. `VERSION` rises when any of
them changes what it writes, so that packs are rebuilt.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from mien.errors import ManifestInvalid

VERSION = 2

Converter = Callable[..., bytes]

CONVERTERS: dict[str, str] = {
    "dlib-resnet": "mien.convert.dlib.networks:resnet",
    "dlib-mmod": "mien.convert.dlib.networks:mmod",
    "dlib-shape": "mien.convert.dlib.shape:shape_predictor",
    "mtcnn-pnet": "mien.convert.mtcnn.networks:pnet",
    "mtcnn-rnet": "mien.convert.mtcnn.networks:rnet",
    "mtcnn-onet": "mien.convert.mtcnn.networks:onet",
    "onnx": "mien.convert.onnx_shapes:free_batch",
    "onnx-any-size": "mien.convert.onnx_shapes:free_size",
    "openvino": "mien.convert.openvino.network:network",
    "caffe": "mien.convert.caffe.network:network",
    "mxnet": "mien.convert.mxnet.network:network",
    "keras": "mien.convert.keras.network:network",
    "tflite": "mien.convert.tflite.network:network",
    "tf-graph": "mien.convert.tensorflow.network:network",
    "face-api-expression": "mien.convert.tensorflow.face_api:face_api_expression",
    "face-api-age-gender": "mien.convert.tensorflow.face_api:face_api_age_gender",
    "minifasnet-v2": "mien.convert.torch.minifasnet:v2",
    "minifasnet-v1se": "mien.convert.torch.minifasnet:v1se",
    "mobilefacenet": "mien.convert.torch.mobilefacenet:foamliu",
    "mediapipe-mesh": "mien.convert.tflite.network:mediapipe_mesh",
    "mediapipe-blendshapes": "mien.convert.tflite.network:mediapipe_blendshapes",
}


def converter(name: str) -> Converter:
    """Return the converter of that name, importing what it needs only now."""
    try:
        module, function = CONVERTERS[name].split(":")
    except KeyError:
        known = ", ".join(sorted(CONVERTERS))
        raise ManifestInvalid(
            f"No converter is called {name!r}.", hint=f"Known converters: {known}."
        ) from None
    found: Converter = getattr(import_module(module), function)
    return found
