"""What the tour ran on, so that its times mean something."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from mien.runtime.session import available_cores

# One module under several names: a distribution for each kind of device.
_ONNXRUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")


@dataclass(frozen=True, slots=True)
class Machine:
    """Versions and hardware.

    Attributes:
        mien: Version of Mien.
        onnxruntime: Name and version of the ONNX Runtime distribution.
        python: Implementation and version of Python.
        system: Operating system and architecture.
        cores: Cores that this process may use.
    """

    mien: str
    onnxruntime: str
    python: str
    system: str
    cores: int


def this_machine() -> Machine:
    """Describe the machine that this process runs on."""
    return Machine(
        mien=_version("mien"),
        onnxruntime=next((found for name in _ONNXRUNTIMES if (found := _version(name))), "unknown"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        cores=available_cores(),
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
