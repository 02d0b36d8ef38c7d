"""What a measurement ran on, so that its times mean something."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mien.runtime.session import available_cores

# One module under several names: a distribution for each kind of device.
_ONNXRUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Machine:
    """Versions and hardware.

    Attributes:
        mien: Version of Mien.
        onnxruntime: Name and version of the ONNX Runtime distribution.
        python: Implementation and version of Python.
        system: Operating system and architecture.
        cores: Cores that this process may use.
        processor: Its model; empty where the system does not tell.
        memory_bytes: What is built in, not what is free; 0 where the system does not tell.
    """

    mien: str
    onnxruntime: str
    python: str
    system: str
    cores: int
    processor: str = ""
    memory_bytes: int = 0


def this_machine() -> Machine:
    """Describe the machine that this process runs on."""
    return Machine(
        mien=_version("mien"),
        onnxruntime=next((found for name in _ONNXRUNTIMES if (found := _version(name))), "unknown"),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.machine()}",
        cores=available_cores(),
        processor=_processor(),
        memory_bytes=_memory_bytes(),
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not POSIX, or a system that does not count pages
        return 0
