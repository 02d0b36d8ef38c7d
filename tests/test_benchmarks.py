"""Benchmarks run seldom, so that what they import is looked up here."""

import ast
import importlib
import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks"
OWN = {file.stem for file in FOLDER.glob("*.py")}
# What else they may take names from; whatever a peer brings is imported as a module, where it is used.
OTHERS = {"numpy", "usearch"}


def imported(file):
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_what_a_benchmark_imports_from_here_exists(file, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    for module, name in imported(file):
        if module in OWN:
            assert name in defined(FOLDER / f"{module}.py"), f"{file.name}: from {module} import {name}"
        elif module.partition(".")[0] in {"mien", "mienlab"}:
            here = importlib.import_module(module)
            assert hasattr(here, name) or importlib.util.find_spec(f"{module}.{name}"), f"{module}.{name}"
        elif module.partition(".")[0] not in sys.stdlib_module_names:
            assert module.partition(".")[0] in OTHERS, f"{file.name}: from {module} import {name}"


def defined(file):
    tree = ast.parse(file.read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
