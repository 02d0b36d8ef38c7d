import numpy as np
import pytest

from mien.errors import BadRequest
from mien.evaluate.reading.truth import read_marked


def test_the_format_is_told_by_content(tmp_path):
    wider, coco = tmp_path / "truth.json", tmp_path / "truth.txt"
    wider.write_text("a.jpg\n1\n1 2 3 4\n")
    coco.write_text(
        '\n {"images": [{"id": 1, "file_name": "a.jpg"}],'
        ' "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}]}'
    )
    one, other = read_marked(wider), read_marked(coco)
    assert list(one) == list(other) == ["a.jpg"]
    np.testing.assert_array_equal(one["a.jpg"].faces, other["a.jpg"].faces)


@pytest.mark.parametrize("text", ["", "[1]", "hello"])
def test_neither_is_refused(tmp_path, text):
    (tmp_path / "truth").write_text(text)
    with pytest.raises(BadRequest):
        read_marked(tmp_path / "truth")
