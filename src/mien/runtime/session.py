"""Opening and running networks.

One session per model file, shared by all threads: ONNX Runtime's `run` may be called from several
at once. A device that was asked for and is not there is an error, never a silent CPU.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as native

from mien.errors import DeviceUnavailable, InferenceError, OutOfMemory, PackCorrupt
from mien.settings import Device

Tensor = NDArray[np.float32]

PROVIDERS: dict[Device, str] = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}
_WHEELS: dict[Device, str] = {
    "cpu": "onnxruntime",
    "cuda": "onnxruntime-gpu",
    "openvino": "onnxruntime-openvino",
    "coreml": "onnxruntime",
}
_LOAD_ERRORS = (
    native.InvalidProtobuf,
    native.InvalidGraph,
    native.Fail,
    native.NoSuchFile,
    native.InvalidArgument,
    native.NotImplemented,
    UnicodeDecodeError,  # a damaged name in its error message
)
# ValueError: an input that the network needs is missing.
_RUN_ERRORS = (native.Fail, native.RuntimeException, native.InvalidArgument, native.EPFail, ValueError)


# What ONNX Runtime calls the types of tensors.
_DTYPES = {
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a network takes or gives under one name.

    Attributes:
        name: Of the tensor.
        dtype: NumPy's name of its type; ONNX Runtime's where NumPy has none.
        shape: None where any length will do.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """An open network.

    Attributes:
        path: The file.
        device: Where it was asked to run, and does.
        providers: Execution providers in order of preference, as ONNX Runtime reports them.
    """

    path: Path
    device: Device
    providers: tuple[str, ...]
    _session: Any = field(repr=False)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the inputs, in the file's order."""
        return tuple(given.name for given in self._session.get_inputs())

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the file's order."""
        return tuple(given.name for given in self._session.get_outputs())

    @property
    def inputs(self) -> tuple[Signature, ...]:
        """What it takes, in the file's order."""
        return tuple(_signature(given) for given in self._session.get_inputs())

    @property
    def outputs(self) -> tuple[Signature, ...]:
        """What it gives, in the file's order."""
        return tuple(_signature(given) for given in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Run on named float32 tensors and return all outputs by name. Thread-safe.

        Raises:
            OutOfMemory: The device has no room for this batch.
            InferenceError: The network refused for another reason.
        """
        names = self.output_names
        try:
            values = self._session.run(list(names), dict(inputs))
        except _RUN_ERRORS as error:
            text = str(error)
            if "alloc" in text.lower() or "out of memory" in text.lower():
                raise OutOfMemory(
                    f"No memory left while running {self.path.name} on {self.device}."
                ) from error
            raise InferenceError(f"{self.path.name} could not be run on {self.device}: {text}") from error
        return dict(zip(names, values, strict=True))


class Runtime:
    """Opens networks on one device and keeps each open once.

    Args:
        device: `cpu`, `cuda`, `openvino` or `coreml`.
        threads: Threads inside one call; 0 means one per available core.

    Raises:
        DeviceUnavailable: ONNX Runtime here cannot use the device.
    """

    def __init__(self, device: Device = "cpu", threads: int = 0) -> None:
        self.device: Device = device
        self.threads = threads or available_cores()
        self._open: dict[Path, Network] = {}
        self._lock = threading.Lock()
        if PROVIDERS.get(device) not in onnxruntime.get_available_providers():
            raise _unavailable(device, "the installed ONNX Runtime was built without it")

    def network(self, path: Path) -> Network:
        """Open a model file, or return it if it is open.

        Raises:
            PackCorrupt: The file is not a usable ONNX model.
            DeviceUnavailable: The device failed to start.
        """
        with self._lock:
            if path not in self._open:
                self._open[path] = self._load(path)
            return self._open[path]

    def opened(self) -> tuple[Network, ...]:
        """Every network opened so far, for `mien info`."""
        return tuple(self._open.values())

    def _load(self, path: Path) -> Network:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        # Fatal only: what fails is raised below, and nothing prints here.
        options.log_severity_level = 4
        # Threads that spin between operators are faster; idle networks whose threads spin on take the cores
        # from the one that works (decision 004, benchmarks/spinning.py and sessions.py).
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        options.add_session_config_entry("session.force_spinning_stop", "1")
        try:
            session = onnxruntime.InferenceSession(
                os.fspath(path), options, providers=[PROVIDERS[self.device]], enable_fallback=0
            )
        except _LOAD_ERRORS as error:
            raise PackCorrupt(f"{path} cannot be opened: {error}") from error
        providers = tuple(session.get_providers())
        if providers[0] != PROVIDERS[self.device]:
            raise _unavailable(self.device, f"ONNX Runtime started {providers[0]} instead")
        return Network(path, self.device, providers, session)


def available_devices() -> tuple[Device, ...]:
    """The devices that the installed ONNX Runtime was built for."""
    present = onnxruntime.get_available_providers()
    return tuple(device for device, provider in PROVIDERS.items() if provider in present)


def runtime_version() -> str:
    """Version of ONNX Runtime, whichever of its distributions is installed."""
    return str(onnxruntime.__version__)


def available_cores() -> int:
    """Cores this process may use: those of its CPU set; a time quota of a container is not seen."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _unavailable(device: Device, why: str) -> DeviceUnavailable:
    present = ", ".join(available_devices())
    wheel = _WHEELS.get(device, "ONNX Runtime")
    return DeviceUnavailable(
        f"Device {device} is not available: {why}.",
        hint=f"Available here: {present}. For {device}, install {wheel} and its drivers.",
    )


def _signature(given: Any) -> Signature:  # noqa: ANN401 - of ONNX Runtime
    shape = tuple(side if isinstance(side, int) else None for side in given.shape)
    return Signature(given.name, _DTYPES.get(given.type, given.type), shape)


def describe_network(path: Path) -> tuple[str, ...]:
    """Inputs and outputs of a network with their shapes, one line each, for people.

    Raises:
        PackCorrupt: The file is not a usable ONNX model.
    """
    session = Runtime("cpu", 1).network(path)._session  # noqa: SLF001 - of this module
    pairs = (("input", session.get_inputs()), ("output", session.get_outputs()))
    return tuple(
        f"{what} {one.name} {' x '.join(str(side) for side in one.shape)}"
        for what, many in pairs
        for one in many
    )
