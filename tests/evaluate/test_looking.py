from pathlib import Path

import numpy as np
import pytest

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import BadRequest, UnreadableImage
from mien.evaluate.looking import look

IMAGE = Image.from_rgb(np.zeros((100, 100, 3), np.uint8))
# Large at the edge, and small in the middle.
BOXES = np.array([[0, 0, 60, 60], [40, 45, 60, 60]], np.float32)


def faces(count, embedding=((1.0, 0), (0, 1.0))):
    return Faces(
        (100, 100), box=BOXES[:count], score=np.ones(count), embedding=np.array(embedding)[:count], space="s"
    )


def analyze(photos, columns):
    assert columns == ("box", "score", "points", "embedding")
    for photo in photos:
        count = int(photo.stem)
        if count < 0:
            yield Failure(str(photo), UnreadableImage("torn"))
        else:
            yield Analysis(IMAGE, faces(count))


PHOTOS = [Path("2.jpg"), Path("0.jpg"), Path("-1.jpg"), Path("1.jpg")]


def test_the_face_that_is_meant_is_kept_and_none_is_dropped():
    told = []
    found = look(analyze, PHOTOS, done=told.append)
    assert found.photos == tuple(PHOTOS)
    assert found.found.tolist() == [True, False, False, True]
    assert [failure.source for failure in found.failures] == ["-1.jpg"]
    assert found.space == "s"
    vectors = found.column("embedding")
    assert vectors[0].tolist() == [0, 1]
    assert vectors[3].tolist() == [1, 0]
    assert np.isnan(vectors[[1, 2]]).all()
    assert told == [1, 2, 3, 4]
    assert look(analyze, PHOTOS, which="largest").column("embedding")[0].tolist() == [1, 0]


def test_no_face_at_all_is_an_error_with_a_hint():
    found = look(analyze, PHOTOS[1:3])
    for ask in (lambda: found.column("embedding"), lambda: found.space):
        with pytest.raises(BadRequest, match="No face") as error:
            ask()
        assert error.value.hint
