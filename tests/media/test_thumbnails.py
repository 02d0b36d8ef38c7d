from io import BytesIO

import numpy as np
import PIL.Image

from mien.core.faces import Face
from mien.core.image import Image
from mien.media.thumbnails import jpeg, portrait


def test_a_thumbnail_keeps_its_shape_and_is_never_enlarged():
    image = Image.from_rgb(np.zeros((100, 400, 3), np.uint8))
    assert PIL.Image.open(BytesIO(jpeg(image, 200))).size == (200, 50)
    assert PIL.Image.open(BytesIO(jpeg(image, 1000))).size == (400, 100)


def test_a_portrait_has_room_around_the_face():
    y, x = np.mgrid[:200, :300].astype(np.uint8)
    image = Image.from_rgb(np.stack([x, y, x], axis=2))
    cut = portrait(image, Face(np.array([100, 80, 140, 120], np.float32), 1.0))
    # 40 px and 35 % of it on every side.
    assert cut.size_wh == (68, 68)
    assert cut.rgb[0, 0, :2].tolist() == [86, 66]


def test_a_portrait_ends_where_the_picture_does():
    image = Image.from_rgb(np.zeros((50, 60, 3), np.uint8))
    cut = portrait(image, Face(np.array([-10, -10, 30, 30], np.float32), 1.0))
    assert cut.size_wh == (44, 44)
