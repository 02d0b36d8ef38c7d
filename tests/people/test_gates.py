import numpy as np
import pytest

from mien.core.columns import BY_NAME
from mien.core.faces import Face
from mien.errors import FaceRefused
from mien.people.gates import GATES, let_pass
from mien.settings import Settings

PARTS = BY_NAME["quality_parts"].labels


def face(quality=None, pose=None, **parts):
    values = np.ones(len(PARTS), np.float32)
    for name, value in parts.items():
        values[PARTS.index(name)] = value
    return Face(np.array([0, 0, 100, 100], np.float32), 0.9, quality_parts=values, quality=quality, pose=pose)


def test_every_gate_of_the_settings_is_here():
    kinds = Settings.__annotations__["gate"]
    assert set(GATES) == {"off", "standard", "strict"}
    assert "Gate" in str(kinds)


def test_what_gates_ask_for_are_columns():
    for demands in GATES.values():
        assert {*demands.needs, *demands.takes} <= BY_NAME.keys()


def test_a_good_face_passes_all():
    for gate in GATES:
        let_pass(face(quality=0.9, pose=np.zeros(3)), gate, "a.jpg")


@pytest.mark.parametrize("gate", ["standard", "strict"])
def test_a_small_face_is_told_to_come_closer(gate):
    with pytest.raises(FaceRefused, match=r"a\.jpg.*come closer"):
        let_pass(face(quality=0.9, inter_eye_distance=0.01), gate, "a.jpg")
    let_pass(face(inter_eye_distance=0.01), "off", "a.jpg")


def test_strict_wants_more_quality_than_standard():
    let_pass(face(quality=0.6), "standard", "a.jpg")
    with pytest.raises(FaceRefused, match=r"quality 0\.60 is below 0\.70"):
        let_pass(face(quality=0.6), "strict", "a.jpg")


def test_strict_wants_the_head_upright_by_the_network():
    with pytest.raises(FaceRefused, match="turn to the camera"):
        let_pass(face(quality=0.9, pose=np.array([70.0, 0, 0])), "strict", "a.jpg")
