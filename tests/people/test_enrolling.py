import hashlib
import io
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from mien import Image, open_image
from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.results import Enrolment
from mien.errors import BadRequest, ManyFaces, NoFace, UnreadableImage
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import DecisionRule
from mien.people.enrolling import (
    Keeping,
    Told,
    enroll,
    enroll_all,
    face_crop,
    new_faces,
    photograph_digest,
)

KEEPING = Keeping(("box", "score", "embedding"), ("d@1", "e@2"))


@pytest.fixture
def gallery():
    with memory_gallery(DecisionRule("s", "cosine", 0.5, None)) as opened:
        yield opened


def analysis(*vectors, source="a.jpg", shade=0):
    rgb = np.full((40, 60, 3), shade, np.uint8)
    n = len(vectors)
    boxes = np.tile(np.array([10, 5, 30, 35], np.float32), (n, 1))
    faces = Faces(
        (60, 40),
        boxes,
        np.ones(n, np.float32),
        embedding=np.array(vectors, np.float32).reshape(n, 4) if n else np.zeros((0, 4), np.float32),
        space="s",
    )
    return Analysis(Image.from_rgb(rgb, source), faces)


ADA, BO = (1, 0, 0, 0), (0, 1, 0, 0)


def test_faces_are_kept_with_where_they_came_from(gallery):
    done = enroll(gallery, Told("Ada", ("x",)), [analysis(ADA), analysis(BO, shade=9)], KEEPING, "s")
    assert (done.person, done.faces, done.repeated, done.failures) == ("Ada", 2, 0, ())
    faces = gallery.faces("Ada")
    assert tuple(face.id for face in faces) == done.face_ids
    told = faces[0].provenance
    assert (told.source, told.box, told.size_wh, told.packs) == (
        "a.jpg",
        (10, 5, 30, 35),
        (60, 40),
        ("d@1", "e@2"),
    )
    assert len(told.digest) == 64
    assert gallery.person("Ada").tags == ("x",)
    assert not faces[0].has_crop


def test_pictures_that_give_no_face_are_told_of(gallery):
    broken = Failure("b.jpg", UnreadableImage("b.jpg is broken"))
    found = [broken, analysis(source="none.jpg"), analysis(ADA, BO, source="two.jpg"), analysis(ADA)]
    done = enroll(gallery, Told("Ada"), found, KEEPING, "s")
    assert done.faces == 1
    assert [(one.source, type(one.error)) for one in done.failures] == [
        ("b.jpg", UnreadableImage),
        ("none.jpg", NoFace),
        ("two.jpg", ManyFaces),
    ]


def test_without_any_face_the_first_error_is_raised_and_nobody_is_enrolled(gallery):
    with pytest.raises(NoFace, match=r"none\.jpg"):
        enroll(gallery, Told("Ada"), [analysis(source="none.jpg"), analysis(ADA, BO)], KEEPING, "s")
    with pytest.raises(BadRequest, match="'Ada'"):
        enroll(gallery, Told("Ada"), [], KEEPING, "s")
    assert len(gallery) == 0


def test_the_same_photograph_adds_nothing(gallery):
    first = enroll(gallery, Told("Ada"), [analysis(ADA)], KEEPING, "s")
    again = enroll(gallery, Told("Ada"), [analysis(ADA), analysis(ADA, shade=3)], KEEPING, "s")
    assert (first.faces, again.faces, again.repeated) == (1, 1, 1)
    assert len(gallery.faces("Ada")) == 2


def test_somebody_who_looks_like_somebody_else_is_enrolled_with_a_warning(gallery):
    enroll(gallery, Told("Ada"), [analysis(ADA)], KEEPING, "s")
    done = enroll(gallery, Told("Eve"), [analysis((0.9, 0.1, 0, 0), shade=1)], KEEPING, "s")
    assert [match.person for match in done.resembles] == ["Ada"]
    assert enroll(gallery, Told("Bo"), [analysis(BO, shade=2)], KEEPING, "s").resembles == ()
    assert enroll(gallery, Told("Ada"), [analysis(ADA, shade=4)], KEEPING, "s").resembles[0].person == "Eve"


def test_nobody_stops_the_others(gallery):
    pictures = {"a": [analysis(ADA)], "none": [analysis(source="none")], "b": [analysis(BO, shade=1)]}
    people = [(Told(name), [name]) for name in pictures]
    done = dict(enroll_all(gallery, people, lambda sources, _: iter(pictures[sources[0]]), KEEPING))
    assert isinstance(done["none"], NoFace)
    assert all(isinstance(done[name], Enrolment) for name in "ab")
    assert [person.name for person in gallery.people()] == ["a", "b"]


def test_the_digest_is_of_the_file_or_else_of_the_pixels(photos):
    file = photos / "unknown" / "rocket.jpg"
    image = open_image(file)
    assert photograph_digest(image) == hashlib.sha256(file.read_bytes()).hexdigest()
    loose = [Image.from_rgb(np.full((2, 2, 3), shade, np.uint8)) for shade in (0, 0, 1)]
    assert photograph_digest(loose[0]) == photograph_digest(loose[1]) != photograph_digest(loose[2])


@pytest.mark.parametrize("factor", [1, 2])
def test_a_crop_shows_the_face_also_of_a_smaller_copy(factor):
    rgb = np.zeros((200 // factor, 300 // factor, 3), np.uint8)
    rgb[80 // factor : 120 // factor, 100 // factor : 140 // factor] = 255
    image = replace(Image.from_rgb(rgb), full_wh=(300, 200) if factor > 1 else None)
    face = Faces((300, 200), np.array([[100, 80, 140, 120]], np.float32), np.ones(1, np.float32))[0]
    crop = np.asarray(PIL.Image.open(io.BytesIO(face_crop(image, face))).convert("L")).astype(int)
    middle, edge = crop[len(crop) // 2, crop.shape[1] // 2], crop[1, 1]
    assert middle > 200 > 50 > edge
    assert abs(crop.shape[0] - 68 / factor) <= 2, "with a third of the face around it"


def test_crops_are_kept_only_if_they_are_asked_for(gallery):
    faces, _ = new_faces([analysis(ADA)], KEEPING)
    assert faces[0].crop is None
    faces, _ = new_faces([analysis(ADA)], replace(KEEPING, crops=True))
    assert PIL.Image.open(io.BytesIO(faces[0].crop)).format == "JPEG"
