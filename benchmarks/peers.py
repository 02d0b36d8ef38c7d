"""Mien against InsightFace and UniFace with the same weights, on the same photographs, in one run.

    make bench-peers            # installs the peers into .oracles/peers first

Every contestant is a process of its own that is given some photographs at a time, as a folder is: what it
makes of having several is its own affair. They take turns, so that noise hits all alike. Each is given the
same files: SCRFD-500m for finding faces, MobileFaceNet for embedding them and, where it knows that network,
MiniFASNet V2 for telling live faces. Reading the files and decoding them counts. DeepFace fetches all its
weights from addresses of its own and takes none that are brought, so it cannot run here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mien import Mien
from mien.media.images import find_images
from sections import pictures_folder, stamp, table, write

ROUNDS = 5
AT_A_TIME = 16
HERE = Path(__file__).parent
PEERS = HERE.parent / ".oracles" / "peers" / "bin" / "python"


@dataclass(frozen=True)
class Contestant:
    """Whose code runs, on which interpreter, and what it is asked to do."""

    name: str
    python: Path
    script: str
    task: str


class Worker:
    """A contestant's process; says how long each photograph took, and how many faces it found."""

    def __init__(self, contestant: Contestant, weights: Path) -> None:
        self.contestant = contestant
        command = [contestant.python, HERE / "contestants" / contestant.script, contestant.task, weights]
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip
        self.versions = self._answer()

    def run(self, photos: Sequence[Path]) -> dict:
        """Let it look at some photographs."""
        self._process.stdin.write(json.dumps(list(map(str, photos))) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()
        self._process.wait(60)

    def _answer(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.contestant.name} ended.")
        return json.loads(line)


def main() -> None:
    photos = [path for path in find_images(pictures_folder()) if path.suffix.lower() in {".jpg", ".jpeg"}]
    if len(sys.argv) > 1:
        photos = photos[:: max(1, len(photos) // int(sys.argv[1]))]
    own = Path(sys.executable)
    ours, insight, uni = [("Mien", own), ("Mien, fast", own)], ("InsightFace", PEERS), ("UniFace", PEERS)
    contests = {
        "find faces": ("detect", [*ours, insight, uni]),
        "find and embed": ("embed", [*ours, insight, uni]),
        "find, embed, live": ("live", [*ours, uni]),
        "find, embed, age, gender, expression, live": ("all", ours),
    }
    rows, versions = [], {}
    with tempfile.TemporaryDirectory() as folder:
        weights = exported_weights(Path(folder))
        for what, (task, names) in contests.items():
            contestants = []
            for name, python in names:
                who, _, profile = name.lower().partition(", ")
                contestants.append(Contestant(name, python, f"with_{who}.py", f"{task}-{profile}".strip("-")))
            rows += contest(what, contestants, photos, weights, versions)
    header = (
        "task",
        "who",
        "photographs per second",
        "Mien is faster by",
        "faces",
        "memory MB after one, all rounds",
    )
    text = [
        stamp(),
        "",
        f"{len(photos)} photographs, {AT_A_TIME} at a time, {ROUNDS} rounds, medians; "
        + ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
        + ".",
        "",
        table(header, rows),
    ]
    write("peers", "\n".join(text))


def contest(
    what: str,
    contestants: Sequence[Contestant],
    photos: Sequence[Path],
    weights: Path,
    versions: dict[str, str],
) -> list[tuple]:
    workers = [Worker(contestant, weights) for contestant in contestants]
    turns = [photos[start : start + AT_A_TIME] for start in range(0, len(photos), AT_A_TIME)]
    seconds: dict[str, dict[Path, list[float]]] = {worker.contestant.name: {} for worker in workers}
    faces: dict[str, int] = {}
    memory: dict[str, list[float]] = {worker.contestant.name: [] for worker in workers}
    for number in range(ROUNDS + 1):
        for worker in workers:
            faces[worker.contestant.name] = 0
        for turn in turns:
            for worker in workers:
                name, told = worker.contestant.name, worker.run(turn)
                faces[name] += told["faces"]
                if number:  # the first round warms up
                    seconds[name].setdefault(turn[0], []).append(told["seconds"])
        for worker in workers:
            memory[worker.contestant.name].append(worker.run(photos[:1])["memory_mb"])
    for worker in workers:
        versions.update(worker.versions)
        worker.close()
    total = {name: sum(map(statistics.median, times.values())) for name, times in seconds.items()}
    return [
        (
            what,
            name,
            f"{len(photos) / spent:.1f}",
            "" if name == "Mien" else f"{spent / total['Mien']:.2f}x",
            faces[name],
            f"{memory[name][0]:.0f}, {memory[name][-1]:.0f}",
        )
        for name, spent in total.items()
    ]


def exported_weights(folder: Path) -> Path:
    """The ONNX files of our packs, under names that the contestants know."""
    kit = Mien()
    for pack, file, name in (
        ("scrfd-500m", None, "scrfd.onnx"),
        ("mobilefacenet", None, "embedder.onnx"),
        ("minifasnet", "v2.onnx", "minifasnet.onnx"),
    ):
        found = kit.packs.get(pack)
        source = found.file(file or found.manifest.files[0].name)
        content = source.read_bytes()
        (folder / name).write_bytes(of_one_picture(content) if name == "scrfd.onnx" else content)
    return folder


def of_one_picture(content: bytes) -> bytes:
    """The same network, its outputs without the batch, as the peers' own files are."""
    model = onnx.load_from_string(content)
    graph = model.graph
    outputs = list(graph.output)
    del graph.output[:]
    for output in outputs:
        name = f"{output.name}_of_one"
        graph.node.append(helper.make_node("Reshape", [output.name, f"{output.name}_rows"], [name]))
        rows = np.array([-1, {"score": 1, "bbox": 4, "kps": 10}[output.name.split("_")[0]]], np.int64)
        graph.initializer.append(numpy_helper.from_array(rows, f"{output.name}_rows"))
        graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, int(rows[1])]))
    return model.SerializeToString()


if __name__ == "__main__":
    main()
