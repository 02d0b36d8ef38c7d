"""A choice of packs is made once, whatever is installed meanwhile."""

import pytest

from mien import Mien, load_settings


@pytest.fixture
def growing(mien_home, modern_home, tmp_path):
    """A `Mien` with the starter, and a function that installs a better embedder beside it."""
    packs = tmp_path / "packs"
    packs.mkdir()
    for pack in (mien_home / "packs").iterdir():
        (packs / pack.name).symlink_to(pack)
    kit = Mien(load_settings(environ={}, home=tmp_path, store="memory"))
    return kit, lambda: (packs / "retail0095").symlink_to(modern_home / "packs" / "retail0095")


def test_the_rule_is_that_of_the_embedder_that_was_opened(growing, photos):
    kit, install = growing
    hopper, obama = photos / "known/Grace Hopper/portrait.jpg", photos / "unknown/portrait-2012.jpg"
    kit.embed(obama)
    install()
    assert kit.packs.default("embedding") == "retail0095"
    found = kit.verify(hopper, obama)
    assert not found.verified
    assert found.metric == "euclidean"
    assert found.space == found.face_a.space == kit.rule().space
    assert [stage.name for stage in kit.stages_for(("embedding", "landmarks"))][1] == "dlib-resnet29"


def test_another_set_of_columns_keeps_the_choice(growing):
    kit, install = growing
    kit.stages_for(("embedding",))
    install()
    names = {stage.name for stage in kit.stages_for(("box", "embedding", "landmarks"))}
    assert "dlib-resnet29" in names
    assert "retail0095" not in names


def test_answers_do_not_depend_on_the_order_of_columns(modern_home, photos):
    kit = Mien(load_settings(environ={}, home=modern_home, store="memory", detector="mmod"))
    picture = photos / "unknown/half-a-face.jpg"
    (one,), (other,) = (
        kit.analyze(picture, columns) for columns in (("pose", "landmarks"), ("landmarks", "pose"))
    )
    assert one.faces.pose.tolist() == other.faces.pose.tolist()
    assert len(one.faces) == 1
