"""The Open Inference Protocol, version 2: the networks of installed packs, tensors in and tensors out."""

from mien.server.inference.about import door as about
from mien.server.inference.infer import door as infer

DOORS = (about, infer)
