"""Why MTCNN's PReLU is written as two depthwise convolutions: ONNX Runtime's own is slow on a CPU.

.venv/bin/python benchmarks/prelu.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from mien.convert.building.graph import Graph
from mien.runtime.session import Runtime
from sections import interleaved, stamp, table, write

LEVELS = [(300, 240), (213, 170), (151, 121), (107, 86), (76, 61), (54, 43), (38, 30), (27, 22), (19, 15)]


def activation(graph: Graph, x: str, channels: int, way: str) -> str:
    rng = np.random.default_rng(channels)
    slope = rng.standard_normal((channels, 1, 1, 1), np.float32)
    if way == "PRelu":
        return graph.add("PRelu", x, graph.weight(slope[..., 0]))
    if way == "Relu":
        return graph.add("Relu", x)
    below = graph.add("Conv", x, graph.weight(slope), group=channels)
    above = graph.add("Conv", graph.add("Relu", x), graph.weight(1 - slope), group=channels)
    return graph.add("Add", below, above)


def proposal_network(way: str) -> bytes:
    """The layers of MTCNN's first network, with random weights."""
    rng = np.random.default_rng(0)
    graph = Graph(way)
    x = graph.input("image", ("n", 3, "h", "w"))
    before = 3
    for layer, channels in enumerate((10, 16, 32)):
        kernel = rng.standard_normal((channels, before, 3, 3), np.float32)
        x = activation(graph, graph.conv(x, kernel, np.zeros(channels, np.float32)), channels, way)
        x = graph.max_pool(x, 2, 2, ceil=True) if layer == 0 else x
        before = channels
    return graph.finish({"y": x}, {"y": ("n", before, "rows", "columns")})


def main() -> None:
    runtime = Runtime("cpu", 2)
    # Random, since the time of PRelu depends on how often the sign changes.
    rng = np.random.default_rng(0)
    pictures = [rng.standard_normal((1, 3, *size), np.float32) for size in LEVELS]
    with tempfile.TemporaryDirectory() as folder:
        contestants = {}
        for way in ("PRelu", "two depthwise convolutions", "Relu"):
            path = Path(folder) / f"{len(contestants)}.onnx"
            path.write_bytes(proposal_network(way))
            network = runtime.network(path)
            contestants[way] = lambda n=network: [n.run({"image": x}) for x in pictures]
        median = interleaved(contestants, 40)
    slowest = median["PRelu"]
    rows = [(way, f"{value * 1000:.1f}", f"{slowest / value:.1f}x") for way, value in median.items()]
    write(
        "prelu",
        "\n".join(
            [
                stamp(),
                "",
                table(
                    ("activation (Relu is another function: the lower bound)", "ms a pyramid", "speed"), rows
                ),
            ]
        ),
    )


if __name__ == "__main__":
    main()
