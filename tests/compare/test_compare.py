import importlib.util
import sys

import numpy as np
import PIL.Image
import pytest

from mien import open_image
from mien.compare.compare import compare
from mien.compare.peers import Setting, mien_with
from mien.compare.race import race
from mien.errors import BadRequest
from mien.evaluate.reading.pairs import read_pairs
from mien.packs.store import PackStore

PAIRS = """a,b,same
known/Barack Obama/blue-room-2010.jpg,known/Barack Obama/congress-2009.jpg,yes
known/Barack Obama/blue-room-2010.jpg,unknown/portrait-2012.jpg,yes
known/Barack Obama/congress-2009.jpg,known/Grace Hopper/portrait.jpg,no
known/Eileen Collins/portrait.jpg,known/Grace Hopper/portrait.jpg,no
"""


@pytest.fixture
def labelled(photos, tmp_path):
    """Pairs of the demo's photographs, made small."""
    file = tmp_path / "pairs.csv"
    file.write_text(PAIRS, "utf-8")
    for name in {name for line in PAIRS.splitlines()[1:] for name in line.split(",")[:2]}:
        small = PIL.Image.open(photos / name)
        small.thumbnail((400, 400))
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        small.save(tmp_path / name)
    return read_pairs(file, tmp_path)


def test_beside_face_recognition(kit, labelled):
    """With the same encoder, the same photographs give distances that nearly agree."""
    if not importlib.util.find_spec("face_recognition"):
        pytest.skip("face_recognition is not installed: make peers")
    found = compare(["face_recognition"], (), labelled, kit.packs, threads=1, rounds=1).measures
    assert not found.absent
    ours, peer = found.contestants
    assert (ours.name, peer.name) == ("Mien", "face_recognition")
    assert peer.versions.keys() == {"face_recognition", "dlib"}
    assert (ours.threshold, peer.threshold) == (0.6, 0.6)
    assert ours.accuracy_at_threshold.value == peer.accuracy_at_threshold.value == 1.0
    assert ours.accuracy_at_threshold.of == len(labelled.same)
    assert peer.no_face.count == 0
    assert peer.mien_faster_by == pytest.approx(ours.photographs_per_second / peer.photographs_per_second)


def test_mien_as_a_contestant_says_what_mien_says(kit, labelled, tmp_path):
    at = Setting(sys.executable, {}, 1, "embed", tmp_path, kit.packs)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff no picture")
    names = [*map(str, labelled.photos[:3]), str(broken)]
    runs, absent = race(
        [mien_with("mtcnn", "dlib-resnet29", at)],
        names,
        [(names[0], names[1]), (names[0], names[3])],
        rounds=1,
    )
    assert not absent
    faces = [kit.embed(open_image(name)) for name in names[:3]]
    assert runs[0].faces.tolist() == [*map(len, faces), 0]
    a, b = (one.central().embedding[0] for one in faces[:2])
    assert runs[0].distance[0] == pytest.approx(np.linalg.norm(a - b), abs=1e-3)
    assert np.isinf(runs[0].distance[1])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"threads": 0}, "threads must be at least 1"),
        ({"rounds": 0}, "rounds must be at least 1"),
        ({"limit": 0}, "limit must be at least 1"),
        ({"against": []}, "Nobody to compare with"),
        ({"pythons": {"uniface": "x"}}, "uniface has an interpreter"),
        ({"photos": []}, "no photograph"),
    ],
)
def test_what_cannot_be_asked(tmp_path, changed, said):
    given = {
        "against": ["opencv"],
        "photos": [tmp_path / "a.jpg"],
        "pairs": None,
        "store": PackStore(tmp_path),
        "threads": 1,
    }
    with pytest.raises(BadRequest, match=said):
        compare(**given | changed)


def test_an_interpreter_that_is_not_there(tmp_path):
    with pytest.raises(BadRequest, match="interpreter of opencv, does not exist"):
        compare(
            ["opencv"],
            [tmp_path],
            None,
            PackStore(tmp_path),
            threads=1,
            pythons={"opencv": tmp_path / "python"},
        )


def test_nobody_can_run(tmp_path):
    found = compare(
        ["opencv", "uniface"], [tmp_path / "a.jpg"], None, PackStore(tmp_path / "packs"), threads=1
    )
    assert [one.name for one in found.measures.absent] == ["OpenCV", "UniFace"]
    assert all("mien packs install" in one.hint for one in found.measures.absent)
    assert found.measures.contestants == []
