"""Reading MXNet's `symbol.json`: the nodes of a network, as written by any version of MXNet."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mien.errors import ConversionFailed

# A description holds no weights; the longest in use have a few hundred thousand bytes.
_LONGEST_TEXT = 4 << 20

_HINT = "Get both files again from their publisher and compare their sha256."

VARIABLE = "null"


@dataclass(frozen=True, slots=True)
class Attributes:
    """The parameters of an operator, all of them text."""

    texts: Mapping[str, str]

    def text(self, name: str, default: str) -> str:
        """A word; `None` stands for the default."""
        found = self.texts.get(name, default)
        return default if found == "None" else found

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        word = self.text(name, str(default)).lower()
        if word not in ("true", "false", "1", "0"):
            raise ConversionFailed(f"{name} = {word[:40]!r} is neither true nor false")
        return word in ("true", "1")

    def integer(self, name: str, default: int) -> int:
        """A whole number."""
        word = self.text(name, str(default))
        if not re.fullmatch(r"\s*[+-]?\d{1,18}L?\s*", word):
            raise ConversionFailed(f"{name} = {word[:40]!r} is not a whole number")
        return int(word.strip().rstrip("L"))

    def real(self, name: str, default: float) -> float:
        """A finite number."""
        word = self.text(name, str(default))
        try:
            number = float(word)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ConversionFailed(f"{name} = {word[:40]!r} is not a finite number")
        return number

    def integers(self, name: str, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Whole numbers, written `(3, 3)`, `[3,3]`, `(3L, 3L)` or, if it is one, `3`."""
        word = self.text(name, str(default))
        if not re.fullmatch(r"[\s\d+,L()\[\]-]*", word) or re.search(r"\d{19}", word):
            raise ConversionFailed(f"{name} = {word[:40]!r} is not a row of whole numbers")
        return tuple(int(number) for number in re.findall(r"[+-]?\d+", word))


@dataclass(frozen=True, slots=True)
class Node:
    """An operator, or a variable, whose operator is `VARIABLE`.

    Attributes:
        name: What the publisher calls it.
        operator: MXNet's name.
        inputs: Number of the node and of its output, for each input; always earlier nodes.
        attributes: Its parameters.
    """

    name: str
    operator: str
    inputs: tuple[tuple[int, int], ...]
    attributes: Attributes

    def __str__(self) -> str:
        return f"Node {self.name[:60]!r} ({self.operator[:40]})"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A network: nodes in the order of their computation, and which of their outputs it returns."""

    nodes: tuple[Node, ...]
    heads: tuple[tuple[int, int], ...]


def read_symbol(text: bytes) -> Symbol:
    """Read a `symbol.json`, and leave no operator that the heads do not need.

    Raises:
        ConversionFailed: Not such a file, or nodes that depend on themselves.
    """
    if len(text) > _LONGEST_TEXT:
        raise ConversionFailed(f"A symbol of {len(text)} bytes: no network's description is so long.")
    try:
        found = json.loads(text)
        nodes = tuple(_node(number, entry) for number, entry in enumerate(found["nodes"]))
        heads = tuple(_reference(entry, len(nodes)) for entry in found["heads"])
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError) as error:
        what = f"{type(error).__name__}: {error}"[:200]
        raise ConversionFailed(f"Not a symbol.json of MXNet: {what}.", hint=_HINT) from error
    return Symbol(nodes, heads)


def needed(symbol: Symbol) -> set[int]:
    """The numbers of the nodes that the heads depend on."""
    found = {number for number, _ in symbol.heads}
    for number in reversed(range(len(symbol.nodes))):
        if number in found:
            found |= {below for below, _ in symbol.nodes[number].inputs}
    return found


def _node(number: int, entry: dict[str, Any]) -> Node:
    # Oldest first: `param` for the operator and `attr` for the user, then both in `attr`, then `attrs`.
    texts = {key: str(value) for kind in ("attr", "attrs", "param") for key, value in _pairs(entry, kind)}
    inputs = tuple(_reference(below, number) for below in entry["inputs"])
    return Node(str(entry["name"]), str(entry["op"]), inputs, Attributes(texts))


def _pairs(entry: dict[str, Any], kind: str) -> list[tuple[str, Any]]:
    return list((entry.get(kind) or {}).items())


def _reference(entry: list[int], below: int) -> tuple[int, int]:
    number, output = entry[0], entry[1]
    if type(number) is not int or type(output) is not int or output < 0:
        raise TypeError(f"{entry!r} is no reference to a node")
    if not 0 <= number < below:
        # So the nodes stand in the order of their computation, and there are no cycles.
        raise ValueError(f"node {below} refers to node {number}, which does not stand before it")
    return number, output
