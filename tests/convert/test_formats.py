from pathlib import Path

import pytest

from mien.convert.formats import FORMATS, find_parts
from mien.convert.table import CONVERTERS
from mien.errors import ConversionFailed


def files(folder, *names):
    for name in names:
        (folder / name).write_bytes(b"")
    return [folder / name for name in names]


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.name)
def test_every_format_has_a_converter_and_is_recognised(kind, tmp_path):
    assert kind.convert in CONVERTERS
    paths = files(tmp_path, *(f"net{suffixes[-1]}" for suffixes in kind.parts))
    assert find_parts(paths[::-1]) == (kind, tuple(paths))


@pytest.mark.parametrize("given", ["net.xml", "net.bin"])
def test_one_of_two_is_enough(given, tmp_path):
    paths = files(tmp_path, "net.xml", "net.bin", "other.bin", "other.xml")
    assert find_parts([tmp_path / given])[1] == tuple(paths[:2])


def test_mxnet_has_two_names(tmp_path):
    paths = files(tmp_path, "model-symbol.json", "model-0012.params")
    assert find_parts(paths[:1])[1] == find_parts(paths[1:])[1] == tuple(paths)


def test_a_missing_part_is_named(tmp_path):
    with pytest.raises(ConversionFailed, match="caffemodel"):
        find_parts(files(tmp_path, "deploy.prototxt"))


def test_two_candidates_are_none(tmp_path):
    files(tmp_path, "model-0001.params", "model-0002.params")
    with pytest.raises(ConversionFailed, match="params"):
        find_parts(files(tmp_path, "model-symbol.json"))


def test_strangers_are_named(tmp_path):
    with pytest.raises(ConversionFailed, match="letter"):
        find_parts(files(tmp_path, "a.onnx", "letter.txt"))


@pytest.mark.parametrize(("name", "said"), [("a.pth", "not how they are connected"), ("a.doc", "No format")])
def test_unknown(name, said, tmp_path):
    with pytest.raises(ConversionFailed, match=said) as failure:
        find_parts([Path(tmp_path / name)])
    assert failure.value.hint
