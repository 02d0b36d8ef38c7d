"""Mien as a contestant of benchmarks/peers.py."""

import sys
from importlib.metadata import version

from answering import answer

from mien import Mien

COLUMNS = {
    "detect": ("box", "score", "points"),
    "embed": ("box", "score", "points", "embedding"),
    "live": ("box", "score", "points", "embedding", "live"),
    "all": ("box", "score", "points", "embedding", "age", "gender", "expression", "live"),
}

task, _, profile = sys.argv[1].partition("-")
kit = Mien(detector="scrfd-500m", embedder="mobilefacenet", profile=profile or "balanced")
columns = COLUMNS[task]
kit.stages_for(columns)
answer({"Mien": version("mien")}, lambda paths: sum(len(one.faces) for one in kit.analyze(paths, columns)))
