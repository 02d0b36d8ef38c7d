import hashlib

import numpy as np
import onnxruntime
import pytest

from mien.errors import ManifestInvalid
from mien.packs.builtin import builtin_manifest
from mien.packs.manifest import read_manifest, space
from mien.packs.own import pack_like, pack_of_eight_bits, write_pack
from mien.packs.store import PackStore


def test_a_pack_that_can_be_read_and_installed_again(tmp_path):
    source = tmp_path / "mine.onnx"
    source.write_bytes(b"network")
    like = builtin_manifest("mobilefacenet")
    folder = tmp_path / "packs" / "mine"
    written = pack_like(folder, [source], "onnx", like)
    write_pack(folder, written, {written.files[0].name: b"converted"})
    assert read_manifest(folder / "pack.toml") == written
    assert written.name == "mine"
    assert (folder / written.files[0].name).read_bytes() == b"converted"
    assert written.sources[0].sha256 == hashlib.sha256(b"network").hexdigest()
    assert (written.facts, written.input) == (like.facts, like.input)
    assert written.threshold.distance == like.threshold.distance
    assert written.threshold.fmr is None, "it was measured with another network"
    assert not written.licence.commercial, "nobody said what one may do with it"
    assert space(written) != space(like), "vectors of another network are not compared"
    assert PackStore(tmp_path / "packs").get("mine").manifest == written


def test_two_sources_keep_their_order(tmp_path):
    parts = [tmp_path / "net.xml", tmp_path / "net.bin"]
    for path in parts:
        path.write_bytes(path.name.encode())
    written = pack_like(tmp_path / "two", parts, "openvino", builtin_manifest("retail0095"))
    write_pack(tmp_path / "two", written, {})
    assert read_manifest(tmp_path / "two" / "pack.toml").files[0].sources == ("net.xml", "net.bin")
    assert [source.url for source in written.sources] == [f"file:{path}" for path in parts]


def test_a_bad_name_is_refused(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"")
    with pytest.raises(ManifestInvalid, match="name"):
        pack_like(tmp_path / "Not A Name", [tmp_path / "a.onnx"], "onnx", builtin_manifest("mobilefacenet"))


def test_quantised_packs_keep_their_terms_and_get_a_space_of_their_own(tmp_path):
    like = builtin_manifest("mobilefacenet")
    folder = tmp_path / "packs" / "small"
    written = pack_of_eight_bits(folder, {like.files[0].name: b"small"}, like, 0.98765)
    write_pack(folder, written, {like.files[0].name: b"small"})
    (folder / "installed.json").write_text("{}")
    write_pack(folder, written, {like.files[0].name: b"small"})
    store = PackStore(tmp_path / "packs")
    assert store.get("small").manifest.licence == like.licence
    assert space(written) != space(like)
    assert (written.threshold.distance, written.threshold.metric) == (
        like.threshold.distance,
        like.threshold.metric,
    )
    assert written.threshold.fmr is None, "it was measured with another network"
    assert [figure.value for figure in written.figures] == [0.9877]
    assert store.verify("small") == ()
    (folder / like.files[0].name).write_bytes(b"spoilt")
    assert len(store.verify("small")) == 1


def test_only_packs_of_one_file_are_patterns(tmp_path):
    with pytest.raises(ManifestInvalid, match="3 files"):
        pack_like(tmp_path / "a", [], "onnx", builtin_manifest("mtcnn"))


def test_mien_convert_makes_a_pack_that_embeds(shared, tmp_path, monkeypatch, capfd):
    from mien.cli.main import run

    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    source = shared("models/open/face-reidentification-retail-0095-FP16.xml")
    out = tmp_path / "packs" / "mine"
    assert run(["convert", str(source), "-o", str(out), "--like", "retail0095"]) == 0, (
        "the .bin lies beside it"
    )
    said = capfd.readouterr().out
    assert "input" in said
    assert "128 x 128" in said
    network = onnxruntime.InferenceSession(out / "retail0095.onnx")
    shown = network.run(None, {network.get_inputs()[0].name: np.zeros((2, 3, 128, 128), np.float32)})[0]
    assert shown.reshape(2, -1).shape == (2, 256)
    assert PackStore(tmp_path / "packs").get("mine").manifest.gives == ("embedding",)


def test_mien_convert_without_a_pattern(shared, tmp_path, capfd):
    from mien.cli.main import run

    source = shared("models/open/fsanet-1x1.onnx")
    assert run(["convert", str(source), "-o", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["fsanet-1x1.onnx"]
    assert run(["convert", str(tmp_path / "missing.onnx"), "-o", str(tmp_path)]) != 0
    assert "missing.onnx" in capfd.readouterr().err
