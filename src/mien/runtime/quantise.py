"""Networks in eight bits: smaller, and on most processors faster, at some cost in accuracy.

Static quantisation as ONNX Runtime does it: activations unsigned, weights signed and per channel, ranges
from pictures that the network is run on. On x86 processors that pair of types is the fast one.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mien.errors import BadRequest, ConversionFailed, ExtraMissing
from mien.packs.manifest import EightBits
from mien.runtime.session import Network, Runtime

# ONNX Runtime's own default.
_WARNINGS = 2
# The first version of ONNX's operators whose DequantizeLinear knows one scale per channel.
_PER_CHANNEL = 13
# Ranges of fewer are no ranges.
_LEAST = 20
# One in so many examples sets no range and judges the result.
_JUDGES = 4

Tensor = NDArray[np.float32]
Inputs = Mapping[str, Tensor]


class Recording(Runtime):
    """A runtime that keeps what its networks are given, to learn the ranges from."""

    def __init__(self, most: int = 256) -> None:
        super().__init__("cpu")
        self._most = most
        self.seen: dict[Path, list[Inputs]] = {}

    def network(self, path: Path) -> Network:
        """Open a model file so that its inputs are kept."""
        network = super().network(path)
        seen = self.seen.setdefault(path, [])
        return Network(path, network.device, network.providers, _Recorder(network._session, seen, self._most))  # noqa: SLF001 - of this room


class _Recorder:
    """Stands in front of a session and keeps its inputs, one picture each."""

    def __init__(self, session: Any, seen: list[Inputs], most: int) -> None:  # noqa: ANN401 - ONNX Runtime has no types
        self._session, self._seen, self._most = session, seen, most

    def run(self, names: list[str], inputs: dict[str, Tensor]) -> Any:  # noqa: ANN401
        """Run, and keep the inputs while there is room."""
        rows = min(len(value) for value in inputs.values())
        for row in range(min(rows, self._most - len(self._seen))):
            self._seen.append({name: value[row : row + 1].copy() for name, value in inputs.items()})
        return self._session.run(names, inputs)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._session, name)


@dataclass(frozen=True, slots=True)
class EightBitNetwork:
    """A quantised network.

    Attributes:
        content: ONNX bytes with the same inputs and outputs.
        agreement: Mean cosine similarity of its outputs to those of the network it was made of, on
            examples that set no range; of several outputs, the least.
    """

    content: bytes
    agreement: float


def quantise(network: bytes, examples: Sequence[Inputs], how: EightBits) -> EightBitNetwork:
    """Quantise a network to eight bits.

    Args:
        network: ONNX bytes.
        examples: What it is given in its work, one picture each; a hundred or more are good. Every fourth
            only judges the result.
        how: What stays in float32.

    Raises:
        BadRequest: No examples.
        ConversionFailed: The network cannot be quantised.
        ExtraMissing: The package onnx is not installed.
    """
    if len(examples) < _LEAST:
        raise BadRequest(
            f"{len(examples)} examples are too few to learn the ranges from; {_LEAST} are the least.",
            hint="Give photographs of people, a hundred faces or more.",
        )
    try:
        from google.protobuf.message import DecodeError
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise ExtraMissing.of("convert", "Quantising networks needs the package onnx.") from error
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain, ready, small = (Path(folder, f"{name}.onnx") for name in ("plain", "ready", "small"))
        plain.write_bytes(network)
        try:
            ready.write_bytes(_of_late(network))
            quant_pre_process(ready, ready, skip_symbolic_shape=True)
            quantize_static(
                ready,
                small,
                _reader([one for i, one in enumerate(examples) if i % _JUDGES]),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=list(how.operators) or None,
                nodes_to_exclude=list(how.keep),
            )
        except (
            ValueError,
            RuntimeError,
            NotImplementedError,
            AttributeError,
            KeyError,
            DecodeError,
        ) as error:
            raise ConversionFailed(f"The network cannot be quantised: {error}") from error
        return EightBitNetwork(small.read_bytes(), _agreement(plain, small, examples[::_JUDGES]))


def _of_late(network: bytes) -> bytes:
    """The same network in operators that know scales per channel."""
    import onnx
    import onnx.version_converter

    model = onnx.load_from_string(network)
    known = max(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    if known >= _PER_CHANNEL:
        return network
    return bytes(onnx.version_converter.convert_version(model, _PER_CHANNEL).SerializeToString())


def _agreement(before: Path, after: Path, examples: Sequence[Inputs]) -> float:
    runtime = Runtime("cpu")
    networks = [runtime.network(path) for path in (before, after)]
    similar: dict[str, list[float]] = {}
    for inputs in examples:
        exact, close = (network.run(inputs) for network in networks)
        for name, value in exact.items():
            similar.setdefault(name, []).append(_cosine(value.ravel(), close[name].ravel()))
    return min(float(np.mean(values)) for values in similar.values())


def _cosine(a: Tensor, b: Tensor) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else float((a == b).all())


def _reader(examples: Sequence[Inputs]) -> Any:  # noqa: ANN401
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left: Iterator[Inputs] = iter(examples)

        def get_next(self) -> dict[str, Tensor] | None:
            given = next(self._left, None)
            return None if given is None else dict(given)

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """ONNX Runtime's tools write hints to the root logger, and it warns; nothing prints below the doors."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    onnxruntime.set_default_logger_severity(4)
    try:
        yield
    finally:
        logger.setLevel(before)
        onnxruntime.set_default_logger_severity(_WARNINGS)
