"""Networks in eight bits: smaller, and on most processors faster, at some cost in accuracy.

Static quantisation as ONNX Runtime does it: activations unsigned, weights signed and per channel, ranges
from pictures that the network is run on. On x86 processors that pair of types is the fast one.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest, ConversionFailed, ExtraMissing
from mien.runtime.session import Network, Runtime

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


def quantise(network: bytes, examples: Sequence[Inputs]) -> bytes:
    """Quantise a network to eight bits.

    Args:
        network: ONNX bytes.
        examples: What it is given in its work, one picture each; a hundred or more are good.

    Returns:
        ONNX bytes with the same inputs and outputs.

    Raises:
        BadRequest: No examples.
        ConversionFailed: The network cannot be quantised.
        ExtraMissing: The package onnx is not installed.
    """
    if not examples:
        raise BadRequest("No face was found to learn the ranges from.", hint="Give photographs of people.")
    try:
        from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
        from onnxruntime.quantization.shape_inference import quant_pre_process
    except ImportError as error:
        raise ExtraMissing.of("convert", "Quantising networks needs the package onnx.") from error
    with tempfile.TemporaryDirectory() as folder, _quiet():
        plain, ready, small = (Path(folder, f"{name}.onnx") for name in ("plain", "ready", "small"))
        plain.write_bytes(network)
        try:
            quant_pre_process(plain, ready, skip_symbolic_shape=True)
            quantize_static(
                ready,
                small,
                _reader(examples),
                quant_format=QuantFormat.QDQ,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                per_channel=True,
            )
        except (ValueError, RuntimeError, NotImplementedError, AttributeError, KeyError) as error:
            raise ConversionFailed(f"The network cannot be quantised: {error}") from error
        return small.read_bytes()


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
    """ONNX Runtime's tools write hints to the root logger; nothing prints below the doors."""
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
