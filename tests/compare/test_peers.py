import sys
from pathlib import Path

import pytest

from mien.compare.peers import PEERS, Setting, entries_for, mien_with, packs_of
from mien.compare.weights import FILES
from mien.compare.worker import RUNNER
from mien.errors import BadRequest
from mien.packs.builtin import builtin_manifests
from mien.packs.store import PackStore


def setting(home, folder, **changed):
    given = {"pythons": {}, "threads": 2, "task": "embed"} | changed
    return Setting(sys.executable, weights=folder, store=PackStore(home / "packs"), **given)


@pytest.mark.parametrize("name", PEERS)
def test_what_the_table_names_is_there(name):
    peer, manifests = PEERS[name], builtin_manifests()
    assert RUNNER.with_name(peer.script).is_file()
    assert "box" in manifests[peer.detector].gives
    assert "embedding" in manifests[peer.embedder].gives
    assert set(peer.files) <= FILES.keys()
    # The weights that are written are those of the packs on our side.
    assert {FILES[file][0] for file in peer.files} <= {peer.detector, peer.embedder}


def test_each_stands_beside_the_mien_of_its_weights(mien_home, tmp_path):
    entries, absent = entries_for(["face_recognition", "face_recognition-cnn"], setting(mien_home, tmp_path))
    assert not absent
    ours, hog, other, cnn = entries
    assert (hog.rival, cnn.rival) == (ours.name, other.name)
    assert ours.options["detector"] == "mtcnn"
    assert other.options["detector"] == "mmod"
    assert hog.networks == "HOG + dlib-resnet29"
    assert cnn.networks == other.networks == "mmod + dlib-resnet29"
    assert (hog.options["model"], cnn.options["model"]) == ("hog", "cnn")
    assert {entry.options["threads"] for entry in entries} == {2}


def test_a_missing_pack_does_not_stop_the_others(mien_home, tmp_path):
    entries, absent = entries_for(["opencv", "face_recognition", "uniface"], setting(mien_home, tmp_path))
    assert [entry.title for entry in entries] == ["Mien", "face_recognition"]
    assert [(one.name, one.hint) for one in absent] == [
        ("OpenCV", "mien packs install yunet-2023mar mobilefacenet"),
        ("UniFace", "mien packs install scrfd-500m mobilefacenet"),
    ]


def test_one_mien_serves_several(modern_home, tmp_path):
    entries, absent = entries_for(["insightface", "uniface", "uniface"], setting(modern_home, tmp_path))
    assert not absent
    assert [entry.title for entry in entries] == ["Mien", "InsightFace", "UniFace"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["arcface.onnx", "scrfd.onnx"]


def test_interpreters(mien_home, tmp_path):
    own = {"face_recognition": Path("/elsewhere/python")}
    ours, peer = entries_for(["face_recognition"], setting(mien_home, tmp_path, pythons=own))[0]
    assert ours.command[0] == sys.executable
    assert peer.command[0] == "/elsewhere/python"


def test_an_unknown_peer(mien_home, tmp_path):
    with pytest.raises(BadRequest, match="'compreface'") as caught:
        entries_for(["compreface"], setting(mien_home, tmp_path))
    assert "face_recognition" in caught.value.hint
    with pytest.raises(BadRequest):
        packs_of(["compreface"])


def test_packs_of():
    assert packs_of(["insightface", "uniface", "opencv"]) == ("scrfd-500m", "mobilefacenet", "yunet-2023mar")


def test_a_fast_mien_has_a_name_of_its_own(mien_home, tmp_path):
    at = setting(mien_home, tmp_path)
    plain, fast = (mien_with("mtcnn", "dlib-resnet29", at, profile) for profile in ("balanced", "fast"))
    assert plain.name != fast.name
    assert (plain.title, fast.title) == ("Mien", "Mien, fast")
