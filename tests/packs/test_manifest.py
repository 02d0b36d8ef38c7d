import hashlib
import json
import tomllib

import msgspec
import pytest

from mien.errors import ManifestInvalid
from mien.packs.manifest import Manifest, is_name, read_manifest, space

EMBED = """
[input]
size_wh = [112, 112]
colour = "bgr"
mean = [127.5, 127.5, 127]
scale = 0.0078125

[threshold]
metric = "cosine"
distance = 0.7
fmr = 0.001
measured = "somewhere"
"""


def written(tmp_path, text):
    path = tmp_path / "pack.toml"
    path.write_text(text, "utf-8")
    return path


def embedder(tmp_path, toy, content=b"weights", more=EMBED, **changes):
    return read_manifest(
        written(tmp_path, toy(content, "file:x", gives=("embedding",), more=more, **changes))
    )


def test_reads_what_is_written(tmp_path, toy):
    manifest = read_manifest(written(tmp_path, toy(b"weights", "file:weights")))
    assert (manifest.name, manifest.version, manifest.gives) == ("toy", 1, ("box",))
    assert manifest.sources[0].bytes == 7
    assert manifest.files[0].convert is None
    assert manifest.facts == {}
    assert manifest.source("Weights.bin") is manifest.sources[0]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("name",), "../evil", "$.name"),
        (("name",), "Upper", "$.name"),
        (("name",), "a\n", "$.name"),
        (("name",), ".hidden", "$.name"),
        (("name",), "", "$.name"),
        (("version",), 0, "$.version"),
        (("version",), "1", "$.version"),
        (("gives",), ["guess"], "guess"),
        (("surprise",), 1, "surprise"),
        (("licence", "comercial"), True, "comercial"),
        (("licence", "commercial"), "yes", "$.licence.commercial"),
        (("sources", 0, "name"), "a/b", "$.sources[0].name"),
        (("sources", 0, "sha256"), "ABC", "$.sources[0].sha256"),
        (("sources", 0, "bytes"), 0, "$.sources[0].bytes"),
        (("sources",), [], "do not fit together at Weights.bin"),
        (("files", 0, "source"), ["Weights.bin", "Weights.bin"], "needs a converter"),
        (("files", 0, "source"), [], "$.files[0].source"),
        (("input",), {"colour": "rgb", "mean": [1.0] * 3, "scale": [1.0, 1.0]}, "scale wants one value or 3"),
        (("input",), {"colour": "rgb", "mean": [1.0] * 3, "scale": [1.0, 0.0, 1.0]}, "scale not 0"),
        (("files", 0, "name"), "../../x", "$.files[0].name"),
        (("files", 0, "name"), "installed.json", "must not be called"),
        (("files", 0, "source"), "other", "do not fit together at Weights.bin, other"),
        (("gives",), ["embedding"], "needs [input] and [threshold]"),
        (("input",), {"colour": "rgb", "mean": [1.0], "scale": 1.0}, "mean wants 3 values"),
        (("input",), {"colour": "grey", "mean": [1.0], "scale": float("nan")}, "finite"),
        (("input",), {"colour": "grey", "mean": [1.0], "scale": 1.0, "size_wh": [0, 9]}, "$.input.size_wh"),
        (
            ("threshold",),
            {"metric": "cosine", "distance": 2.1, "fmr": 0.1, "measured": ""},
            "cosine distance lies in 0..2",
        ),
        (
            ("threshold",),
            {"metric": "cosine", "distance": 0.1, "fmr": 0.0, "measured": ""},
            "$.threshold.fmr",
        ),
    ],
)
def test_refuses_and_names_the_field(tmp_path, monkeypatch, toy_table, path, value, said):
    place = toy_table
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    monkeypatch.setattr(tomllib, "loads", lambda _: toy_table)
    with pytest.raises(ManifestInvalid) as refusal:
        read_manifest(written(tmp_path, ""))
    assert said in refusal.value.message
    assert str(tmp_path / "pack.toml") in refusal.value.message
    assert refusal.value.hint


def test_refuses_two_files_of_one_name(tmp_path, toy):
    text = toy(b"w", "file:w") + '[[files]]\nname = "weights.onnx"\nsource = "Weights.bin"\n'
    with pytest.raises(ManifestInvalid, match="two entries of one name"):
        read_manifest(written(tmp_path, text))


def test_missing_fields_toml_errors_and_missing_files_are_manifest_errors(tmp_path, toy):
    with pytest.raises(ManifestInvalid, match="`name`"):
        read_manifest(written(tmp_path, "version = 1"))
    with pytest.raises(ManifestInvalid, match="not TOML"):
        read_manifest(written(tmp_path, "name = "))
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestInvalid, match="not TOML"):
        read_manifest(path)
    with pytest.raises(ManifestInvalid, match="cannot be read"):
        read_manifest(tmp_path / "nowhere.toml")


@pytest.mark.parametrize("name", ["..", ".", "", "/etc", "a/b", "a\\b", "-x", "A", "a\n", "a\0"])
def test_no_path_is_a_name(name):
    assert not is_name(name)


def test_space_is_what_it_says(tmp_path, toy):
    manifest = embedder(tmp_path, toy)
    parts = {
        "converters": [None],
        "facts": {},
        "input": {"colour": "bgr", "mean": [127.5, 127.5, 127.0], "scale": 0.0078125, "size_wh": [112, 112]},
        "metric": "cosine",
        "sources": [hashlib.sha256(b"weights").hexdigest()],
    }
    text = json.dumps(parts, separators=(",", ":"))
    assert space(manifest) == f"toy:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def test_space_changes_with_what_decides_the_vectors_only(tmp_path, toy):
    base = embedder(tmp_path, toy)
    spaces = [
        space(base),
        space(embedder(tmp_path, toy, content=b"other weights")),
        space(embedder(tmp_path, toy, more=EMBED.replace('"bgr"', '"rgb"'))),
        space(embedder(tmp_path, toy, more=EMBED.replace("0.0078125", "0.0078"))),
        space(embedder(tmp_path, toy, more=EMBED.replace('"cosine"', '"euclidean"'))),
        space(embedder(tmp_path, toy, more=EMBED + "[facts]\nflip = true\n")),
        space(embedder(tmp_path, toy, name="toy2")),
    ]
    assert len(set(spaces)) == len(spaces)
    recalibrated = embedder(tmp_path, toy, version=2, more=EMBED.replace("0.7\n", "0.6\n"))
    assert recalibrated != base
    assert space(recalibrated) == space(base)


def test_manifests_are_frozen(tmp_path, toy):
    manifest = embedder(tmp_path, toy)
    for table in (manifest, manifest.licence, manifest.input):
        with pytest.raises(AttributeError):
            table.name = "other"
    assert msgspec.convert(msgspec.to_builtins(manifest), Manifest) == manifest
