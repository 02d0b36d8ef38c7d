from pathlib import Path

import pytest

from casefiles import Eyes
from mien.core.image import Image
from mien.errors import BadRequest
from mien.media.images import open_image
from mien.people.enrolling import Keeping, new_face
from mien.people.probes import look, make_probe


@pytest.fixture
def eyes():
    return Eyes()


def test_a_face_is_looked_at_and_cut_out(tmp_path, eyes):
    path = eyes.photograph(tmp_path / "a.png", (1.0, 2.0))
    (one,) = look([path], ["only"], eyes.analyze)
    assert one.vector.tolist() == [1, 2]
    assert one.space == "s"
    assert open_image(one.picture).size_wh == (48, 48), (
        "the whole picture: there is no more room around the face"
    )
    assert repr(one) == "Looked(2 numbers)"


def test_of_several_faces_the_one_that_is_meant(tmp_path, eyes):
    path = eyes.photograph(tmp_path / "a.png", (1.0, 2.0), (3.0, 4.0))
    assert [look([path], [face], eyes.analyze)[0].vector[0] for face in ("largest", 0, 1)] == [1, 1, 3]
    with pytest.raises(BadRequest, match="no face 2"):
        look([path], [2], eyes.analyze)


def test_paths_last(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    case = Path("case")
    assert make_probe(case, Path("a.jpg"), "only", "", "0").photograph == str(tmp_path / "a.jpg")
    assert make_probe(case, Path("case/a.jpg"), "only", "", "0").photograph == "a.jpg"
    assert make_probe(tmp_path / "case", Path("case/in/a.jpg"), "only", "", "0").photograph == str(
        Path("in/a.jpg")
    )
    assert make_probe(case, Path("casework/a.jpg"), "only", "", "0").photograph == str(
        tmp_path / "casework/a.jpg"
    )


@pytest.mark.parametrize("said", ["99", "2010-02-30", "may", " "])
def test_what_is_no_day_is_refused(tmp_path, said):
    with pytest.raises(BadRequest) as refused:
        make_probe(tmp_path, tmp_path / "a.jpg", "only", said, "0")
    assert "=1998" in refused.value.hint


def test_who_is_enrolled_is_dated_like_the_photograph(tmp_path, eyes):
    for day, taken in (("2010:05:10 10:00:00", "2010-05-10"), (None, "")):
        path = eyes.photograph(tmp_path / "a.png", (1.0, 2.0), day=day)
        (found,) = eyes.analyze([path], ("embedding",))
        assert new_face(found.image, found.faces, Keeping(("embedding",))).provenance.taken == taken
    pixels = Image.from_rgb(found.image.rgb)
    assert new_face(pixels, found.faces, Keeping(("embedding",))).provenance.taken == ""
