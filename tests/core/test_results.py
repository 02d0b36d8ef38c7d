import numpy as np
import pytest

from mien.core.analysis import Analysis
from mien.core.faces import Faces
from mien.core.image import Image
from mien.core.matches import Matches
from mien.core.results import Identification


def identification(n=3):
    image = Image.from_rgb(np.zeros((8, 8, 3), np.uint8), "party.jpg")
    faces = Faces(image.size_wh, [[i, 0, i + 2, 2] for i in range(n)] or np.zeros((0, 4)), [0.5] * n)
    distance = np.array([[0.1], [0.9], [0.4]], np.float32)[:n]
    people = np.array([["Ada"], ["Bo"], ["Cy"]])[:n]
    return Identification(image, faces, Matches(people, 1 - distance, distance, 0.5, None, "s"))


def test_iterating_gives_each_face_with_its_accepted_match():
    found = identification()
    assert len(found) == 3
    assert [(face.box[0], match.person if match else None) for face, match in found] == [
        (0, "Ada"),
        (1, None),
        (2, "Cy"),
    ]
    assert found.names == ["Ada", None, "Cy"]


def test_a_picture_without_a_face_has_no_names():
    assert (len(identification(0)), identification(0).names, list(identification(0))) == (0, [], [])


@pytest.mark.parametrize(("source", "said"), [("a.jpg", "a.jpg"), (None, "<array>")])
def test_an_analysis_names_its_source(source, said):
    image = Image.from_rgb(np.zeros((2, 2, 3), np.uint8), source)
    assert Analysis(image, Faces.empty(image.size_wh)).source == said
