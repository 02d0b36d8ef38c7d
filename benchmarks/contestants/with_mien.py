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

kit = Mien(detector="scrfd-500m", embedder="mobilefacenet")
columns = COLUMNS[sys.argv[1]]
kit.stages_for(columns)
answer({"Mien": version("mien")}, lambda path: len(next(kit.analyze(path, columns)).faces))
