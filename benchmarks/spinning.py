"""Why idle threads do not spin: MTCNN's three networks share two cores.

.venv/bin/python benchmarks/spinning.py
"""

from __future__ import annotations

import numpy as np
import onnxruntime

from mien import Mien
from sections import interleaved, stamp, table, write

LEVELS = [(300, 240), (213, 170), (151, 121), (107, 86), (76, 61), (54, 43), (38, 30), (27, 22), (19, 15)]


def main() -> None:
    kit = Mien()
    pack = kit.packs.ensure("mtcnn")
    rng = np.random.default_rng(0)
    pyramid = [rng.standard_normal((1, 3, *size), np.float32) for size in LEVELS]
    windows, sure = (
        rng.standard_normal((80, 3, 24, 24), np.float32),
        rng.standard_normal((15, 3, 48, 48), np.float32),
    )

    def opened(spinning: str, stop: str = "0") -> list[onnxruntime.InferenceSession]:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
        options.add_session_config_entry("session.force_spinning_stop", stop)
        return [onnxruntime.InferenceSession(str(pack.file(f"{n}net.onnx")), options) for n in "pro"]

    def cascade(networks: list[onnxruntime.InferenceSession]) -> None:
        for level in pyramid:
            networks[0].run(None, {"image": level})
        networks[1].run(None, {"image": windows})
        networks[2].run(None, {"image": sure})

    ways = {
        "spinning (the default)": opened("1"),
        "resting": opened("0"),
        "spinning until a run ends": opened("1", stop="1"),
    }
    median = interleaved({name: lambda way=way: cascade(way) for name, way in ways.items()}, 40)
    slow = median["spinning (the default)"]
    rows = [(way, f"{value * 1000:.1f}", f"{slow / value:.1f}x") for way, value in median.items()]
    write("spinning", "\n".join([stamp(), "", table(("idle threads", "ms a cascade", "speed"), rows)]))


if __name__ == "__main__":
    main()
