import json

import msgspec
import numpy as np
import pytest

from mien.core.faces import Faces
from mien.server.compreface.looking import Looked, sure
from mien.server.compreface.reading import PLUGINS, columns_of
from mien.server.compreface.shapes import ComparedFace, FoundFace


def faces(**columns):
    box, score = np.array([[10.4, 20.5, 30.6, 41.5]]), np.array([0.987654321])
    return Faces((100, 80), box, score, **columns)


def row(found, *plugins, kind=FoundFace, **more):
    return json.loads(msgspec.json.encode(Looked(found, plugins).row(0, kind, **more)))


def test_a_face_that_nothing_was_asked_about_is_a_box():
    expected = {"probability": 0.98765, "x_min": 10, "y_min": 20, "x_max": 31, "y_max": 42}
    assert row(faces()) == {"box": expected}


def test_plugins_answer_in_the_shapes_of_compreface():
    points = np.arange(10, dtype=float).reshape(1, 5, 2) + 0.4
    found = faces(
        points=points,
        age=[36.6],
        gender=[[0.9, 0.1]],
        pose=[[-12.346, 5.5, 1.0]],
        mask=[0.25],
        embedding=[[0.5, -0.25]],
        space="x:0",
    )
    told = row(found, *PLUGINS)
    assert told["landmarks"] == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    assert told["age"] == {"low": 37, "high": 37, "probability": 1.0}
    assert told["gender"] == {"value": "female", "probability": 0.9}
    assert told["pose"] == {"yaw": -12.35, "pitch": 5.5, "roll": 1.0}  # as our columns are ordered
    assert told["mask"] == {"value": "without_mask", "probability": 0.75}
    assert told["embedding"] == [0.5, -0.25]
    assert "calculator" not in told
    assert "execution_time" not in told


@pytest.mark.parametrize(
    ("probability", "value"), [(0.5, "with_mask"), (1.0, "with_mask"), (0.0, "without_mask")]
)
def test_the_probability_is_that_of_what_is_said(probability, value):
    mask = row(faces(mask=[probability]), "mask")["mask"]
    assert mask == {"value": value, "probability": max(probability, 1 - probability)}


def test_a_detector_without_points_gives_no_landmarks():
    assert "landmarks" not in row(faces(), "landmarks")


def test_what_was_computed_and_not_asked_for_stays_here():
    assert row(faces(embedding=[[1.0, 2.0]], space="x:0")).keys() == {"box"}


def test_times_and_what_else_a_face_has_come_along():
    found = Looked(faces(), (), {"detector": 42.1}).row(0, ComparedFace, similarity=0.5)
    told = json.loads(msgspec.json.encode(found))
    assert (told["execution_time"], told["similarity"]) == ({"detector": 42.1}, 0.5)
    assert "subject" not in told


def test_the_detector_has_to_be_sure_enough():
    assert len(sure(faces(), 0.98)) == 1
    assert len(sure(faces(), 0.99)) == 0


def test_the_same_is_always_asked_for_in_the_same_order():
    assert columns_of(("mask", "age"), "embedding") == columns_of(("age", "mask", "calculator"))
    assert columns_of(("landmarks",)) == columns_of(())
