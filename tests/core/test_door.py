"""`mien/__init__.py`: everything one needs by one name, and nothing loaded before it is used."""

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mien

HEAVY = {"numpy", "PIL", "onnxruntime", "onnx", "lz4", "msgspec", "typer", "rich", "platformdirs", "filelock"}
LOADED = (
    "import json, sys; before = set(sys.modules); {}; print(json.dumps(sorted(set(sys.modules) - before)))"
)


def loaded_by(code):
    ran = subprocess.run(
        [sys.executable, "-c", LOADED.format(code)], capture_output=True, text=True, check=True
    )
    return set(json.loads(ran.stdout))


def test_importing_mien_loads_next_to_nothing():
    loaded = loaded_by("import mien")
    assert {name for name in loaded if name.startswith("mien")} == {"mien"}
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    # Reading metadata alone brings email, socket, zipfile and 60 more.
    assert len(loaded) < 40, sorted(loaded)


def test_errors_are_light_too():
    loaded = loaded_by("from mien import MienError, errors")
    assert {name for name in loaded if name.startswith("mien")} == {"mien", "mien.errors"}
    assert not {name.partition(".")[0] for name in loaded} & HEAVY


def test_a_name_loads_its_room_when_used():
    loaded = loaded_by("import mien; mien.Faces")
    assert {"numpy", "mien.core.faces"} <= loaded
    assert not {"onnxruntime", "PIL", "mien.kit"} & loaded


def test_dir_lists_what_can_be_had():
    listed = dir(mien)
    assert listed == sorted(listed)
    assert set(listed) == {*mien.__all__, "__version__"}
    assert {"Mien", "Image", "open_image", "Faces", "Face", "Matches", "errors"} <= set(listed)


@pytest.mark.parametrize("name", mien.__all__)
def test_every_name_is_the_thing_of_that_name(name):
    found = getattr(mien, name)
    if name == "errors":
        assert found is import_module("mien.errors")
    else:
        assert found.__name__ == name
        assert getattr(import_module(found.__module__), name) is found


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(mien.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.asname: f"{node.module}.{alias.name}" for node in block.body for alias in node.names}
    named = {name: f"{getattr(mien, name).__module__}.{name}" for name in mien.__all__ if name != "errors"}
    assert imported == {**named, "errors": "mien.errors"}


def test_the_version_is_the_installed_one():
    major, minor, patch = mien.__version__.split(".")[:3]
    assert (major + minor).isdigit()
    assert patch


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'mien' has no attribute 'detect_faces'"):
        mien.detect_faces  # noqa: B018
    assert not hasattr(mien, "numpy")
