import numpy as np
import pytest

from mien.core.analysis import Failure
from mien.errors import BadRequest
from mien.evaluate.whole_pictures import whole_pictures


class Stage:
    def __init__(self, needs, gives):
        self.name, self.needs, self.gives = "stage", frozenset(needs), frozenset(gives)

    def __call__(self, images, faces):
        assert "box" not in self.gives, "nothing is to be found"
        return [found.with_(quality=np.full(len(found), 0.25)) for found in faces]


def test_every_picture_is_one_face_from_edge_to_edge(photos, tmp_path):
    path = next(photos.rglob("*.jpg"))
    analyze = whole_pictures([Stage([], ["box", "score"]), Stage(["box"], ["quality"])])
    found, failure = analyze([path, tmp_path / "nothing.jpg"], ("quality",))
    assert found.faces.box.tolist() == [[0, 0, *found.image.size_wh]]
    assert found.faces.quality.tolist() == [0.25]
    assert isinstance(failure, Failure)


def test_what_needs_points_is_refused():
    with pytest.raises(BadRequest, match="points"):
        whole_pictures([Stage(["box", "points"], ["quality"])])
