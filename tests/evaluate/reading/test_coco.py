import json

import pytest

from mien.errors import BadRequest
from mien.evaluate.reading.coco import read_coco

IMAGES = [{"id": 7, "file_name": "a.jpg", "width": 90}, {"id": "x", "file_name": "b.jpg"}]


def read(**file):
    return read_coco(json.dumps({"images": IMAGES, "annotations": [], **file}), "gt.json")


def test_boxes_crowds_and_photographs_without_faces():
    found = read(
        annotations=[
            {"id": 1, "image_id": 7, "bbox": [1, 2, 3, 4], "iscrowd": 0, "segmentation": [[1, 2]]},
            {"image_id": 7, "bbox": [10, 20, 30.5, 40], "iscrowd": 1},
            {"image_id": 7, "bbox": [5, 5, 9, 9], "ignore": True},
            {"image_id": 7, "bbox": [5, 5, 0, 9]},
        ]
    )
    assert list(found) == ["a.jpg", "b.jpg"]
    assert found["a.jpg"].faces.tolist() == [[1, 2, 4, 6]]
    assert found["a.jpg"].ignored.tolist() == [[10, 20, 40.5, 60], [5, 5, 14, 14], [5, 5, 5, 14]]
    assert len(found["b.jpg"].faces) == 0


def test_of_several_categories_faces_count():
    annotations = [{"image_id": 7, "bbox": [i, 0, 5, 5], "category_id": i} for i in (1, 2)]
    categories = [{"id": 1, "name": "person"}, {"id": 2, "name": "Face"}]
    found = read(annotations=annotations, categories=categories)
    assert found["a.jpg"].faces.tolist() == [[2, 0, 7, 5]]
    whatever = read(annotations=annotations, categories=[{"id": 1, "name": "head"}])
    assert len(whatever["a.jpg"].faces) == 2
    with pytest.raises(BadRequest, match="none is called face"):
        read(categories=[{"id": 1, "name": "person"}, {"id": 2, "name": "car"}])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "gt.json"),
        ("[]", "Expected `object`"),
        ("{}", "images"),
        ('{"images": [], "annotations": []}', "no photograph"),
        ('{"images": [{"id": 1, "file_name": 5}], "annotations": []}', r"images\[0\].file_name"),
        (json.dumps({"images": IMAGES + IMAGES[:1], "annotations": []}), "twice"),
        (json.dumps({"images": [*IMAGES, {"id": 8, "file_name": "a.jpg"}], "annotations": []}), "twice"),
        ('{"images": [{"id": 1, "file_name": "a"}], "annotations": [{"bbox": []}]}', r"annotations\[0\]"),
        ('{"images": [], "annotations": [], "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "recursion"),
    ],
)
def test_what_is_no_coco_is_refused(text, said):
    with pytest.raises(BadRequest, match=said):
        read_coco(text, "gt.json")


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"image_id": 8, "bbox": [1, 2, 3, 4]}, r"annotations\[0\]: no such image"),
        ({"image_id": 7, "bbox": [1, 2, -3, 4]}, r"annotations\[0\]: the bbox"),
        ({"image_id": 7, "bbox": [1e308, 2, 1e308, 4]}, "box"),
    ],
)
def test_annotations_that_cannot_be_are_refused(annotation, said):
    with pytest.raises(BadRequest, match=said):
        read(annotations=[annotation])
