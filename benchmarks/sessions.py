"""Why ONNX Runtime is set up as it is: every setting against Mien's own, on networks of several kinds.

    make bench-sessions

Inputs are noise, which these networks take as long for as for faces. Runs also where onnxruntime-openvino
is installed in place of onnxruntime (.oracles/ort-openvino/bin/python benchmarks/sessions.py), and then
measures that provider too.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mien import Mien
from mien.runtime.session import available_cores

# After mien, which switches its telemetry off.
import onnxruntime as ort  # isort: skip
from sections import interleaved, stamp, table, write

ROUNDS = 15
INPUTS: dict[str, tuple[int, ...]] = {
    "yunet": (1, 3, 480, 640),
    "scrfd-500m": (1, 3, 480, 640),
    "retail0095": (1, 3, 128, 128),
    "retail0095, 16 faces": (16, 3, 128, 128),
    "mobilefacenet": (1, 3, 112, 112),
    "dlib-resnet29, 16 faces": (16, 3, 150, 150),
    "minifasnet": (1, 3, 80, 80),
    "mini-xception": (1, 1, 64, 64),
}
LEVELS = ort.GraphOptimizationLevel


@dataclass(frozen=True)
class Setup:
    """One way to open a session; the defaults are Mien's."""

    threads: int = field(default_factory=available_cores)
    spinning: str = "1"
    stop: str = "1"
    level: Any = LEVELS.ORT_ENABLE_ALL
    arena: bool = True
    parallel: bool = False
    bound: bool = False
    provider: str = "CPUExecutionProvider"

    def runner(self, path: Path, x: np.ndarray) -> Callable[[], object]:
        """A call that runs the network once."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.graph_optimization_level = self.level
        options.enable_cpu_mem_arena = self.arena
        options.log_severity_level = 4
        options.add_session_config_entry("session.intra_op.allow_spinning", self.spinning)
        options.add_session_config_entry("session.force_spinning_stop", self.stop)
        if self.parallel:
            options.execution_mode = ort.ExecutionMode.ORT_PARALLEL
            options.inter_op_num_threads = self.threads
        session = ort.InferenceSession(os.fspath(path), options, providers=[self.provider])
        name = session.get_inputs()[0].name
        if not self.bound:
            return lambda: session.run(None, {name: x})
        binding = session.io_binding()
        binding.bind_cpu_input(name, x)
        for output in session.get_outputs():
            binding.bind_output(output.name)
        return lambda: session.run_with_iobinding(binding)


SETUPS = {
    "Mien": Setup(),
    "1 thread": Setup(threads=1),
    "resting": Setup(spinning="0"),
    "spinning on": Setup(stop="0"),
    "no arena": Setup(arena=False),
    "basic optimisation": Setup(level=LEVELS.ORT_ENABLE_BASIC),
    "no optimisation": Setup(level=LEVELS.ORT_DISABLE_ALL),
    "operators in parallel": Setup(parallel=True),
    "IO binding": Setup(bound=True),
}


def main() -> None:
    setups = dict(SETUPS)
    if "OpenVINOExecutionProvider" in ort.get_available_providers():
        setups["OpenVINO"] = Setup(provider="OpenVINOExecutionProvider")
    rows = list(measured(setups))
    geometric = np.exp(np.mean([np.log(ratios) for _, _, ratios in rows], axis=0))
    shown = [(name, f"{ms:.1f}", *(f"{r:.2f}" for r in ratios)) for name, ms, ratios in rows]
    shown.append(("geometric mean", "", *(f"{r:.2f}" for r in geometric)))
    text = [
        stamp() if "OpenVINO" not in setups else f"ONNX Runtime {ort.__version__} with OpenVINO.",
        "",
        f"Time in parts of that of Mien's setting ({available_cores()} threads that spin until a run ends, "
        "full optimisation, arena): less than 1 is faster.",
        "",
        table(("network", "ms, Mien", *(name for name in setups if name != "Mien")), shown),
    ]
    write("sessions-openvino" if "OpenVINO" in setups else "sessions", "\n".join(text))


def measured(setups: dict[str, Setup]) -> Iterator[tuple[str, float, list[float]]]:
    kit, rng = Mien(), np.random.default_rng(0)
    for name, shape in INPUTS.items():
        pack = kit.packs.get(name.split(",")[0])
        path = pack.file(pack.manifest.files[0].name)
        x = rng.uniform(0, 255, shape).astype(np.float32)
        seconds = interleaved({label: setup.runner(path, x) for label, setup in setups.items()}, ROUNDS)
        mien = seconds.pop("Mien")
        yield name, mien * 1000, [value / mien for value in seconds.values()]


if __name__ == "__main__":
    main()
